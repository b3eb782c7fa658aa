"""A leg is gone: what that means for its contact, for the other leg and for the agent."""

from appliance.centre import acd, events
from appliance.centre.state import Contact
from appliance.centre.turn import NORMAL, TEMPORARY_FAILURE, Turn


def released(turn: Turn, leg: str, cause: int, by: str, at: float) -> None:
    """`by` is far, near or line, as trunkd says it."""
    contact = turn.state.contact_of(leg)
    if contact is None:
        agent = turn.state.agent_on(leg)
        if agent is not None:
            turn.log(events.AgentLegGone(agent=agent.name))
    elif contact.record.state == "talking":
        _talk_over(turn, contact, leg, cause, by, at)
    elif not contact.inbound:
        party = "agent" if leg == contact.arrived_leg else "caller"
        outcome = "abandoned" if (party, by) == ("agent", "far") else "failed"
        acd.finish(turn, contact, leg)
        turn.end(contact, outcome, _who(by, party), cause, gone_leg=leg, at=at)
    elif leg == contact.dialled_leg:
        acd.ring_failed(turn, contact, cause)
    else:
        if contact.record.state == "ringing":
            acd.give_up_ring(turn, contact)
        turn.end(contact, "abandoned" if by == "far" else "failed", _who(by, "caller"), cause,
                 gone_leg=leg, hangup_cause=NORMAL, at=at)


def fail(turn: Turn, contact: Contact, gone_leg: str = "") -> None:
    """The box cannot go on with this contact."""
    if contact.record.state == "ringing":
        acd.give_up_ring(turn, contact)
    acd.finish(turn, contact, gone_leg)
    turn.end(contact, "answered" if contact.record.state == "talking" else "failed", "box", TEMPORARY_FAILURE,
             gone_leg=gone_leg)


def _talk_over(turn: Turn, contact: Contact, leg: str, cause: int, by: str, at: float) -> None:
    customer = leg == contact.customer_leg
    acd.finish(turn, contact, leg)
    turn.end(contact, "answered", _who(by, "caller" if customer else "agent"),
             cause if customer or not contact.inbound else NORMAL, gone_leg=leg,
             hangup_cause=NORMAL if contact.inbound else cause, at=at)


def _who(by: str, party: str) -> str:
    return {"far": party, "near": "box"}.get(by, "line")
