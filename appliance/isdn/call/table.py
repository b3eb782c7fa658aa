"""The two tables of a call, (state, message) -> handler and (state, event) -> handler, and the way in.

A row says the clause that decides its cells; a later row decides anew. CLAUSES has what counts in the end.

Ref: ITU-T Q.931 (05/98), 5.1-5.6, 5.8; bare clause numbers are Q.931's.
"""
from collections.abc import Callable, Iterable

from appliance.isdn.call import clearing, errors, placing, recovery, taking
from appliance.isdn.call.call import Call
from appliance.isdn.call.snapshot import KEPT
from appliance.isdn.call.states import REQUESTS, On
from appliance.isdn.call.states import State as S
from appliance.isdn.elements import Element
from appliance.isdn.events import By
from appliance.isdn.q931 import TYPES, Message, MessageError
from appliance.isdn.q931 import MessageType as M

OnMessage = Callable[[Call, Message, float], None]
OnEvent = Callable[[Call, float], None]


def receive(call: Call, message: Message, now: float, fault: MessageError | None = None) -> None:
    """A message of this call. `fault`: what it lacks; it is acted on even so, as 5.8.6 says."""
    call.fault, call.extra = fault, ()
    MESSAGES[call.state, message.type](call, message, now)
    if message.faults:
        errors.report(call, message, now)


def refuse(call: Call, error: MessageError, now: float) -> None:
    """A message of this call that must not be acted on. That it cannot be in this state counts first (5.8.4),
    then what it lacks (5.8.6). A faulty STATUS has one answer in a state: two must not go on for ever."""
    kind = TYPES.get(error.type)
    handler = None if kind is None else MESSAGES[call.state, kind]
    if kind is not None and handler in _WITHOUT_A_LOOK:
        handler(call, Message(kind, error.call_ref, error.to_originator), now)
    elif kind is not M.STATUS:
        call.reject(error.cause, error.diagnostic, now)
    elif call.state is not S.NULL and not call.doubted:
        call.doubted = True
        call.reject(error.cause, error.diagnostic, now)


def fire(call: Call, on: On, now: float, *elements: Element) -> None:
    """StateError: the application asks for what cannot be. `elements` go into the message of a request."""
    call.extra = elements
    EVENTS[call.state, on](call, now)


def more_digits(call: Call, digits: str, now: float, complete: bool = False) -> None:
    """`complete`: they are the last ones."""
    call.digits += digits
    call.complete = call.complete or complete
    fire(call, On.MORE_DIGITS, now)


def alert(call: Call, in_band: bool, now: float, *elements: Element) -> None:
    call.in_band = in_band
    fire(call, On.ALERT, now, *elements)


def hang_up(call: Call, cause: int, now: float, *elements: Element) -> None:
    """A progress indicator 8 among the elements: the far end listens to an announcement first; the call is
    Released when T306 runs out, the far end hangs up, or this is asked for once more (5.3.4.1)."""
    call.because(cause, By.NEAR)
    fire(call, On.HANG_UP, now, *elements)


def tell(call: Call, kind: M, elements: tuple[Element, ...], now: float) -> None:
    """A message that changes no state."""
    fire(call, On.TELL, now)
    call.say(kind, now, *elements)


def expire(call: Call, now: float) -> None:
    """Let the timers whose deadline is not after `now` run out."""
    for timer in [timer for timer, at in call.deadlines.items() if at <= now]:
        if call.stop(timer):                      # the one before may have stopped it
            fire(call, timer, now)


# --- every cell is decided

_PLACED = (S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED)
_OFFERED = (S.PRESENT, S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST)
_ALIVE = (*_PLACED, *_OFFERED, S.ACTIVE)
_CLEARING = (S.DISCONNECTING, S.RELEASING)
_SOME = (*_ALIVE, S.DISCONNECTED, *_CLEARING)     # all but null
_UNDER_WAY = tuple(state for state in _ALIVE if state not in (S.INITIATED, S.PRESENT))  # SETUP has a response
_KNOWN = (M.ALERTING, M.CALL_PROCEEDING, M.PROGRESS, M.SETUP, M.CONNECT, M.SETUP_ACKNOWLEDGE,
          M.CONNECT_ACKNOWLEDGE, M.DISCONNECT, M.RELEASE, M.RELEASE_COMPLETE, M.FACILITY, M.NOTIFY,
          M.STATUS_ENQUIRY, M.INFORMATION, M.STATUS)

_WITHOUT_A_LOOK: tuple[OnMessage, ...] = (        # handlers to which it does not matter what a message holds
    errors.pass_by, errors.unexpected, errors.unimplemented, errors.suspend_elsewhere, errors.unknown)

CLAUSES: dict[tuple[S, M | On], str] = {}         # which clause decides the cell


