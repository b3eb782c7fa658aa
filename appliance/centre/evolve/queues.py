"""Queues, and the talk that comes of them."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact, drop_leg, no_callback
from appliance.centre.state import Contact, Party, State


def waiting_since(contact: Contact) -> None:
    """Of a contact out of an older checkpoint: it was in no queue before this one."""
    if contact.line and not contact.talked:
        contact.waits_since = contact.waits_since or contact.joined_at


def _joined(state: State, contact: Contact, at: float, event: events.Joined) -> None:
    state.joins += 1
    contact.line = event.line or state.joins
    contact.joined_at, contact.overflow_at = event.joined_at or at, event.overflow_at
    contact.waits_since = contact.waits_since or contact.joined_at
    contact.last_queue = event.queue
    contact.estimate_s, contact.comforts = event.estimate_s, 0
    contact.slot, contact.slot_until = 0, 0.0


def _queue_left(state: State, contact: Contact, at: float, event: events.QueueLeft) -> None:
    state.history.went_on(contact.record.queue, at - contact.joined_at)


def _priority_changed(state: State, contact: Contact, at: float, event: events.PriorityChanged) -> None:
    contact.priority = event.priority


def _announced(state: State, contact: Contact, at: float, event: events.Announced) -> None:
    contact.announce_at = event.next_at
    contact.comforts += 1


def _offered(state: State, contact: Contact, at: float, event: events.Offered) -> None:
    state.history.offered(contact.record.queue, event.agent, at)
    if event.beside:
        contact.parties[event.leg] = Party(leg=event.leg, role="rung", number="", agent=event.agent)
    else:
        contact.dialled_leg = event.leg
    state.legs[event.leg] = contact.record.contact


def _ring_ended(state: State, contact: Contact, at: float, event: events.RingEnded) -> None:
    drop_leg(state, contact.dialled_leg)
    contact.dialled_leg = ""


def _rung_beside(state: State, contact: Contact, at: float, event: events.RungBeside) -> None:
    del contact.parties[event.of_leg]
    contact.dialled_leg = event.of_leg


def _talked(state: State, contact: Contact, at: float, event: events.Talked) -> None:
    record = contact.record
    no_callback(state, contact)
    if contact.waits_since and contact.callback is None:
        state.history.talked(record.queue, record.agent, record.calling, at, at - contact.joined_at,
                             contact.estimate_s)
    contact.recording, contact.bridged, contact.connected = event.recording, True, True
    contact.hushed = contact.was_paused = False
    contact.record_talk = contact.record_talk or bool(event.recording)
    contact.talked, contact.last_line, contact.last_joined_at = True, contact.line, contact.joined_at
    contact.line, contact.joined_at, contact.announce_at, contact.overflow_at = 0, 0.0, 0.0, 0.0
    contact.waits_since, contact.estimate_s = 0.0, None
    contact.play, contact.fragments, contact.repeat = "", [], False


OF_CONTACT: OfContact = {
    events.Joined: _joined,
    events.QueueLeft: _queue_left,
    events.PriorityChanged: _priority_changed,
    events.Announced: _announced,
    events.Offered: _offered,
    events.RingEnded: _ring_ended,
    events.RungBeside: _rung_beside,
    events.Talked: _talked,
}
