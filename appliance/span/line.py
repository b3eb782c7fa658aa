"""The real-time thread: spans in, matrix, spans out; the record ring and D-channel frames."""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.bus.messages import ClockState, SpanSecond, SpanState
from appliance.config.schema import ClockConfig, SpanConfig
from appliance.media.engine import Engine, Plan
from appliance.media.ring import Ring
from appliance.span.mailbox import Mailbox
from appliance.span.pace import Pacer
from appliance.span.seat import Seat
from e1_driver import IDLE, TIMESLOTS, LineStatus
from e1_driver.watch.clock import ClockSelector

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
    level: int = logging.WARNING


@dataclass(frozen=True, slots=True)
class Died:
    error: Exception


@dataclass(frozen=True, slots=True)
class Lend:
    """Give the device of a span away for `for_s`; 0: take it back."""

    span: str
    for_s: float


Report = DigitHeard | PlayerEnded | SpanState | SpanSecond | ClockState | Figures | Note | Died


class DriverLog(logging.Handler):
    """Takes what the driver logs in the real-time thread out of it, as notes."""

    def __init__(self, put: Callable[[Note], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        self._put(Note(record.getMessage(), record.levelno))

    def __enter__(self) -> "DriverLog":
        self._driver = logging.getLogger("e1_driver")
        self._driver.addHandler(self)
        self._driver.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.removeHandler(self)
        self._driver.propagate = True


class Line:
    """Runs all spans. Plans go in by `orders`, what happened comes out by `reports`."""

    def __init__(
        self, spans: list[SpanConfig], clock: ClockConfig, engine: Engine, ring: Ring, dchannels: Path,
        realtime: bool,
    ) -> None:
        """OSError when a D-channel socket cannot be made, ValueError for the URL of a span."""
        self.orders: Mailbox[Plan | Lend] = Mailbox()
        self.reports: Mailbox[Report] = Mailbox()
        self.ring_tick = ring.resume(time.monotonic_ns())            # the number that the next tick gets
        self._engine, self._ring, self._realtime = engine, ring, realtime
        self._rx = engine.blank()
        self._seats = [Seat(span, dchannels / f"{span.name}.sock", self._note) for span in spans]
        self._pacer = Pacer(len(spans), time.monotonic())
        self._index = {span.name: index for index, span in enumerate(spans)}
        # A PBX takes its clock from us: to follow it would be a circle, unless the document says otherwise.
        sources = clock.sources or [span.name for span in spans if span.side == "user"]
        self._clock = ClockSelector(sources, clock.hold_off_s, clock.revert_s)
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[float], None]] = {}
        self._stopping = threading.Event()
        self._look_at = self._report_at = time.monotonic()
        self._said: list[LineStatus | None] = [None] * len(spans)
        self._ticks = self._stalls = self._timed = self._sum_ns = self._max_ns = 0
        self._watch(self.orders.fileno(), self._obey)
        for index, seat in enumerate(self._seats):
            self._watch(seat.dchannel.listener.fileno(), self._accepting(index))
            self._watch(seat.span.fileno(), partial(self._read, index))
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def seconds(self, span: str, since: int) -> list[SpanSecond]:
        """Those kept of `span` from the unix second `since` on. KeyError: no such span. From any thread."""
        return [one for one in self._seats[self._index[span]].seconds.copy() if one.second.at >= since]

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
        self.orders.close()
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
                self._seats[index].write(tx)
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
        elif self._seats[index].span.away:
            self._pacer.forget(index)

    def _obey(self, now: float) -> None:
        for order in self.orders.take():
            if isinstance(order, Lend):
                self._seats[self._index[order.span]].lend(now, order.for_s)
            else:
                self._engine.change(order)

    def _accepting(self, index: int) -> Callable[[float], None]:
        seat = self._seats[index]

        def accept(now: float) -> None:
            if seat.dchannel.accept() and seat.dchannel.client is not None:
                self._watch(seat.dchannel.client.fileno(), lambda now: seat.send_frames())
        return accept

    def _watch(self, descriptor: int, act: Callable[[float], None]) -> None:
        """Call `act` when it is readable. A closed one leaves by itself, and its number may come again."""
        self._epoll.register(descriptor, select.EPOLLIN)
        self._ready[descriptor] = act

    def _look(self, now: float) -> None:
        """The clock, the spans' seconds, their states on change and once a second, and the figures."""
        self._look_at = now + LOOK_S
        report = now >= self._report_at
        for change in self._clock.update(now, {seat.config.name: seat.leads for seat in self._seats}):
            self._pacer.follow(None if change.source is None else self._index[change.source])
            self.reports.put(ClockState(source=change.source, why=change.why, at=time.time()))
        for index, seat in enumerate(self._seats):
            seat.take_back_when_due(now)
            slips, status = self._pacer.slips(index), seat.span.status()
            for second in seat.observe(slips, self._clock.source or ""):
                self.reports.put(second)
            if report or status != self._said[index]:
                self._said[index] = status
                self.reports.put(seat.state(status, slips))
        if report:
            self._report_at = now + REPORT_S
            mean_us = self._sum_ns / self._timed / 1000 if self._timed else 0.0
            self.reports.put(Figures(self._ticks, mean_us, self._max_ns / 1000, self._stalls))
            self._timed = self._sum_ns = self._max_ns = 0

    def _note(self, text: str) -> None:
        self.reports.put(Note(text))
