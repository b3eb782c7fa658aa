"""One basic call, either side, as two tables: (state, message) -> handler and (state, event) -> handler.

Ref: ITU-T Q.931 (05/98), 5.1-5.3, 5.8; bare clause numbers are Q.931's.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from appliance.errors import StateError
from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    CHANNEL_UNACCEPTABLE,
    DESTINATION_OUT_OF_ORDER,
    INCOMPLETE_NUMBER,
    INVALID_CALL_REFERENCE,
    NO_ANSWER,
    NORMAL_CLEARING,
    NORMAL_UNSPECIFIED,
    NOT_COMPATIBLE_WITH_STATE,
    RESPONSE_TO_STATUS_ENQUIRY,
    TEMPORARY_FAILURE,
    TIMER_EXPIRY,
)
from appliance.isdn.elements import (
    BEARER_NOT_IMPLEMENTED,
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    Display,
    Element,
    KeypadFacility,
    ProgressIndicator,
    SendingComplete,
)
from appliance.isdn.events import (
    Alerting,
    Answered,
    By,
    ChannelChosen,
    Digits,
    Event,
    Incoming,
    Proceeding,
    Progress,
    Released,
)
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import UNKNOWN_MESSAGE, Message, MessageType
from appliance.isdn.states import LOCATIONS, NUMBERS, On, State, Timers

IN_BAND = 8                                       # progress description: in-band information is available
MAX_DIGITS = 64                                   # of a number that comes in pieces
AUDIO = (BearerCapability.SPEECH, BearerCapability.AUDIO_3K1)


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

    def offer(self, call: "Call", wanted: ChannelId | None) -> int:
        """Admit a call that is offered to us: its channel, or ChannelRefused (5.2.3, 5.7)."""
        ...

    def move(self, call: "Call", timeslot: int) -> bool:
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
    """What a restart of the process must know of a call."""

    key: str
    call_ref: int
    ours: bool
    timeslot: int | None
    active: bool


@dataclass(slots=True, eq=False)
class Call:
    """`ours`: our side chose the call reference, the call is placed by us. Inputs take `now`."""

    owner: Owner
    key: str
    call_ref: int
    ours: bool
    state: State = State.NULL
    timeslot: int | None = None
    settled: bool = False                         # both sides agree on the channel
    called: str = ""
    setup: tuple[Element, ...] = ()               # what our SETUP says
    _in_band: bool = False                        # to be said in our ALERTING
    _digits: str = ""                             # to be sent when the far end asks for them
    _tries: int = 0                               # of SETUP or RELEASE
    _enquiries: int = 0
    _fault: int | None = None                     # cause of what the message being handled lacks (5.8.6)
    _end: tuple[int, By] | None = None            # why it ends, the first reason
    _told: bool = False                           # Released was said
    _deadlines: dict[On, float] = field(default_factory=dict)

    # --- inputs

    def receive(self, message: Message, now: float, fault: int | None = None) -> None:
        """A message of this call. `fault`: the cause of what it lacks; it is acted on even so (5.8.6)."""
        self._fault = fault
        MESSAGES[self.state, message.type](self, message, now)

    def reject(self, cause: int, diagnostic: bytes, now: float) -> None:
        """A message of this call that must not be acted on (5.8.4, 5.8.6)."""
        if self.state is State.NULL:
            self._say(MessageType.RELEASE_COMPLETE, now, self._cause(INVALID_CALL_REFERENCE))
        else:
            self._say(MessageType.STATUS, now, self._cause(cause, diagnostic), self.status)

    def fire(self, on: On, now: float) -> None:
        """StateError when the application asks for what cannot be."""
        EVENTS[self.state, on](self, now)

    def more_digits(self, digits: str, now: float) -> None:
        self._digits += digits
        self.fire(On.MORE_DIGITS, now)

    def alert(self, in_band: bool, now: float) -> None:
        self._in_band = in_band
        self.fire(On.ALERT, now)

    def hang_up(self, cause: int, now: float) -> None:
        self._because(cause, By.NEAR)
        self.fire(On.HANG_UP, now)

    def restore(self, timeslot: int | None, now: float) -> None:
        """The process ended in this call; the link is not up yet. Without its timeslot it was not active."""
        self.settled, self.timeslot = True, timeslot
        if timeslot is None:
            self._cut(now)
        else:
            self.state = State.ACTIVE
            self._start(On.T309, now)

    def expire(self, now: float) -> None:
        for timer in [timer for timer, at in self._deadlines.items() if at <= now]:
            if self._deadlines.pop(timer, None) is not None:     # the one before may have stopped it
                self.fire(timer, now)

    def next_deadline(self) -> float | None:
        return min(self._deadlines.values(), default=None)

    @property
    def status(self) -> CallState:
        return CallState(NUMBERS[self.state][self.owner.side])

    def snapshot(self) -> Snapshot:
        return Snapshot(self.key, self.call_ref, self.ours, self.timeslot, self.state is State.ACTIVE)

    def yield_channel(self) -> None:
        """Glare (5.7): the far end's call has our channel; its first response shall name another one."""
        self.timeslot = None

    # --- tools of the handlers

    def _start(self, timer: On, now: float) -> None:
        self._deadlines[timer] = now + self.owner.timers.seconds(timer)

    def _enter(self, state: State, now: float, timer: On | None = None) -> None:
        """All timers but those of the data link and of STATUS ENQUIRY belong to one state."""
        for running in self._deadlines.keys() - {On.T309, On.T322}:
            del self._deadlines[running]
        self.state, self._tries = state, 0
        if timer:
            self._start(timer, now)

    def _say(self, kind: MessageType, now: float, *elements: Element) -> None:
        self.owner.send(Message(kind, self.call_ref, not self.ours, elements), now)

    def _cause(self, value: int, diagnostic: bytes = b"") -> Cause:
        return Cause(value, LOCATIONS[self.owner.side], diagnostic)

    def _because(self, cause: int, by: By) -> None:
        self._end = self._end or (cause, by)

    @property
    def _reason(self) -> int:
        return self._end[0] if self._end else NORMAL_CLEARING

    def _because_of(self, message: Message) -> None:
        cause = message.first(Cause)
        self._because(cause.value if cause else NORMAL_UNSPECIFIED, By.FAR)

    def _tell_released(self) -> None:
        if not self._told:
            self._told = True
            cause, by = self._end or (NORMAL_UNSPECIFIED, By.FAR)
            self.owner.tell(Released(self.key, cause, by, self.channel_refused))

    @property
    def channel_refused(self) -> bool:
        """Placed by us and refused because of its channel."""
        cause, by = self._end or (NORMAL_UNSPECIFIED, By.FAR)
        return (self.ours and not self.settled and by is not By.NEAR
                and cause in (CHANNEL_UNACCEPTABLE, CHANNEL_NOT_AVAILABLE))

    def _over(self, now: float, unanswered: bool = False) -> None:
        self._deadlines.clear()
        self.state = State.NULL
        self._tell_released()
        self.owner.forget(self, now, unanswered=unanswered)

    def _disconnect(self, now: float, cause: int) -> None:
        """5.3.3, 5.3.4. Without a link: as 5.8.9 allows, clear now and tell the far end when it is back."""
        if not self.owner.link_up:
            self._cut(now)
            return
        self._deadlines.pop(On.T322, None)
        self._enter(State.DISCONNECTING, now, On.T305)
        self._say(MessageType.DISCONNECT, now, self._cause(cause))

    def _release(self, now: float, *elements: Element) -> None:
        self._deadlines.pop(On.T322, None)
        self._enter(State.RELEASING, now, On.T308)
        self._say(MessageType.RELEASE, now, *elements)

    def _cut(self, now: float) -> None:
        """Over for the application and the channel; the far end hears of it when the link is back."""
        self._because(TEMPORARY_FAILURE, By.LINE)
        self._enter(State.RELEASING, now)
        self._deadlines.clear()
        self._tell_released()
        self.owner.leave(self)

    # --- any state

    def _ignore_message(self, message: Message, now: float) -> None: ...

    def _ignore(self, now: float) -> None: ...

    def _impossible(self, now: float) -> None:
        raise StateError(f"a call that is {self.state.value} cannot do that")

    def _unexpected(self, message: Message, now: float) -> None:                     # 5.8.4
        self.reject(NOT_COMPATIBLE_WITH_STATE, bytes((message.type,)), now)

    def _unimplemented(self, message: Message, now: float) -> None:                  # 5.8.4
        self.reject(UNKNOWN_MESSAGE, bytes((message.type,)), now)

    def _unknown(self, message: Message, now: float) -> None:
        """5.8.3.2 a), its second choice: RELEASE would make a call of every stray message."""
        self.reject(INVALID_CALL_REFERENCE, b"", now)

    def _unknown_status(self, message: Message, now: float) -> None:                 # 5.8.11 a) 2)
        state = message.first(CallState)
        if state and state.value:
            self._say(MessageType.RELEASE_COMPLETE, now, self._cause(NOT_COMPATIBLE_WITH_STATE))

    def _enquired(self, message: Message, now: float) -> None:                       # 5.8.10
        self._say(MessageType.STATUS, now, self._cause(RESPONSE_TO_STATUS_ENQUIRY), self.status)

    def _status(self, message: Message, now: float) -> None:                         # 5.8.11
        state, cause = message.first(CallState), message.first(Cause)
        if state is None or cause is None:
            return                                # never answer a faulty STATUS: two of us would not end
        if state.value == 0:
            self._because(TEMPORARY_FAILURE, By.FAR)
            self._over(now)
        elif cause.value == RESPONSE_TO_STATUS_ENQUIRY and self._deadlines.pop(On.T322, None) is not None:
            self._compare(state.value, now)

    def _compare(self, theirs: int, now: float) -> None:
        """What the far end answered to our STATUS ENQUIRY after the link had lost messages."""
        answered = theirs == 10 or (theirs == 8 and self.ours)
        if theirs in (11, 12, 19):                # clearing: its message is on the way
            return
        if self.state is State.ACTIVE:
            if theirs == 8 and self.ours:         # our CONNECT ACKNOWLEDGE was lost
                self._say(MessageType.CONNECT_ACKNOWLEDGE, now)
            elif not answered:
                self._mismatch(now)
        elif answered and self.ours:              # its CONNECT was lost
            self._connect(now)
        elif answered and self.state is not State.CONNECT_REQUEST:
            self._mismatch(now)

    def _mismatch(self, now: float) -> None:
        self._because(NOT_COMPATIBLE_WITH_STATE, By.LINE)
        self._disconnect(now, NOT_COMPATIBLE_WITH_STATE)

    def _enquire(self, now: float) -> None:
        self._enquiries = 1
        self._start(On.T322, now)
        self._say(MessageType.STATUS_ENQUIRY, now)

    def _enquire_again(self, now: float) -> None:
        if self._enquiries >= self.owner.timers.n322:
            self._because(TEMPORARY_FAILURE, By.LINE)
            self._disconnect(now, TEMPORARY_FAILURE)
        else:
            self._enquiries += 1
            self._start(On.T322, now)
            self._say(MessageType.STATUS_ENQUIRY, now)

    def _link_back(self, now: float) -> None:                                        # 5.8.9
        self._deadlines.pop(On.T309, None)
        self._enquire(now)

    def _link_lost(self, now: float) -> None:                                        # 5.8.9 b)
        self._deadlines.pop(On.T322, None)
        if On.T309 not in self._deadlines:
            self._start(On.T309, now)

    def _link_stayed_away(self, now: float) -> None:
        self._because(DESTINATION_OUT_OF_ORDER, By.LINE)
        self._cut(now)

    def _reset_in_overlap(self, now: float) -> None:                                 # 5.8.8 a)
        self._because(TEMPORARY_FAILURE, By.LINE)
        self._disconnect(now, TEMPORARY_FAILURE)

    def _restarted(self, now: float) -> None:                                        # 5.5.2
        self._because(TEMPORARY_FAILURE, By.FAR)
        self._over(now)

    def _timed_out(self, now: float) -> None:
        self._because(TIMER_EXPIRY, By.LINE)
        self._disconnect(now, TIMER_EXPIRY)

    # --- placed by us

    def _dial(self, now: float) -> None:                                             # 5.1.1
        self._enter(State.INITIATED, now, On.T303)
        self._send_setup(now)

    def _send_setup(self, now: float) -> None:
        channel = (ChannelId(self.timeslot, self.owner.exclusive),) if self.timeslot else ()
        self._say(MessageType.SETUP, now, *self.setup, *channel)

    def _no_response(self, now: float) -> None:                                      # T303: 5.1.1, 5.2.5.3
        self._tries += 1
        if self._tries == 1:
            self._start(On.T303, now)
            self._send_setup(now)
        else:
            self._because(TIMER_EXPIRY, By.LINE)
            self._say(MessageType.RELEASE_COMPLETE, now, self._cause(TIMER_EXPIRY))
            self._over(now)

    def _settle(self, message: Message, now: float) -> bool:
        """The first response fixes the channel (5.1.2, 5.2.3.1); False: not usable, the call is clearing."""
        if self.settled:
            return True
        wanted = message.first(ChannelId)
        timeslot = wanted.timeslot if wanted and wanted.timeslot else self.timeslot
        if timeslot is None or (timeslot != self.timeslot and not self.owner.move(self, timeslot)):
            self._because(CHANNEL_UNACCEPTABLE, By.LINE)
            self._release(now, self._cause(CHANNEL_UNACCEPTABLE))
            return False
        self.settled = True
        self.owner.tell(ChannelChosen(self.key, timeslot))
        return True

    def _digits_wanted(self, message: Message, now: float) -> None:                  # 5.1.3, 5.2.4
        if self._settle(message, now):
            self._enter(State.OVERLAP_SENDING, now, On.T304)
            self._send_digits(now)

    def _send_digits(self, now: float) -> None:
        complete = (SendingComplete(),) if SendingComplete() in self.setup else ()
        digits = (CalledNumber(self._digits),) if self._digits else ()
        if complete or digits:                    # asked for more although it was complete: say so again
            self._say(MessageType.INFORMATION, now, *complete, *digits)
        self._digits = ""
        self._start(On.T304, now)

    def _went_ahead(self, message: Message, now: float) -> None:
        if self._settle(message, now):
            self._enter(State.PROCEEDING_OUT, now, On.T310)
            if in_band(message):
                del self._deadlines[On.T310]
            self.owner.tell(Proceeding(self.key))

    def _progressed(self, message: Message, now: float) -> None:                     # 5.1.6: T310 stops
        self._deadlines.pop(On.T310, None)
        self.owner.tell(Progress(self.key, in_band(message)))

    def _rings(self, message: Message, now: float) -> None:
        if self._settle(message, now):
            self._enter(State.DELIVERED, now, On.T301)
            self.owner.tell(Alerting(self.key, in_band(message)))

    def _connected(self, message: Message, now: float) -> None:                      # 5.1.8, 5.2.8
        if self._settle(message, now):
            self._connect(now)

    def _connect(self, now: float) -> None:
        self._enter(State.ACTIVE, now)
        self._say(MessageType.CONNECT_ACKNOWLEDGE, now)
        self.owner.tell(Answered(self.key))

    def _never_answered(self, now: float) -> None:                                   # T301
        self._because(NO_ANSWER, By.LINE)
        self._disconnect(now, TIMER_EXPIRY)

    # --- offered to us

    def _offered(self, message: Message, now: float) -> None:                        # 5.1.1-5.1.5, 5.2.1-5
        if self.ours:
            return                                # 5.8.3.2 d)
        bearer = message.first(BearerCapability)
        bad_channel = next((fault.cause for fault in message.faults if fault.identifier == 0x18), None)
        refusal = self._fault or bad_channel
        if bearer and bearer.transfer_capability not in AUDIO:
            refusal = refusal or BEARER_NOT_IMPLEMENTED
        try:
            if bearer is None or refusal:
                raise ChannelRefused(refusal or BEARER_NOT_IMPLEMENTED)
            self.timeslot = self.owner.offer(self, message.first(ChannelId))
        except ChannelRefused as refused:
            self._say(MessageType.RELEASE_COMPLETE, now, self._cause(refused.cause))
            return
        self.settled = True
        self.called = typed(message)[:MAX_DIGITS]
        calling, name = message.first(CallingNumber), message.first(Display)
        complete = message.first(SendingComplete) is not None or not self.owner.overlap
        if not complete:
            self._enter(State.OVERLAP_RECEIVING, now, On.T302)
            self._say(MessageType.SETUP_ACKNOWLEDGE, now, ChannelId(self.timeslot))
        self.owner.tell(Incoming(
            self.key, self.called, calling.digits if calling and not calling.presentation else "",
            name.text if name else "", bearer.transfer_capability, complete, self.timeslot))
        if complete:
            self._proceed(now, ChannelId(self.timeslot))

    def _proceed(self, now: float, *elements: Element) -> None:
        self._enter(State.PROCEEDING_IN, now)
        self._say(MessageType.CALL_PROCEEDING, now, *elements)

    def _take_digits(self, message: Message, now: float) -> None:
        self.called = (self.called + typed(message))[:MAX_DIGITS]
        self._start(On.T302, now)
        complete = message.first(SendingComplete) is not None
        self.owner.tell(Digits(self.key, self.called, complete))
        if complete:
            self._proceed(now)

    def _no_more_digits(self, now: float) -> None:                                   # T302
        if self.called:
            self.owner.tell(Digits(self.key, self.called, True))
            self._proceed(now)
        else:
            self._because(INCOMPLETE_NUMBER, By.LINE)
            self._disconnect(now, INCOMPLETE_NUMBER)

    def _ring(self, now: float) -> None:
        self._enter(State.RECEIVED, now)
        in_band = (ProgressIndicator(IN_BAND, LOCATIONS[self.owner.side]),) if self._in_band else ()
        self._say(MessageType.ALERTING, now, *in_band)

    def _answer(self, now: float) -> None:                                           # 5.2.7, 5.1.8
        if self.owner.side is Side.USER:
            self._enter(State.CONNECT_REQUEST, now, On.T313)
            self._say(MessageType.CONNECT, now)
        else:
            self._enter(State.ACTIVE, now)
            self._say(MessageType.CONNECT, now)
            self.owner.tell(Answered(self.key))

    def _acknowledged(self, message: Message, now: float) -> None:
        self._enter(State.ACTIVE, now)
        self.owner.tell(Answered(self.key))

    # --- clearing, 5.3

    def _hang_up(self, now: float) -> None:
        self._disconnect(now, self._reason)

    def _disconnected(self, message: Message, now: float) -> None:
        self._because_of(message)
        self._release(now, *((self._cause(self._fault),) if self._fault else ()))

    def _collided(self, message: Message, now: float) -> None:                       # 5.3.5: both sent it
        self._release(now)

    def _released(self, message: Message, now: float) -> None:
        self._because_of(message)
        self._say(MessageType.RELEASE_COMPLETE, now, *((self._cause(self._fault),) if self._fault else ()))
        self._over(now)

    def _ended(self, message: Message, now: float) -> None:
        """RELEASE COMPLETE in any state; RELEASE that crossed ours (5.3.5)."""
        self._because_of(message)
        self._over(now)

    def _not_released(self, now: float) -> None:                                     # T305
        self._release(now, self._cause(self._reason))

    def _not_completed(self, now: float) -> None:                                    # T308: 5.3.3
        self._tries += 1
        if self._tries == 1:
            self._start(On.T308, now)
            self._say(MessageType.RELEASE, now, self._cause(self._reason))
        else:
            self._over(now, unanswered=True)

    def _say_release(self, now: float) -> None:
        """The link is back: tell the far end of a call that ended meanwhile."""
        self._release(now, self._cause(self._reason))


