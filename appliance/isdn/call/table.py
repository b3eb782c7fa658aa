"""The two tables of a call, (state, message) -> handler and (state, event) -> handler, and the way in.

Ref: ITU-T Q.931 (05/98), 5.1-5.3, 5.8; bare clause numbers are Q.931's.
"""
from collections.abc import Callable

from appliance.isdn.call import procedures as do
from appliance.isdn.call import recovery
from appliance.isdn.call.call import Call
from appliance.isdn.call.states import On
from appliance.isdn.call.states import State as S
from appliance.isdn.events import By
from appliance.isdn.q931 import Message
from appliance.isdn.q931 import MessageType as M

OnMessage = Callable[[Call, Message, float], None]
OnEvent = Callable[[Call, float], None]


def receive(call: Call, message: Message, now: float, fault: int | None = None) -> None:
    """A message of this call. `fault`: the cause of what it lacks; it is acted on even so (5.8.6)."""
    call.fault = fault
    MESSAGES[call.state, message.type](call, message, now)


def fire(call: Call, on: On, now: float) -> None:
    """StateError when the application asks for what cannot be."""
    EVENTS[call.state, on](call, now)


def more_digits(call: Call, digits: str, now: float) -> None:
    call.digits += digits
    fire(call, On.MORE_DIGITS, now)


def alert(call: Call, in_band: bool, now: float) -> None:
    call.in_band = in_band
    fire(call, On.ALERT, now)


def hang_up(call: Call, cause: int, now: float) -> None:
    call.because(cause, By.NEAR)
    fire(call, On.HANG_UP, now)


def expire(call: Call, now: float) -> None:
    """Let the timers whose deadline is not after `now` run out."""
    for timer in [timer for timer, at in call.deadlines.items() if at <= now]:
        if call.stop(timer):                      # the one before may have stopped it
            fire(call, timer, now)


# --- every cell is decided

_PLACED = (S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED)
_OFFERED = (S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST)
_ALIVE = (*_PLACED, *_OFFERED, S.ACTIVE)
_CLEARING = (S.DISCONNECTING, S.RELEASING)
_UNUSED = (M.SUSPEND, M.SUSPEND_ACKNOWLEDGE, M.SUSPEND_REJECT, M.SEGMENT, M.RESTART, M.RESTART_ACKNOWLEDGE,
           M.RESUME, M.RESUME_ACKNOWLEDGE, M.RESUME_REJECT)
_PASSED_BY = (M.NOTIFY, M.FACILITY, M.USER_INFORMATION, M.CONGESTION_CONTROL)    # no call depends on them


def _messages() -> dict[tuple[S, M], OnMessage]:
    table: dict[tuple[S, M], OnMessage] = {}

    def row(states: tuple[S, ...], kinds: tuple[M, ...], handler: OnMessage) -> None:
        table.update({(state, kind): handler for state in states for kind in kinds})

    row((S.NULL,), tuple(M), do.unknown)
    row((S.NULL,), (M.SETUP,), do.offered)
    row((S.NULL,), (M.RELEASE_COMPLETE,), do.pass_by)                                # 5.8.3.2 c)
    row((S.NULL,), (M.STATUS,), recovery.status_of_no_call)
    row((S.NULL,), (M.STATUS_ENQUIRY,), recovery.enquired)

    row(_ALIVE, tuple(M), do.unexpected)
    row(_ALIVE, _UNUSED, do.unimplemented)
    row(_ALIVE, _PASSED_BY, do.pass_by)
    row(_ALIVE, (M.SETUP,), do.pass_by)                                              # 5.8.3.2 e)
    row(_ALIVE, (M.STATUS,), recovery.status)
    row(_ALIVE, (M.STATUS_ENQUIRY,), recovery.enquired)
    row(_ALIVE, (M.DISCONNECT,), do.disconnected)
    row(_ALIVE, (M.RELEASE,), do.released)
    row(_ALIVE, (M.RELEASE_COMPLETE,), do.ended)

    row((S.INITIATED,), (M.SETUP_ACKNOWLEDGE,), do.digits_wanted)
    row((S.INITIATED, S.OVERLAP_SENDING), (M.CALL_PROCEEDING,), do.went_ahead)
    row((S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT), (M.ALERTING,), do.rings)
    row(_PLACED, (M.CONNECT,), do.connected)
    row((S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED), (M.PROGRESS,), do.progressed)
    row((S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED, S.ACTIVE), (M.INFORMATION,), do.pass_by)
    row((S.OVERLAP_RECEIVING,), (M.INFORMATION,), do.take_digits)
    row((S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST), (M.INFORMATION,), do.pass_by)
    row((S.CONNECT_REQUEST,), (M.CONNECT_ACKNOWLEDGE,), do.acknowledged)
    row((S.ACTIVE,), (M.CONNECT_ACKNOWLEDGE, M.PROGRESS), do.pass_by)

    row(_CLEARING, tuple(M), do.pass_by)                                             # crossed our clearing
    row(_CLEARING, (M.STATUS,), recovery.status_while_clearing)
    row(_CLEARING, (M.STATUS_ENQUIRY,), recovery.enquired)
    row(_CLEARING, (M.RELEASE_COMPLETE,), do.ended)
    row((S.DISCONNECTING,), (M.DISCONNECT,), do.collided)
    row((S.DISCONNECTING,), (M.RELEASE,), do.released)
    row((S.RELEASING,), (M.RELEASE,), do.ended)
    return table


