"""What is done in the cells of table.py about messages that cannot be, and what is said of their faults.

Ref: ITU-T Q.931 (05/98), 5.6, 5.8.3-5.8.7; bare clause numbers are Q.931's. Where it leaves a choice:

- An unknown call reference is answered with RELEASE COMPLETE, the second choice of 5.8.3.2 a): RELEASE would
  make a call of every stray message.
- STATUS says of optional elements which contents are invalid (5.8.7.2), but not which are unknown (5.8.7.1):
  those are a network's own, and come with every call.
- Our answer to a clearing message says both, as it must.
"""
from appliance.errors import StateError
from appliance.isdn.call.call import Call
from appliance.isdn.call.states import State
from appliance.isdn.causes import (
    FACILITY_NOT_SUBSCRIBED,
    INVALID_CALL_REFERENCE,
    NO_CALL_SUSPENDED,
    NOT_COMPATIBLE_WITH_STATE,
    UNKNOWN_ELEMENT,
)
from appliance.isdn.elements import IDENTIFIERS, Cause, Element
from appliance.isdn.events import Told
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import UNKNOWN_MESSAGE, Message, MessageType

MAX_DIAGNOSTIC_OCTETS = 28                        # a Cause is of 32 octets at most (4.5.12)
CODESET_0 = 0x100                                 # identifiers below are of it


def pass_by(call: Call, message: Message, now: float) -> None: ...


def ignore(call: Call, now: float) -> None: ...


def impossible(call: Call, now: float) -> None:
    raise StateError(f"a call that is {call.state.value} cannot do that")


def told(call: Call, message: Message, now: float) -> None:
    """It changes no state; the application may want to know."""
    call.owner.tell(Told(call.key, message.type, message.elements))


def unexpected(call: Call, message: Message, now: float) -> None:                    # 5.8.4
    call.reject(NOT_COMPATIBLE_WITH_STATE, bytes((message.type & 0xFF,)), now)


def unimplemented(call: Call, message: Message, now: float) -> None:                 # 5.8.4
    call.reject(UNKNOWN_MESSAGE, bytes((message.type & 0xFF,)), now)


def unknown(call: Call, message: Message, now: float) -> None:                       # 5.8.3.2 a), b)
    call.reject(INVALID_CALL_REFERENCE, b"", now)


# --- messages that not every neighbour has


def user_information(call: Call, message: Message, now: float) -> None:
    """USER INFORMATION, CONGESTION CONTROL."""
    if call.owner.profile.user_information:
        told(call, message, now)
    else:
        unimplemented(call, message, now)


def suspend(call: Call, message: Message, now: float) -> None:
    """5.6.3: a network that knows the procedure, for a user who has not subscribed to it."""
    if _may_be_suspended(call):
        call.say(MessageType.SUSPEND_REJECT, now, call.cause(FACILITY_NOT_SUBSCRIBED))
    else:
        unimplemented(call, message, now)


def suspend_elsewhere(call: Call, message: Message, now: float) -> None:
    """Only a call that is active can be suspended (5.6.1)."""
    if _may_be_suspended(call):
        unexpected(call, message, now)
    else:
        unimplemented(call, message, now)


def resume(call: Call, message: Message, now: float) -> None:
    """RESUME comes with a new call reference, like SETUP (5.6.4, 5.6.5, 5.8.3.2 d)."""
    if not _may_be_suspended(call):
        unknown(call, message, now)
    elif not call.ours:
        call.say(MessageType.RESUME_REJECT, now, call.cause(NO_CALL_SUSPENDED))


def _may_be_suspended(call: Call) -> bool:
    return call.owner.profile.suspend_known and call.owner.side is Side.NETWORK


# --- faults of elements


def faulty(message: Message, kind: type[Element]) -> int | None:
    """The cause of an element that was left out because of its contents."""
    return next((fault.cause for fault in message.faults if fault.identifier == IDENTIFIERS[kind]), None)


def invalid(call: Call, message: Message) -> tuple[Cause, ...]:
    """What is wrong with the contents of its optional elements, as one cause, or none (5.8.7.2)."""
    if not message.faults:
        return ()
    cause = message.faults[0].cause
    return (call.cause(cause, _listed(
        [fault.identifier for fault in message.faults if fault.cause == cause])),)


def complaint(call: Call, message: Message) -> tuple[Cause, ...]:
    """What is wrong with a clearing message, for our answer to it (5.8.6, 5.8.7)."""
    if call.fault is not None:
        return (call.cause(call.fault.cause, call.fault.diagnostic[:MAX_DIAGNOSTIC_OCTETS]),)
    if message.faults or not message.unread:
        return invalid(call, message)
    unread = _listed([element.identifier for element in message.unread])
    return (call.cause(UNKNOWN_ELEMENT, unread),) if unread else ()


def report(call: Call, message: Message, now: float) -> None:
    """Say of a message that was acted on what was left out of it; the state is the one it led to. A call that
    we clear for it, or anyhow, needs no word more."""
    if call.state not in (State.NULL, State.RELEASING) and message.type is not MessageType.STATUS:
        call.say(MessageType.STATUS, now, *invalid(call, message), call.status)


def _listed(identifiers: list[int]) -> bytes:
    return bytes(identifier for identifier in identifiers if identifier < CODESET_0)[:MAX_DIAGNOSTIC_OCTETS]
