"""Calls that go out."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact, drop_leg
from appliance.centre.state import Contact, State


def _dialled(state: State, contact: Contact, at: float, event: events.Dialled) -> None:
    contact.dialled_trunk, contact.bridged = event.trunk, False
    contact.record_talk, contact.own_by = event.record, ""
    state.legs[event.leg] = contact.record.contact
    if contact.pending is not None and contact.let_go:
        contact.arrived_leg = event.leg           # the customer is called first
        return
    if contact.dialled_leg:                       # whose party had it deflected
        drop_leg(state, contact.dialled_leg)
        contact.deflections += 1
    contact.dialled_leg = event.leg


def _bridged(state: State, contact: Contact, at: float, event: events.Bridged) -> None:
    contact.bridged = True


def _alerted(state: State, contact: Contact, at: float, event: events.Alerted) -> None:
    contact.alerted = True


OF_CONTACT: OfContact = {
    events.Dialled: _dialled,
    events.Bridged: _bridged,
    events.Alerted: _alerted,
}
