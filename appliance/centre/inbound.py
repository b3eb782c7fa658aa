"""A call arrives, from the network or from an extension: its number decides what becomes of it."""

from appliance.bus.messages import Diversion
from appliance.centre import acd, agents, events, nodes, outbound
from appliance.centre.dialplan import Reject, ToEntry, ToTrunk
from appliance.centre.entry import forward
from appliance.centre.entry.rules import Arrival
from appliance.centre.entry.small_flows import flow_of
from appliance.centre.state import Contact
from appliance.centre.turn import Turn
from appliance.config.entry import InboundRoute
from appliance.config.pattern import NUMBER

CALL_REJECTED = 21                                # Q.850
CONGESTION = 42                                   # Q.850: switching equipment congestion


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
    if contact.flow or contact.dialled_leg or contact.forward is not None:
        return                                    # it is not awaited any more
    if len(called) < len(contact.record.called):
        return
    if called != contact.record.called:
        turn.log(events.Numbered(called=called), contact)
    _route(turn, contact, complete)


def _route(turn: Turn, contact: Contact, complete: bool) -> None:
    match turn.setup.plan.judge(contact.trunk, contact.record.called, complete):
        case Reject(cause):
            agents.finish(turn, contact, "")
            turn.end(contact, "rejected", "box", cause)
        case ToEntry(route):
            _enter(turn, contact, route)
        case ToTrunk() as to if turn.drains and not turn.setup.plan.emergency.knows(to.digits):
            agents.finish(turn, contact, "")
            turn.end(contact, "rejected", "box", CONGESTION)
        case ToTrunk() as to:
            outbound.dial(turn, contact, to)


def _enter(turn: Turn, contact: Contact, route: InboundRoute | None) -> None:
    """Where the entry rules say; whom none of them takes is refused."""
    decision = turn.setup.entrance.decide(
        Arrival(contact.trunk, contact.record.called, contact.record.calling, contact.withheld, turn.now),
        route, turn.state.forced)
    turn.log(events.Routed(
        rule=decision.rule, why=decision.why, reasons=[one.sentence for one in decision.reasons],
        priority=decision.priority, grade=decision.grade,
        region=decision.region, skills=decision.skills, note=decision.note), contact)
    to = decision.destination
    if to is not None and to.forward is not None:
        forward.begin(turn, contact, to.forward)
    elif to is not None and (flow := flow_of(to)):
        nodes.start(turn, contact, flow, decision.language)
    else:
        turn.end(contact, "rejected", "box", CALL_REJECTED if to is None else to.reject or CALL_REJECTED)
