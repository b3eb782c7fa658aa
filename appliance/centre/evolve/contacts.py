"""A contact's beginning and end."""

from appliance.centre import events
from appliance.centre.evolve.base import OfBox, OfContact, drop_leg, no_callback
from appliance.centre.projector import fold
from appliance.centre.state import Contact, State


def _began(state: State, name: str, at: float, event: events.Began) -> None:
    state.contacts[name] = Contact(
        record=fold(None, at, name, event), trunk=event.trunk, calling_name=event.calling_name,
        arrived_leg=event.leg, withheld=event.withheld, originated=event.originated,
        diverted_by=event.redirecting or "")
    state.legs[event.leg] = name


def _connected(state: State, contact: Contact, at: float, event: events.Connected) -> None:
    contact.connected = True


def _ended(state: State, contact: Contact, at: float, event: events.Ended) -> None:
    del state.contacts[contact.record.contact]
    no_callback(state, contact)
    if contact.waits_since and contact.line and contact.callback is None:
        state.history.abandoned(contact.record.queue, at - contact.joined_at)
    for leg in (contact.arrived_leg, contact.dialled_leg, *contact.parties):
        drop_leg(state, leg)


OF_BOX: OfBox = {
    events.Began: _began,
}

OF_CONTACT: OfContact = {
    events.Connected: _connected,
    events.Ended: _ended,
}
