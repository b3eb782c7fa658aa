"""The board and the records as bus messages."""

import msgspec

from appliance.bus.messages import AgentInfo, Board, ContactInfo, QueueInfo
from appliance.centre.state import Agent, State
from appliance.centre.turn import Setup
from appliance.store.records import ContactRecord


def board(state: State, setup: Setup, now: float) -> Board:
    """Contacts oldest first, queues and agents in the configuration's order."""
    order = {name: place for place, name in enumerate(setup.agents)}
    agents = sorted(state.agents.values(), key=lambda agent: order.get(agent.name, len(order)))
    return Board(
        at=now,
        contacts=[contact_info(contact.record) for contact in state.contacts.values()],
        queues=[_queue(state, name) for name in setup.queues],
        agents=[agent_info(agent) for agent in agents])


def agent_info(agent: Agent) -> AgentInfo:
    return msgspec.convert(agent, AgentInfo, from_attributes=True)


def contact_info(record: ContactRecord) -> ContactInfo:
    return msgspec.convert(record, ContactInfo, from_attributes=True)


def _queue(state: State, name: str) -> QueueInfo:
    line = state.line(name)
    return QueueInfo(name=name, waiting=[contact.record.contact for contact in line],
                     oldest_since=line[0].joined_at if line else 0.0)
