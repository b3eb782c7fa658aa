"""Call control."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact, drop_leg
from appliance.centre.evolve.recording import change_recording
from appliance.centre.state import Contact, Party, State


def _held(state: State, contact: Contact, at: float, event: events.Held) -> None:
    contact.held = True


def _retrieved(state: State, contact: Contact, at: float, event: events.Retrieved) -> None:
    contact.held = False


def _party_added(state: State, contact: Contact, at: float, event: events.PartyAdded) -> None:
    contact.parties[event.leg] = Party(leg=event.leg, role=event.role, number=event.number,
                                       agent=event.agent, mode=event.mode)
    state.legs[event.leg] = contact.record.contact
    if event.role == "target" and event.agent == contact.transferor:
        contact.transferor = ""                   # is rung back once


def _party_answered(state: State, contact: Contact, at: float, event: events.PartyAnswered) -> None:
    contact.parties[event.of_leg].talking = True


def _party_gone(state: State, contact: Contact, at: float, event: events.PartyGone) -> None:
    del contact.parties[event.of_leg]
    drop_leg(state, event.of_leg)


def _conferenced(state: State, contact: Contact, at: float, event: events.Conferenced) -> None:
    contact.conference, contact.held = True, False
    change_recording(contact, event.recording)
    for party in contact.parties.values():
        if party.role == "consulted":
            party.role = "member"


def _paired(state: State, contact: Contact, at: float, event: events.Paired) -> None:
    contact.conference = False
    change_recording(contact, event.recording)


def _let_go(state: State, contact: Contact, at: float, event: events.LetGo) -> None:
    customer = contact.customer_leg
    drop_leg(state, contact.agent_leg)
    contact.arrived_leg, contact.dialled_leg = customer, ""
    contact.let_go, contact.transferor = True, event.agent
    for party in contact.parties.values():        # who was being consulted and has not answered
        party.role = "target"
    contact.held = contact.conference = contact.bridged = False
    change_recording(contact, "")


def _taken_over(state: State, contact: Contact, at: float, event: events.TakenOver) -> None:
    party = contact.parties.pop(event.of_leg)
    if contact.inbound:
        drop_leg(state, contact.dialled_leg)
        contact.dialled_leg = party.leg
    else:
        drop_leg(state, contact.arrived_leg)
        contact.arrived_leg = party.leg
    contact.held = False
    change_recording(contact, event.recording)
    contact.bridged = contact.talked = True
    contact.slot, contact.slot_until = 0, 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


def _parked(state: State, contact: Contact, at: float, event: events.Parked) -> None:
    contact.slot, contact.slot_until = event.slot, event.until


def _unparked(state: State, contact: Contact, at: float, event: events.Unparked) -> None:
    contact.slot, contact.slot_until = 0, 0.0


def _mode_changed(state: State, contact: Contact, at: float, event: events.ModeChanged) -> None:
    contact.parties[event.of_leg].mode = event.mode


OF_CONTACT: OfContact = {
    events.Held: _held,
    events.Retrieved: _retrieved,
    events.PartyAdded: _party_added,
    events.PartyAnswered: _party_answered,
    events.PartyGone: _party_gone,
    events.Conferenced: _conferenced,
    events.Paired: _paired,
    events.LetGo: _let_go,
    events.TakenOver: _taken_over,
    events.Parked: _parked,
    events.Unparked: _unparked,
    events.ModeChanged: _mode_changed,
}
