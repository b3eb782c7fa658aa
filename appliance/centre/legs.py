"""The connections of a contact, also of one that ended long ago: the log knows them."""

from collections.abc import Iterable

from appliance.bus.messages import ContactLeg
from appliance.centre import events
from appliance.centre.events import decode
from appliance.store.events import Entry


def legs(entries: Iterable[Entry]) -> list[ContactLeg]:
    """Out of the events of store.schema.GIVES_LEG of one contact."""
    found: list[ContactLeg] = []
    for entry in entries:
        match decode(entry):
            case events.Began(leg=leg):
                found.append(ContactLeg(leg=leg, party="caller", at=entry.at))
            case events.Offered(leg=leg, agent=agent):
                found.append(ContactLeg(leg=leg, party="agent", at=entry.at, agent=agent))
            case events.PartyAdded(leg=leg, role=role, agent=agent):
                found.append(ContactLeg(leg=leg, party=role, at=entry.at, agent=agent))
            case events.Dialled(leg=leg) | events.ForwardDialled(leg=leg):
                found.append(ContactLeg(leg=leg, party="called", at=entry.at))
    return found
