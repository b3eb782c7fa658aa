"""What the promised callbacks need in every turn: into the line when it is their time, out of it when the
customer is on the line anyway or may not be called now."""

from appliance.bus.messages import Hangup
from appliance.centre import acd, events
from appliance.centre.callbacks import reaching
from appliance.centre.callbacks.hours import opens
from appliance.centre.state import Callback, Contact
from appliance.centre.turn import NORMAL, Turn

ON_THE_LINE = "on the line"


def tend(turn: Turn) -> None:
    """Before agents are chosen."""
    if not turn.state.callbacks:
        return
    others = _on_the_line(turn)
    for name in list(turn.state.callbacks.values()):
        contact = turn.state.contacts[name]
        if (callback := contact.pending) is not None:
            _tend(turn, contact, callback, others.get(callback.number))


def _on_the_line(turn: Turn) -> dict[str, Contact]:
    """Numbers in contacts that are none of the promised ones; of two contacts the one that talks."""
    found: dict[str, Contact] = {}
    for contact in turn.state.contacts.values():
        if contact.callback is None or contact.talked:
            number = contact.callback.number if contact.callback is not None else (
                turn.setup.entrance.canonical(contact.customer_number, contact.trunk))
            if number in turn.state.callbacks and (number not in found or contact.record.state == "talking"):
                found[number] = contact
    return found


def _tend(turn: Turn, contact: Contact, callback: Callback, other: Contact | None) -> None:
    idle = contact.record.state == "callback" or (contact.record.state == "queue" and contact.virtual)
    if other is not None and _was_served(contact, callback, other):
        stop_ring(turn, contact, "called in")
        reaching.close(turn, contact, "called in", other=other.record.contact)
    elif idle and turn.now >= callback.keep_until:
        reaching.close(turn, contact, "given up")
    elif contact.record.state == "callback":
        _wait(turn, contact, callback, other is not None)
    elif other is not None and not (contact.connected and contact.let_go):
        if contact.record.state == "dialling":
            reaching.stop(turn, contact, "called in")
        else:
            stop_ring(turn, contact, ON_THE_LINE)
            turn.log(events.CallbackHeld(why=ON_THE_LINE, due_at=0.0), contact)
    elif turn.drains:
        if contact.record.state == "queue" and idle:
            turn.log(events.CallbackHeld(why="update", due_at=0.0), contact)
    elif idle and (opening := opens(turn, turn.now)) > turn.now:
        turn.log(events.CallbackHeld(why="hours", due_at=opening), contact)


def _wait(turn: Turn, contact: Contact, callback: Callback, on_the_line: bool) -> None:
    """It is not in line."""
    if callback.due_at > turn.now or turn.drains:
        return
    if on_the_line:
        if callback.due_at:
            turn.log(events.CallbackHeld(why=ON_THE_LINE, due_at=0.0), contact)
    elif (opening := opens(turn, turn.now)) > turn.now:
        turn.log(events.CallbackHeld(why="hours", due_at=opening), contact)
    else:
        turn.log(events.Joined(queue=contact.record.queue, overflow_at=0.0, line=contact.line,
                               joined_at=contact.joined_at), contact)


def _was_served(contact: Contact, callback: Callback, other: Contact) -> bool:
    """They talk meanwhile, and it is about this."""
    if callback.firm or other.record.state != "talking":
        return False
    began = next((one.began_at for one in other.record.segments if one.kind == "talk"), 0.0)
    return began >= callback.booked_at and other.record.queue in ("", contact.record.queue)


def stop_ring(turn: Turn, contact: Contact, why: str) -> None:
    """No agent's telephone rings for it any more, if one does."""
    if contact.record.state == "ringing":
        agent = contact.record.agent
        turn.do(Hangup(leg=contact.dialled_leg, cause=NORMAL))
        acd.give_up_ring(turn, contact)
        turn.log(events.RingEnded(agent=agent, cause=NORMAL, reason=why), contact)


def dial_ahead(turn: Turn) -> None:
    """After agents are chosen: customer-first, customers are dialled while somebody who is to talk with them
    still wraps up. Whoever is before them in line has the first claim."""
    ahead_s = turn.setup.callbacks.ahead_s
    if turn.drains or not any(
            turn.state.contacts[name].virtual for name in turn.state.callbacks.values()):
        return
    soon = [agent for agent in turn.state.agents.values() if agent.state == "wrap-up" and not agent.wish
            and not agent.leg and agent.until - turn.now <= ahead_s]
    if not soon:
        return
    for contact in sorted((one for one in turn.state.contacts.values() if one.choosable),
                          key=lambda one: one.line):
        agent = next((one for one in soon if turn.floor.serves(one.name, contact.record.queue)), None)
        callback = contact.pending
        if agent is None:
            continue
        soon.remove(agent)
        if callback is not None and contact.virtual and callback.mode == "customer-first":
            reaching.dial(turn, contact, callback)
