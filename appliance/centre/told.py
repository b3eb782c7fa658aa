"""What the lines tell of a contact beside its course: kept, also when the contact has ended already."""

import msgspec

from appliance.bus.messages import CallParty, Charge, MaliciousCallTraced, TraceMalicious
from appliance.centre import events
from appliance.centre.turn import Turn
from appliance.errors import StateError

TELEPHONE = "telephone"                           # who wants a call traced
ANSWER_S = 10.0                                   # after it a network that was silent may be asked again


def answered(turn: Turn, leg: str, connected: str) -> None:
    """COLP; nothing is written when nothing was given."""
    if connected:
        turn.tell(events.PartyKnown(of_leg=leg, why="answered", number=connected), leg)


def party(turn: Turn, given: CallParty) -> None:
    turn.tell(events.PartyKnown(of_leg=given.leg, why=given.why, number=given.number, name=given.name,
                                answered=given.answered), given.leg)


def charged(turn: Turn, leg: str, charge: Charge) -> None:
    turn.tell(events.Charged(of_leg=leg, **msgspec.structs.asdict(charge)), leg)


def trace(turn: Turn, name: str, by: str) -> str:
    """Ask the network to register who calls: `name` is a contact's or one of its legs'. The contact's name.

    While it is being asked it is not asked again.

    StateError: there is none, or nobody called.
    """
    contact = turn.state.contacts.get(name) or turn.state.contact_of(name)
    if contact is None:
        raise StateError(f"{name}: no contact or leg of this name is there: a caller can be traced while the "
                         "call goes on")
    if contact.record.direction != "in":
        raise StateError(f"{name}: this call went out: only who calls can be traced")
    if not contact.trace_asked_at or turn.now >= contact.trace_asked_at + ANSWER_S:
        turn.log(events.TraceAsked(of_leg=contact.arrived_leg, by=by), contact)
        turn.do(TraceMalicious(leg=contact.arrived_leg))
    return contact.record.contact


def traced(turn: Turn, given: MaliciousCallTraced) -> None:
    turn.tell(events.TraceOver(of_leg=given.leg, done=given.done, why=given.why), given.leg)


def reported(turn: Turn, leg: str) -> None:
    """A telephone behind a PBX asks for it: the network that the call came from is to know."""
    contact = turn.state.contact_of(leg)
    if contact is not None and contact.record.direction == "in" and leg != contact.customer_leg:
        trace(turn, leg, TELEPHONE)
    else:                                         # from another telephone: it is known here
        turn.tell(events.TraceAsked(of_leg=leg, by=TELEPHONE), leg)
        turn.tell(events.TraceOver(of_leg=leg, done=True), leg)
