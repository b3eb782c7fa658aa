"""One basic call, either side: what is known of it, its timers, what it says and how it ends.

What happens to it is in table.py, by state; what is done then in placing.py, taking.py, clearing.py,
errors.py and recovery.py.

Ref: ITU-T Q.931 (05/98), 5.1-5.3; bare clause numbers are Q.931's.
"""
from dataclasses import dataclass, field
from typing import Protocol

from appliance.isdn.call.states import NUMBERS, On, State, Timers
from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    CHANNEL_UNACCEPTABLE,
    INVALID_CALL_REFERENCE,
    NORMAL_CLEARING,
    NORMAL_UNSPECIFIED,
    TEMPORARY_FAILURE,
    TIMER_EXPIRY,
)
from appliance.isdn.elements import (
    CHANNEL_DOES_NOT_EXIST,
    CallState,
    Cause,
    ChannelId,
    Element,
    ProgressIndicator,
)
from appliance.isdn.events import By, ChannelChosen, Event, Released
from appliance.isdn.lapd import Side
from appliance.isdn.profile import Profile
from appliance.isdn.q931 import Message, MessageError, MessageType, encode

IN_BAND = 8                                       # progress description: in-band information is available


class Owner(Protocol):
    """What a call needs of its span."""

    side: Side
    profile: Profile
    timers: Timers
    overlap: bool
    auto_proceed: bool                            # the first response to a SETUP is not the application's

    @property
    def link_up(self) -> bool: ...

    def send(self, message: Message, now: float) -> None: ...

    def tell(self, event: Event) -> None: ...

    def offer(self, call: "Call", wanted: ChannelId | None, now: float) -> int:
        """Admit a call that is offered to us: its channel, or ChannelRefused (5.2.3, 5.7)."""
        ...

    def move(self, call: "Call", timeslot: int, now: float) -> bool:
        """Give the call that channel in place of its own; False when another call has it (5.1.2)."""
        ...

    def leave(self, call: "Call") -> None:
        """The call needs its channel no longer."""
        ...

    def forget(self, call: "Call", now: float, *, unanswered: bool) -> None:
        """The call is over. `unanswered`: so was its RELEASE, its channel needs a restart."""
        ...


