"""Flows, and what is played."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact
from appliance.centre.state import Contact, State


def _node_entered(state: State, contact: Contact, at: float, event: events.NodeEntered) -> None:
    contact.flow, contact.node, contact.language = event.flow, event.node, event.language
    contact.tries, contact.digit_until, contact.line = 0, 0.0, 0
    contact.joined_at = contact.announce_at = contact.overflow_at = 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


def _played(state: State, contact: Contact, at: float, event: events.Played) -> None:
    contact.play, contact.fragments, contact.repeat = event.play, event.fragments, event.repeat
    contact.plays += 1


def _play_over(state: State, contact: Contact, at: float, event: events.PlayOver) -> None:
    contact.play, contact.fragments, contact.repeat = "", [], False


def _digit_awaited(state: State, contact: Contact, at: float, event: events.DigitAwaited) -> None:
    contact.digit_until = event.until


def _retried(state: State, contact: Contact, at: float, event: events.Retried) -> None:
    contact.tries += 1
    contact.digit_until = 0.0


OF_CONTACT: OfContact = {
    events.NodeEntered: _node_entered,
    events.Played: _played,
    events.PlayOver: _play_over,
    events.DigitAwaited: _digit_awaited,
    events.Retried: _retried,
}
