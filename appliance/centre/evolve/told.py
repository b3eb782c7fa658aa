"""What lines tell of a contact."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact
from appliance.centre.state import Contact, State


def _trace_asked(state: State, contact: Contact, at: float, event: events.TraceAsked) -> None:
    contact.trace_asked_at = at


def _trace_over(state: State, contact: Contact, at: float, event: events.TraceOver) -> None:
    contact.trace_asked_at = 0.0


OF_CONTACT: OfContact = {
    events.TraceAsked: _trace_asked,
    events.TraceOver: _trace_over,
}