class ChannelRefused(Exception):
    """The offered channel cannot be had; `cause` says why."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"cause {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the next process must know of a call, in plain values. `cause`: the application hung up with that
    one. `response`: a message with the elements of our last response to SETUP, b"" for none. `deadlines`: of
    the state's timers by name, in seconds of the clock that `now` is of."""

    key: str
    call_ref: int
    ours: bool
    timeslot: int | None
    state: State
    cause: int | None = None
    called: str = ""
    response: bytes = b""
    deadlines: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Call:
    """`ours`: our side chose the call reference, the call is placed by us."""

    owner: Owner
    key: str
    call_ref: int
    ours: bool
    state: State = State.NULL
    timeslot: int | None = None
    settled: bool = False                         # both sides agree on the channel
    called: str = ""
    setup: tuple[Element, ...] = ()               # what our SETUP says, its channel left out
    wanted: ChannelId | None = None               # what our SETUP says of the channel
    digits: str = ""                              # to be sent when the far end asks for them
    complete: bool = False                        # they are the last ones
    in_band: bool = False                         # our ALERTING says that our tones can be heard
    extra: tuple[Element, ...] = ()               # what the application adds to the message of its request
    response: tuple[Element, ...] | None = None   # in our last response to SETUP besides the channel
    tries: int = 0                                # of SETUP or RELEASE after the first one
    enquiries: int = 0
    doubted: bool = False                         # a faulty STATUS was answered in this state
    fault: MessageError | None = None             # what the message being handled lacks (5.8.6)
    deadlines: dict[On, float] = field(default_factory=dict)
    told: bool = False                            # Released was said
    _end: tuple[int, By] | None = None            # why it ends, the first reason
    _clearing: tuple[Element, ...] = ()           # in our last clearing message besides the cause
    _said: int | None = None                      # the cause of our DISCONNECT
    _heard: tuple[Element, ...] = ()              # in the far end's clearing messages

    # --- timers and states

    def start(self, timer: On, now: float) -> None:
        self.deadlines[timer] = now + self.owner.timers.seconds(timer)

    def stop(self, timer: On) -> bool:
        """True when it ran."""
        return self.deadlines.pop(timer, None) is not None

    def enter(self, state: State, now: float, timer: On | None = None) -> None:
        """All timers but those of the data link and of STATUS ENQUIRY belong to one state."""
        for running in self.deadlines.keys() - {On.T309, On.T322}:
            del self.deadlines[running]
        self.state, self.tries, self.doubted = state, 0, False
        if timer:
            self.start(timer, now)

    def next_deadline(self) -> float | None:
        return min(self.deadlines.values(), default=None)

    @property
    def number(self) -> int:
        """Of its state. Where both sides are alike they have the user side's (Annex D)."""
        return NUMBERS[self.state][Side.USER if self.owner.profile.symmetric else self.owner.side]

    @property
    def status(self) -> CallState:
        return CallState(self.number)

    def snapshot(self) -> Snapshot:
        cause, by = self._end or (NORMAL_CLEARING, By.FAR)
        response = Message(MessageType.CONNECT, self.call_ref, False, self.response or ())  # has room for all
        return Snapshot(
            self.key, self.call_ref, self.ours, self.timeslot, self.state, cause if by is By.NEAR else None,
            self.called, encode(response) if self.response else b"",
            {timer.value: at for timer, at in self.deadlines.items() if timer not in (On.T309, On.T322)})

    # --- its channel

    def yield_channel(self) -> None:
        """Glare (5.7): the far end's call has our channel; its first response shall name another one."""
        self.timeslot = None

    def settle(self, timeslot: int) -> None:
        """Both sides agree on that one, which the call has."""
        self.settled = True
        self.owner.tell(ChannelChosen(self.key, timeslot))

    # --- what it says

    def say(self, kind: MessageType, now: float, *elements: Element) -> None:
        self.owner.send(Message(kind, self.call_ref, not self.ours, elements), now)

    def respond(self, kind: MessageType, now: float, *elements: Element) -> None:
        """A response to SETUP; the first one names the channel (5.1.2, 5.2.3)."""
        first, self.response = self.response is None, elements
        if first and self.timeslot is not None:
            elements = (ChannelId(self.timeslot), *elements)
        self.say(kind, now, *elements)

    @property
    def location(self) -> int:
        return self.owner.profile.locations[self.owner.side]

    @property
    def tones(self) -> ProgressIndicator:
        """What is to be heard is in the channel."""
        return ProgressIndicator(IN_BAND, self.location)

    def cause(self, value: int, diagnostic: bytes = b"") -> Cause:
        return Cause(value, self.location, diagnostic)

    def reject(self, cause: int, diagnostic: bytes, now: float) -> None:
        """A message of this call that must not be acted on (5.8.4, 5.8.6)."""
        if self.state is State.NULL:
            self.say(MessageType.RELEASE_COMPLETE, now, self.cause(INVALID_CALL_REFERENCE))
        else:
            self.say(MessageType.STATUS, now, self.cause(cause, diagnostic), self.status)

    # --- how it ends

    def because(self, cause: int, by: By) -> None:
        """Why it ends; the first reason counts."""
        self._end = self._end or (cause, by)

    def because_of(self, message: Message) -> None:
        self._heard += message.elements
        cause = message.first(Cause)
        value = cause.value if cause else NORMAL_UNSPECIFIED
        lost = value == INVALID_CALL_REFERENCE    # 5.8.3.2 a): it knows no such call, so nobody hung up
        self.because(value, By.LINE if lost else By.FAR)

    @property
    def reason(self) -> Cause:
        """The cause that our clearing messages give: the first one's (5.3.3)."""
        return self.cause(self._said or (self._end[0] if self._end else NORMAL_CLEARING))

    @property
    def channel_refused(self) -> bool:
        """Placed by us and refused because of its channel."""
        cause, by = self._end or (NORMAL_UNSPECIFIED, By.FAR)
        return (self.ours and not self.settled and by is not By.NEAR
                and cause in (CHANNEL_UNACCEPTABLE, CHANNEL_NOT_AVAILABLE, CHANNEL_DOES_NOT_EXIST))

    @property
    def award_refused(self) -> bool:
        """Offered to us, and the far end cannot have the channel that we named."""
        return not self.ours and self._end == (CHANNEL_UNACCEPTABLE, By.FAR)

    @property
    def unheard(self) -> bool:
        """Placed by us, and nobody responded to SETUP (T303)."""
        return self.ours and not self.settled and self._end == (TIMER_EXPIRY, By.LINE)

    def disconnect(self, now: float, cause: int, *elements: Element) -> None:
        """5.3.3, 5.3.4. Who says why in the channel, which a user does not, waits for T306 (5.3.4.1). Without
        a link: as 5.8.9 allows, clear now and tell the far end when it is back."""
        if not self.owner.link_up:
            self.cut(now)
            return
        if not self.may_sound:
            elements = tuple(element for element in elements if type(element) is not ProgressIndicator)
        self.stop(On.T322)
        self.enter(State.DISCONNECTING, now, On.T306 if announces(elements) else On.T305)
        self._said, self._clearing = cause, elements
        self.repeat_disconnect(now)

    @property
    def may_sound(self) -> bool:
        """It is a network's to play tones and announcements to a call that failed (5.4)."""
        return self.owner.side is Side.NETWORK or self.owner.profile.symmetric

    @property
    def may_hear(self) -> bool:
        """The far end is a network, or like one."""
        return self.owner.side is Side.USER or self.owner.profile.symmetric

    def repeat_disconnect(self, now: float) -> None:
        self.say(MessageType.DISCONNECT, now, self.reason, *self._clearing)

    def release(self, now: float, *elements: Element) -> None:
        self.stop(On.T322)
        self.enter(State.RELEASING, now, On.T308)
        self._clearing = tuple(element for element in elements if type(element) is not Cause)
        self.say(MessageType.RELEASE, now, *elements)

    def repeat_release(self, now: float) -> None:
        self.say(MessageType.RELEASE, now, self.reason, *self._clearing)

    def cut(self, now: float) -> None:
        """Over for the application and the channel; the far end hears of it when the link is back."""
        self.because(TEMPORARY_FAILURE, By.LINE)
        self.enter(State.RELEASING, now)
        self.deadlines.clear()
        self._tell_released()
        self.owner.leave(self)

    def over(self, now: float, *, unanswered: bool = False) -> None:
        self.deadlines.clear()
        self.state = State.NULL
        self._tell_released()
        self.owner.forget(self, now, unanswered=unanswered)

    def _tell_released(self) -> None:
        if not self.told:
            self.told = True
            cause, by = self._end or (NORMAL_UNSPECIFIED, By.FAR)
            self.owner.tell(Released(self.key, cause, by, self.channel_refused, self._heard))


def in_band(elements: tuple[Element, ...]) -> bool:
    """A progress indicator says that tones or announcements are, or may be, in the channel (4.5.23)."""
    return any(type(element) is ProgressIndicator and element.description in (1, IN_BAND)
               for element in elements)


def announces(elements: tuple[Element, ...]) -> bool:
    """A DISCONNECT with them is heard in the channel, too (5.3.4.1)."""
    return any(type(element) is ProgressIndicator and element.description == IN_BAND for element in elements)
