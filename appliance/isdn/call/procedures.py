"""What is done in the cells of table.py while the data link holds: placing, taking and clearing a call.

Ref: ITU-T Q.931 (05/98), 5.1-5.3, 5.8.3-5.8.6; bare clause numbers are Q.931's. A handler of a message takes
call, message and now, one of an event call and now.
"""
from appliance.errors import StateError
from appliance.isdn.call.call import Call, ChannelRefused
from appliance.isdn.call.states import LOCATIONS, On, State
from appliance.isdn.causes import (
    CHANNEL_UNACCEPTABLE,
    INCOMPLETE_NUMBER,
    INVALID_CALL_REFERENCE,
    NO_ANSWER,
    NOT_COMPATIBLE_WITH_STATE,
    TEMPORARY_FAILURE,
    TIMER_EXPIRY,
)
from appliance.isdn.elements import (
    BEARER_NOT_IMPLEMENTED,
    IDENTIFIERS,
    BearerCapability,
    CalledNumber,
    CallingNumber,
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
    Incoming,
    Proceeding,
    Progress,
)
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import MISSING_ELEMENT, UNKNOWN_MESSAGE, Message, MessageType

IN_BAND = 8                                       # progress description: in-band information is available
MAX_DIGITS = 64                                   # of a number that comes in pieces
AUDIO = (BearerCapability.SPEECH, BearerCapability.AUDIO_3K1)


# --- any state


def pass_by(call: Call, message: Message, now: float) -> None: ...


def ignore(call: Call, now: float) -> None: ...


def impossible(call: Call, now: float) -> None:
    raise StateError(f"a call that is {call.state.value} cannot do that")


def unexpected(call: Call, message: Message, now: float) -> None:                    # 5.8.4
    call.reject(NOT_COMPATIBLE_WITH_STATE, bytes((message.type,)), now)


def unimplemented(call: Call, message: Message, now: float) -> None:                 # 5.8.4
    call.reject(UNKNOWN_MESSAGE, bytes((message.type,)), now)


def unknown(call: Call, message: Message, now: float) -> None:
    """5.8.3.2 a), its second choice: RELEASE would make a call of every stray message."""
    call.reject(INVALID_CALL_REFERENCE, b"", now)


def timed_out(call: Call, now: float) -> None:
    call.because(TIMER_EXPIRY, By.LINE)
    call.disconnect(now, TIMER_EXPIRY)


def restarted(call: Call, now: float) -> None:                                       # 5.5.2
    call.because(TEMPORARY_FAILURE, By.LINE)
    call.over(now)


# --- placed by us


def dial(call: Call, now: float) -> None:                                            # 5.1.1
    call.enter(State.INITIATED, now, On.T303)
    send_setup(call, now)


def send_setup(call: Call, now: float) -> None:
    channel = (ChannelId(call.timeslot, call.owner.exclusive),) if call.timeslot else ()
    call.say(MessageType.SETUP, now, *call.setup, *channel)


def no_response(call: Call, now: float) -> None:                                     # T303: 5.1.1, 5.2.5.3
    call.tries += 1
    if call.tries == 1:
        call.start(On.T303, now)
        send_setup(call, now)
    else:
        call.because(TIMER_EXPIRY, By.LINE)
        call.say(MessageType.RELEASE_COMPLETE, now, call.reason)
        call.over(now)


def settle(call: Call, message: Message, now: float) -> bool:
    """The first response fixes the channel (5.1.2, 5.2.3.1); False: not usable, the call is clearing."""
    if call.settled:
        return True
    wanted = message.first(ChannelId)
    timeslot = wanted.timeslot if wanted and wanted.timeslot else call.timeslot
    if timeslot is None or (timeslot != call.timeslot and not call.owner.move(call, timeslot, now)):
        call.because(CHANNEL_UNACCEPTABLE, By.LINE)
        call.release(now, call.reason)
        return False
    call.settled = True
    call.owner.tell(ChannelChosen(call.key, timeslot))
    return True


