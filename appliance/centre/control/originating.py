"""A call that the box places for an agent: first the agent's telephone, then whoever is to be reached."""

from appliance.bus.messages import Dial, Hangup
from appliance.centre import agents, events, outbound
from appliance.centre.control.places import Place, place
from appliance.centre.dialplan import ToTrunk
from appliance.centre.state import Agent, Contact
from appliance.centre.turn import NORMAL, Turn
from appliance.centre.words import doing
from appliance.config.schema import OutboundRoute
from appliance.errors import StateError

NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)


def call(turn: Turn, agent: Agent, to: str, by: str) -> Contact:
    """StateError: it leads nowhere, or the agent's telephone cannot be rung."""
    if agent.state == "logged-out" or agent.contact or agent.leg or not agent.extension:
        raise StateError(f"{agent.name}: is {'on the telephone' if agent.leg else doing(agent.state)}")
    if turn.drains and not turn.setup.plan.emergency.knows(to):
        raise StateError("the box is about to be updated: no call is begun until then")
    if place(turn, agent, to).queue:
        raise StateError(f"{to}: name an agent or a number")
    name, leg = turn.setup.new_id(), turn.setup.new_id()
    turn.log(events.Began(leg=leg, trunk=agent.trunk, direction="out", calling=agent.extension,
                          calling_name="", called=to, began_at=turn.now, originated=True), name)
    contact = turn.state.contacts[name]
    turn.log(events.AgentTook(agent=agent.name), contact)
    agents.back_to_not_ready(turn, agent)
    agents.change(turn, agent, "reserved", leg=leg, contact=contact, idle_since=agent.idle_since, by=by,
                  until=turn.now + turn.setup.control.ring_s)
    turn.do(Dial(leg=leg, trunk=agent.trunk, called=agent.extension, calling=to if to.isdigit() else ""))
    return contact


def waits(turn: Turn, leg: str) -> Contact | None:
    """The contact whose first leg it is and that leads nowhere yet."""
    contact = turn.state.contact_of(leg)
    if contact is None or not contact.originated or contact.arrived_leg != leg or contact.dialled_leg:
        return None
    return contact if contact.record.state == "dialling" else None


def answered(turn: Turn, contact: Contact) -> None:
    """The agent has lifted: now the other end."""
    agent = turn.state.agents[contact.record.agent]
    agents.change(turn, agent, "talking", leg=contact.arrived_leg, contact=contact,
                  idle_since=agent.idle_since)
    try:
        outbound.dial(turn, contact, _way(agent, place(turn, agent, contact.record.called)))
    except StateError:                            # it was there when the call began
        _fail(turn, contact, NORMAL)


def no_answer(turn: Turn, contact: Contact) -> None:
    """The agent's own telephone has rung long enough."""
    turn.do(Hangup(leg=contact.arrived_leg, cause=NORMAL))
    _fail(turn, contact, NO_ANSWER, contact.arrived_leg)


def _fail(turn: Turn, contact: Contact, cause: int, gone_leg: str = "") -> None:
    agents.finish(turn, contact, "")
    turn.end(contact, "failed", "agent", cause, gone_leg=gone_leg)


def _way(agent: Agent, where: Place) -> ToTrunk:
    rule = OutboundRoute(trunk=agent.trunk, called=f"({where.number})", to=where.trunk,
                         calling=where.shows or None)
    return ToTrunk(rule, where.number)
