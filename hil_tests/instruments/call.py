"""One call as the bench sees it: what was signalled and when, what is heard, and what to do next.

Every method may be called from any thread and returns at once, except those that wait, which say so.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil_tests.instruments import audio
from hil_tests.instruments.libpri_services import Told
from hil_tests.instruments.line import InstrumentError
from hil_tests.instruments.voice import Voice

if TYPE_CHECKING:
    from hil_tests.instruments.exchange import SoftwareExchange

WHOLE_REFUSALS = frozenset({1, 34, 44, 82, 88})   # libpri answers a SETUP with these by RELEASE COMPLETE
LISTEN_S = 0.1                                    # one look at a level
LOUD_ENOUGH_DBM0 = -40.0


class NotSeen(AssertionError):
    """What was waited for did not come. The text tells what came instead."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A message from the far end; RELEASED ends every call. `at`: when the frame was read."""

    name: str
    at: float                                     # time.monotonic()
    timeslot: int = 0
    cause: int = 0
    digits: str = ""
    in_band: bool = False                         # a progress indicator says that something can be heard
    services: tuple[Told, ...] = ()               # supplementary services in it


Listener = Callable[["Call", CallEvent], None]


class Call:
    """States: setup, overlap, proceeding, alerting, connected, clearing, released."""

    def __init__(self, exchange: "SoftwareExchange", number: int, incoming: bool, called: str, calling: str,
                 calling_name: str, complete: bool, keep_s: float) -> None:
        self.number = number                      # counts the exchange's calls
        self.incoming = incoming                  # toward the exchange
        self.called, self.calling, self.calling_name = called, calling, calling_name
        self.complete = complete                  # no digit of the called number is to come
        self.timeslot = 0
        self.state = "setup"
        self.events: list[CallEvent] = []
        self.cause: int | None = None             # the first one said, by either side
        self.cleared_by = ""                      # far, near, line
        self.setup_at = 0.0                       # monotonic: the SETUP went out or came in
        self.hung_up_at: float | None = None      # by us
        self.handle: Any = None                   # libpri's
        self.voice = Voice(keep_s)
        self._exchange = exchange
        self._listeners: list[Listener] = []

    def __repr__(self) -> str:
        way = "from" if self.incoming else "to"
        return (f"<call {self.number} {way} {self.calling if self.incoming else self.called} "
                f"timeslot {self.timeslot} {self.state}>")

    # --- signalling -------------------------------------------------------------------------------------

    @property
    def released(self) -> int | None:
        """The cause when the call is over, None while it is not."""
        return self.cause if self.state == "released" else None

    def event(self, name: str) -> CallEvent | None:
        """The first one of this name, None: not yet."""
        return next((event for event in self.events if event.name == name), None)

    def wait_for(self, name: str, within_s: float = 5.0) -> CallEvent:
        """The first event of this name, maybe from before. NotSeen: too late, or the call is over."""
        with self._exchange.condition:
            self._exchange.condition.wait_for(
                lambda: self.event(name) or self.state == "released" or self._exchange.broken, within_s)
            if event := self.event(name):
                return event
            raise NotSeen(f"{self}: no {name} within {within_s:g} s, but {self._story()}")

    def wait_told(self, name: str, within_s: float = 5.0) -> Told:
        """The last supplementary service of this name that came. NotSeen otherwise."""
        def last() -> Told | None:
            return next((told for event in reversed(self.events) for told in event.services
                         if told.name == name), None)
        with self._exchange.condition:
            self._exchange.condition.wait_for(lambda: last() or self._exchange.broken, within_s)
            if told := last():
                return told
            raise NotSeen(f"{self}: no {name} within {within_s:g} s, but {self._story()}")

    def wait_for_digits(self, count: int, within_s: float = 5.0) -> str:
        """The called number once it has `count` digits. NotSeen otherwise."""
        with self._exchange.condition:
            if self._exchange.condition.wait_for(lambda: len(self.called) >= count, within_s):
                return self.called
            raise NotSeen(f"{self}: only {self.called!r} of {count} digits within {within_s:g} s")

    def wait_over(self, at_most_s: float, stop: threading.Event | None = None) -> None:
        """Wait until the call is over or the line is gone, or `stop` is set (and the condition notified)."""
        with self._exchange.condition:
            self._exchange.condition.wait_for(
                lambda: self.state == "released" or self._exchange.broken or (stop and stop.is_set()),
                at_most_s)

    def answered(self, within_s: float = 5.0) -> "Call":
        """The call itself once it is connected. NotSeen otherwise."""
        self.wait_for("CONNECT", within_s)
        return self

    def listen(self, listener: Listener) -> None:
        """Call `listener` in the line's thread for every event from now on."""
        self._listeners.append(listener)

    def ask_digits(self) -> None:
        """SETUP ACKNOWLEDGE: more digits, please."""
        self._do("ask for digits", ("setup",),
                 lambda: self._pri.setup_acknowledge(self.handle, self.timeslot), "overlap")

    def proceed(self) -> None:
        self._do("proceed", ("setup", "overlap"), lambda: self._pri.proceeding(self.handle, self.timeslot),
                 "proceeding")

    def alert(self, in_band: bool = False) -> None:
        """ALERTING; in_band says that the ringing tone is in the channel."""
        self._do("alert", ("setup", "overlap", "proceeding"),
                 lambda: self._pri.alerting(self.handle, self.timeslot, in_band), "alerting")

    def progress(self, cause: int = 0) -> None:
        """PROGRESS: listen to the channel."""
        self._do("tell progress", ("overlap", "proceeding", "alerting"),
                 lambda: self._pri.progress(self.handle, self.timeslot, cause), None)

    def answer(self) -> None:
        self._do("answer", ("setup", "overlap", "proceeding", "alerting"),
                 lambda: self._pri.connect(self.handle, self.timeslot), "connected")

    def reject(self, cause: int = 21) -> None:
        """RELEASE COMPLETE where libpri has one for this cause, else CALL PROCEEDING and DISCONNECT."""
        self.hang_up(cause)

    def answer_deflection(self, asked: Told, granted: bool) -> None:
        """To a "rerouting" that was told. Who grants it offers the call elsewhere and hangs this one up."""
        self._exchange.line.ask(lambda: self._pri.services.answer_deflection(
            self.handle, asked.values["invoke"], granted))

    def answer_transfer(self, asked: Told, granted: bool) -> None:
        """To a "transfer" that was told. Whoever grants it joins the two calls and hangs both up."""
        self._exchange.line.ask(lambda: self._pri.services.answer_transfer(
            self.handle, asked.values["invoke"], granted))

    def send_digits(self, digits: str) -> None:
        """INFORMATION, one for each digit."""
        def order() -> None:
            for digit in digits:
                self._pri.information(self.handle, digit)
            self.called += digits
        self._do("send digits", ("setup", "overlap", "proceeding", "alerting", "connected"), order, None)

    def hang_up(self, cause: int = 16) -> None:
        """End it from any state. Nothing happens when that was done already."""
        def order() -> None:
            if self.incoming and self.state == "setup" and cause not in WHOLE_REFUSALS:
                self._pri.proceeding(self.handle, self.timeslot)     # without it libpri would say nothing
            if self.state not in ("clearing", "released"):
                self._exchange.clear(self, cause, "near")
        self._exchange.line.ask(order)

    @property
    def _pri(self) -> Any:
        return self._exchange.controller

    def _do(self, what: str, states: tuple[str, ...], order: Callable[[], None], state: str | None) -> None:
        def run() -> None:
            if self.state not in states:
                raise InstrumentError(f"{self}: cannot {what}")
            order()
            self.state = state or self.state
        self._exchange.line.ask(run)

    def happened(self, event: CallEvent) -> None:
        """The exchange's, in the line's thread."""
        with self._exchange.condition:
            self.events.append(event)
            self._exchange.condition.notify_all()
        for listener in self._listeners:
            listener(self, event)

    def _story(self) -> str:
        return ", ".join(
            f"{event.name}{f' ({event.cause})' if event.cause else ''} at {event.at - self.setup_at:.2f} s"
            for event in self.events) or "nothing"

    # --- audio ------------------------------------------------------------------------------------------

    def play(self, octets: audio.Octets, repeat: bool = False) -> None:
        """Say this in place of what is said now."""
        with self._exchange.audio_condition:
            self.voice.play(octets, repeat)

    def tone(self, hz: int, level_dbm0: float = -10.0, seconds: float | None = None) -> None:
        """A tone; None: until something else is played."""
        # one second is a whole number of turns of any hz
        self.play(audio.tone(hz, level_dbm0, seconds or 1.0), repeat=seconds is None)

    def silence(self) -> None:
        with self._exchange.audio_condition:
            self.voice.play(None, repeat=False)

    def dtmf(self, keys: str, on_s: float = 0.08, off_s: float = 0.08) -> None:
        """Press keys; what is played waits meanwhile."""
        octets = audio.dtmf(keys, on_s, off_s)
        with self._exchange.audio_condition:
            self.voice.play_first(octets)

    def wait_said(self, within_s: float = 10.0) -> None:
        """Wait until all that ends has been said. NotSeen: it takes longer."""
        if not self._wait_audio(lambda: not self.voice.speaking, within_s):
            raise NotSeen(f"{self}: still speaking after {within_s:g} s")

    @property
    def heard_s(self) -> float:
        """How long the channel has been heard."""
        return self.voice.heard_octets / audio.RATE_HZ

    def heard(self, from_s: float = 0.0) -> audio.Octets:
        """All octets received since the channel opened, or since `from_s` of it."""
        with self._exchange.audio_condition:
            return self.voice.heard(round(from_s * audio.RATE_HZ))

    def heard_keys(self, from_s: float = 0.0) -> str:
        """DTMF keys heard."""
        return audio.dtmf_keys(self.heard(from_s))

    def level_dbm0(self, hz: float | None = None, over_s: float = 0.5) -> float:
        """Waits for `over_s` of audio from now on; its level at `hz`, or of all of it."""
        start_s = self.heard_s
        self.wait_to_have_heard(start_s + over_s, over_s + 2.0)
        return audio.level_dbm0(self.heard(start_s), hz)

    def wait_to_have_heard(self, until_s: float, within_s: float) -> None:
        if not self._hears_until(until_s, within_s):
            raise NotSeen(f"{self}: the channel was heard for {self.heard_s:.2f} s, not {until_s:.2f} s")

    def wait_to_hear(self, hz: float, level_dbm0: float | None = None, tolerance_db: float = 2.0,
                     within_s: float = 5.0, from_s: float | None = None) -> float:
        """Where a tone of this level (None: anything audible) first was, in seconds since the channel opened.

        Looks at what comes from now on, or from `from_s` on. NotSeen: it did not come.
        """
        at_s = self.heard_s if from_s is None else from_s
        deadline = time.monotonic() + within_s
        best = audio.SILENT_DBM0
        while self._hears_until(at_s + LISTEN_S, deadline - time.monotonic()):
            window = self.heard(at_s)[:round(LISTEN_S * audio.RATE_HZ)]
            level = audio.level_dbm0(window, hz)
            wanted = (abs(level - level_dbm0) <= tolerance_db if level_dbm0 is not None
                      else level >= LOUD_ENOUGH_DBM0 and level >= audio.level_dbm0(window) - 3.0)
            if wanted:
                return at_s
            best = max(best, level)
            at_s += LISTEN_S / 2
        raise NotSeen(f"{self}: {hz:g} Hz not heard within {within_s:g} s, at most {best:.1f} dBm0")

    def wait_to_hear_octets(self, octets: audio.Octets, within_s: float = 5.0, from_s: float = 0.0) -> float:
        """Where exactly these octets were heard in one piece, in seconds since the channel opened."""
        found = -1
        start = round(from_s * audio.RATE_HZ)
        searched = 0

        def there() -> bool:
            nonlocal found, searched
            if self.voice.heard_octets - searched >= min(len(octets), audio.RATE_HZ // 20):
                heard = self.voice.heard(0)
                found = audio.find(octets, heard, start)
                searched = self.voice.heard_octets
            return found >= 0

        if self._wait_audio(there, within_s):
            return found / audio.RATE_HZ
        raise NotSeen(f"{self}: these {len(octets)} octets were not heard within {within_s:g} s")

    def _hears_until(self, until_s: float, within_s: float) -> bool:
        return self._wait_audio(lambda: self.heard_s >= until_s, within_s)

    def _wait_audio(self, there: Callable[[], bool], within_s: float) -> bool:
        with self._exchange.audio_condition:
            self._exchange.audio_condition.wait_for(
                lambda: there() or self.state == "released" or self._exchange.broken, max(0.0, within_s))
            return there()