def digits_wanted(call: Call, message: Message, now: float) -> None:                 # 5.1.3, 5.2.4
    if settle(call, message, now):
        call.enter(State.OVERLAP_SENDING, now, On.T304)
        send_digits(call, now)


def send_digits(call: Call, now: float) -> None:
    complete = (SendingComplete(),) if SendingComplete() in call.setup else ()
    digits = (CalledNumber(call.digits),) if call.digits else ()
    if complete or digits:                        # asked for more although it was complete: say so again
        call.say(MessageType.INFORMATION, now, *complete, *digits)
    call.digits = ""
    call.start(On.T304, now)


def went_ahead(call: Call, message: Message, now: float) -> None:
    if settle(call, message, now):
        call.enter(State.PROCEEDING_OUT, now, On.T310)
        if in_band(message):
            call.stop(On.T310)
        call.owner.tell(Proceeding(call.key))


def progressed(call: Call, message: Message, now: float) -> None:                    # 5.1.6: T310 stops
    call.stop(On.T310)
    call.owner.tell(Progress(call.key, in_band(message)))


def rings(call: Call, message: Message, now: float) -> None:
    if settle(call, message, now):
        deliver(call, now, with_tones=in_band(message))


def deliver(call: Call, now: float, *, with_tones: bool) -> None:
    call.enter(State.DELIVERED, now, On.T301)
    call.owner.tell(Alerting(call.key, with_tones))


def connected(call: Call, message: Message, now: float) -> None:                     # 5.1.8, 5.2.8
    if settle(call, message, now):
        connect(call, now)


def connect(call: Call, now: float) -> None:
    activate(call, now)
    call.say(MessageType.CONNECT_ACKNOWLEDGE, now)


def activate(call: Call, now: float) -> None:
    call.enter(State.ACTIVE, now)
    call.owner.tell(Answered(call.key))


def never_answered(call: Call, now: float) -> None:                                  # T301
    call.because(NO_ANSWER, By.LINE)
    call.disconnect(now, TIMER_EXPIRY)


# --- offered to us


def offered(call: Call, message: Message, now: float) -> None:                       # 5.1.1-5.1.5, 5.2.1-5
    if call.ours:
        return                                    # 5.8.3.2 d)
    bearer = message.first(BearerCapability)
    refusal = call.fault or faulty(message, ChannelId)
    if bearer and bearer.transfer_capability not in AUDIO:
        refusal = refusal or BEARER_NOT_IMPLEMENTED
    try:
        if bearer is None or refusal:
            raise ChannelRefused(refusal or BEARER_NOT_IMPLEMENTED)
        call.timeslot = call.owner.offer(call, message.first(ChannelId), now)
    except ChannelRefused as refused:
        call.say(MessageType.RELEASE_COMPLETE, now, call.cause(refused.cause))
        return
    call.settled = True
    call.called = typed(message)[:MAX_DIGITS]
    calling, name = message.first(CallingNumber), message.first(Display)
    complete = message.first(SendingComplete) is not None or not call.owner.overlap
    if not complete:
        call.enter(State.OVERLAP_RECEIVING, now, On.T302)
        call.say(MessageType.SETUP_ACKNOWLEDGE, now, ChannelId(call.timeslot))
    call.owner.tell(Incoming(
        call.key, call.called, calling.digits if calling and not calling.presentation else "",
        name.text if name else "", bearer.transfer_capability, complete, call.timeslot))
    if complete:
        call.enter(State.PROCEEDING_IN, now)
        say_progress(call, now, ChannelId(call.timeslot))


def proceed(call: Call, now: float) -> None:
    call.enter(State.PROCEEDING_IN, now)
    say_progress(call, now)


