"""One thread that keeps a span going: blocks and frames in and out, and a door for others.

The line is the clock: a block is written for each block read, and nothing here sleeps.
"""

import contextlib
import heapq
import itertools
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

import numpy as np

from e1_driver import BLOCK, IDLE, TIMESLOTS, Block, LineError, Span

T = TypeVar("T")
P = ParamSpec("P")

log = logging.getLogger(__name__)

IDLE_TURN_S = 0.5                                 # the longest wait, so that a forgotten timer shows
PRIORITY = 20                                     # of SCHED_RR, where it is permitted: a line does not wait
WAITING_FRAMES = 1000                             # kept while the span's own queue is full


class InstrumentError(Exception):
    """The instrument cannot do this: not in this state, or its line is gone."""


def idle_block() -> Block:
    return np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)


def keep_time(priority: int = 1) -> None:
    """This thread, not those it starts, goes before ordinary work, where that is permitted.

    For a line, and for whoever may hold the interpreter's lock while a line wants it.
    """
    with contextlib.suppress(OSError):            # then it waits like anybody else
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))


class Party(Protocol):
    """What sits at the line. All methods run in the line's thread; `now` is monotonic."""

    def receive(self, frames: list[bytes], now: float) -> None: ...

    def run_timers(self, now: float) -> None: ...

    def next_timer_s(self) -> float | None: ...

    def exchange(self, heard: Block, said: Block, now: float) -> None:
        """Hear a block and fill in the one to send, which is idle."""
        ...

    def failed(self, error: Exception) -> None:
        """Something of the party's own went wrong; the line goes on. After a LineError it does not."""
        ...


class Line:
    """Owns the span from start() to stop()."""

    def __init__(self, span: Span, name: str) -> None:
        self.span = span
        self.frames_lost = 0                      # neither the span nor WAITING_FRAMES had room
        self.longest_gap_s = 0.0                  # between two turns that had work
        self._party: Party | None = None
        self._orders: deque[Callable[[], None]] = deque()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._unsent: deque[bytes] = deque()
        self._was_up = False                      # nothing is sent before the line was up for the first time
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._door = threading.Lock()             # nobody knocks on a closed descriptor
        self._open = True
        self._stopping = False
        self._ended: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"line {name}", daemon=True)

    def start(self, party: Party) -> None:
        self._party = party
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the span. Harmless when done already."""
        if not self._stopping:
            self._stopping = True
            with self._door:
                if self._open:
                    os.eventfd_write(self._wake, 1)
            self._thread.join()

    def send_frame(self, frame: bytes) -> None:
        """From the line's thread."""
        if not self._was_up:
            self._unsent.clear()                  # layer 2 repeats itself until somebody listens
            self._unsent.append(frame)
        elif self._unsent or not self.span.send_frame(frame):
            if len(self._unsent) == WAITING_FRAMES:
                self.frames_lost += 1
            else:
                self._unsent.append(frame)

    def ask(self, order: Callable[[], T]) -> T:
        """Run `order` in the line's thread and give its result or its error."""
        if threading.current_thread() is self._thread:
            return order()
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(order())
            except Exception as error:
                future.set_exception(error)

        self.tell(run)
        while True:
            try:
                return future.result(timeout=IDLE_TURN_S)
            except TimeoutError:
                if future.done():                 # the order's own
                    raise
                if not self._thread.is_alive():
                    raise self._gone() from None

    def tell(self, order: Callable[[], None]) -> None:
        """Run `order` in the line's thread, soon. InstrumentError when the line is gone."""
        with self._door:
            if not self._open:
                raise self._gone()
            self._orders.append(order)
            os.eventfd_write(self._wake, 1)

    def _gone(self) -> InstrumentError:
        return InstrumentError(f"the line is gone: {self._ended or 'closed'}")

    def after(self, seconds: float, order: Callable[[], None]) -> None:
        """Run `order` in the line's thread then; from any thread."""
        at = time.monotonic() + seconds
        self.tell(lambda: heapq.heappush(self._later, (at, next(self._count), order)))

    # --- the thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        assert self._party is not None
        keep_time(PRIORITY)
        poller = select.poll()
        poller.register(self.span.fileno(), select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        last = time.monotonic()
        try:
            while not self._stopping:
                waited = bool(poller.poll(self._wait_ms(self._party)))
                now = time.monotonic()
                if waited:
                    self.longest_gap_s = max(self.longest_gap_s, now - last)
                last = now
                self._turn(self._party, now)
        except LineError as error:
            self._ended = error
            self._party.failed(error)
        finally:
            self.span.close()
            with self._door:
                self._open = False
                os.close(self._wake)

    def _wait_ms(self, party: Party) -> int:
        wait_s = IDLE_TURN_S
        if (timer_s := party.next_timer_s()) is not None:
            wait_s = min(wait_s, timer_s)
        if self._later:
            wait_s = min(wait_s, max(0.0, self._later[0][0] - time.monotonic()))
        return 0 if self._orders else int(wait_s * 1000) + (wait_s > 0)

    def _turn(self, party: Party, now: float) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            pass
        for _ in range(len(self._orders)):        # orders given by these orders wait for the next turn
            self._guard(self._orders.popleft())
        while self._later and self._later[0][0] <= now:
            self._guard(heapq.heappop(self._later)[2])
        self._guard(party.run_timers, now)
        while (block := self.span.read(now)) is not None:
            self._frames(party, now)              # first: what they are answered with leaves with this block
            self._guard(party.exchange, block, out := idle_block(), now)
            self.span.write(out)
        self._frames(party, now)

    def _frames(self, party: Party, now: float) -> None:
        self._was_up = self._was_up or self.span.status().up
        while self._was_up and self._unsent and self.span.send_frame(self._unsent[0]):
            self._unsent.popleft()
        if frames := self.span.receive_frames():
            self._guard(party.receive, frames, now)

    def _guard(self, order: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """A mistake of the party's is told and must not stop the clock."""
        assert self._party is not None
        try:
            order(*args, **kwargs)
        except LineError:
            raise
        except Exception as error:
            log.exception("exchange")
            self._party.failed(error)