def _events() -> dict[tuple[S, On], OnEvent]:
    table: dict[tuple[S, On], OnEvent] = {}

    def row(states: tuple[S, ...], on: tuple[On, ...], handler: OnEvent) -> None:
        table.update({(state, one): handler for state in states for one in on})

    requests = (On.DIAL, On.MORE_DIGITS, On.PROCEED, On.ALERT, On.ANSWER, On.HANG_UP)
    row(tuple(S), tuple(On), do.ignore)           # e.g. a timer that another state has
    row(tuple(S), requests, do.impossible)

    row((S.NULL,), (On.DIAL,), do.dial)
    row((S.INITIATED, S.PROCEEDING_OUT, S.DELIVERED), (On.MORE_DIGITS,), do.ignore)
    row((S.OVERLAP_SENDING,), (On.MORE_DIGITS,), do.send_digits)
    row((*_OFFERED, S.ACTIVE), (On.PROCEED, On.ALERT, On.ANSWER), do.ignore)
    row((S.OVERLAP_RECEIVING,), (On.PROCEED,), do.proceed)
    row((S.OVERLAP_RECEIVING, S.PROCEEDING_IN), (On.ALERT,), do.ring)
    row((S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED), (On.ANSWER,), do.answer)
    row(_ALIVE, (On.HANG_UP,), do.hang_up)
    row(_CLEARING, (On.HANG_UP,), do.ignore)

    row((S.INITIATED,), (On.T303,), do.no_response)
    row((S.OVERLAP_SENDING,), (On.T304,), do.timed_out)
    row((S.PROCEEDING_OUT,), (On.T310,), do.timed_out)
    row((S.DELIVERED,), (On.T301,), do.never_answered)
    row((S.OVERLAP_RECEIVING,), (On.T302,), do.no_more_digits)
    row((S.CONNECT_REQUEST,), (On.T313,), do.timed_out)
    row((S.ACTIVE,), (On.T309,), recovery.link_stayed_away)
    row((S.DISCONNECTING,), (On.T305,), do.not_released)
    row((S.RELEASING,), (On.T308,), do.not_completed)
    row(_ALIVE, (On.T322,), recovery.enquire_again)

    row(_ALIVE, (On.LINK_RESET,), recovery.enquire)                                  # 5.8.8 c)
    row((S.OVERLAP_SENDING, S.OVERLAP_RECEIVING), (On.LINK_RESET,), recovery.reset_in_overlap)
    row((S.INITIATED,), (On.LINK_RESET,), do.send_setup)         # not enquired: null would be the answer
    row((S.DISCONNECTING,), (On.LINK_RESET,), do.repeat_disconnect)                  # before T305
    row((S.RELEASING,), (On.LINK_RESET,), do.repeat_release)                         # before T308
    row((*_PLACED, *_OFFERED, *_CLEARING), (On.LINK_LOST,), recovery.cut)
    row((S.ACTIVE,), (On.LINK_LOST,), recovery.link_lost)
    row((S.ACTIVE,), (On.LINK_BACK,), recovery.link_back)
    row((S.RELEASING,), (On.LINK_BACK,), do.say_release)
    row((*_ALIVE, *_CLEARING), (On.RESTARTED,), do.restarted)
    return table


MESSAGES = _messages()
EVENTS = _events()
