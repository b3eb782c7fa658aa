"""State after an event of the log. The only place that changes one, while deciding and while replaying.

A room for each part of the centre, with its rows: OF_CONTACT for events of a contact that is there, OF_BOX
for the others.
"""

from appliance.centre import events
from appliance.centre.events import LogEvent
from appliance.centre.evolve import (
    agents,
    callbacks,
    contacts,
    control,
    entry,
    flow,
    outbound,
    queues,
    recording,
    told,
)
from appliance.centre.evolve.base import OfBox, OfContact
from appliance.centre.projector import FOLDS, fold
from appliance.centre.state import State


def evolve(state: State, at: float, name: str, event: LogEvent) -> None:
    """Apply `event` of contact `name` ("" for none)."""
    contact = state.contacts.get(name)
    if type(event) in FOLDS and contact is not None:
        contact.record = fold(contact.record, at, name, event)
    if type(event) in OF_CONTACT:
        if contact is not None:
            OF_CONTACT[type(event)](state, contact, at, event)
    elif type(event) in OF_BOX:
        OF_BOX[type(event)](state, name, at, event)


def _checkpoint(state: State, name: str, at: float, event: events.Checkpoint) -> None:
    for field in state.__struct_fields__:
        setattr(state, field, getattr(event.state, field))
    state.was_of = {**dict.fromkeys(state.recent_legs, ""), **state.was_of}
    state.recent_legs = []
    for agent in state.agents.values():
        agents.renamed(agent)
        agents.occupy(state, agent, agent.leg)
    for contact in state.contacts.values():
        queues.waiting_since(contact)


OF_BOX: OfBox = {
    events.Checkpoint: _checkpoint,
    **agents.OF_BOX,
    **contacts.OF_BOX,
    **callbacks.OF_BOX,
    **entry.OF_BOX,
}

OF_CONTACT: OfContact = {
    **contacts.OF_CONTACT,
    **entry.OF_CONTACT,
    **flow.OF_CONTACT,
    **queues.OF_CONTACT,
    **control.OF_CONTACT,
    **outbound.OF_CONTACT,
    **told.OF_CONTACT,
    **callbacks.OF_CONTACT,
    **recording.OF_CONTACT,
}
