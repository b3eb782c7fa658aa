"""The real-time thread: spans and RTP legs in, the engine, spans and legs out; rings and D-channel frames.

It waits for nobody: not for the bus, not for a reader of a ring, not for a line. After a stall of up to a
second every block that the lines kept is carried and recorded, as fast as can be, and no delay is left of it.
"""

import contextlib
import logging
import math
import select
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from appliance.bus.messages import ClockState, SpanSecond, SpanState
from appliance.config.schema import ClockConfig, SpanConfig
from appliance.media.engine import Engine, Level, Plan, Tick
from appliance.media.guarded import AWAY_TICKS
from appliance.media.ring import Ring
from appliance.media.rtp.settings import LegFigures
from appliance.span import realtime
from appliance.span.mailbox import Mailbox
from appliance.span.pace import TICK_S, Pacer
from appliance.span.punctuality import Punctuality
from appliance.span.rtp import RtpHeard, RtpLegs, RtpOrder
from appliance.span.seat import Seat
from e1_driver import IDLE, TIMESLOTS, LineStatus
from e1_driver.watch.clock import ClockSelector

P = ParamSpec("P")
R = TypeVar("R")

TICKS_AT_ONCE = 20                                # after a stall; then the sockets have their turn
READY_AT_ONCE = 64                                # descriptors; room for them is made anew each time
LOOK_S = 0.1                                      # between looks at the spans' state
REPORT_S = 1.0
COMPLAIN_S = 1.0                                  # between notes of RTP that fails tick by tick
STALL_S = 0.02                                    # in which the thread did not run: no line is late by it


@dataclass(frozen=True, slots=True)
class Figures:
    """Work of a tick, of the last second."""

    tick_us_mean: float
    tick_us_max: float


@dataclass(frozen=True, slots=True)
class LegHeard:
    """A detector's word. `leg` is its tag."""

    kind: str
    leg: str
    what: str
    at: float


@dataclass(frozen=True, slots=True)
class PlayerEnded:
    tag: int


@dataclass(frozen=True, slots=True)
class Note:
    """For the log: this thread does not write it, a terminal may be slow."""

    text: str
    level: int = logging.WARNING
    error: BaseException | None = None            # whose traceback the log is to have


@dataclass(frozen=True, slots=True)
class Died:
    error: Exception


