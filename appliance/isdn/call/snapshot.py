"""A call of the process before this one, made again of its Snapshot.

A far end takes a process that starts anew for a reset of the data link (5.8.8): its calls stay, those in
overlap excepted. So calls of which both sides know the channel are KEPT here too, ringing ones as well; when
the link is there each is asked for by STATUS ENQUIRY, which brings both sides to one state or ends it. All
others are cleared.

Ref: ITU-T Q.931 (05/98), 5.8.8-5.8.11; bare clause numbers are Q.931's.
"""
from appliance.errors import DecodeError
from appliance.isdn.call.call import Call, Snapshot
from appliance.isdn.call.states import On, State
from appliance.isdn.elements import Element
from appliance.isdn.events import By
from appliance.isdn.q931 import decode

KEPT = (State.PROCEEDING_OUT, State.DELIVERED, State.PROCEEDING_IN, State.RECEIVED, State.CONNECT_REQUEST,
        State.ACTIVE)


def restore(call: Call, before: Snapshot, timeslot: int | None, now: float) -> None:
    """The link is not up yet. `timeslot` None: the call cannot have its channel. Timers run on; T309 says how
    long the link may take."""
    call.called = before.called
    if before.state not in KEPT or timeslot is None:
        if before.cause is not None:
            call.because(before.cause, By.NEAR)
        call.cut(now)
        return
    call.state, call.timeslot, call.settled = before.state, timeslot, True
    call.response = _elements(before.response)
    for timer in [on for on in On if on.value in before.deadlines]:
        call.start(timer, now)
        call.deadlines[timer] = min(max(before.deadlines[timer.value], now), call.deadlines[timer])
    call.start(On.T309, now)


def _elements(message: bytes) -> tuple[Element, ...]:
    try:
        return decode(message).elements if message else ()
    except DecodeError:                           # a table with nonsense
        return ()
