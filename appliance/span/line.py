"""The real-time thread: spans in, matrix, spans out; the record ring and D-channel frames."""

import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.bus.messages import SpanState
from appliance.config.schema import SpanConfig
from appliance.media.engine import Engine, Plan
from appliance.media.ring import Ring
from appliance.span.mailbox import Mailbox
from appliance.span.pace import Pacer
from appliance.span.seat import Seat
from e1_driver import IDLE, TIMESLOTS, LineStatus

PRIORITY = 20                                     # of SCHED_RR: above ordinary work, below the kernel's own
TICKS_AT_ONCE = 20                                # after a stall; then the sockets have their turn
LOOK_S = 0.1                                      # between looks at the spans' state
REPORT_S = 1.0
STALL_TICKS = 3                                   # so many back to back: the thread or a line was late


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last second, but stalls and ticks of the whole life."""

    ticks: int
    tick_us_mean: float
    tick_us_max: float
    stalls: int


@dataclass(frozen=True, slots=True)
class DigitHeard:
    leg: str
    digit: str
    at: float


@dataclass(frozen=True, slots=True)
class PlayerEnded:
    tag: int


@dataclass(frozen=True, slots=True)
class Note:
    """For the log: this thread does not write it, a terminal may be slow."""

    text: str


@dataclass(frozen=True, slots=True)
class Died:
    error: Exception


Report = DigitHeard | PlayerEnded | SpanState | Figures | Note | Died


class Line:
    """Runs all spans. Plans go in by `plans`, what happened comes out by `reports`."""

    def __init__(
        self, spans: list[SpanConfig], engine: Engine, ring: Ring, dchannels: Path, realtime: bool,
    ) -> None:
        """OSError when a D-channel socket cannot be made."""
        self.plans: Mailbox[Plan] = Mailbox()
        self.reports: Mailbox[Report] = Mailbox()
        self.ring_tick = ring.resume(time.monotonic_ns())            # the number that the next tick gets
        self._engine, self._ring, self._realtime = engine, ring, realtime
        self._rx = engine.blank()
        self._seats = [Seat(span, dchannels / f"{span.name}.sock", self._note) for span in spans]
        self._pacer = Pacer(len(spans), time.monotonic())
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[float], None]] = {}
        self._stopping = threading.Event()
        self._look_at = self._report_at = time.monotonic()
        self._said: list[LineStatus | None] = [None] * len(spans)
        self._ticks = self._stalls = self._timed = self._sum_ns = self._max_ns = 0
        self._watch(self.plans.fileno(), lambda now: self._change())
        for index, seat in enumerate(self._seats):
            self._watch(seat.dchannel.listener.fileno(), self._accepting(index))
            self._open(index, time.monotonic())   # here, so that no module is loaded in the thread
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the spans."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        for seat in self._seats:
            seat.close()
        self._epoll.close()
        self.plans.close()
        self.reports.close()

    def _run(self) -> None:
        try:
            self._ask_for_priority()
            while not self._stopping.is_set():
                self._turn()
        except Exception as error:
            self.reports.put(Died(error))

    def _ask_for_priority(self) -> None:
        if not self._realtime:
            return
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
        except OSError as error:
            self._note(f"no real-time priority ({error.strerror}): audio may break up when the box is busy; "
                       "give CAP_SYS_NICE or set media.realtime: false")

    def _turn(self) -> None:
        deadline = min(self._pacer.deadline(time.monotonic()), self._look_at)
        ready = self._epoll.poll(max(0.0, deadline - time.monotonic()))
        now = time.monotonic()
        for descriptor, _ in ready:
            self._ready[descriptor](now)
        if not ready:
            for index in range(len(self._seats)):
                self._read(index, now)
        ticks = 0
        while ticks < TICKS_AT_ONCE and self._pacer.due(now):
            self._tick(now)
            ticks += 1
        self._stalls += ticks > STALL_TICKS
        if now >= self._look_at:
            self._look(now)

    def _tick(self, now: float) -> None:
        began_ns = time.monotonic_ns()
        taken = self._pacer.take(now)
        for index, block in enumerate(taken.blocks):
            self._rx[index * TIMESLOTS:(index + 1) * TIMESLOTS] = IDLE if block is None else block
        tick = self._engine.tick(self._rx)
        for index, block in enumerate(taken.blocks):
            tx = tick.tx[index * TIMESLOTS:(index + 1) * TIMESLOTS]
            for _ in range((block is not None) + taken.dropped[index]):          # one for each that was read
                self._seats[index].write(tx, now)
                self._forget_lost(index)
        self._ring.write(self.ring_tick, self._engine.plan.recordings, tick.audio, began_ns)
        self.ring_tick += 1
        for tag in tick.ended:
            self.reports.put(PlayerEnded(tag))
        if tick.digits:
            at = time.time()
            for leg, digit in tick.digits:
                self.reports.put(DigitHeard(leg, digit, at))
        took_ns = time.monotonic_ns() - began_ns
        self._ticks += 1
        self._timed += 1
        self._sum_ns += took_ns
        self._max_ns = max(self._max_ns, took_ns)

    def _read(self, index: int, now: float) -> None:
        block = self._seats[index].read(now)
        if block is not None:
            self._pacer.arrived(index, block, now)
        self._forget_lost(index)

    def _forget_lost(self, index: int) -> None:
        if self._seats[index].span is None:
            self._pacer.forget(index)

    def _change(self) -> None:
        for plan in self.plans.take():
            self._engine.change(plan)

    def _open(self, index: int, now: float) -> None:
        seat = self._seats[index]
        if seat.open(now) and seat.span is not None:
            self._watch(seat.span.fileno(), lambda now: self._read(index, now))

    def _accepting(self, index: int) -> Callable[[float], None]:
        dchannel = self._seats[index].dchannel

        def accept(now: float) -> None:
            if dchannel.accept() and dchannel.client is not None:
                self._watch(dchannel.client.fileno(), lambda now: self._from_client(index, now))
        return accept

    def _from_client(self, index: int, now: float) -> None:
        self._seats[index].send_frames(now)
        self._forget_lost(index)

    def _watch(self, descriptor: int, act: Callable[[float], None]) -> None:
        """Call `act` when it is readable. A closed one leaves by itself, and its number may come again."""
        self._epoll.register(descriptor, select.EPOLLIN)
        self._ready[descriptor] = act

    def _look(self, now: float) -> None:
        """Spans to try again, their states on change and once a second, and the figures."""
        self._look_at = now + LOOK_S
        report = now >= self._report_at
        for index, seat in enumerate(self._seats):
            self._open(index, now)
            status = seat.status(now)
            if report or status != self._said[index]:
                self._said[index] = status
                self.reports.put(seat.state(status, self._pacer.slips(index)))
            self._forget_lost(index)
        if report:
            self._report_at = now + REPORT_S
            mean_us = self._sum_ns / self._timed / 1000 if self._timed else 0.0
            self.reports.put(Figures(self._ticks, mean_us, self._max_ns / 1000, self._stalls))
            self._timed = self._sum_ns = self._max_ns = 0

    def _note(self, text: str) -> None:
        self.reports.put(Note(text))
