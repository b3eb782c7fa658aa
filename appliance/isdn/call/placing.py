"""What is done in the cells of table.py for a call that we place, until it is answered.

Ref: ITU-T Q.931 (05/98), 5.1, 5.2; bare clause numbers are Q.931's. A handler of a message takes call,
message and now, one of an event call and now.
"""
from appliance.isdn.call.call import Call, in_band
from appliance.isdn.call.errors import faulty
from appliance.isdn.call.states import On, State
from appliance.isdn.causes import CHANNEL_UNACCEPTABLE, NO_ANSWER, TIMER_EXPIRY
from appliance.isdn.elements import CalledNumber, ChannelId, Element, SendingComplete
from appliance.isdn.events import Alerting, Answered, By, Proceeding, Progress
from appliance.isdn.q931 import Message, MessageType


def dial(call: Call, now: float) -> None:                                            # 5.1.1, 5.2.1
    call.enter(State.INITIATED, now, On.T303)
    call.complete = SendingComplete() in call.setup
    send_setup(call, now)


def send_setup(call: Call, now: float) -> None:
    channel = (call.wanted,) if call.wanted else ()
    call.say(MessageType.SETUP, now, *call.setup, *channel)


def no_response(call: Call, now: float) -> None:                                     # T303: 5.1.1, 5.2.5.3
    call.tries += 1
    if call.tries <= call.owner.timers.n303:
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
    theirs = message.first(ChannelId)
    timeslot = theirs.timeslot if theirs and theirs.timeslot else call.timeslot
    another = timeslot != call.timeslot
    insisted = another and call.wanted is not None and call.wanted.exclusive and call.timeslot is not None
    refusal = faulty(message, ChannelId)
    if timeslot is None or insisted or (another and not call.owner.move(call, timeslot, now)):
        refusal = refusal or CHANNEL_UNACCEPTABLE
    if timeslot is None or refusal:
        call.because(CHANNEL_UNACCEPTABLE, By.LINE)
        call.release(now, call.cause(refusal or CHANNEL_UNACCEPTABLE))
        return False
    call.settle(timeslot)
    return True


def digits_wanted(call: Call, message: Message, now: float) -> None:                 # 5.1.3, 5.2.4
    if settle(call, message, now):
        call.enter(State.OVERLAP_SENDING, now, On.T304)
        if in_band(message.elements):
            call.owner.tell(Progress(call.key, True, message.elements))
        if call.digits or call.complete:
            send_digits(call, now)


def send_digits(call: Call, now: float) -> None:
    """T304 begins anew with each INFORMATION. Asked for more although it was complete: say so again."""
    complete = (SendingComplete(),) if call.complete else ()
    call.say(MessageType.INFORMATION, now, *complete, *_number(call))
    call.digits = ""
    call.start(On.T304, now)


def _number(call: Call) -> tuple[CalledNumber, ...]:
    """Digits, of the type and plan that the first ones had."""
    if not call.digits:
        return ()
    first = next((element for element in call.setup if isinstance(element, CalledNumber)), CalledNumber(""))
    return (CalledNumber(call.digits, first.type, first.plan),)


def went_ahead(call: Call, message: Message, now: float) -> None:
    if settle(call, message, now):
        call.enter(State.PROCEEDING_OUT, now, On.T310)
        call.owner.tell(Proceeding(call.key, message.elements))
        if in_band(message.elements):
            progressed(call, message, now)


def progressed(call: Call, message: Message, now: float) -> None:
    """5.1.6, 5.4: whoever hears something waits as long as he likes; T304 runs again with the next digit. In
    a private network only what is heard stops T310 (ISO/IEC 11572)."""
    heard = in_band(message.elements)
    if heard or not call.owner.profile.symmetric:
        call.stop(On.T310)
    if heard:
        call.stop(On.T304)
    call.owner.tell(Progress(call.key, heard, message.elements))


def rings(call: Call, message: Message, now: float) -> None:                         # 5.1.7, 5.2.7
    if settle(call, message, now):
        deliver(call, now, in_band(message.elements), message.elements)


def deliver(call: Call, now: float, with_tones: bool, elements: tuple[Element, ...]) -> None:
    call.enter(State.DELIVERED, now, On.T301)
    call.owner.tell(Alerting(call.key, with_tones, elements))


def connected(call: Call, message: Message, now: float) -> None:                     # 5.1.8, 5.2.8
    if settle(call, message, now):
        connect(call, now, message.elements)


def connect(call: Call, now: float, elements: tuple[Element, ...]) -> None:
    activate(call, now, elements)
    call.say(MessageType.CONNECT_ACKNOWLEDGE, now)


def activate(call: Call, now: float, elements: tuple[Element, ...]) -> None:
    call.enter(State.ACTIVE, now)
    call.owner.tell(Answered(call.key, elements))


def timed_out(call: Call, now: float) -> None:                                       # T304, T310, T313
    call.because(TIMER_EXPIRY, By.LINE)
    call.disconnect(now, TIMER_EXPIRY)


def never_answered(call: Call, now: float) -> None:                                  # T301
    call.because(NO_ANSWER, By.LINE)
    call.disconnect(now, TIMER_EXPIRY)
