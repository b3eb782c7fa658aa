"""Queues, and the talk that comes of them."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact, drop_leg
from appliance.centre.state import Contact, State


def _joined(state: State, contact: Contact, at: float, event: events.Joined) -> None:
    state.joins += 1
    contact.line, contact.joined_at, contact.overflow_at = state.joins, at, event.overflow_at


def _announced(state: State, contact: Contact, at: float, event: events.Announced) -> None:
    contact.announce_at = event.next_at


def _offered(state: State, contact: Contact, at: float, event: events.Offered) -> None:
    contact.dialled_leg = event.leg
    state.legs[event.leg] = contact.record.contact


def _ring_ended(state: State, contact: Contact, at: float, event: events.RingEnded) -> None:
    drop_leg(state, contact.dialled_leg)
    contact.dialled_leg = ""


def _talked(state: State, contact: Contact, at: float, event: events.Talked) -> None:
    contact.recording, contact.bridged, contact.connected = event.recording, True, True
    contact.line, contact.joined_at, contact.announce_at, contact.overflow_at = 0, 0.0, 0.0, 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


OF_CONTACT: OfContact = {
    events.Joined: _joined,
    events.Announced: _announced,
    events.Offered: _offered,
    events.RingEnded: _ring_ended,
    events.Talked: _talked,
}
