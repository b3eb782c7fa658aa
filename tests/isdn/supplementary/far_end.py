"""Our signalling and libpri, with its supplementary services switched on, frame by frame."""
import itertools
import time
from typing import Any, TypeVar

from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import Facility
from appliance.isdn.events import Answered, Event, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import decode
from appliance.isdn.supplementary.rose import Component, read
from hil_tests.instruments.libpri import Controller, Handle
from hil_tests.instruments.libpri import Event as FarEvent
from hil_tests.instruments.libpri_services import Told

E = TypeVar("E", bound=Event)
SWITCHES = {"etsi": "euroisdn", "qsig": "qsig"}


class Joined:
    """libpri reads the system's clock, so time is real here."""

    def __init__(self, side: Side, profile: str = "etsi", services: bool = True) -> None:
        numbers = itertools.count(1)
        self.ours = Signalling(side, lambda: f"k{next(numbers)}", profile=PROFILES[profile], cold=False)
        self._from_far: list[bytes] = []
        self.far = Controller(side.peer.value, SWITCHES[profile], False, self._from_far.append,
                              lambda words: None)
        if services:
            self.far.services.enable()
        self.heard: list[FarEvent] = []           # by libpri's application
        self._events: list[Event] = []
        self._said: list[bytes] = []              # frames of ours
        self.incoming: Incoming                   # of the last call_in()
        self.ours.line_up(True, time.monotonic())
        self.until(lambda: self.ours.link_up and any(event.name == "LINK UP" for event in self.heard))
        self.turn()
        self.heard.clear()
        self._events.clear()

    # --- the line

    def turn(self) -> None:
        """Until nobody has anything to say now."""
        while True:
            self.heard += self.far.run_timers()
            now = time.monotonic()
            self.ours.expire(now)
            frames, self._from_far[:] = list(self._from_far), []
            for frame in frames:
                self.ours.receive_frame(frame, now)
            ours = self.ours.take_frames()
            self._said += ours
            self.heard += self.far.receive(ours)
            self._events += self.ours.take_events()
            if not frames and not ours and not self._from_far:
                return

    def until(self, done: Any, within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < deadline, (self.heard, self._events)
            self.turn()

    # --- what was said

    def event(self, kind: type[E]) -> E:
        """The one of that kind since the last time."""
        [found] = self.events(kind)
        return found

    def events(self, kind: type[E]) -> list[E]:
        """Those of that kind since the last time."""
        self.turn()
        found: list[E] = [event for event in self._events if isinstance(event, kind)]
        self._events = [event for event in self._events if event not in found]
        return found

    def told(self, name: str) -> tuple[FarEvent, Told]:
        """The one subcommand of that name that libpri's application got, and its event."""
        self.turn()
        [found] = [(event, one) for event in self.heard for one in event.services if one.name == name]
        return found

    def far_event(self, name: str) -> FarEvent:
        self.turn()
        return [event for event in self.heard if event.name == name][-1]

    def sent_components(self) -> list[Component]:
        """Of the Facility elements that we sent since the last time."""
        said, self._said = self._said, []
        messages = [decode(frame[4:]) for frame in said if len(frame) > 4 and not frame[2] & 1]
        return [component for message in messages for element in message.elements
                if isinstance(element, Facility) for component in read(element.content).components]

    # --- calls

    def clear(self, handle: Handle, cause: int = 16) -> None:
        """libpri's application hangs up, and once more when our RELEASE has come: libpri wants it so."""
        for _ in range(2):
            self.far.hang_up(handle, cause)
            self.turn()

    def call_in(self, timeslot: int = 1, called: str = "5001", answered: bool = True,
                diverted_by: str = "") -> tuple[str, Handle]:
        """libpri calls us: our key and libpri's handle."""
        handle = self.far.setup(called, "13800138000", "Wang", timeslot, True, True, diverted_by=diverted_by)
        self.incoming = self.event(Incoming)
        key = self.incoming.key
        self.ours.alert(key, time.monotonic())
        if answered:
            self.ours.answer(key, time.monotonic())
            assert self.event(Answered).key == key
        return key, handle

    def call_out(self, key: str, timeslot: int = 2, answered: bool = True, name: str = "") -> Handle:
        """We call libpri: its handle."""
        self.ours.setup(key, "6001", time.monotonic(), calling="100", name=name, timeslot=timeslot)
        handle = self.far_event("SETUP").handle
        self.far.proceeding(handle, timeslot)
        self.far.alerting(handle, timeslot, False)
        if answered:
            self.far.connect(handle, timeslot)
            assert self.event(Answered).key == key
        return handle
