"""Our signalling and libpri, joined frame by frame in one simulated time: a far end that we did not write."""
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import CallState, Cause, Element
from appliance.isdn.events import Answered, ChannelState, Event, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType, decode
from hil_tests.instruments.libpri import Controller, Handle
from hil_tests.instruments.libpri import Event as FarEvent
from tests.isdn.line import CALLED

E = TypeVar("E", bound=Event)

SWITCHES = {"etsi": "euroisdn", "china": "euroisdn", "qsig": "qsig", "ecma": "qsig"}
CALLER = "13800138000"
BEGIN_S = 1000.0
ENOUGH_TURNS = 1000
NO_COMPLAINT = "Received unsolicited status"      # libpri says so of every STATUS


class Joined:
    """`ours` against libpri as `far`. Frames take no time; run() lets time pass.

    `said` has every message, in order: "> SETUP" is ours, "< RELEASE 16" libpri's with its cause. `heard` has
    libpri's events, `events` ours. libpri's application clears as it should while `polite`.
    """

    def __init__(self, side: Side, profile: str = "etsi", *, connected: bool = True,
                 in_band_clearing: bool = False, service_messages: bool = False, **options: Any) -> None:
        numbers = itertools.count(1)
        self.now = BEGIN_S
        self.side, self.polite = side, True
        self.profile = replace(PROFILES[profile], service_messages=service_messages)
        options.setdefault("cold", False)
        self._options = options
        self.new_key = lambda: f"k{next(numbers)}"
        self.ours = Signalling(side, self.new_key, profile=self.profile, **options)
        self._far_options: dict[str, Any] = {
            "side": side.peer.value, "switch": SWITCHES[profile], "overlap": bool(options.get("overlap")),
            "in_band_clearing": in_band_clearing, "service_messages": True}
        self._from_far: list[bytes] = []
        self.complaints: list[str] = []           # libpri's, of what is out of the ordinary
        self.said: list[str] = []
        self.messages: list[Message] = []         # libpri's
        self.sent: list[Message] = []             # ours
        self.heard: list[FarEvent] = []
        self.events: list[Event] = []
        self.lose_from_us: Callable[[bytes], bool] = lambda frame: False
        self.lose_from_far: Callable[[bytes], bool] = lambda frame: False
        self.mutilate: Callable[[bytes], bytes] = lambda frame: frame         # libpri's
        self.far = self._new_far()
        if connected:
            self.connect()

    def _new_far(self) -> Controller:
        return Controller(send=self._from_far.append, say=self.complaints.append, clock=lambda: self.now,
                          **self._far_options)

    # --- the line

    def connect(self) -> None:
        self.ours.line_up(True, self.now)
        self.run(1.0)
        assert self.ours.link_up and self.hears("LINK UP")
        self.forget()

    def forget(self) -> None:
        """What was said so far."""
        for log in (self.said, self.messages, self.sent, self.heard, self.events):
            log.clear()

    def turn(self) -> None:
        """Until nobody has anything to say now."""
        for _ in range(ENOUGH_TURNS):
            ours, theirs = self.take_ours(), self.take_theirs()
            self._take_events()
            if not ours and not theirs:
                return
            self.give_far(ours)
            self.give_us(theirs)
        raise AssertionError(f"they never come to an end: {self.said[-20:]}")

    def run(self, for_s: float) -> None:
        """Let time pass."""
        end = self.now + for_s
        self.turn()
        while True:
            wanted = (self.ours.next_deadline(), self._far_deadline())
            due = min((at for at in wanted if at is not None), default=end)
            if due > end:
                break
            self.now = max(due, self.now) + 1e-6  # libpri counts microseconds
            self.ours.expire(self.now)
            self._tell_far(self.far.run_timers())
            self.turn()
        self.now = max(end, self.now)

    def until(self, done: Callable[[], Any], within_s: float) -> None:
        """Let time pass, second by second, until `done`."""
        end = self.now + within_s
        while not done():
            assert self.now < end, self.said
            self.run(1.0)

    def _far_deadline(self) -> float | None:
        in_s = self.far.next_timer_s()
        return None if in_s is None else self.now + in_s

    # --- frame by frame, for what crosses and what is lost

    def take_ours(self) -> list[bytes]:
        frames = self.ours.take_frames()
        for message in messages(frames):
            self.sent.append(message)
            self.said.append(f"> {words(message)}")
        return [frame for frame in frames if not self.lose_from_us(frame)]

    def take_theirs(self) -> list[bytes]:
        frames, self._from_far[:] = list(self._from_far), []
        for message in messages(frames):
            self.messages.append(message)
            self.said.append(f"< {words(message)}")
        return [self.mutilate(frame) for frame in frames if not self.lose_from_far(frame)]

    def give_far(self, frames: list[bytes]) -> None:
        for frame in frames:                      # one by one: libpri's application answers at once
            self._tell_far(self.far.receive([frame]))

    def give_us(self, frames: list[bytes]) -> None:
        for frame in frames:
            self.ours.receive_frame(frame, self.now)
        self._take_events()

    def _take_events(self) -> None:
        self.events += [event for event in self.ours.take_events()
                        if type(event).__name__ != "ChannelChanged"]

    def cut(self, for_s: float) -> None:
        """Nothing comes through, and only layer 2 finds it out."""
        self.lose_from_us = self.lose_from_far = lambda frame: True
        self.run(for_s)
        self.lose_from_us = self.lose_from_far = lambda frame: False

    def lose(self) -> None:
        """What either side has just sent."""
        self.take_ours(), self.take_theirs()

    def _tell_far(self, events: list[FarEvent]) -> None:
        self.heard += events
        for event in events:
            if self.polite and event.name in ("DISCONNECT", "RELEASE"):
                self.far.hang_up(event.handle, event.cause)

    # --- what was said

    def event(self, kind: type[E]) -> E:
        """The one of that kind; it is not there any more then."""
        self.turn()
        [found] = [event for event in self.events if isinstance(event, kind)]
        self.events.remove(found)
        return found

    def hears(self, name: str) -> list[FarEvent]:
        """libpri's events of that name."""
        return [event for event in self.heard if event.name == name]

    def far_event(self, name: str) -> FarEvent:
        self.turn()
        return self.hears(name)[-1]

    def our_state(self, key: str) -> State | None:
        snapshot = self.ours.snapshot(key)
        return snapshot.state if snapshot else None

    def channel_state(self, timeslot: int) -> ChannelState:
        return self.ours.channels[timeslot].state

    def far_state(self, key: str) -> int:
        """libpri's, as it answers STATUS ENQUIRY. It counts as the user side does, on either side."""
        self.ours.enquire(key, self.now)
        self.turn()
        [state] = [element.value for element in self.messages[-1].elements if isinstance(element, CallState)]
        return state

    def talks(self, key: str) -> bool:
        """As both ends see it."""
        self.turn()
        return self.our_state(key) is State.ACTIVE and self.far_state(key) == 10

    def nothing_left(self) -> None:
        """Neither end has a call, every channel is idle, and either end understood all that it heard."""
        self.run(1.0)
        assert list(self.ours) == []
        busy = {channel.timeslot: channel.state for channel in self.ours.channels.all()
                if channel.state is not ChannelState.IDLE}
        assert busy == {}
        assert self.far.calls == 0
        assert [words for words in self.complaints if not words.startswith(NO_COMPLAINT)] == []
        counts = self.ours.counts
        assert {name: counts[name] for name in ("faulty_messages", "faulty_elements", "ignored_messages",
                                                "messages_dropped") if counts[name]} == {}

    def forgive(self) -> None:
        """What was out of the ordinary so far was meant to be."""
        self.complaints.clear()
        self.ours.counts.clear()

    # --- calls

    def offer(self, timeslot: int = 1, *, exclusive: bool = False, called: str = CALLED,
              complete: bool = True, name: str = "", **more: Any) -> Handle:
        """libpri's SETUP."""
        handle = self.far.setup(called, CALLER, name, timeslot, exclusive, complete, **more)
        self.turn()
        return handle

    def call_in(self, timeslot: int = 1, *, answered: bool = True, **more: Any) -> tuple[str, Handle]:
        """A call of libpri's, which rings or is answered: our key and libpri's handle."""
        handle = self.offer(timeslot, **more)
        key = self.event(Incoming).key
        self.ours.alert(key, self.now)
        if answered:
            self.ours.answer(key, self.now)
            assert self.event(Answered).key == key
        self.turn()
        return key, handle

    def call(self, key: str = "out", *, called: str = CALLED, **more: Any) -> FarEvent:
        """Our SETUP as it comes to libpri's application."""
        self.ours.setup(key, called, self.now, **more)
        return self.far_event("SETUP")

    def call_out(self, key: str = "out", *, answered: bool = True, **more: Any) -> Handle:
        """A call of ours, which rings or is answered: libpri's handle."""
        setup = self.call(key, **more)
        self.far.proceeding(setup.handle, setup.timeslot)
        self.far.alerting(setup.handle, setup.timeslot, False)
        if answered:
            self.far.connect(setup.handle, setup.timeslot)
            assert self.event(Answered).key == key
        self.turn()
        return setup.handle

    def clear(self, *keys: str, cause: int = 16) -> None:
        """We hang up."""
        for key in keys:
            self.ours.hang_up(key, cause, self.now)
        self.turn()

    def clear_far(self, *handles: Handle, cause: int = 16) -> None:
        """libpri's application hangs up."""
        for handle in handles:
            self.far.hang_up(handle, cause)
        self.turn()

    # --- one of both begins anew

    def replace_us(self, snapshots: list[Snapshot]) -> None:
        """A new process takes our side over with what it finds in its table."""
        self.ours = Signalling(self.side, self.new_key, profile=self.profile, **self._options)
        self.ours.restore(snapshots, self.now)
        self.ours.line_up(True, self.now)
        self.run(1.0)

    def replace_far(self) -> None:
        """The exchange starts anew and knows nothing of its calls."""
        self._from_far.clear()
        self.far = self._new_far()
        self.run(1.0)


def messages(frames: list[bytes]) -> list[Message]:
    """Those in I frames."""
    return [decode(frame[4:]) for frame in frames if len(frame) > 4 and not frame[2] & 1]


def words(message: Message) -> str:
    cause = message.first(Cause)
    name = message.type.name.replace("_", " ")
    return f"{name} {cause.value}" if cause else name


def element(messages: list[Message], kind: MessageType, of: type[Element]) -> Any:
    """The element of the last message of that kind; None: it has none."""
    return [message for message in messages if message.type is kind][-1].first(of)
