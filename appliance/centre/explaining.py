"""The floor's explanations as bus messages."""

from dataclasses import asdict

import msgspec

from appliance.bus.messages import AgentExplained, ContactExplained, ExplainAgent, ExplainContact, SetPriority
from appliance.centre import events
from appliance.centre.choice.facts import MOST_PRIORITY
from appliance.centre.state import Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError


def contact(turn: Turn, asked: ExplainContact) -> ContactExplained:
    """StateError: it is not in line."""
    found = _in_line(turn, asked.contact)
    return msgspec.convert(asdict(turn.floor.explain(found.record.contact, turn.now)), ContactExplained,
                           strict=False)


def agent(turn: Turn, asked: ExplainAgent) -> AgentExplained:
    """StateError: there is no such agent."""
    if asked.agent not in turn.state.agents:
        raise StateError(f"{asked.agent}: no agent is called so")
    told = msgspec.convert(asdict(turn.floor.explain_agent(asked.agent, turn.now)), AgentExplained)
    return msgspec.structs.replace(told, reasons=list(turn.setup.reasons))


def set_priority(turn: Turn, asked: SetPriority) -> ContactExplained:
    """StateError: it is not in line, or that is no priority."""
    found = _in_line(turn, asked.contact)
    if not 0 <= asked.priority <= MOST_PRIORITY:
        raise StateError(f"priority {asked.priority}: write 0 to {MOST_PRIORITY}")
    turn.log(events.PriorityChanged(priority=asked.priority, by=asked.by), found)
    return contact(turn, ExplainContact(contact=asked.contact))


def _in_line(turn: Turn, name: str) -> Contact:
    found = turn.state.contacts.get(name)
    if found is None or not found.waiting:
        raise StateError(f"{name}: is not in line")
    return found
