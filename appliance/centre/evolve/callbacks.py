"""Callbacks, voice messages, surveys."""

from appliance.centre import events
from appliance.centre.evolve.base import OfBox, OfContact, drop_leg
from appliance.centre.projector import fold
from appliance.centre.state import Callback, Contact, Message, State, Survey


def _booked(state: State, name: str, at: float, event: events.CallbackBooked) -> None:
    state.contacts[name] = Contact(
        record=fold(None, at, name, event), trunk=event.trunk, calling_name="", arrived_leg="", let_go=True,
        priority=event.priority, grade=event.grade, region=event.region, skills=event.skills,
        language=event.language, line=event.line, joined_at=event.joined_at, waits_since=event.joined_at,
        record_talk=event.record,
        callback=Callback(
            number=event.number, trunk=event.trunk, digits=event.digits, mode=event.mode, booked_at=at,
            keep_until=event.keep_until, due_at=event.due_at, firm=event.firm, tries=event.tries,
            origin=event.origin, by=event.by, note=event.note, caller=event.caller))
    state.callbacks[event.number] = name
    state.joins = max(state.joins, event.line)


def _promised(state: State, contact: Contact, at: float, event: events.CallbackPromised) -> None:
    contact.promised = event.callback


def _held(state: State, contact: Contact, at: float, event: events.CallbackHeld) -> None:
    if contact.callback is not None:
        contact.callback.due_at = event.due_at


def _moved(state: State, contact: Contact, at: float, event: events.CallbackMoved) -> None:
    if contact.callback is not None:
        contact.callback.due_at, contact.callback.keep_until = event.due_at, event.keep_until
        contact.callback.firm = True


def _taken(state: State, contact: Contact, at: float, event: events.CallbackTaken) -> None:
    if contact.callback is not None:
        contact.callback.mode = "agent-first"


def _tried(state: State, contact: Contact, at: float, event: events.CallbackTried) -> None:
    if contact.callback is not None:
        contact.callback.try_until = event.until
    if contact.dialled_leg:                       # the agent is there
        contact.arrived_leg, contact.dialled_leg = contact.dialled_leg, ""
        contact.let_go, contact.originated, contact.connected = False, True, True


def _reached(state: State, contact: Contact, at: float, event: events.CallbackReached) -> None:
    contact.connected, contact.announce_at = True, event.place_at
    if contact.callback is not None:
        contact.callback.try_until = 0.0


def _missed(state: State, contact: Contact, at: float, event: events.CallbackMissed) -> None:
    for leg in (contact.arrived_leg, contact.dialled_leg):
        drop_leg(state, leg)
    contact.arrived_leg = contact.dialled_leg = contact.dialled_trunk = ""
    contact.let_go = True
    contact.originated = contact.connected = contact.bridged = contact.alerted = False
    contact.play, contact.fragments, contact.repeat = "", [], False
    contact.announce_at, contact.deflections = 0.0, 0
    if contact.callback is not None:
        contact.callback.due_at, contact.callback.try_until = event.due_at, 0.0
        contact.callback.outcome = event.outcome
        contact.callback.tries += event.counted


def _closed(state: State, contact: Contact, at: float, event: events.CallbackClosed) -> None:
    if contact.callback is not None:
        contact.callback.outcome = event.outcome
        contact.callback.try_until = 0.0


def _message_kept(state: State, contact: Contact, at: float, event: events.MessageKept) -> None:
    contact.message = event.message
    state.messages[event.message] = Message(
        message=event.message, box=event.box, contact=contact.record.contact, number=contact.record.calling,
        called=contact.record.called, trunk=contact.trunk, began_at=at)


def _message_ended(state: State, name: str, at: float, event: events.MessageEnded) -> None:
    contact = state.contacts.get(name)
    if contact is not None:
        contact.message = ""
    if not event.kept:
        state.messages.pop(event.message, None)
    elif event.message in state.messages:
        state.messages[event.message].ended_at = at


def _message_heard(state: State, name: str, at: float, event: events.MessageHeard) -> None:
    message = state.messages.get(event.message)
    if message is not None and event.by not in message.heard_by:
        message.heard_by = [*message.heard_by, event.by]


def _message_done(state: State, name: str, at: float, event: events.MessageDone) -> None:
    state.messages.pop(event.message, None)


def _survey_begun(state: State, contact: Contact, at: float, event: events.SurveyBegun) -> None:
    contact.survey = Survey(survey=event.survey, agent=event.agent, queue=event.queue)


def _survey_asked(state: State, contact: Contact, at: float, event: events.SurveyAsked) -> None:
    contact.digit_until = 0.0
    if contact.survey is not None:
        contact.survey.question, contact.survey.tries = event.question, event.tries


def _survey_answered(state: State, contact: Contact, at: float, event: events.SurveyAnswered) -> None:
    contact.digit_until = 0.0


def _survey_over(state: State, contact: Contact, at: float, event: events.SurveyOver) -> None:
    contact.digit_until = 0.0
    if contact.survey is not None:
        contact.survey.over = True


OF_BOX: OfBox = {
    events.CallbackBooked: _booked,
    events.MessageEnded: _message_ended,
    events.MessageHeard: _message_heard,
    events.MessageDone: _message_done,
}

OF_CONTACT: OfContact = {
    events.CallbackPromised: _promised,
    events.CallbackHeld: _held,
    events.CallbackMoved: _moved,
    events.CallbackTaken: _taken,
    events.CallbackTried: _tried,
    events.CallbackReached: _reached,
    events.CallbackMissed: _missed,
    events.CallbackClosed: _closed,
    events.MessageKept: _message_kept,
    events.SurveyBegun: _survey_begun,
    events.SurveyAsked: _survey_asked,
    events.SurveyAnswered: _survey_answered,
    events.SurveyOver: _survey_over,
}
