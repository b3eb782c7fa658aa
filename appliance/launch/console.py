"""One readable log of many programs: time, name in a colour of its own, text.

Whoever says a line never waits: a thread writes, and what a stuck terminal does not take is counted and left
out, so that no daemon ever waits for a screen.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import TextIO

MOST_LINES = 10_000                               # waiting to be written
LINE_CHARACTERS = 2_000
NAME_WIDTH = 8

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)                  # SGR, readable on dark and on light
_RESET = "\x1b[0m"


class Console:
    """`colours`: mark each name; names get colours in the order they first speak."""

    def __init__(self, stream: TextIO, colours: bool, clock: Callable[[], float] = time.time) -> None:
        self._stream, self._colours, self._clock = stream, colours, clock
        self._colour_of: dict[str, int] = {}
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_LINES)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="console", daemon=True)
        self._thread.start()

    def say(self, name: str, text: str) -> None:
        """A line of `name`. Control characters are made harmless: part of it may come from a caller."""
        at = self._clock()
        colour = self._colour_of.setdefault(name, _COLOURS[len(self._colour_of) % len(_COLOURS)])
        shown = f"{name:<{NAME_WIDTH}}"
        if self._colours:
            shown = f"\x1b[{colour}m{shown}{_RESET}"
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        self._put(f"{clock}.{int(at % 1 * 1000):03d} {shown} {_clean(text)}\n")

    def tell(self, text: str) -> None:
        """Lines of our own for a person."""
        self._put("".join(f"{_clean(line)}\n" for line in text.split("\n")))

    def close(self, within_s: float = 2.0) -> None:
        """Write what waits, as far as the terminal takes it in this time."""
        try:
            self._waiting.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _put(self, line: str) -> None:
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            left_out, self._left_out = self._left_out, 0
            try:
                self._stream.write(line)
                if left_out:
                    self._stream.write(f"... {left_out} lines left out: the terminal did not take them\n")
                if self._waiting.empty():
                    self._stream.flush()
            except (OSError, ValueError):         # nobody reads any more: go on without a log
                continue


def _clean(line: str) -> str:
    return "".join(one if one.isprintable() else " " for one in line[:LINE_CHARACTERS])
