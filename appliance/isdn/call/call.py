"""One basic call, either side: what is known of it, its timers, what it says and how it ends.

What happens to it is in table.py, by state; what is done then in procedures.py and recovery.py.

Ref: ITU-T Q.931 (05/98), 5.1-5.3; bare clause numbers are Q.931's.
"""
from dataclasses import dataclass, field
from typing import Protocol

from appliance.isdn.call.states import LOCATIONS, NUMBERS, On, State, Timers
from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    CHANNEL_UNACCEPTABLE,
    INVALID_CALL_REFERENCE,
    NORMAL_CLEARING,
    NORMAL_UNSPECIFIED,
    TEMPORARY_FAILURE,
)
from appliance.isdn.elements import CallState, Cause, ChannelId, Element
from appliance.isdn.events import By, Event, Released
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import Message, MessageType


class Owner(Protocol):
    """What a call needs of its span."""

    side: Side
    timers: Timers
    overlap: bool
    exclusive: bool

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
    """What a restart of the process must know of a call. `cause`: we were clearing it with that one."""

    key: str
    call_ref: int
    ours: bool
    timeslot: int | None
    active: bool
    cause: int | None = None


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
    setup: tuple[Element, ...] = ()               # what our SETUP says
    in_band: bool = False                         # our ALERTING says that our tones can be heard
    digits: str = ""                              # to be sent when the far end asks for them
    tries: int = 0                                # of SETUP or RELEASE
    enquiries: int = 0
    fault: int | None = None                      # cause of what the message being handled lacks (5.8.6)
    deadlines: dict[On, float] = field(default_factory=dict)
    _end: tuple[int, By] | None = None            # why it ends, the first reason
    _said: int | None = None                      # the cause of our DISCONNECT
    _told: bool = False                           # Released was said

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
        self.state, self.tries = state, 0
        if timer:
            self.start(timer, now)

    def next_deadline(self) -> float | None:
        return min(self.deadlines.values(), default=None)

    @property
    def status(self) -> CallState:
        return CallState(NUMBERS[self.state][self.owner.side])

    def snapshot(self) -> Snapshot:
        cause, by = self._end or (NORMAL_CLEARING, By.FAR)
        return Snapshot(self.key, self.call_ref, self.ours, self.timeslot, self.state is State.ACTIVE,
                        cause if by is By.NEAR else None)

    def yield_channel(self) -> None:
        """Glare (5.7): the far end's call has our channel; its first response shall name another one."""
        self.timeslot = None

    # --- what it says

    def say(self, kind: MessageType, now: float, *elements: Element) -> None:
        self.owner.send(Message(kind, self.call_ref, not self.ours, elements), now)

    def cause(self, value: int, diagnostic: bytes = b"") -> Cause:
        return Cause(value, LOCATIONS[self.owner.side], diagnostic)

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
                and cause in (CHANNEL_UNACCEPTABLE, CHANNEL_NOT_AVAILABLE))

    def disconnect(self, now: float, cause: int) -> None:
        """5.3.3, 5.3.4. Without a link: as 5.8.9 allows, clear now and tell the far end when it is back."""
        if not self.owner.link_up:
            self.cut(now)
            return
        self.stop(On.T322)
        self.enter(State.DISCONNECTING, now, On.T305)
        self._said = cause
        self.say(MessageType.DISCONNECT, now, self.reason)

    def release(self, now: float, *elements: Element) -> None:
        self.stop(On.T322)
        self.enter(State.RELEASING, now, On.T308)
        self.say(MessageType.RELEASE, now, *elements)

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
        if not self._told:
            self._told = True
            cause, by = self._end or (NORMAL_UNSPECIFIED, By.FAR)
            self.owner.tell(Released(self.key, cause, by, self.channel_refused))
