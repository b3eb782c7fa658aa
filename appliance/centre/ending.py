"""A leg is gone: what that means for its contact, for the other leg and for the agent."""

from appliance.centre import acd, agents, events, survey, voicemail
from appliance.centre.callbacks import reaching
from appliance.centre.control import parties, transfer
from appliance.centre.entry import forward
from appliance.centre.state import Contact
from appliance.centre.turn import NORMAL, TEMPORARY_FAILURE, Turn


def released(turn: Turn, leg: str, cause: int, by: str, at: float) -> None:
    """`by` is far, near or line, as trunkd says it."""
    contact = turn.state.contact_of(leg)
    if contact is not None:
        _of_contact(turn, contact, leg, cause, by, at)
    agent = turn.state.agent_on(leg)
    if agent is not None and not agent.contact:
        turn.log(events.AgentLegGone(agent=agent.name))


def _of_contact(turn: Turn, contact: Contact, leg: str, cause: int, by: str, at: float) -> None:
    if contact.forward is not None and contact.forward.phase == "joined":
        by = "line"                               # the network has both parties: who went first is not told
    if leg in contact.parties:
        transfer.gone(turn, contact, contact.parties[leg], cause)
    elif contact.pending is not None and (
            leg == contact.arrived_leg or contact.record.state == "dialling"):
        if contact.record.state == "ringing":
            acd.give_up_ring(turn, contact)
        reaching.leg_gone(turn, contact, leg, cause, by)
    elif contact.record.state == "talking":
        _talk_over(turn, contact, leg, cause, by, at)
    elif contact.forward is not None and contact.record.state == "dialling":
        forward.leg_gone(turn, contact, contact.forward, leg, cause, by, at)
    elif not contact.inbound:
        party = "agent" if leg == contact.arrived_leg else "caller"
        outcome = "abandoned" if (party, by) == ("agent", "far") else "failed"
        agents.finish(turn, contact, leg)
        turn.end(contact, outcome, _who(by, party), cause, gone_leg=leg, at=at)
    elif leg == contact.dialled_leg:
        acd.ring_failed(turn, contact, cause)
    else:
        if contact.record.state == "ringing":
            acd.give_up_ring(turn, contact)
        given_away = contact.talked and not contact.waiting
        served = given_away or voicemail.left_one(turn, contact)
        outcome = "answered" if served else "abandoned" if by == "far" else "failed"
        parties.leave_all(turn, contact)
        turn.end(contact, outcome, _who(by, "caller"), cause, gone_leg=leg, hangup_cause=NORMAL, at=at)


def fail(turn: Turn, contact: Contact, gone_leg: str = "") -> None:
    """The box cannot go on with this contact."""
    if contact.record.state == "ringing":
        acd.give_up_ring(turn, contact)
    parties.leave_all(turn, contact)
    agents.finish(turn, contact, gone_leg)
    turn.end(contact, "answered" if contact.record.state == "talking" else "failed", "box", TEMPORARY_FAILURE,
             gone_leg=gone_leg)


def end_talk(turn: Turn, contact: Contact, ended_by: str, cause: int) -> None:
    """Somebody asks for it."""
    parties.leave_all(turn, contact)
    agents.finish(turn, contact, "")
    turn.end(contact, "answered", ended_by, cause)


def _talk_over(turn: Turn, contact: Contact, leg: str, cause: int, by: str, at: float) -> None:
    customer = leg == contact.customer_leg
    if not customer and (transfer.agent_left(turn, contact, leg)
                         or (by == "far" and survey.follows(turn, contact, leg))):
        return
    parties.leave_all(turn, contact)
    agents.finish(turn, contact, leg)
    turn.end(contact, "answered", _who(by, "caller" if customer else "agent"),
             cause if customer or not contact.inbound else NORMAL, gone_leg=leg,
             hangup_cause=NORMAL if contact.inbound else cause, at=at)


def _who(by: str, party: str) -> str:
    return {"far": party, "near": "box"}.get(by, "line")
