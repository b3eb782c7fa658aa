"""What is done in the cells of table.py to end a call while the data link holds.

Ref: ITU-T Q.931 (05/98), 5.3, 5.4, 5.5.2; bare clause numbers are Q.931's. A handler of a message takes call,
message and now, one of an event call and now.
"""
from appliance.isdn.call.call import Call, announces
from appliance.isdn.call.errors import complaint
from appliance.isdn.call.states import On, State
from appliance.isdn.causes import NORMAL_UNSPECIFIED, TEMPORARY_FAILURE
from appliance.isdn.elements import IDENTIFIERS, Cause
from appliance.isdn.events import By, Disconnecting
from appliance.isdn.q931 import MISSING_ELEMENT, Message, MessageType

# --- we end it


def refuse(call: Call, now: float) -> None:
    """5.3.2 a): RELEASE COMPLETE as first response. To be heard, a refusal needs the channel first (5.4)."""
    if call.may_sound and announces(call.extra):
        call.respond(MessageType.CALL_PROCEEDING, now)
        hang_up(call, now)
    else:
        call.say(MessageType.RELEASE_COMPLETE, now, call.reason, *call.extra)
        call.over(now)


def hang_up(call: Call, now: float) -> None:                                         # 5.3.3, 5.3.4
    call.disconnect(now, call.reason.value, *call.extra)


def hang_up_again(call: Call, now: float) -> None:
    """Whoever said why in the channel has said it."""
    if On.T306 in call.deadlines:
        not_released(call, now)


def follow(call: Call, now: float) -> None:
    """The far end's DISCONNECT was listened to: by hang-up, or T306 ran out."""
    call.release(now, *call.extra)


def not_released(call: Call, now: float) -> None:                                    # T305, T306
    call.release(now, call.reason)


def not_completed(call: Call, now: float) -> None:                                   # T308: 5.3.3, 5.3.4
    call.tries += 1
    if call.tries <= call.owner.timers.n308:
        call.start(On.T308, now)
        call.repeat_release(now)
    else:
        call.over(now, unanswered=True)


def repeat_disconnect(call: Call, now: float) -> None:
    call.repeat_disconnect(now)


def repeat_release(call: Call, now: float) -> None:
    call.repeat_release(now)


def say_release(call: Call, now: float) -> None:
    """The link is back: tell the far end of a call that ended meanwhile."""
    call.release(now, call.reason)


# --- the far end ends it


def disconnected(call: Call, message: Message, now: float) -> None:                  # 5.3.3, 5.3.4
    call.because_of(message)
    call.release(now, *complaint(call, message))


def disconnected_unanswered(call: Call, message: Message, now: float) -> None:
    """5.3.4.1: a call of ours that fails; who listens hears why until he hangs up, or T306 runs out."""
    if not (call.may_hear and announces(message.elements)):
        disconnected(call, message, now)
        return
    call.because_of(message)
    cause = message.first(Cause)
    call.stop(On.T322)
    call.enter(State.DISCONNECTED, now, On.T306)
    call.owner.tell(Disconnecting(call.key, cause.value if cause else NORMAL_UNSPECIFIED, message.elements))


def released(call: Call, message: Message, now: float) -> None:
    """Its cause is mandatory when it is the first clearing message (3.1.9, 5.8.6)."""
    call.because_of(message)
    answer = complaint(call, message)
    cleared = call.state in (State.DISCONNECTING, State.DISCONNECTED)
    if not answer and not cleared and message.first(Cause) is None:
        answer = (call.cause(MISSING_ELEMENT, bytes((IDENTIFIERS[Cause],))),)
    call.say(MessageType.RELEASE_COMPLETE, now, *answer)
    call.over(now)


def ended(call: Call, message: Message, now: float) -> None:
    """RELEASE COMPLETE in any state; RELEASE that crossed ours (5.3.5)."""
    call.because_of(message)
    call.over(now)


def restarted(call: Call, now: float) -> None:
    """5.5.2. A far end that restarts the channel of our SETUP may have given the call another one."""
    call.because(TEMPORARY_FAILURE, By.LINE)
    if not call.settled:
        call.say(MessageType.RELEASE_COMPLETE, now, call.reason)
    call.over(now)
