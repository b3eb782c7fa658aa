"""A call arrives, from the network or from an extension: its number decides what becomes of it."""

from appliance.centre import acd, events, nodes, outbound
from appliance.centre.dialplan import Reject, ToFlow, ToTrunk
from appliance.centre.state import Contact
from appliance.centre.turn import Turn


def incoming(turn: Turn, *, leg: str, trunk: str, called: str, calling: str, calling_name: str,
             complete: bool, at: float) -> None:
    """A new contact, unless the leg is known already."""
    if leg in turn.state.legs or leg in turn.state.recent_legs:
        return
    name = turn.setup.new_id()
    direction = turn.setup.plan.direction(trunk)
    turn.log(events.Began(leg=leg, trunk=trunk, direction=direction, calling=calling,
                          calling_name=calling_name, called=called, began_at=at), name)
    contact = turn.state.contacts[name]
    if direction == "out":
        acd.take(turn, contact)
    _route(turn, contact, complete)


def digits(turn: Turn, contact: Contact, called: str, complete: bool) -> None:
    """The number so far, while it is awaited."""
    if contact.flow or contact.dialled_leg or len(called) < len(contact.record.called):
        return
    if called != contact.record.called:
        turn.log(events.Numbered(called=called), contact)
    _route(turn, contact, complete)


def _route(turn: Turn, contact: Contact, complete: bool) -> None:
    match turn.setup.plan.judge(contact.trunk, contact.record.called, complete):
        case Reject(cause):
            acd.finish(turn, contact, "")
            turn.end(contact, "rejected", "box", cause)
        case ToFlow(route):
            nodes.start(turn, contact, route.flow)
        case ToTrunk() as to:
            outbound.dial(turn, contact, to)
