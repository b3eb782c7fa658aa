"""A call arrives, from the network or from an extension: its number decides what becomes of it."""

from appliance.bus.messages import Diversion
from appliance.centre import acd, events, nodes, outbound
from appliance.centre.dialplan import Reject, ToFlow, ToTrunk
from appliance.centre.state import Contact
from appliance.centre.turn import Turn
from appliance.config.pattern import NUMBER


def incoming(turn: Turn, *, leg: str, trunk: str, called: str, calling: str, calling_name: str,
             complete: bool, at: float, withheld: bool = False,
             diversion: Diversion | None = None) -> None:
    """A new contact, unless the leg is known already."""
    if turn.state.knows(leg):
        return
    contact = begin(turn, leg=leg, trunk=trunk, called=called, calling=calling, calling_name=calling_name,
                    at=at, withheld=withheld, diversion=diversion)
    if not contact.inbound:
        acd.take(turn, contact)
    _route(turn, contact, complete)


def begin(turn: Turn, *, leg: str, trunk: str, called: str, calling: str, calling_name: str,
          at: float, withheld: bool = False, diversion: Diversion | None = None) -> Contact:
    """A new contact for which nothing is done yet."""
    name = turn.setup.new_id()
    if not NUMBER.fullmatch(calling):             # trunkd could ring no agent with it
        calling = ""
    turn.log(events.Began(leg=leg, trunk=trunk, direction=turn.setup.plan.direction(trunk), calling=calling,
                          calling_name=calling_name, called=called, began_at=at, withheld=withheld,
                          redirecting=None if diversion is None else diversion.number,
                          redirected_why=0 if diversion is None else diversion.reason), name)
    return turn.state.contacts[name]


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
