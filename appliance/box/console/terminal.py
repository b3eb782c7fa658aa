"""A terminal as lines: 115200 8N1 or a screen. Nothing typed on it is a signal, a job or a flow control."""

import contextlib
import os
import select
import termios
import time
from collections import deque
from types import TracebackType

from appliance.box.console.keys import Ended, Typing

READ_OCTETS = 256


class Gone(Exception):
    """The line was hung up."""


class Idle(Exception):
    """Nobody typed for so long."""


class Terminal:
    """`reading` and `writing` are descriptors of one terminal."""

    def __init__(self, reading: int, writing: int, idle_s: float) -> None:
        self._reading, self._writing, self._idle_s = reading, writing, idle_s
        self._typing, self._came = Typing(), deque[int]()

    def __enter__(self) -> "Terminal":
        self._before = termios.tcgetattr(self._reading)
        iflag, oflag, cflag, lflag, _, _, signs = termios.tcgetattr(self._reading)
        iflag &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.ISTRIP
                   | termios.BRKINT)
        iflag |= termios.IGNBRK | termios.IGNPAR
        oflag &= ~termios.OPOST
        cflag = cflag & ~(termios.CSIZE | termios.PARENB | termios.CSTOPB) | termios.CS8 | termios.CLOCAL
        lflag &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        signs[termios.VMIN], signs[termios.VTIME] = 1, 0
        speed = termios.B115200
        termios.tcsetattr(self._reading, termios.TCSANOW, [iflag, oflag, cflag, lflag, speed, speed, signs])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with contextlib.suppress(termios.error):  # it was hung up
            termios.tcsetattr(self._reading, termios.TCSANOW, self._before)

    def say(self, text: str = "") -> None:
        """Lines. Of what others wrote nothing reaches the terminal that it would obey."""
        self._show(f"{text}\n")

    def clear(self) -> None:
        self._write("\x1b[2J\x1b[H")

    def ask(self, prompt: str, secret: bool = False) -> str | None:
        """What is typed, stripped; None: given up. Idle, Gone."""
        self._show(f"{prompt} ")
        self._typing.next(secret)
        until = time.monotonic() + self._idle_s
        while True:
            while self._came:
                ended = self._typing.feed(self._came.popleft())
                if echo := self._typing.take_echo():
                    self._write(echo)
                if ended is not None:
                    return self._typing.text.strip() if ended is Ended.ENTER else None
            self._came.extend(self._read(until))
            until = time.monotonic() + self._idle_s

    def pressed(self, within_s: float) -> bool:
        """Whether anything is typed meanwhile; it is forgotten."""
        try:
            self._came.clear()
            return bool(self._read(time.monotonic() + within_s))
        except Idle:
            return False

    def _read(self, until: float) -> bytes:
        ready, _, _ = select.select([self._reading], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise Idle
        try:
            octets = os.read(self._reading, READ_OCTETS)
        except OSError:
            raise Gone from None
        if not octets:
            raise Gone
        return octets

    def _show(self, text: str) -> None:
        shown = "".join(one if one.isprintable() or one == "\n" else " " for one in text)
        self._write(shown.replace("\n", "\r\n"))

    def _write(self, text: str) -> None:
        octets = text.encode("utf-8", "replace")
        while octets:
            try:
                octets = octets[os.write(self._writing, octets):]
            except OSError:
                raise Gone from None
