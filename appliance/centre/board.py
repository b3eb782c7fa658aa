"""The board and the records as bus messages."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from appliance.bus.messages import AgentInfo, Board, ContactInfo, QueueInfo
from appliance.centre.state import Agent, Contact, State
from appliance.centre.turn import Setup
from appliance.store.records import ContactRecord


def board(state: State, setup: Setup, now: float) -> Board:
    """Contacts oldest first, queues and agents in the configuration's order.

    A callback that is not due is only counted.
    """
    order = {name: place for place, name in enumerate(setup.agents)}
    agents = sorted(state.agents.values(), key=lambda agent: order.get(agent.name, len(order)))
    lines = state.lines()
    promised = Counter(state.contacts[name].record.queue for name in state.callbacks.values())
    return Board(
        at=now,
        contacts=[contact_info(contact.record) for contact in state.contacts.values()
                  if contact.record.state != "callback"],
        queues=[_queue(name, lines.get(name, []), promised[name]) for name in setup.queues],
        agents=[agent_info(agent) for agent in agents],
        messages={box: sum(one.box == box and not one.heard_by for one in state.messages.values())
                  for box in setup.boxes})


def agent_info(agent: Agent) -> AgentInfo:
    return msgspec.convert(agent, AgentInfo, from_attributes=True)


def contact_info(record: ContactRecord) -> ContactInfo:
    return msgspec.convert(record, ContactInfo, from_attributes=True)


def _queue(name: str, line: Sequence[Contact], callbacks: int) -> QueueInfo:
    return QueueInfo(name=name, waiting=[contact.record.contact for contact in line], callbacks=callbacks,
                     oldest_since=line[0].joined_at if line else 0.0)
