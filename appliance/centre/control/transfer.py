"""The agent gives the customer away: to somebody else, to a queue, into a parking slot."""

from appliance.bus.messages import Hangup
from appliance.centre import acd, agents, events, nodes
from appliance.centre.control import media, parties
from appliance.centre.control.places import Place, place
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import NORMAL, Turn
from appliance.errors import StateError

SLOTS = range(1, 100)
NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)


def blind(turn: Turn, agent: Agent, contact: Contact, to: str, by: str) -> None:
    """At once, whoever answers there. StateError: it leads nowhere."""
    where = place(turn, agent, to)
    _let_go(turn, agent, contact, "transfer", by)
    if where.queue:
        acd.join(turn, contact, where.queue, 0.0, surely=True)
    else:
        parties.add(turn, contact, "target", where, calling=contact.record.calling, by=by)
        turn.play(contact, ["tone:ringback"], repeat=True)


def complete(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Whoever is consulted takes the customer, also one who is still being rung. StateError: nobody is."""
    party = next((one for one in contact.parties.values() if one.role == "consulted"), None)
    if party is None:
        raise StateError(f"{agent.name}: consults nobody: consult first, or transfer at once")
    if party.talking:
        parties.take_over(turn, contact, party)
    else:
        leave_to(turn, agent, contact, party, by)


def leave_to(turn: Turn, agent: Agent, contact: Contact, party: Party, by: str, gone_leg: str = "") -> None:
    """The customer waits for whoever the agent was having rung."""
    _let_go(turn, agent, contact, "transfer", by, gone_leg, keep=party)
    turn.play(contact, ["tone:ringback"], repeat=True)


def agent_left(turn: Turn, contact: Contact, gone_leg: str) -> bool:
    """The agent hangs up; True: somebody else goes on with the customer, or is being rung to do so."""
    heir = next(iter(media.members(contact)), None) if contact.conference else media.consulted(contact)
    rung = next((one for one in contact.parties.values() if one.role == "consulted"), None)
    agent = turn.state.agents.get(contact.record.agent)
    if heir is not None:
        parties.take_over(turn, contact, heir, gone_leg)
    elif rung is not None and agent is not None:
        leave_to(turn, agent, contact, rung, "telephone", gone_leg)
    return heir is not None or (rung is not None and agent is not None)


def gone(turn: Turn, contact: Contact, party: Party, cause: int) -> None:
    """Its leg is."""
    parties.gone(turn, contact, party, cause, "")
    if party.role == "target":
        recall(turn, contact)


def no_answer(turn: Turn, contact: Contact, party: Party) -> None:
    """It has rung long enough."""
    refused(turn, contact, party, NO_ANSWER)


def refused(turn: Turn, contact: Contact, party: Party, cause: int) -> None:
    """It cannot be rung, or nobody answers."""
    parties.refused(turn, contact, party, cause)
    if party.role == "target":
        recall(turn, contact)


def park(turn: Turn, agent: Agent, contact: Contact, by: str) -> int:
    """The slot that the customer is in. StateError: all are full."""
    taken = {one.slot for one in turn.state.contacts.values()}
    slot = next((one for one in SLOTS if one not in taken), None)
    if slot is None:
        raise StateError(f"all {len(SLOTS)} parking slots are full")
    hold = media.music(turn, contact, contact.customer_leg)
    _let_go(turn, agent, contact, "park", by)
    turn.log(events.Parked(slot=slot, until=turn.now + turn.setup.control.park_s), contact)
    turn.play(contact, hold.fragments, repeat=True)
    return slot


def fetch(turn: Turn, agent: Agent, slot: int) -> Contact:
    """The agent's telephone is rung for who is parked there. StateError: nobody is, or it cannot be rung."""
    contact = next((one for one in turn.state.contacts.values() if slot and one.slot == slot), None)
    if contact is None:
        raise StateError(f"slot {slot}: nobody is parked there")
    where = place(turn, agent, agent.name)
    turn.log(events.Unparked(), contact)
    parties.add(turn, contact, "target", where, calling=contact.record.calling)
    return contact


def parked_too_long(turn: Turn, contact: Contact) -> None:
    turn.log(events.Unparked(), contact)
    recall(turn, contact)


def recall(turn: Turn, contact: Contact) -> None:
    """Nobody took the customer: to the old place in the queue; without one, who gave him away is rung."""
    if any(one.role == "target" for one in contact.parties.values()):
        return
    if contact.record.state == "flow":            # its node had somebody rung
        return nodes.over(turn, contact, "no answer")
    queue, giver = contact.record.queue, turn.state.agents.get(contact.transferor)
    if queue in turn.setup.queues:
        acd.rejoin(turn, contact)
    elif giver is not None and giver.extension and not giver.contact and not giver.leg:
        where = Place(number=giver.extension, trunk=giver.trunk, agent=giver.name)
        parties.add(turn, contact, "target", where, calling=contact.record.calling)
    else:
        turn.end(contact, "answered", "box", NORMAL)


def _let_go(turn: Turn, agent: Agent, contact: Contact, why: str, by: str, gone_leg: str = "",
            keep: Party | None = None) -> None:
    """The agent is out of it; all others but `keep` are, too."""
    media.stop_recording(turn, contact)
    parties.leave_all(turn, contact, keep)
    if contact.agent_leg != gone_leg:
        turn.do(Hangup(leg=contact.agent_leg, cause=NORMAL))
    agents.finish(turn, contact, gone_leg)
    turn.log(events.LetGo(agent=agent.name, why=why, by=by), contact)
