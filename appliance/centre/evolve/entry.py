"""Calls that arrive, forwards, calendars."""

import msgspec

from appliance.centre import events
from appliance.centre.entry.calendar import Forced
from appliance.centre.evolve.base import OfBox, OfContact, drop_leg
from appliance.centre.state import Contact, State


def _routed(state: State, contact: Contact, at: float, event: events.Routed) -> None:
    contact.priority, contact.grade, contact.region = event.priority, event.grade, event.region
    contact.skills = event.skills


def _forward_begun(state: State, contact: Contact, at: float, event: events.ForwardBegun) -> None:
    contact.forward = msgspec.structs.replace(event.forward)     # the event stays as it was


def _deflected(state: State, contact: Contact, at: float, event: events.ForwardDeflected) -> None:
    if contact.forward is not None:
        contact.forward.phase, contact.forward.until = "deflected", event.until


def _refused(state: State, contact: Contact, at: float, event: events.ForwardRefused) -> None:
    if contact.forward is not None:
        contact.forward.phase, contact.forward.until = "", 0.0


def _dialled(state: State, contact: Contact, at: float, event: events.ForwardDialled) -> None:
    if contact.forward is not None:
        contact.forward.phase, contact.forward.until = "dialling", event.until
        contact.record_talk, contact.dialled_trunk = contact.forward.record, contact.forward.trunk
        contact.own_by = ""
    contact.dialled_leg, contact.bridged = event.leg, False
    state.legs[event.leg] = contact.record.contact


def _over(state: State, contact: Contact, at: float, event: events.ForwardOver) -> None:
    drop_leg(state, contact.dialled_leg)
    contact.dialled_leg, contact.dialled_trunk, contact.bridged, contact.forward = "", "", False, None


def _join_asked(state: State, contact: Contact, at: float, event: events.JoinAsked) -> None:
    if contact.forward is not None:
        contact.forward.phase, contact.forward.until = "joining", 0.0


def _join_over(state: State, contact: Contact, at: float, event: events.JoinOver) -> None:
    if contact.forward is not None:
        contact.forward.phase = "joined" if event.done else ""


def _calendar_forced(state: State, name: str, at: float, event: events.CalendarForced) -> None:
    state.forced.pop(event.calendar, None)
    if event.open is not None:
        state.forced[event.calendar] = Forced(event.open, event.until, event.by)


OF_BOX: OfBox = {
    events.CalendarForced: _calendar_forced,
}

OF_CONTACT: OfContact = {
    events.Routed: _routed,
    events.ForwardBegun: _forward_begun,
    events.ForwardDeflected: _deflected,
    events.ForwardRefused: _refused,
    events.ForwardDialled: _dialled,
    events.ForwardOver: _over,
    events.JoinAsked: _join_asked,
    events.JoinOver: _join_over,
}