def take_digits(call: Call, message: Message, now: float) -> None:
    call.called = (call.called + typed(message))[:MAX_DIGITS]
    call.start(On.T302, now)
    complete = message.first(SendingComplete) is not None
    call.owner.tell(Digits(call.key, call.called, complete))
    if complete:
        proceed(call, now)


def no_more_digits(call: Call, now: float) -> None:                                  # T302
    if call.called:
        call.owner.tell(Digits(call.key, call.called, True))
        proceed(call, now)
    else:
        call.because(INCOMPLETE_NUMBER, By.LINE)
        call.disconnect(now, INCOMPLETE_NUMBER)


def ring(call: Call, now: float) -> None:
    call.enter(State.RECEIVED, now)
    say_progress(call, now)


def answer(call: Call, now: float) -> None:                                          # 5.2.7, 5.1.8
    if call.owner.side is Side.USER:
        call.enter(State.CONNECT_REQUEST, now, On.T313)
    else:
        activate(call, now)
    say_progress(call, now)


def say_progress(call: Call, now: float, *channel: ChannelId) -> None:
    """The message that brings the calling side to our state."""
    match call.state:
        case State.PROCEEDING_IN:
            call.say(MessageType.CALL_PROCEEDING, now, *channel)
        case State.RECEIVED:
            tones = (ProgressIndicator(IN_BAND, LOCATIONS[call.owner.side]),) if call.in_band else ()
            call.say(MessageType.ALERTING, now, *channel, *tones)
        case State.CONNECT_REQUEST | State.ACTIVE:
            call.say(MessageType.CONNECT, now, *channel)


def acknowledged(call: Call, message: Message, now: float) -> None:
    activate(call, now)


# --- clearing, 5.3


def hang_up(call: Call, now: float) -> None:
    call.disconnect(now, call.reason.value)


def disconnected(call: Call, message: Message, now: float) -> None:
    call.because_of(message)
    call.release(now, *((call.cause(call.fault),) if call.fault else ()))


def collided(call: Call, message: Message, now: float) -> None:                      # 5.3.5: both sent it
    call.release(now)


def released(call: Call, message: Message, now: float) -> None:
    """Unless it answers our DISCONNECT its cause is mandatory (5.8.6)."""
    call.because_of(message)
    fault = faulty(message, Cause)
    if call.state is not State.DISCONNECTING and message.first(Cause) is None:
        fault = fault or MISSING_ELEMENT
    call.say(MessageType.RELEASE_COMPLETE, now, *((call.cause(fault),) if fault else ()))
    call.over(now)


def ended(call: Call, message: Message, now: float) -> None:
    """RELEASE COMPLETE in any state; RELEASE that crossed ours (5.3.5)."""
    call.because_of(message)
    call.over(now)


def not_released(call: Call, now: float) -> None:                                    # T305
    call.release(now, call.reason)


def not_completed(call: Call, now: float) -> None:                                   # T308: 5.3.3
    call.tries += 1
    if call.tries == 1:
        call.start(On.T308, now)
        repeat_release(call, now)
    else:
        call.over(now, unanswered=True)


def repeat_disconnect(call: Call, now: float) -> None:
    call.say(MessageType.DISCONNECT, now, call.reason)


def repeat_release(call: Call, now: float) -> None:
    call.say(MessageType.RELEASE, now, call.reason)


def say_release(call: Call, now: float) -> None:
    """The link is back: tell the far end of a call that ended meanwhile."""
    call.release(now, call.reason)


# --- elements


def faulty(message: Message, kind: type[Element]) -> int | None:
    """The cause of an element that was left out because of its contents."""
    return next((fault.cause for fault in message.faults if fault.identifier == IDENTIFIERS[kind]), None)


def typed(message: Message) -> str:
    """Digits of a called number, or of a keypad."""
    number = message.first(CalledNumber) or message.first(KeypadFacility)
    return number.digits if number else ""


def in_band(message: Message) -> bool:
    progress = message.first(ProgressIndicator)
    return progress is not None and progress.description in (1, IN_BAND)
