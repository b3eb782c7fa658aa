"""What all rooms here are made from."""

from collections.abc import Callable
from typing import Any

from appliance.centre.events import LogEvent
from appliance.centre.state import RECENT_LEGS, Contact, State

OfBox = dict[type[LogEvent], Callable[[State, str, float, Any], None]]
OfContact = dict[type[LogEvent], Callable[[State, Contact, float, Any], None]]


def drop_leg(state: State, leg: str) -> None:
    if name := state.legs.pop(leg, None):
        state.was_of[leg] = name
        while len(state.was_of) > RECENT_LEGS:
            del state.was_of[next(iter(state.was_of))]


def no_callback(state: State, contact: Contact) -> None:
    """The customer of the contact is not to be called any more."""
    number = "" if contact.callback is None else contact.callback.number
    if state.callbacks.get(number) == contact.record.contact:
        del state.callbacks[number]
