"""Callbacks are promised, moved and called off."""

from dataclasses import dataclass

import msgspec

from appliance.centre import acd, agents, events
from appliance.centre.callbacks import reaching
from appliance.centre.callbacks.tending import stop_ring
from appliance.centre.control.places import place
from appliance.centre.state import Agent, Callback, Contact
from appliance.centre.turn import Turn
from appliance.config.pattern import NUMBER
from appliance.errors import StateError

LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody is to be called back. `trunk`, `shows`: where and how the customer had called, "" unknown."""

    number: str                                   # as it is dialled
    queue: str
    trunk: str = ""
    shows: str = ""
    at: float = 0.0                               # agreed with the customer; 0: when the place comes
    since: float = 0.0                            # when the customer began to wait; 0: now
    line: int = 0                                 # the place that the customer had; 0: none
    origin: str = ""
    by: str = ""
    note: str = ""
    caller: str = ""                              # who asked for it in a call, canonical; "": not known


def book(turn: Turn, wish: Wish, like: Contact | None = None) -> Contact:
    """The contact that calls back, the one of before if that number has one already. `like`: whose place it
    keeps and whose priority, skills and language hold.

    StateError: this number, queue or time cannot be.
    """
    settings, config = turn.setup.callbacks, turn.setup.queues.get(wish.queue)
    if config is None:
        raise StateError(f"{wish.queue}: no queue is called so, there are {', '.join(turn.setup.queues)}")
    if not NUMBER.fullmatch(wish.number) or not settings.allows(wish.number):
        raise StateError(f"{wish.number or 'no number'}: centre.callbacks.numbers does not allow to call it")
    if wish.at:
        _refuse_time(turn, wish.at)
    if len(wish.note) > LONGEST_NOTE:
        raise StateError(f"note: at most {LONGEST_NOTE} characters")
    if not (trunk := settings.trunk or wish.trunk):
        raise StateError("by which trunk? Set centre.callbacks.trunk")
    number = turn.setup.entrance.canonical(wish.number, wish.trunk)
    if (known := turn.state.contacts.get(turn.state.callbacks.get(number, ""))) is not None:
        return known
    if len(turn.state.callbacks) >= settings.most:
        raise StateError(f"{settings.most} callbacks are promised already: that is the most")
    name = turn.setup.new_id()
    booked = events.CallbackBooked(
        number=number, trunk=trunk, digits=settings.prefix + wish.number,
        shows=settings.calling or wish.shows, queue=wish.queue, mode=settings.mode_of(wish.queue),
        keep_until=max(wish.at, turn.now) + settings.keep_s, due_at=wish.at, firm=bool(wish.at),
        line=wish.line, joined_at=wish.since, record=config.record, origin=wish.origin, by=wish.by,
        note=wish.note, caller=wish.caller)
    turn.log(booked if like is None else like_contact(booked, like), name)
    return turn.state.contacts[name]


def promise(turn: Turn, contact: Contact, queue: str, number: str) -> Contact:
    """To a caller who gives up the line for it; the place is the caller's own. StateError: it cannot be.

    A call is promised one: whoever keys in number after number has not the box call them all.
    """
    known = turn.state.callbacks.get(turn.setup.entrance.canonical(number, contact.trunk))
    if contact.promised and contact.promised != known:
        raise StateError("this call is promised a callback already, to another number")
    caller, most = turn.setup.entrance.canonical(contact.record.calling, contact.trunk), (
        turn.setup.callbacks.most_of_caller)
    if known is None and caller and _promised_to(turn, caller) >= most:
        raise StateError(f"{most} callbacks are promised to calls from this number already: that is the most")
    kept = contact.last_line if contact.last_queue == queue else 0
    shows = turn.setup.callbacks.calling or contact.record.called
    booked = book(turn, Wish(number=number, queue=queue, trunk=contact.trunk, shows=shows,
                             line=kept or turn.state.joins + 1, origin=contact.record.contact,
                             since=contact.last_joined_at if kept else turn.now, caller=caller), contact)
    turn.log(events.CallbackPromised(callback=booked.record.contact), contact)
    return booked


def _promised_to(turn: Turn, caller: str) -> int:
    contacts = (turn.state.contacts[name] for name in turn.state.callbacks.values())
    return sum(one.callback is not None and one.callback.caller == caller for one in contacts)


def offer_to(turn: Turn, name: str, wish: Wish) -> Contact:
    """One click: the agent is rung now, then the customer. StateError: as of book, or one of them is busy."""
    agent = _at_hand(turn, name)
    number = turn.setup.entrance.canonical(wish.number, wish.trunk)
    known = turn.state.contacts.get(turn.state.callbacks.get(number, ""))
    if known is not None and known.record.state != "callback" and not (
            known.record.state == "queue" and known.virtual):
        raise StateError(f"{wish.number}: is being called already")
    for other in turn.state.contacts.values():
        if other is not known and turn.setup.entrance.canonical(other.customer_number, other.trunk) == number:
            raise StateError(f"{wish.number}: is on the line already, contact {other.record.contact}")
    contact = book(turn, wish)
    turn.log(events.CallbackTaken(agent=name), contact)
    if contact.record.state == "callback":
        turn.log(events.Joined(queue=contact.record.queue, overflow_at=0.0, line=contact.line,
                               joined_at=contact.joined_at), contact)
    agents.back_to_not_ready(turn, agent)
    acd.offer(turn, contact, agent, "wants to call back")
    return contact


def cancel(turn: Turn, name: str, by: str) -> None:
    """Nobody is called any more; a try that goes on is broken off. StateError: there is no such callback."""
    contact, _ = _pending(turn, name)
    stop_ring(turn, contact, "cancelled")
    reaching.close(turn, contact, "cancelled", by=by)


def move(turn: Turn, name: str, at: float, by: str) -> None:
    """To a time agreed with the customer. StateError: there is no such callback, it goes on, or not then."""
    contact, callback = _pending(turn, name)
    if contact.record.state != "callback" and not (contact.record.state == "queue" and contact.virtual):
        raise StateError(f"{callback.digits}: is being called: wait for what comes of it")
    _refuse_time(turn, at)
    turn.log(events.CallbackMoved(due_at=at, keep_until=at + turn.setup.callbacks.keep_s, by=by), contact)


def like_contact(booked: events.CallbackBooked, contact: Contact) -> events.CallbackBooked:
    """With all that matters for the choice of an agent."""
    return msgspec.structs.replace(
        booked, language=contact.language, priority=contact.priority, grade=contact.grade,
        region=contact.region, skills=contact.skills)


def _refuse_time(turn: Turn, at: float) -> None:
    most_s = turn.setup.callbacks.keep_s
    if not turn.now < at <= turn.now + most_s:
        raise StateError(f"not then: give a time to come, at most {most_s / 3600:g} h ahead")


def _at_hand(turn: Turn, name: str) -> Agent:
    agent = turn.state.agents.get(name)
    if agent is None:
        raise StateError(f"{name}: no agent is called so")
    place(turn, agent, name)                      # its StateError says why not
    return agent


def _pending(turn: Turn, name: str) -> tuple[Contact, Callback]:
    contact = turn.state.contacts.get(name)
    if contact is None or contact.pending is None:
        raise StateError(f"{name}: is no callback that is promised")
    return contact, contact.pending