def _messages() -> dict[tuple[S, M], OnMessage]:
    table: dict[tuple[S, M], OnMessage] = {}

    def row(clause: str, states: Iterable[S], kinds: Iterable[M], handler: OnMessage) -> None:
        cells = [(state, kind) for state in states for kind in kinds]
        table.update(dict.fromkeys(cells, handler))
        CLAUSES.update(dict.fromkeys(cells, clause))

    null = (S.NULL,)
    row("5.8.3.2 a", null, M, errors.unknown)
    row("5.8.3.2 b", null, (M.RELEASE,), errors.unknown)
    row("5.8.3.2 c", null, (M.RELEASE_COMPLETE,), errors.pass_by)
    row("5.1, 5.2", null, (M.SETUP,), taking.offered)
    row("5.6.5", null, (M.RESUME,), errors.resume)
    row("5.8.11 a", null, (M.STATUS,), recovery.status_of_no_call)
    row("5.8.10", null, (M.STATUS_ENQUIRY,), recovery.enquired)

    row("5.8.4, 97", _SOME, M, errors.unimplemented)
    row("5.8.4, 101", _SOME, _KNOWN, errors.unexpected)
    row("5.6.1", _SOME, (M.SUSPEND, M.RESUME), errors.suspend_elsewhere)
    row("5.6.3", (S.ACTIVE,), (M.SUSPEND,), errors.suspend)
    row("5.8.3.2 e", _SOME, (M.SETUP,), errors.pass_by)
    row("5.8.10", _SOME, (M.STATUS_ENQUIRY,), recovery.enquired)
    row("5.8.11", _ALIVE, (M.STATUS,), recovery.status)
    row("5.9, Q.932 6", (*_ALIVE, S.DISCONNECTED), (M.NOTIFY, M.FACILITY), errors.told)
    row("Q.957.1 8", (*_ALIVE, S.DISCONNECTED), (M.USER_INFORMATION, M.CONGESTION_CONTROL),
        errors.user_information)

    row("5.1.3, 5.2.4", (S.INITIATED,), (M.SETUP_ACKNOWLEDGE,), placing.digits_wanted)
    row("5.1.5, 5.2.5.2", (S.INITIATED, S.OVERLAP_SENDING), (M.CALL_PROCEEDING,), placing.went_ahead)
    row("5.1.7, 5.2.5.2", (S.INITIATED, S.OVERLAP_SENDING, S.PROCEEDING_OUT), (M.ALERTING,), placing.rings)
    row("5.1.8, 5.2.8", _PLACED, (M.CONNECT,), placing.connected)
    row("5.1.6, 5.4", (S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED), (M.PROGRESS,), placing.progressed)
    row("3.1.7", (*_UNDER_WAY, S.DISCONNECTED), (M.INFORMATION,), errors.told)
    row("5.1.3, 5.2.4", (S.OVERLAP_RECEIVING,), (M.INFORMATION,), taking.take_digits)
    row("5.2.8", (S.CONNECT_REQUEST,), (M.CONNECT_ACKNOWLEDGE,), taking.acknowledged)
    row("5.1.8", (S.ACTIVE,), (M.CONNECT_ACKNOWLEDGE,), errors.pass_by)
    row("5.1.6", (S.ACTIVE,), (M.PROGRESS,), errors.told)                            # it is late

    row("5.3.3, 5.3.4", _ALIVE, (M.DISCONNECT,), clearing.disconnected)
    row("5.3.4.1", (S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED, S.DISCONNECTED), (M.DISCONNECT,),
        clearing.disconnected_unanswered)
    row("5.8.4", (*_ALIVE, S.DISCONNECTED), (M.RELEASE,), clearing.released)
    row("5.8.4", _SOME, (M.RELEASE_COMPLETE,), clearing.ended)

    row("5.3.3, 5.3.4: it crossed our clearing", _CLEARING,
        (M.NOTIFY, M.FACILITY, M.INFORMATION, M.USER_INFORMATION, M.CONGESTION_CONTROL), errors.pass_by)
    row("5.8.11 b", _CLEARING, (M.STATUS,), recovery.status_while_clearing)
    row("5.8.11", (S.DISCONNECTED,), (M.STATUS,), recovery.status_while_disconnected)
    row("5.3.5", (S.DISCONNECTING,), (M.DISCONNECT,), clearing.disconnected)
    row("5.3.5", (S.RELEASING,), (M.DISCONNECT,), errors.pass_by)
    row("5.3.3, 5.3.4", (S.DISCONNECTING,), (M.RELEASE,), clearing.released)
    row("5.3.5", (S.RELEASING,), (M.RELEASE,), clearing.ended)
    return table