@dataclass(frozen=True, slots=True)
class Lend:
    """Give the device of a span away for `for_s`; 0: take it back."""

    span: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Say with Marked when all orders before this one are in force."""

    number: int


@dataclass(frozen=True, slots=True)
class Marked:
    """They are from `tick` on, which begins at `at`."""

    number: int
    tick: int
    at: float


@dataclass(frozen=True, slots=True)
class Change:
    """The settings of spans from now on."""

    spans: tuple[SpanConfig, ...]


Order = Plan | RtpOrder | Lend | Mark | Change
Report = (LegHeard | RtpHeard | Level | PlayerEnded | Marked | SpanState | SpanSecond | ClockState | Figures
          | Note | Died)


class DriverLog(logging.Handler):
    """Takes what the driver logs in the real-time thread out of it, as notes."""

    def __init__(self, put: Callable[[Note], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        self._put(Note(record.getMessage(), record.levelno, record.exc_info[1] if record.exc_info else None))

    def __enter__(self) -> "DriverLog":
        self._driver = logging.getLogger("e1_driver")
        self._driver.addHandler(self)
        self._driver.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.removeHandler(self)
        self._driver.propagate = True


class Line:
    """Runs all spans and legs. Orders go in by `orders`, what happened comes out by `reports`.

    `legs`, if any, are the engine's ports after those of the spans.
    """

    def __init__(
        self, spans: list[SpanConfig], clock: ClockConfig, engine: Engine, legs: RtpLegs | None, ring: Ring,
        listening: Ring, dchannels: Path, realtime: bool, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """OSError when a D-channel socket cannot be made, ValueError for the URL of a span."""
        self.orders: Mailbox[Order] = Mailbox()
        self.reports: Mailbox[Report] = Mailbox()
        self._monotonic, self._began_at = monotonic, monotonic()
        engine.number = ring.resume(round(self._began_at * 1e9))
        self._engine, self._legs, self._ring, self._listening = engine, legs, ring, listening
        self._realtime = realtime
        self._rx = engine.blank()
        self._seats = [Seat(span, dchannels / f"{span.name}.sock", self._note) for span in spans]
        self._first_leg = len(spans) * TIMESLOTS
        self._pacer = Pacer(len(spans), self._began_at)
        self._index = {span.name: index for index, span in enumerate(spans)}
        self._clock_config = clock
        self._sources, self._clock = self._select_clock()
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[float], None]] = {}
        self._stopping = threading.Event()
        self._looked_at = self._look_at = self._report_at = self._began_at
        self._said: list[LineStatus | None] = [None] * len(spans)
        self._punctuality = Punctuality(TICK_S)
        self._stalls = self._timed = self._failures = 0
        self._complain_at = self._began_at
        self._sum_s = self._max_s = self._stalled_s = self._longest_stall_s = 0.0
        self._refused = {"realtime_refused": 0, "memory_not_locked": 0}
        self._watch(self.orders.fileno(), self._obey)
        for index, seat in enumerate(self._seats):
            self._watch(seat.dchannel.listener.fileno(), self._accepting(index))
            self._watch(seat.span.fileno(), partial(self._read, index))
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    @property
    def ring_tick(self) -> int:
        """The number that the next tick gets, in the engine and in the rings. From any thread."""
        return self._engine.number

    def media(self) -> dict[str, float]:
        """Counters of the box since it began, and what p99.9 of the ticks were within. From any thread."""
        ticks = self._punctuality
        return {
            "ticks": ticks.ticks, "late_ticks": ticks.late, "late_ms_p999": ticks.lateness.quantile_ms(0.999),
            "late_ms_max": ticks.lateness.max_us / 1000, "tick_ms_p999": ticks.work.quantile_ms(0.999),
            "tick_ms_max": ticks.work.max_us / 1000, "stalls": self._stalls, "stalled_s": self._stalled_s,
            "stall_s_max": self._longest_stall_s,
            "underruns": sum(self._pacer.underruns(index) for index in range(len(self._seats))),
            "failures": self._failures, "ring_refused": self._ring.refused,
            "ring_lacks_octets": self._ring.lacks_octets, **self._refused}

    def media_of_spans(self) -> dict[str, dict[str, float]]:
        """Of each span: slips, underruns among them, the fill of its elastic buffer. From any thread."""
        return {seat.config.name: {
            "slips": self._pacer.slips(index), "underruns": self._pacer.underruns(index),
            "buffer_ms": self._pacer.waiting(index) * TICK_S * 1000}
            for index, seat in enumerate(self._seats)}

    def media_of_legs(self, legs: Iterable[tuple[int, str]]) -> dict[str, LegFigures]:
        """Of each RTP leg, by name, of these (row, name) that are open by now. From any thread."""
        found: dict[str, LegFigures] = {}
        if self._legs is not None:
            for row, name in legs:
                with contextlib.suppress(KeyError):              # its order is on the way
                    found[name] = self._legs.figures(row)
        return found

    def seconds(self, span: str, since: int) -> list[SpanSecond]:
        """Those kept of `span` from the unix second `since` on. KeyError: no such span. From any thread."""
        return [one for one in self._seats[self._index[span]].seconds.copy() if one.second.at >= since]

    def start(self) -> None:
        """Start the thread. The caller's own is given some priority, too."""
        self._thread.start()
        if self._realtime:
            realtime.ask_for_priority(realtime.OTHER_PRIORITY)

    def stop(self) -> None:
        """End the thread and close the spans."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        if self._legs is not None:
            self._legs.close()
        for seat in self._seats:
            seat.close()
        self._epoll.close()
        self.orders.close()
        self.reports.close()

    def turn(self, longest_s: float = math.inf) -> None:
        """Wait for what comes next, for so long at most, and do it."""
        before, asked_at = self._looked_at, self._monotonic()
        deadline = min(self._pacer.deadline(asked_at), self._look_at)
        wait_s = min(longest_s, max(0.0, deadline - asked_at))
        ready = self._epoll.poll(wait_s, READY_AT_ONCE)
        now = self._looked_at = self._monotonic()
        stalled_s = now - before - wait_s
        if stalled_s > STALL_S:
            self._stall(stalled_s)
        for descriptor, _ in ready:
            self._ready[descriptor](now)
        if not ready:
            for index in range(len(self._seats)):
                self._read(index, now)
        ticks = 0
        while ticks < TICKS_AT_ONCE and self._pacer.due(now):
            self._tick(now)
            ticks += 1
        if not ticks and stalled_s <= STALL_S:
            self._punctuality.nothing_due(now)
        if now >= self._look_at:
            self._look(now)

    def _run(self) -> None:
        try:
            self._ask_the_kernel()
            self._looked_at = self._monotonic()
            while not self._stopping.is_set():
                self.turn()
        except Exception as error:
            self.reports.put(Died(error))

    def _ask_the_kernel(self) -> None:
        if self._realtime:
            for name, why_not in (
                    ("realtime_refused", realtime.ask_for_priority(realtime.LINE_PRIORITY)),
                    ("memory_not_locked", realtime.lock_memory())):
                if why_not:
                    self._refused[name] = 1
                    self._note(why_not)
        if lacks_octets := self._ring.lacks_octets:
            self._note(f"{self._ring.path}: {lacks_octets >> 20} MiB are missing to record all channels at "
                       "once: give its file system more room")

    def _stall(self, for_s: float) -> None:
        self._pacer.excuse(for_s)
        self._stalls += 1
        self._stalled_s += for_s
        self._longest_stall_s = max(self._longest_stall_s, for_s)

    def _tick(self, now: float) -> None:
        began_at, wall_ns = self._monotonic(), time.time_ns()
        taken, number, first_leg = self._pacer.take(now), self._engine.number, self._first_leg
        for index, block in enumerate(taken.heard):
            self._rx[index * TIMESLOTS:(index + 1) * TIMESLOTS] = IDLE if block is None else block
        if self._legs is not None:
            told = self._of_rtp(now, self._legs.fill, self._rx[first_leg:], now)
            if told is None:
                self._rx[first_leg:] = IDLE
            for one in told or ():
                self.reports.put(one)
        tick = self._engine.tick(self._rx)
        for index, block in enumerate(taken.blocks):
            tx = tick.tx[index * TIMESLOTS:(index + 1) * TIMESLOTS]
            if block is not None:
                self._seats[index].write(tx, 1 + taken.dropped[index])
            elif taken.heard[index] is not None:
                self._seats[index].leave_out(tx)
            else:
                self._seats[index].forget()
        if self._legs is not None:
            self._of_rtp(now, self._legs.send, tick.tx[first_leg:], now)
        began_ns = round(began_at * 1e9)
        self._ring.write(number, tick.recordings, tick.audio, began_ns, wall_ns)
        if len(tick.listeners):
            self._listening.write(number, tick.listeners, tick.live, began_ns, wall_ns)
        self._tell(tick, wall_ns / 1e9)
        ended_at = self._monotonic()
        self._punctuality.tick(began_at, ended_at)
        self._timed += 1
        self._sum_s += ended_at - began_at
        self._max_s = max(self._max_s, ended_at - began_at)

    def _tell(self, tick: Tick, at: float) -> None:
        for tag in tick.ended:
            self.reports.put(PlayerEnded(tag))
        for kind, leg, what in tick.heard:
            self.reports.put(LegHeard(kind, leg, what, at))
        for level in tick.levels:
            self.reports.put(level)
        for part, error in [*tick.failed, *(self._legs.take_failed() if self._legs is not None else ())]:
            self._failures += 1
            away_s = AWAY_TICKS * TICK_S
            self._note(f"audio: {part} failed, is away for {away_s:g} s: {error!r}", logging.ERROR, error)

    def _of_rtp(self, now: float, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R | None:
        """What `work` of the RTP legs gives; None when it raises: the spans carry on."""
        try:
            return work(*arguments, **named)
        except Exception as error:
            self._failures += 1
            if now >= self._complain_at:
                self._complain_at = now + COMPLAIN_S
                self._note(f"audio: RTP failed: {error!r}", logging.ERROR, error)
            return None

    def _read(self, index: int, now: float) -> None:
        block = self._seats[index].read(now)
        if block is not None:
            self._pacer.arrived(index, block, now)
        elif self._seats[index].span.away:
            self._pacer.forget(index)

    def _select_clock(self) -> tuple[list[str], ClockSelector]:
        """A PBX takes its clock from us: to follow it would be a circle, unless the document says so."""
        clock = self._clock_config
        sources = clock.sources or [seat.config.name for seat in self._seats if seat.config.side == "user"]
        return sources, ClockSelector(sources, clock.hold_off_s, clock.revert_s)

    def _change(self, now: float, spans: Iterable[SpanConfig]) -> None:
        for span in spans:
            self._seats[self._index[span.name]].change(now, span)
        sources, clock = self._select_clock()
        if sources != self._sources:
            if self._clock.source not in (None, *sources):
                self._pacer.follow(None)
                self.reports.put(ClockState(source=None, why="start", at=time.time()))
            self._sources, self._clock = sources, clock

    def _obey(self, now: float) -> None:
        for order in self.orders.take():
            if isinstance(order, Plan):
                self._engine.change(order)
            elif isinstance(order, Lend):
                self._seats[self._index[order.span]].lend(now, order.for_s)
            elif isinstance(order, Change):
                self._change(now, order.spans)
            elif isinstance(order, Mark):
                self.reports.put(Marked(order.number, self._engine.number, time.time()))
            elif self._legs is not None:
                self._of_rtp(now, self._legs.obey, order, now)

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
            self.reports.put(Figures(1e6 * self._sum_s / max(1, self._timed), 1e6 * self._max_s))
            self._timed, self._sum_s, self._max_s = 0, 0.0, 0.0

    def _note(self, text: str, level: int = logging.WARNING, error: Exception | None = None) -> None:
        self.reports.put(Note(text, level, error))
