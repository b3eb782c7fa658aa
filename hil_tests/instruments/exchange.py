"""The bench's far end: a telephone exchange in software. libpri signals, audio is ours.

One thread owns line and libpri; everything public may be called from any thread.
"""

import itertools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from e1_driver import BEARERS, TIMESLOTS, Block, LineError, Span, open_span
from hil_tests.instruments.answering import UNALLOCATED, Answering, Rule, Telephones, busy
from hil_tests.instruments.bulk import Bulk, BulkResult
from hil_tests.instruments.call import Call, CallEvent, NotSeen
from hil_tests.instruments.capture import Capture
from hil_tests.instruments.libpri import SIDES, SWITCHES, Controller, Event, library, timer_index
from hil_tests.instruments.line import InstrumentError, Line

log = logging.getLogger(__name__)

RUNT_OCTETS = 3                                   # address and control; libpri does not check
CHANNEL_NOT_AVAILABLE, TEMPORARY_FAILURE = 44, 41        # Q.850
RESTART_HEAD = bytes.fromhex("08 02 00 00 46")    # Q.931 4.2 to 4.4, behind address and control of an I frame
INTERFACE = bytes.fromhex("79 01 86")             # 4.5.25: restart indicator, single interface
LOG_LINES = 2000
PAST_CALLS = 1000
STATE_AFTER = {
    "SETUP ACK": "overlap", "PROCEEDING": "proceeding", "ALERTING": "alerting", "CONNECT": "connected"}


@dataclass(slots=True)
class Statistics:
    """Totals since the start."""

    frames_in: int = 0
    frames_out: int = 0
    runts: int = 0
    placed: int = 0
    taken: int = 0
    connected: int = 0
    link_ups: int = 0
    link_downs: int = 0
    restarts: int = 0                             # channels that the far end restarted
    released: Counter[int] = field(default_factory=Counter)  # by cause


