"""What is done in the cells of table.py for a call that is offered to us, until it is answered.

Ref: ITU-T Q.931 (05/98), 5.1, 5.2; bare clause numbers are Q.931's. A handler of a message takes call,
message and now, one of an event call and now.
"""
from appliance.isdn.call.call import Call, ChannelRefused
from appliance.isdn.call.errors import faulty
from appliance.isdn.call.placing import activate
from appliance.isdn.call.states import On, State
from appliance.isdn.causes import INCOMPLETE_NUMBER
from appliance.isdn.elements import (
    BEARER_NOT_IMPLEMENTED,
    IDENTIFIERS,
    BearerCapability,
    CalledNumber,
    CallingNumber,
    Cause,
    ChannelId,
    Display,
    KeypadFacility,
    ProgressIndicator,
    SendingComplete,
)
from appliance.isdn.events import By, Digits, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import MISSING_ELEMENT, Message, MessageType

MAX_DIGITS = 64                                   # of a number that comes in pieces
AUDIO = (BearerCapability.SPEECH, BearerCapability.AUDIO_3K1)
RESPONSES = {                                     # the message that brings the calling side to our state
    State.OVERLAP_RECEIVING: MessageType.SETUP_ACKNOWLEDGE,
    State.PROCEEDING_IN: MessageType.CALL_PROCEEDING,
    State.RECEIVED: MessageType.ALERTING,
    State.CONNECT_REQUEST: MessageType.CONNECT,
    State.ACTIVE: MessageType.CONNECT,
}


def offered(call: Call, message: Message, now: float) -> None:                       # 5.1.1-5.1.5, 5.2.1-5
    if call.ours:
        return                                    # 5.8.3.2 d)
    cause = _refusal(call, message)
    try:
        call.timeslot = None if cause else call.owner.offer(call, message.first(ChannelId), now)
    except ChannelRefused as refused:
        cause = call.cause(refused.cause)
    bearer = message.first(BearerCapability)
    if cause or bearer is None or call.timeslot is None:
        call.say(MessageType.RELEASE_COMPLETE, now, cause or call.cause(BEARER_NOT_IMPLEMENTED))
        return
    call.settled = True
    call.called = typed(message)[:MAX_DIGITS]
    calling, name = message.first(CallingNumber), message.first(Display)
    complete = message.first(SendingComplete) is not None or not call.owner.overlap
    call.enter(State.PRESENT, now)
    if not complete and call.owner.auto_proceed:
        want_digits(call, now)
    call.owner.tell(Incoming(
        call.key, call.called, calling.digits if calling and not calling.presentation else "",
        name.text if name else "", bearer.transfer_capability, complete, call.timeslot, message.elements))
    if complete and call.owner.auto_proceed:
        proceed(call, now)


def _refusal(call: Call, message: Message) -> Cause | None:
    """Why the SETUP cannot be served, its channel left out; None: it can."""
    if call.fault is not None:                    # 5.8.6
        return call.cause(call.fault.cause, call.fault.diagnostic)
    if fault := faulty(message, ChannelId):
        return call.cause(fault)
    of_network = call.owner.side is Side.USER and not call.owner.profile.symmetric
    if of_network and message.first(ChannelId) is None:        # table 3-15: it is mandatory
        return call.cause(MISSING_ELEMENT, bytes((IDENTIFIERS[ChannelId],)))
    bearer = message.first(BearerCapability)
    if bearer is None or bearer.transfer_capability not in AUDIO:
        return call.cause(BEARER_NOT_IMPLEMENTED)
    return None


def want_digits(call: Call, now: float) -> None:                                     # 5.1.3, 5.2.4
    call.enter(State.OVERLAP_RECEIVING, now, On.T302)
    respond(call, now)


def proceed(call: Call, now: float) -> None:                                         # 5.1.5, 5.2.5.2
    call.enter(State.PROCEEDING_IN, now)
    respond(call, now)


def ring(call: Call, now: float) -> None:                                            # 5.1.7, 5.2.5.2
    call.enter(State.RECEIVED, now)
    respond(call, now)


def answer(call: Call, now: float) -> None:                                          # 5.1.8, 5.2.7
    """A network goes ahead; a user, and either end where both are alike, waits for CONNECT ACKNOWLEDGE."""
    if call.owner.side is Side.USER or call.owner.profile.symmetric:
        call.enter(State.CONNECT_REQUEST, now, On.T313)
        respond(call, now)
    else:
        activate(call, now, ())
        respond(call, now)


def respond(call: Call, now: float) -> None:
    elements = call.extra
    if call.state is State.RECEIVED and call.in_band and not any(
            isinstance(element, ProgressIndicator) for element in elements):
        elements = (call.tones, *elements)
    call.respond(RESPONSES[call.state], now, *elements)


def respond_again(call: Call, now: float) -> None:
    """The last response is lost."""
    if call.timeslot is not None:
        call.say(RESPONSES[call.state], now, ChannelId(call.timeslot), *(call.response or ()))


def take_digits(call: Call, message: Message, now: float) -> None:
    """5.1.3, 5.2.4: T302 begins anew with each INFORMATION that is not the last."""
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


def progress(call: Call, now: float) -> None:                                        # 5.1.6, 5.2.6
    indicated = any(isinstance(element, ProgressIndicator) for element in call.extra)
    call.say(MessageType.PROGRESS, now, *(() if indicated else (call.tones,)), *call.extra)


def acknowledged(call: Call, message: Message, now: float) -> None:                  # 5.2.8
    activate(call, now, message.elements)


def typed(message: Message) -> str:
    """Digits of a called number, or of a keypad."""
    number = message.first(CalledNumber) or message.first(KeypadFacility)
    return number.digits if number else ""
