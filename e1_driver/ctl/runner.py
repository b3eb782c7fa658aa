"""The loop that carries lines for a command: blocks, frames and time to the parts that look at them."""

import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

import numpy as np

from e1_driver import BLOCK, IDLE, TIMESLOTS, Block, LineError
from e1_driver.kept import KeptSpan

TICK_S = 0.1
BLOCKS_PER_TURN = 100                             # of one line, before the others and ^C have their turn


class Part:
    """What looks at a line, or speaks on it. Each method may be left as it is."""

    def block(self, now: float, received: Block, sent: Block) -> None:
        """Look at a block; fill rows of the block that goes out for it, which are idle."""

    def frame(self, now: float, unix_s: float, frame: bytes) -> None:
        """A good frame came in on the D-channel."""

    def tick(self, now: float, unix_s: float) -> None:
        """Ten times a second, whether the line lives or not."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open span and what looks at it."""

    url: str
    span: KeptSpan
    parts: list[Part] = field(default_factory=list)

    def turn(self, now: float, unix_s: float) -> None:
        """Take what the span has, answer each block with one."""
        for _ in range(BLOCKS_PER_TURN):
            received = self.span.read(now)
            if received is None:
                break
            sent = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
            for part in self.parts:
                part.block(now, received, sent)
            self.span.write(sent)
        for frame in self.span.receive_frames():
            for part in self.parts:
                part.frame(now, unix_s, frame)


def open_line(url: str, say: Callable[[str], None]) -> Line:
    """Open `url` and keep it open; `say` hears when it goes. ValueError: wrong URL; LineError: not there."""
    opened = False
    span = KeptSpan(url, lambda text: say(text) if opened else None)
    if span.away:
        trouble = span.trouble
        span.close()
        raise LineError(trouble)
    opened = True
    return Line(url, span)


class Runner:
    """Runs lines until it is enough. A context: at its end, however it comes, loops are off and spans closed.

    SIGINT, SIGTERM and SIGHUP end run(); a second one ends the program where it is.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = list(lines)
        self.interrupted = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._interrupt) for number in self.SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for line in self.lines:
            with suppress(LineError):
                line.span.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        for each in self.SIGNALS:
            signal.signal(each, signal.default_int_handler)

    def run(self, for_s: float | None, enough: Callable[[float], bool] = lambda now: False) -> None:
        """For so long, or until a signal, or until `enough`, asked at each tick with the monotonic time."""
        poll = select.poll()
        by_descriptor = {line.span.fileno(): line for line in self.lines}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        now = time.monotonic()
        tick_at = now
        ends = None if for_s is None else now + for_s
        while not self.interrupted:
            now = time.monotonic()
            if now >= tick_at:
                self._tick(now)
                tick_at = max(tick_at + TICK_S, now)
                if enough(now):
                    return
            if ends is not None and now >= ends:
                return
            for descriptor, _ in poll.poll(max(0.0, tick_at - now) * 1000):
                by_descriptor[descriptor].turn(time.monotonic(), time.time())

    def _tick(self, now: float) -> None:
        unix_s = time.time()
        for line in self.lines:
            line.turn(now, unix_s)                # a span's own clocks and reconnects
            for part in line.parts:
                part.tick(now, unix_s)
