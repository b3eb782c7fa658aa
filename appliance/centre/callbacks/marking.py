"""An agent hears that a callback has reached nobody to talk to."""

from appliance.centre import events
from appliance.centre.callbacks.booking import like_contact
from appliance.centre.ending import end_talk
from appliance.centre.turn import NORMAL, Turn
from appliance.errors import StateError

MARKS = ("machine", "wrong number")


def mark(turn: Turn, name: str, outcome: str, by: str) -> None:
    """The agent hears that nobody is there to talk to: the call ends. A machine is tried again.

    StateError: that is no outcome, or no callback is talking.
    """
    contact = turn.state.contacts.get(name)
    if outcome not in MARKS:
        raise StateError(f"{outcome}: is no outcome, there are {', '.join(MARKS)}")
    if contact is None or contact.callback is None or contact.record.state != "talking":
        raise StateError(f"{name}: is no callback that talks")
    callback = contact.callback
    turn.log(events.CallbackClosed(outcome=outcome, by=by), contact)
    end_talk(turn, contact, "agent" if by in turn.state.agents else "box", NORMAL)
    settings = turn.setup.callbacks
    if outcome == "machine" and callback.tries + 1 < settings.tries and (
            contact.record.queue in turn.setup.queues and callback.number not in turn.state.callbacks):
        pause_s = min(settings.pause_s * settings.growth ** callback.tries, settings.longest_pause_s)
        again = events.CallbackBooked(
            number=callback.number, trunk=callback.trunk, digits=callback.digits,
            shows=contact.record.calling, queue=contact.record.queue, mode=callback.mode,
            keep_until=callback.keep_until, due_at=turn.now + pause_s, firm=callback.firm,
            line=contact.last_line, joined_at=contact.last_joined_at, tries=callback.tries + 1,
            record=contact.record_talk, origin=name, by=callback.by, note=callback.note)
        turn.log(like_contact(again, contact), turn.setup.new_id())