def _events() -> dict[tuple[S, On], OnEvent]:
    table: dict[tuple[S, On], OnEvent] = {}

    def row(clause: str, states: Iterable[S], on: Iterable[On], handler: OnEvent) -> None:
        cells = [(state, one) for state in states for one in on]
        table.update(dict.fromkeys(cells, handler))
        CLAUSES.update(dict.fromkeys(cells, clause))

    row("9.1, 9.2: the timer is another state's", S, On, errors.ignore)
    row("5.8.8, 5.8.9: nothing to say", S, (On.LINK_RESET, On.LINK_LOST, On.LINK_BACK), errors.ignore)
    row("5.5.2: no call, no channel", (S.NULL,), (On.RESTARTED,), errors.ignore)
    row("ours: not in this state", S, REQUESTS, errors.impossible)

    row("5.1.1, 5.2.1", (S.NULL,), (On.DIAL,), placing.dial)
    row("5.1.3: kept till they are wanted, or too many", (*_PLACED, S.DISCONNECTED), (On.MORE_DIGITS,),
        errors.ignore)
    row("5.1.3, 5.2.4", (S.OVERLAP_SENDING,), (On.MORE_DIGITS,), placing.send_digits)
    row("ours: done already", (*_OFFERED, S.ACTIVE), (On.WANT_DIGITS, On.PROCEED, On.ALERT, On.ANSWER),
        errors.ignore)
    row("5.2.4", (S.PRESENT,), (On.WANT_DIGITS,), taking.want_digits)
    row("5.2.5.2", (S.PRESENT, S.OVERLAP_RECEIVING), (On.PROCEED,), taking.proceed)
    row("5.2.5.2", (S.PRESENT, S.OVERLAP_RECEIVING, S.PROCEEDING_IN), (On.ALERT,), taking.ring)
    row("5.2.7", (S.PRESENT, S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED), (On.ANSWER,), taking.answer)
    row("5.1.6, 5.2.6", (S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED), (On.PROGRESS,), taking.progress)
    row("ours: too late", (S.CONNECT_REQUEST, S.ACTIVE), (On.PROGRESS,), errors.ignore)
    row("5.3.3, 5.3.4", _ALIVE, (On.HANG_UP,), clearing.hang_up)
    row("5.3.2 a", (S.PRESENT,), (On.HANG_UP,), clearing.refuse)
    row("5.3.4.1", (S.DISCONNECTED,), (On.HANG_UP, On.T306), clearing.follow)
    row("5.3.4.1", (S.DISCONNECTING,), (On.HANG_UP,), clearing.hang_up_again)
    row("ours: done already", (S.RELEASING,), (On.HANG_UP,), errors.ignore)
    row("5.9, Q.932 6", (*_UNDER_WAY, S.DISCONNECTED), (On.TELL,), errors.ignore)
    row("5.8.10", _UNDER_WAY, (On.ENQUIRE,), recovery.enquire_once)
    row("5.8.10: it clears, or has not answered yet", (S.INITIATED, S.PRESENT, S.DISCONNECTED, *_CLEARING),
        (On.ENQUIRE,), errors.ignore)

    row("5.1.1, 5.2.5.3", (S.INITIATED,), (On.T303,), placing.no_response)
    row("5.1.3, 5.2.4", (S.OVERLAP_SENDING,), (On.T304,), placing.timed_out)
    row("5.1.5, 5.2.5.3", (S.PROCEEDING_OUT,), (On.T310,), placing.timed_out)
    row("5.2.5.3, annex D", (S.DELIVERED,), (On.T301,), placing.never_answered)
    row("5.1.3, 5.2.4", (S.OVERLAP_RECEIVING,), (On.T302,), taking.no_more_digits)
    row("5.2.8", (S.CONNECT_REQUEST,), (On.T313,), placing.timed_out)
    row("5.8.9 b", KEPT, (On.T309,), recovery.link_stayed_away)
    row("5.3.3, 5.3.4", (S.DISCONNECTING,), (On.T305, On.T306), clearing.not_released)
    row("5.3.3, 5.3.4", (S.RELEASING,), (On.T308,), clearing.not_completed)
    row("5.8.10", _ALIVE, (On.T322,), recovery.enquire_again)

    row("5.8.8 c", _ALIVE, (On.LINK_RESET,), recovery.enquire)
    row("5.8.8 a", (S.OVERLAP_SENDING, S.OVERLAP_RECEIVING), (On.LINK_RESET,), recovery.reset_in_overlap)
    # not enquired: null would be the answer
    row("5.8.8 c", (S.INITIATED,), (On.LINK_RESET,), placing.send_setup)
    row("5.8.8 b", (S.DISCONNECTING,), (On.LINK_RESET,), clearing.repeat_disconnect)           # before T305
    row("5.8.8 b", (S.RELEASING,), (On.LINK_RESET,), clearing.repeat_release)                  # before T308
    row("5.8.9 a", (*_PLACED, *_OFFERED, S.DISCONNECTED, *_CLEARING), (On.LINK_LOST,), recovery.cut)
    row("5.8.9 b", (S.ACTIVE,), (On.LINK_LOST,), recovery.link_lost)
    row("5.8.9", KEPT, (On.LINK_BACK,), recovery.link_back)                          # of the process before
    row("5.8.9", (S.RELEASING,), (On.LINK_BACK,), clearing.say_release)
    row("5.5.2", _SOME, (On.RESTARTED,), clearing.restarted)
    return table


MESSAGES = _messages()
EVENTS = _events()