def typed(message: Message) -> str:
    """Digits of a called number, or of a keypad."""
    number = message.first(CalledNumber) or message.first(KeypadFacility)
    return number.digits if number else ""


def in_band(message: Message) -> bool:
    progress = message.first(ProgressIndicator)
    return progress is not None and progress.description in (1, IN_BAND)


# --- the tables: every cell is decided

S, M = State, MessageType
OnMessage = Callable[[Call, Message, float], None]
OnEvent = Callable[[Call, float], None]

_PLACED = (S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED)
_OFFERED = (S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST)
_ALIVE = (*_PLACED, *_OFFERED, S.ACTIVE)
_CLEARING = (S.DISCONNECTING, S.RELEASING)
_UNUSED = (M.SUSPEND, M.SUSPEND_ACKNOWLEDGE, M.SUSPEND_REJECT, M.SEGMENT, M.RESTART, M.RESTART_ACKNOWLEDGE,
           M.RESUME, M.RESUME_ACKNOWLEDGE, M.RESUME_REJECT)
_PASSED_BY = (M.NOTIFY, M.FACILITY, M.USER_INFORMATION, M.CONGESTION_CONTROL)    # no call depends on them


def _messages() -> dict[tuple[State, MessageType], OnMessage]:
    table: dict[tuple[State, MessageType], OnMessage] = {}

    def row(states: tuple[State, ...], kinds: tuple[MessageType, ...], handler: OnMessage) -> None:
        table.update({(state, kind): handler for state in states for kind in kinds})

    row((S.NULL,), tuple(M), Call._unknown)
    row((S.NULL,), (M.SETUP,), Call._offered)
    row((S.NULL,), (M.RELEASE_COMPLETE,), Call._ignore_message)                      # 5.8.3.2 c)
    row((S.NULL,), (M.STATUS,), Call._unknown_status)
    row((S.NULL,), (M.STATUS_ENQUIRY,), Call._enquired)

    row(_ALIVE, tuple(M), Call._unexpected)
    row(_ALIVE, _UNUSED, Call._unimplemented)
    row(_ALIVE, _PASSED_BY, Call._ignore_message)
    row(_ALIVE, (M.SETUP,), Call._ignore_message)                                    # 5.8.3.2 e)
    row(_ALIVE, (M.STATUS,), Call._status)
    row(_ALIVE, (M.STATUS_ENQUIRY,), Call._enquired)
    row(_ALIVE, (M.DISCONNECT,), Call._disconnected)
    row(_ALIVE, (M.RELEASE,), Call._released)
    row(_ALIVE, (M.RELEASE_COMPLETE,), Call._ended)

    row((S.INITIATED,), (M.SETUP_ACKNOWLEDGE,), Call._digits_wanted)
    row((S.INITIATED, S.OVERLAP_SENDING), (M.CALL_PROCEEDING,), Call._went_ahead)
    row((S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT), (M.ALERTING,), Call._rings)
    row(_PLACED, (M.CONNECT,), Call._connected)
    row((S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED), (M.PROGRESS,), Call._progressed)
    row((S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED, S.ACTIVE), (M.INFORMATION,), Call._ignore_message)
    row((S.OVERLAP_RECEIVING,), (M.INFORMATION,), Call._take_digits)
    row((S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST), (M.INFORMATION,), Call._ignore_message)
    row((S.CONNECT_REQUEST,), (M.CONNECT_ACKNOWLEDGE,), Call._acknowledged)
    row((S.ACTIVE,), (M.CONNECT_ACKNOWLEDGE, M.PROGRESS), Call._ignore_message)

    row(_CLEARING, tuple(M), Call._ignore_message)                                   # crossed our clearing
    row(_CLEARING, (M.STATUS,), Call._status)
    row(_CLEARING, (M.STATUS_ENQUIRY,), Call._enquired)
    row(_CLEARING, (M.RELEASE_COMPLETE,), Call._ended)
    row((S.DISCONNECTING,), (M.DISCONNECT,), Call._collided)
    row((S.DISCONNECTING,), (M.RELEASE,), Call._released)
    row((S.RELEASING,), (M.RELEASE,), Call._ended)
    return table


