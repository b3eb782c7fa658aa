"""Requests about callbacks: one row each."""

from collections.abc import Callable
from typing import Any

from appliance.bus.messages import (
    BookCallback,
    CallbackInfo,
    CallbackList,
    CallbackReply,
    CancelCallback,
    CloseAbandoned,
    Done,
    GetCallbacks,
    MarkCallback,
    MoveCallback,
    Reply,
    Request,
)
from appliance.centre import events
from appliance.centre.callbacks import booking, marking
from appliance.centre.callbacks.tending import tend
from appliance.centre.control.notes import LONGEST_CODE, LONGEST_NOTE
from appliance.centre.state import Callback, Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError


def _list(turn: Turn, asked: GetCallbacks) -> CallbackList:
    found = [_info(turn, contact, contact.pending) for name in turn.state.callbacks.values()
             if (contact := turn.state.contacts[name]).pending is not None]
    return CallbackList(callbacks=sorted(found, key=lambda one: (
        one.joined_at or one.due_at or one.booked_at, one.booked_at)))


def _book(turn: Turn, asked: BookCallback) -> CallbackReply:
    wish = booking.Wish(asked.number, asked.queue, asked.trunk, asked.shows, asked.at, asked.since,
                        origin=asked.origin, by=asked.by, note=asked.note)
    if asked.agent and asked.at:
        raise StateError("agent or at: now, or at a time")
    contact = booking.offer_to(turn, asked.agent, wish) if asked.agent else booking.book(turn, wish)
    return _reply(turn, contact)


def _cancel(turn: Turn, asked: CancelCallback) -> Done:
    booking.cancel(turn, asked.contact, asked.by)
    return Done()


def _move(turn: Turn, asked: MoveCallback) -> CallbackReply:
    booking.move(turn, asked.contact, asked.at, asked.by)
    return _reply(turn, turn.state.contacts[asked.contact])


def _mark(turn: Turn, asked: MarkCallback) -> Done:
    marking.mark(turn, asked.contact, asked.outcome, asked.by)
    return Done()


def _close(turn: Turn, asked: CloseAbandoned) -> Done:
    """The archive has said that there is such a contact."""
    if not 0 < len(asked.code.strip()) <= LONGEST_CODE or len(asked.note) > LONGEST_NOTE:
        raise StateError(f"what came of it: 1 to {LONGEST_CODE} characters, its note at most {LONGEST_NOTE}")
    turn.log(events.Disposed(code=asked.code.strip(), note=asked.note, by=asked.by), asked.contact)
    return Done()


def _reply(turn: Turn, contact: Contact) -> CallbackReply:
    """With its place in line, if it has one now."""
    tend(turn)
    return CallbackReply(callback=_info(turn, contact, contact.pending))


def _info(turn: Turn, contact: Contact, callback: Callback | None) -> CallbackInfo:
    if callback is None:
        raise StateError(f"{contact.record.contact}: is no callback that is promised")
    return CallbackInfo(
        contact=contact.record.contact, number=callback.digits, queue=contact.record.queue,
        state=contact.record.state, mode=callback.mode, booked_at=callback.booked_at, due_at=callback.due_at,
        keep_until=callback.keep_until, joined_at=contact.joined_at, firm=callback.firm, tries=callback.tries,
        position=turn.floor.position(contact.record.contact) if contact.waiting else 0,
        outcome=callback.outcome, agent=contact.record.agent, origin=callback.origin, by=callback.by,
        note=callback.note)


CALLBACKS: dict[type[Request[Any]], Callable[[Turn, Any], Reply]] = {
    GetCallbacks: _list,
    BookCallback: _book,
    CancelCallback: _cancel,
    MoveCallback: _move,
    MarkCallback: _mark,
    CloseAbandoned: _close,
}
