"""The other end of a line under test, in a thread: sends back what it hears, or noise, and frames."""

import select
import threading
import time
from types import TracebackType
from typing import Self

import numpy as np

from e1_driver import BLOCK, TIMESLOTS, Block, Counters, Span, open_span

TURN_S = 0.05


class FarEnd:
    """A context: the span of `url`, carried until its end. Attributes may be changed at any time."""

    def __init__(self, url: str, echoes: bool = True) -> None:
        self.span: Span = open_span(url)
        self.echoes = echoes                      # else each row says its number
        self.speaks: bytes | None = None          # a frame for each block
        self.frames: list[bytes] = []
        self.heard: list[int] = []                 # timeslot 1 while the line was up, an octet of each block
        self._tested: list[Counters] = []         # of the first and of the last block of a test pattern
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10.0)
        self.span.close()
        if self.error and error is None:
            raise self.error

    @property
    def lost(self) -> int:
        """What this end lost or repeated between the first and the last block of a test pattern."""
        first, last = (one.slips + one.packets_lost for one in self._tested)
        return last - first

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self.span.fileno(), select.POLLIN)
        try:
            while not self._stop.is_set():
                poll.poll(TURN_S * 1000)
                self._turn()
        except BaseException as error:
            self.error = error

    def _turn(self) -> None:
        while (block := self.span.read(time.monotonic())) is not None:
            if self.span.status().up:
                self.heard.append(int(block[1, 0]))
                self._note(block)
            if not self.echoes:
                block = np.repeat(np.arange(TIMESLOTS, dtype=np.uint8)[:, None], BLOCK, axis=1)
            self.span.write(block)
            if self.speaks:
                self.span.send_frame(self.speaks)
            self.frames += self.span.receive_frames()

    def _note(self, block: Block) -> None:
        if (block[1] != block[1, 0]).any():
            counters = self.span.counters()
            self._tested = [(self._tested or [counters])[0], counters]