def _events() -> dict[tuple[State, On], OnEvent]:
    table: dict[tuple[State, On], OnEvent] = {}

    def row(states: tuple[State, ...], on: tuple[On, ...], handler: OnEvent) -> None:
        table.update({(state, one): handler for state in states for one in on})

    requests = (On.DIAL, On.MORE_DIGITS, On.PROCEED, On.ALERT, On.ANSWER, On.HANG_UP)
    row(tuple(S), tuple(On), Call._ignore)        # e.g. a timer that another state has
    row(tuple(S), requests, Call._impossible)

    row((S.NULL,), (On.DIAL,), Call._dial)
    row((S.INITIATED, S.PROCEEDING_OUT, S.DELIVERED), (On.MORE_DIGITS,), Call._ignore)
    row((S.OVERLAP_SENDING,), (On.MORE_DIGITS,), Call._send_digits)
    row((*_OFFERED, S.ACTIVE), (On.PROCEED, On.ALERT, On.ANSWER), Call._ignore)
    row((S.OVERLAP_RECEIVING,), (On.PROCEED,), Call._proceed)
    row((S.OVERLAP_RECEIVING, S.PROCEEDING_IN), (On.ALERT,), Call._ring)
    row((S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED), (On.ANSWER,), Call._answer)
    row(_ALIVE, (On.HANG_UP,), Call._hang_up)
    row(_CLEARING, (On.HANG_UP,), Call._ignore)

    row((S.INITIATED,), (On.T303,), Call._no_response)
    row((S.OVERLAP_SENDING,), (On.T304,), Call._timed_out)
    row((S.PROCEEDING_OUT,), (On.T310,), Call._timed_out)
    row((S.DELIVERED,), (On.T301,), Call._never_answered)
    row((S.OVERLAP_RECEIVING,), (On.T302,), Call._no_more_digits)
    row((S.CONNECT_REQUEST,), (On.T313,), Call._timed_out)
    row((S.ACTIVE,), (On.T309,), Call._link_stayed_away)
    row((S.DISCONNECTING,), (On.T305,), Call._not_released)
    row((S.RELEASING,), (On.T308,), Call._not_completed)
    row(_ALIVE, (On.T322,), Call._enquire_again)

    row(_ALIVE, (On.LINK_RESET,), Call._enquire)                                     # 5.8.8 b)
    row((S.INITIATED,), (On.LINK_RESET,), Call._ignore)                              # T303 sends it again
    row((S.OVERLAP_SENDING, S.OVERLAP_RECEIVING), (On.LINK_RESET,), Call._reset_in_overlap)
    row((*_PLACED, *_OFFERED, *_CLEARING), (On.LINK_LOST,), Call._cut)
    row((S.ACTIVE,), (On.LINK_LOST,), Call._link_lost)
    row((S.ACTIVE,), (On.LINK_BACK,), Call._link_back)
    row((S.RELEASING,), (On.LINK_BACK,), Call._say_release)
    row((*_ALIVE, *_CLEARING), (On.RESTARTED,), Call._restarted)
    return table


MESSAGES = _messages()
EVENTS = _events()
