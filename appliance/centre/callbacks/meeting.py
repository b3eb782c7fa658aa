"""Customer-first: the customer has answered, an agent is next."""

from appliance.bus.messages import Heard
from appliance.centre import acd, announce, events
from appliance.centre.callbacks import reaching
from appliance.centre.state import Contact
from appliance.centre.turn import NORMAL, Turn


def customer_answered(turn: Turn, contact: Contact) -> None:
    """The agent who is kept is rung now; without one the customer waits at the place that was kept."""
    agent = turn.state.agents.get(contact.record.agent)
    turn.log(events.CallbackReached(place_at=turn.now + turn.setup.callbacks.patience_s), contact)
    if agent is None:
        turn.log(events.Joined(queue=contact.record.queue, overflow_at=0.0, line=contact.line,
                               joined_at=contact.joined_at), contact)
    else:
        acd.offer(turn, contact, agent, "callback")
    greeting = [one for name in turn.setup.callbacks.greeting
                for one in announce.prompt(contact.language, name)]
    if greeting:
        turn.play(contact, greeting)
    else:
        acd.play_music(turn, contact)
    reaching.listen(turn, contact)


def heard(turn: Turn, given: Heard) -> None:
    """A machine has answered: nobody talks to it."""
    contact = turn.state.contact_of(given.leg)
    if (given.kind, given.what) == ("machine", "machine") and contact is not None and (
            contact.pending is not None and contact.connected and contact.let_go):
        if contact.record.state == "ringing":
            acd.give_up_ring(turn, contact)
        reaching.missed(turn, contact, "machine", NORMAL)