class SoftwareExchange:
    """Use as a context manager, or start() and close().

    Without on_call and without answering(), a call that comes in waits for wait_for_call(). What goes wrong
    inside is raised when the `with` block ends. `hunt`: which way to look for an idle timeslot; the far end
    should go the other way.
    `timers` are libpri's, in ms, e.g. {"T309": 90000}. `services`: it offers supplementary ones.
    """

    def __init__(
            self, line: str | Span, side: Literal["network", "user"] = "network", name: str = "exchange",
            switch: str = "euroisdn", overlap: bool = False, capture: Path | None = None,
            hunt: Literal["up", "down"] = "down", timers: dict[str, int] | None = None, keep_s: float = 600.0,
            log_file: Path | None = None, debug: bool = False, services: bool = False) -> None:
        if side not in SIDES or switch not in SWITCHES:
            raise ValueError(
                f"side {side!r} is one of {', '.join(SIDES)}; switch {switch!r} of {', '.join(SWITCHES)}")
        for timer in timers or {}:
            timer_index(timer)
        self.name, self.side = name, side
        self.on_call: Callable[[Call], None] | None = None       # run in a thread of its own for each call
        self.clears_by_itself = True              # answers DISCONNECT with RELEASE
        self.tamper: Callable[[bytes], bytes] | None = None      # what leaves in place of a frame of libpri's
        self.statistics = Statistics()
        self.condition = threading.Condition()    # notified by every event
        self.audio_condition = threading.Condition()             # notified by every block
        self.calls: list[Call] = []               # alive
        self.past: deque[Call] = deque(maxlen=PAST_CALLS)
        self.log: deque[tuple[float, str]] = deque(maxlen=LOG_LINES)     # libpri's own words, monotonic
        self.up = False
        self.broken: Exception | None = None
        self.errors: list[Exception] = []
        self._url = line if isinstance(line, str) else ""
        self._span = None if isinstance(line, str) else line
        self._overlap, self._switch, self._debug = overlap, switch, debug
        self._timers, self._keep_s, self._services = timers or {}, keep_s, services
        self._hunt: tuple[int, ...] = BEARERS if hunt == "up" else BEARERS[::-1]
        self._capture = Capture(capture, side == "network") if capture else None
        self._log_file = log_file.open("a", encoding="utf-8") if log_file else None
        self._numbers = itertools.count(1)
        self._by_handle: dict[Any, Call] = {}
        self._on_channel: list[Call | None] = [None] * TIMESLOTS
        self._arrived: list[Call] = []
        self._telephones: Telephones | None = None
        self._restarted: set[int] = set()

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> "SoftwareExchange":
        """Open the line, bring the data link up. LineError: it cannot be opened; LibpriError: no libpri."""
        library()                                 # what is missing is told before the line is opened
        span = self._span or open_span(self._url)
        self.line = Line(span, self.name)
        self.controller = Controller(
            self.side, self._switch, self._overlap, self._send, self._say, self._debug)
        for timer, value in self._timers.items():
            self.controller.set_timer(timer, value)
        if self._services:
            self.controller.services.enable()
        self.line.start(self)
        return self

    def close(self) -> None:
        """Leave the line as it is: calls are not cleared. Use hang_up_all() first to be polite."""
        self.line.stop()
        if self._capture:
            self._capture.close()
        if self._log_file:
            self._log_file.close()

    def __enter__(self) -> "SoftwareExchange":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
        if kind is None and self.errors:
            raise InstrumentError(f"{self.name}: {self.errors[0]!r}") from self.errors[0]

    def wait_up(self, within_s: float = 10.0) -> None:
        """Wait for libpri's D-channel up."""
        self._wait(lambda: self.up, within_s, "D-channel up")

    def wait_down(self, within_s: float = 30.0) -> None:
        self._wait(lambda: not self.up, within_s, "D-channel down")

    def _wait(self, there: Callable[[], object], within_s: float, what: str) -> None:
        with self.condition:
            self.condition.wait_for(lambda: there() or self.broken, within_s)
            if not there():
                raise NotSeen(f"{self.name}: no {what} within {within_s:g} s{self._why()}")

    def _why(self) -> str:
        return f" ({self.broken})" if self.broken else ""

    @property
    def faults(self) -> Any:
        """The line's fault settings, of a backend that has them (virtual:)."""
        if not hasattr(self.line.span, "faults"):
            raise InstrumentError(f"{self._url}: this line makes no faults on purpose")
        return self.line.span.faults

    # --- calls ------------------------------------------------------------------------------------------

    def place_call(self, called: str, calling: str = "", name: str = "", timeslot: int | None = None,
                   exclusive: bool = True, complete: bool = True, withheld: bool = False) -> Call:
        """Send SETUP. `timeslot` may be a busy one; None takes an idle one; InstrumentError: there is none.

        complete False: digits follow by send_digits() (needs overlap=True).
        """
        if not complete and not self._overlap:
            raise InstrumentError(f"{self.name}: digits one by one need overlap=True")

        def order() -> Call:
            channel: int = timeslot or self._idle_timeslot()
            call = Call(self, next(self._numbers), False, called, calling, name, complete, self._keep_s)
            call.timeslot, call.setup_at = channel, time.monotonic()
            call.handle = self.controller.setup(called, calling, name, channel, exclusive, complete, withheld)
            self.statistics.placed += 1
            self._add(call)
            return call
        return self.line.ask(order)

    def wait_for_call(self, within_s: float = 5.0, called: str | None = None) -> Call:
        """The next call that came in (to this number) and that nobody has taken."""
        def first() -> Call | None:
            return next((call for call in self._arrived if called in (None, call.called)), None)

        with self.condition:
            self.condition.wait_for(lambda: first() or self.broken, within_s)
            if (call := first()) is None:
                number = f" to {called}" if called else ""
                raise NotSeen(f"{self.name}: no call{number} within {within_s:g} s{self._why()}")
            self._arrived.remove(call)
            return call

    def answering(self, rule: Rule | None, otherwise: Answering | None = None) -> None:
        """Let telephones follow `rule`: one, one for each number, or a function. Waiting calls follow it too.

        `otherwise` is for a number that the rule has not (unallocated). None: back to wait_for_call().
        """
        self._telephones = None if rule is None else Telephones(self, rule, otherwise or busy(UNALLOCATED))
        if self._telephones:
            self.line.ask(self._ring_arrived)

    def _ring_arrived(self) -> None:
        with self.condition:
            waiting, self._arrived[:] = list(self._arrived), []
        for call in waiting:
            if self._telephones and call.state == "setup":
                self._telephones.ring(call)

    def hang_up_all(self, within_s: float = 5.0) -> None:
        """Clear every call and wait until they are gone."""
        for call in list(self.calls):
            call.hang_up()
        self.wait_idle(within_s)

    def wait_idle(self, within_s: float = 5.0) -> None:
        """Wait until there is no call."""
        self._wait(lambda: not self.calls, within_s, f"end of {self.calls}")

    def restart(self, timeslot: int | None = None, within_s: float = 5.0) -> None:
        """RESTART of one channel or of all, one by one, waiting for the acknowledgement (5.5)."""
        for channel in BEARERS if timeslot is None else (timeslot,):
            self._restart(channel, within_s)

    def restart_interface(self, within_s: float = 5.0) -> None:
        """One RESTART for all channels. libpri has none: its RESTART of a channel is changed on its way."""
        before, self.tamper = self.tamper, _for_the_interface
        try:
            self._restart(BEARERS[0], within_s, dropped=BEARERS)
        finally:
            self.tamper = before

    def _restart(self, timeslot: int, within_s: float, dropped: Iterable[int] = ()) -> None:
        def order() -> None:
            self._restarted.discard(timeslot)
            for channel in dropped or (timeslot,):
                self._drop(channel)
            self.controller.restart(timeslot)
        self.line.ask(order)
        self._wait(lambda: timeslot in self._restarted, within_s, f"RESTART ACK of timeslot {timeslot}")

    def bulk(self, calls: int, at_once: int, per_s: float, called: str, calling: str = "",
             hold_s: float = 0.0, answer_within_s: float = 20.0,
             progress: Callable[[int, int], None] | None = None) -> BulkResult:
        """Place many calls and wait until all are over. `progress` hears (over, answered) meanwhile."""
        return Bulk(self, calls, at_once, per_s, called, calling, hold_s, answer_within_s).run(progress)

    def _idle_timeslot(self) -> int:
        for timeslot in self._hunt:
            if self._on_channel[timeslot] is None:
                return timeslot
        raise InstrumentError(f"{self.name}: no idle timeslot")

    # --- the line's thread ------------------------------------------------------------------------------

    def receive(self, frames: list[bytes], now: float) -> None:
        self.statistics.frames_in += len(frames)
        good = [frame for frame in frames if len(frame) >= RUNT_OCTETS]
        self.statistics.runts += len(frames) - len(good)
        if self._capture:
            for frame in frames:
                self._capture.frame(frame, outgoing=False)
        for frame in good:                        # one by one: a call may be gone with the next
            self._handle_all(self.controller.receive([frame]), now)

    def run_timers(self, now: float) -> None:
        self._handle_all(self.controller.run_timers(), now)

    def next_timer_s(self) -> float | None:
        return self.controller.next_timer_s()

    def exchange(self, heard: Block, said: Block, now: float) -> None:
        with self.audio_condition:
            for timeslot, call in enumerate(self._on_channel):
                if call is not None:
                    call.voice.hear(heard[timeslot])
                    call.voice.speak(said[timeslot])
            self.audio_condition.notify_all()

    def failed(self, error: Exception) -> None:
        with self.condition, self.audio_condition:
            self.errors.append(error)
            if isinstance(error, LineError):
                self.broken = error
            self.condition.notify_all()
            self.audio_condition.notify_all()

    def clear(self, call: Call, cause: int, by: str) -> None:
        """Let libpri clear it and see what is left."""
        if call.cause is None:
            call.cause, call.cleared_by = cause, by
        if by == "near":
            call.hung_up_at = time.monotonic()
        call.state = "clearing"
        self.controller.hang_up(call.handle, cause)
        self._sweep(time.monotonic())

    def _send(self, frame: bytes) -> None:
        if self.tamper:
            frame = self.tamper(frame)
        self.statistics.frames_out += 1
        if self._capture:
            self._capture.frame(frame, outgoing=True)
        self.line.send_frame(frame)

    def _say(self, words: str) -> None:
        self.log.append((time.monotonic(), words))
        if self._log_file:
            self._log_file.write(f"{time.monotonic():.3f} {words}\n")

    def _handle_all(self, events: list[Event], now: float) -> None:
        for event in events:
            self._handle(event, now)
        self._sweep(now)

    def _handle(self, event: Event, now: float) -> None:
        match event.name:
            case "LINK UP" | "LINK DOWN":
                self._link(event.name == "LINK UP")
            case "RESTART":
                for timeslot in [event.timeslot] if event.timeslot else BEARERS:
                    self.statistics.restarts += 1
                    self._drop(timeslot)
            case "RESTART ACK":
                with self.condition:
                    self._restarted.update([event.timeslot] if event.timeslot else BEARERS)
                    self.condition.notify_all()
            case "SETUP":
                self._ring(event, now)
            case _:
                if call := self._by_handle.get(event.handle):
                    self._message(call, event, now)
                else:
                    log.info("%s: %s for a call that is gone", self.name, event.name)

    def _link(self, up: bool) -> None:
        with self.condition:
            self.statistics.link_ups += up and not self.up
            self.statistics.link_downs += self.up and not up
            self.up = up
            self.condition.notify_all()

    def _ring(self, event: Event, now: float) -> None:
        call = Call(self, next(self._numbers), True, event.called, event.calling, event.calling_name,
                    event.complete, self._keep_s)
        call.handle, call.setup_at, call.timeslot = event.handle, now, event.timeslot
        self.statistics.taken += 1
        taken = self._on_channel[event.timeslot] is not None
        if not event.timeslot or (taken and event.flexible):
            call.timeslot = next((channel for channel in self._hunt if self._on_channel[channel] is None), 0)
            taken = not call.timeslot
        self._add(call)
        call.happened(CallEvent("SETUP", now, call.timeslot, digits=event.called))
        if taken:                                 # 5.2.3: also when our own SETUP has just taken it
            self.clear(call, CHANNEL_NOT_AVAILABLE, "near")
        elif self._telephones:
            self._telephones.ring(call)
        elif self.on_call:
            threading.Thread(target=self._work, args=(self.on_call, call), daemon=True).start()
        else:
            with self.condition:
                self._arrived.append(call)
                self.condition.notify_all()

    def _work(self, on_call: Callable[[Call], None], call: Call) -> None:
        try:
            on_call(call)
        except Exception as error:
            log.exception("%s: %s", self.name, call)
            self.failed(error)

    def _message(self, call: Call, event: Event, now: float) -> None:
        if event.timeslot and event.timeslot != call.timeslot and call.state == "setup":
            self._move(call, event.timeslot)
        record = CallEvent(event.name, now, call.timeslot, event.cause, event.called, event.in_band,
                           event.services)
        match event.name:
            case "RELEASE COMPLETE":
                self._blame(call, event.cause)
                self._released(call, event.cause or call.cause or 0, now)
            case "RELEASE":                       # also libpri's own when timers or the data link gave up
                self._blame(call, event.cause)
                self.clear(call, event.cause, "far")
            case "DISCONNECT":
                self._blame(call, event.cause)
                call.happened(record)
                if self.clears_by_itself and call.state != "released":
                    self.clear(call, event.cause, "far")
            case "INFORMATION":
                call.called += event.called
                call.complete = event.complete
                call.happened(record)
            case _:
                if event.name == "CONNECT":
                    self.statistics.connected += 1
                if call.state not in ("clearing", "released"):
                    call.state = STATE_AFTER.get(event.name, call.state)
                call.happened(record)

    def _blame(self, call: Call, cause: int) -> None:
        if call.cause is None:
            call.cause, call.cleared_by = cause, "far" if self.up else "line"

    def _add(self, call: Call) -> None:
        with self.condition:
            self.calls.append(call)
        self._by_handle[call.handle] = call
        if self._on_channel[call.timeslot] is None and call.timeslot:
            self._on_channel[call.timeslot] = call

    def _move(self, call: Call, timeslot: int) -> None:
        """The far end chose another channel (5.1.2)."""
        self._leave(call)
        call.timeslot = timeslot
        if self._on_channel[timeslot] is None:
            self._on_channel[timeslot] = call

    def _leave(self, call: Call) -> None:
        if self._on_channel[call.timeslot] is call:
            self._on_channel[call.timeslot] = None

    def _sweep(self, now: float) -> None:
        """Some clearings end without an event: ask libpri which calls it still has."""
        for call in [call for call in self.calls if call.state == "clearing"]:
            if not self.controller.alive(call.handle):
                self._released(call, call.cause or 0, now)

    def _drop(self, timeslot: int) -> None:
        """RESTART: the channel is idle, its call is gone without a word."""
        for call in [call for call in self.calls if call.timeslot == timeslot]:
            self.controller.forget(call.handle)
            if call.cause is None:
                call.cause, call.cleared_by = TEMPORARY_FAILURE, "line"
            self._released(call, call.cause, time.monotonic())

    def _released(self, call: Call, cause: int, now: float) -> None:
        if call.state == "released":
            return
        self._by_handle.pop(call.handle, None)
        self._leave(call)
        with self.condition:
            self.calls.remove(call)
            if call in self._arrived:
                self._arrived.remove(call)
            call.state = "released"
            self.past.append(call)
            self.statistics.released[call.cause or 0] += 1
        call.happened(CallEvent("RELEASED", now, call.timeslot, cause))
        with self.audio_condition:
            self.audio_condition.notify_all()


def _for_the_interface(frame: bytes) -> bytes:
    head = frame[:4 + len(RESTART_HEAD)]
    return head + INTERFACE if head[4:] == RESTART_HEAD else frame
