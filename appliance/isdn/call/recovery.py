"""What is done in the cells of table.py when messages may be lost: reset and failure of the data link,
STATUS ENQUIRY and STATUS. Both sides of a call come to one state again, or it is cleared.

Ref: ITU-T Q.931 (05/98), 5.8.8-5.8.11; bare clause numbers are Q.931's. The Recommendation leaves most of
5.8.11 to us; the rules here:

- Layer 2 keeps the order: what the far end sent before a STATUS has reached us or never will.
- A far end that clears (states 11, 12, 19, 22) while we do not: its message is lost, we RELEASE.
- The answer to our enquiry shows the rest. Called and calling side have the same state numbers, and only the
  called side's messages lead a call on: where the calling side is behind, the called side's last message is
  lost. We say it again, or take it as said.
- Where one side talks and no lost message explains that the other does not, the call is cleared with cause
  101. A STATUS that nobody asked for is no reason to do so.
"""
from appliance.isdn.call.call import Call
from appliance.isdn.call.placing import activate, connect, deliver
from appliance.isdn.call.states import On
from appliance.isdn.call.taking import respond_again
from appliance.isdn.causes import (
    DESTINATION_OUT_OF_ORDER,
    NORMAL_UNSPECIFIED,
    NOT_COMPATIBLE_WITH_STATE,
    RESPONSE_TO_STATUS_ENQUIRY,
    TEMPORARY_FAILURE,
)
from appliance.isdn.elements import CallState, Cause
from appliance.isdn.events import By
from appliance.isdn.q931 import UNKNOWN_MESSAGE, Message, MessageType

UNKNOWN_OR_INCOMPATIBLE = 98                      # Q.850
# 5.8.10: who does not know STATUS ENQUIRY says so, and its state with it
ANSWERS = (RESPONSE_TO_STATUS_ENQUIRY, UNKNOWN_MESSAGE, UNKNOWN_OR_INCOMPATIBLE)
CLEARING = (11, 12, 19, 22)                       # disconnect request and indication, release request, abort
ANNOUNCING = (11, 12)                             # while we listen
RANKS = {1: 0, 6: 0, 2: 1, 25: 1, 3: 2, 9: 2, 4: 3, 7: 3, 8: 4, 10: 5}     # how far a call has come, by state
DELIVERED, CONNECTING, ACTIVE = 3, 4, 5           # of them


def status_of_no_call(call: Call, message: Message, now: float) -> None:             # 5.8.11 a) 2)
    state = message.first(CallState)
    if state and state.value:
        call.say(MessageType.RELEASE_COMPLETE, now, call.cause(NOT_COMPATIBLE_WITH_STATE))


def enquired(call: Call, message: Message, now: float) -> None:                      # 5.8.10
    call.say(MessageType.STATUS, now, call.cause(RESPONSE_TO_STATUS_ENQUIRY), call.status)


def status_while_clearing(call: Call, message: Message, now: float) -> None:
    """5.8.11 b), c). What was lost of the clearing is repeated by T305 and T308."""
    state = message.first(CallState)
    if state and not state.value:
        _forgotten(call, now)


def status_while_disconnected(call: Call, message: Message, now: float) -> None:
    """5.8.11. It plays its announcement, or has gone on; then its RELEASE is lost."""
    state = message.first(CallState)
    if state and not state.value:
        _forgotten(call, now)
    elif state and state.value not in ANNOUNCING:
        call.release(now, call.cause(NOT_COMPATIBLE_WITH_STATE))
    else:
        call.stop(On.T322)


def status(call: Call, message: Message, now: float) -> None:
    """5.8.11. A faulty STATUS is not answered: two of us would not end."""
    state, cause = message.first(CallState), message.first(Cause)
    if state is None or cause is None:
        return
    agreed = RANKS.get(state.value) == RANKS[call.number]       # that is answer enough, whatever its cause
    answered = (agreed or cause.value in ANSWERS) and call.stop(On.T322)
    if not state.value:
        _forgotten(call, now)
    elif state.value in CLEARING:
        call.because(NORMAL_UNSPECIFIED, By.FAR)
        call.release(now, call.cause(NOT_COMPATIBLE_WITH_STATE))
    elif answered and state.value in RANKS:
        ours, theirs = RANKS[call.number], RANKS[state.value]
        if call.ours:
            _as_calling_side(call, ours, theirs, now)
        else:
            _as_called_side(call, ours, theirs, now)


def _forgotten(call: Call, now: float) -> None:
    call.because(TEMPORARY_FAILURE, By.LINE)      # nobody hung up
    call.over(now)


def _as_calling_side(call: Call, ours: int, theirs: int, now: float) -> None:
    if ours == ACTIVE:
        if theirs == CONNECTING:
            call.say(MessageType.CONNECT_ACKNOWLEDGE, now)
        elif theirs < CONNECTING:
            _mismatch(call, now)
    elif theirs >= CONNECTING:
        connect(call, now, ())
    elif ours < theirs == DELIVERED:
        deliver(call, now, False, ())


def _as_called_side(call: Call, ours: int, theirs: int, now: float) -> None:
    if theirs == ACTIVE and ours == CONNECTING:
        activate(call, now, ())
    elif theirs == ACTIVE > ours:
        _mismatch(call, now)
    elif theirs < ours:
        if ours == CONNECTING:
            call.start(On.T313, now)
        respond_again(call, now)


def _mismatch(call: Call, now: float) -> None:
    call.because(NOT_COMPATIBLE_WITH_STATE, By.LINE)
    call.disconnect(now, NOT_COMPATIBLE_WITH_STATE)


# --- the data link


def enquire(call: Call, now: float) -> None:                                         # 5.8.10
    call.enquiries = 0
    _say_enquiry(call, now)


def enquire_once(call: Call, now: float) -> None:
    """5.8.10: not while another STATUS ENQUIRY waits for its answer."""
    if On.T322 not in call.deadlines:
        enquire(call, now)


def enquire_again(call: Call, now: float) -> None:                                   # T322
    if call.enquiries >= call.owner.timers.n322:
        call.because(TEMPORARY_FAILURE, By.LINE)
        call.disconnect(now, TEMPORARY_FAILURE)
    else:
        _say_enquiry(call, now)


def _say_enquiry(call: Call, now: float) -> None:
    call.enquiries += 1
    call.start(On.T322, now)
    call.say(MessageType.STATUS_ENQUIRY, now)


def reset_in_overlap(call: Call, now: float) -> None:                                # 5.8.8 a)
    call.because(TEMPORARY_FAILURE, By.LINE)
    call.disconnect(now, TEMPORARY_FAILURE)


def link_back(call: Call, now: float) -> None:                                       # 5.8.9
    call.stop(On.T309)
    enquire(call, now)


def link_lost(call: Call, now: float) -> None:                                       # 5.8.9 b)
    call.stop(On.T322)
    if On.T309 not in call.deadlines:
        call.start(On.T309, now)


def link_stayed_away(call: Call, now: float) -> None:                                # T309
    call.because(DESTINATION_OUT_OF_ORDER, By.LINE)
    call.cut(now)


def cut(call: Call, now: float) -> None:                                             # 5.8.9 a)
    call.cut(now)
