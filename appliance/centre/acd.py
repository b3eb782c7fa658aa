"""Queues: who waits, who is rung for whom, and what comes of the ring. The floor (choice) says who.

Of ring-all one telephone rings as of any other queue; the others ring beside it.
"""

from collections.abc import Sequence

from appliance.bus.messages import Dial, Hangup
from appliance.centre import agents, announce, events, recording
from appliance.centre.callbacks import reaching
from appliance.centre.choice import Leave, Match
from appliance.centre.control import media
from appliance.centre.following import waiting
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import NORMAL, Turn

NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)


def join(turn: Turn, contact: Contact, queue: str, overflow_at: float, *, surely: bool = False) -> bool:
    """To the end of the line; the caller hears the place and then music.

    False: the queue takes nobody now, and the flow goes on. `surely`: nothing else is there for the contact.
    """
    kept = reaching.kept_place(turn, contact, queue)
    would = waiting(contact, queue)._replace(line=turn.state.joins + 1, joined_at=turn.now,
                                             since=contact.waits_since or turn.now)
    if kept is not None:
        would = would._replace(line=kept.line, joined_at=kept.joined_at, since=kept.joined_at)
    leave = turn.floor.admit(would, turn.now) if kept is None else None
    if leave is not None and (leave.to or not surely):
        turn.log(events.NotAdmitted(queue=queue, why=leave.why, to=leave.to), contact)
    if leave is not None and leave.to:
        return join(turn, contact, leave.to, overflow_at, surely=surely)
    if leave is not None and not surely:
        return False
    turn.log(events.Joined(queue=queue, overflow_at=overflow_at,
                           estimate_s=turn.floor.forecast(would, turn.now),
                           line=0 if kept is None else kept.line,
                           joined_at=0.0 if kept is None else kept.joined_at), contact)
    announce_place(turn, contact, () if kept is None else turn.setup.callbacks.welcome)
    return True


def rejoin(turn: Turn, contact: Contact) -> None:
    """To the place that the contact had when it was served."""
    turn.log(events.Joined(queue=contact.record.queue, overflow_at=0.0, line=contact.last_line,
                           joined_at=contact.last_joined_at), contact)
    announce_place(turn, contact)


def announce_place(turn: Turn, contact: Contact, before: Sequence[str] = ()) -> None:
    """The place in line, how long it takes, and by turns what else there is to say; then music.

    `before`: prompts that are said first.
    """
    queue = turn.setup.queues[contact.record.queue]
    place, every_s = turn.floor.position(contact.record.contact), queue.position_every_s
    estimate_s = turn.floor.estimate(contact.record.contact, turn.now) if queue.say_wait else None
    comfort = queue.comfort[(contact.comforts - 1) % len(queue.comfort)] if queue.comfort else ""
    first = contact.comforts == 0
    turn.log(events.Announced(position=place, next_at=turn.now + every_s if every_s else 0.0), contact)
    fragments = [*(one for name in before for one in announce.prompt(contact.language, name)),
                 *announce.position(contact.language, place), *announce.wait(contact.language, estimate_s),
                 *([] if first else announce.prompt(contact.language, comfort))]
    if fragments:
        turn.play(contact, fragments)
    else:
        play_music(turn, contact)


def play_music(turn: Turn, contact: Contact) -> None:
    turn.play(contact, [f"music:{turn.setup.queues[contact.record.queue].music}"], repeat=True)


def serve(turn: Turn) -> list[Leave]:
    """Ring for those who wait, as the floor says. It gives whose wait is over: there the flow goes on."""
    over: list[Leave] = []
    for leave in turn.floor.leaving(turn.now):
        contact = turn.state.contacts[leave.contact]
        if contact.pending is not None:           # it waits for as long as it is kept
            continue
        turn.log(events.QueueLeft(why=leave.why, to=leave.to), contact)
        if leave.to:
            join(turn, contact, leave.to, 0.0, surely=True)
        else:
            over.append(leave)
    for match in turn.floor.decide(turn.now):
        if match.contact not in {leave.contact for leave in over}:
            _offer_match(turn, match)
    return over


def _offer_match(turn: Turn, match: Match) -> None:
    contact = turn.state.contacts[match.contact]
    for number, name in enumerate(match.agents):
        offer(turn, contact, turn.state.agents[name], match.why.in_words(), beside=number > 0)


def offer(turn: Turn, contact: Contact, agent: Agent, why: str = "", *, beside: bool = False) -> None:
    """Ring the agent's telephone, or keep the agent for a customer who is called first."""
    if reaching.claim(turn, contact, agent):
        return
    queue = turn.setup.queues[contact.record.queue]
    leg = turn.setup.new_id()
    turn.log(events.Offered(agent=agent.name, leg=leg, why=why, beside=beside), contact)
    agents.change(turn, agent, "reserved", leg=leg, contact=contact, until=turn.now + queue.ring_s,
                  idle_since=agent.idle_since)
    turn.do(Dial(leg=leg, trunk=agent.trunk, called=agent.extension,
                 calling=contact.customer_number, calling_name=contact.calling_name,
                 withheld=contact.withheld or None))


def redirect(turn: Turn, contact: Contact, agent: Agent) -> None:
    """Another agent picks up who rings."""
    other, leg = turn.state.agents[contact.record.agent], contact.dialled_leg
    _stop_others(turn, contact)
    turn.do(Hangup(leg=leg, cause=NORMAL))
    turn.log(events.RingEnded(agent=other.name, cause=NORMAL, reason=f"picked up by {agent.name}"), contact)
    agents.release(turn, other, leg=leg, idle_since=other.idle_since)
    agents.back_to_not_ready(turn, agent)
    offer(turn, contact, agent, "picked up")


def rings(turn: Turn, contact: Contact) -> None:
    """The agent's telephone does."""
    agent = turn.state.agents[contact.record.agent]
    if agent.state == "reserved":
        agents.change(turn, agent, "ringing", leg=agent.leg, contact=contact, until=agent.until,
                      idle_since=agent.idle_since)


def talk(turn: Turn, contact: Contact) -> None:
    """The agent has answered; a customer who is called back is dialled now."""
    _stop_others(turn, contact)
    if contact.virtual and contact.callback is not None:
        reaching.agent_answered(turn, contact, contact.callback)
        return
    agent = turn.state.agents[contact.record.agent]
    name, decided = recording.begin(turn, contact, agent.name, queue=True)
    turn.log(events.Talked(recording=name), contact)
    turn.log(decided, contact)
    agents.change(turn, agent, "talking", leg=contact.dialled_leg, contact=contact,
                  idle_since=agent.idle_since)
    media.connect(turn, contact)


def talk_beside(turn: Turn, contact: Contact, party: Party) -> None:
    """One of those who ring beside has answered."""
    main = turn.state.agents[contact.record.agent]
    leg = contact.dialled_leg
    turn.do(Hangup(leg=leg, cause=NORMAL))
    turn.log(events.RingEnded(agent=main.name, cause=NORMAL, reason=f"answered by {party.agent}"), contact)
    agents.release(turn, main, leg=leg, idle_since=main.idle_since)
    turn.log(events.RungBeside(of_leg=party.leg, agent=party.agent), contact)
    talk(turn, contact)


def no_answer(turn: Turn, contact: Contact) -> None:
    """It has rung long enough."""
    turn.do(Hangup(leg=contact.dialled_leg, cause=NORMAL))
    _ring_ended(turn, contact, NO_ANSWER, contact.dialled_leg)


def ring_refused(turn: Turn, contact: Contact, cause: int) -> None:
    """The agent's telephone cannot be rung, and the line says so in words."""
    turn.do(Hangup(leg=contact.dialled_leg, cause=NORMAL))
    _ring_ended(turn, contact, cause, contact.dialled_leg)


def ring_failed(turn: Turn, contact: Contact, cause: int) -> None:
    """The agent's leg is gone before an answer."""
    _ring_ended(turn, contact, cause, "")


def ring_beside_ended(turn: Turn, contact: Contact, party: Party, cause: int, leg: str) -> None:
    """One of those who ring beside does not answer; `leg` as of _ring_ended."""
    reason = agents.RING_REASONS.get(cause, f"cause {cause}")
    _rest(turn, contact, turn.state.agents[party.agent], reason, leg)
    turn.log(events.PartyGone(of_leg=party.leg, cause=cause, reason=reason), contact)


def _ring_ended(turn: Turn, contact: Contact, cause: int, leg: str) -> None:
    """The agent rests, as the queue's rule has it; the contact is first in line again.

    `leg` keeps the telephone until it is gone.
    """
    agent = turn.state.agents[contact.record.agent]
    reason = agents.RING_REASONS.get(cause, f"cause {cause}")
    turn.log(events.RingEnded(agent=agent.name, cause=cause, reason=reason), contact)
    _rest(turn, contact, agent, reason, leg)
    beside = next(iter(_beside(contact)), None)
    if beside is not None:
        turn.log(events.RungBeside(of_leg=beside.leg, agent=beside.agent), contact)


def _rest(turn: Turn, contact: Contact, agent: Agent, reason: str, leg: str) -> None:
    queue = turn.setup.queues[contact.record.queue]
    if reason == "no answer" and queue.no_answer != "pause":
        agents.change(turn, agent, queue.no_answer, leg=leg, reason=reason)
    else:
        agents.change(turn, agent, "unreachable", until=turn.now + queue.unavailable_s, reason=reason,
                      leg=leg)


def give_up_ring(turn: Turn, contact: Contact) -> None:
    """The caller is gone while it rings: the agents keep their places among the ready ones."""
    _stop_others(turn, contact)
    agent = turn.state.agents[contact.record.agent]
    agents.release(turn, agent, leg=contact.dialled_leg, idle_since=agent.idle_since)


def take(turn: Turn, contact: Contact) -> None:
    """An outbound contact belongs to the agent whose extension it comes from; no queue rings there then.

    Who was not ready is so again afterwards.
    """
    agent = agents.at(turn, contact.record.calling, contact.trunk)
    if agent is not None and not agent.contact:
        turn.log(events.AgentTook(agent=agent.name), contact)
        agents.back_to_not_ready(turn, agent)
        agents.change(turn, agent, "talking", leg=contact.arrived_leg, contact=contact,
                      idle_since=agent.idle_since)


def _beside(contact: Contact) -> Sequence[Party]:
    return [party for party in contact.parties.values() if party.role == "rung"]


def _stop_others(turn: Turn, contact: Contact) -> None:
    """Whoever rings beside rings no more, and keeps the place among the ready ones."""
    for party in _beside(contact):
        agent = turn.state.agents[party.agent]
        turn.do(Hangup(leg=party.leg, cause=NORMAL))
        agents.release(turn, agent, leg=party.leg, idle_since=agent.idle_since)
        turn.log(events.PartyGone(of_leg=party.leg, cause=NORMAL), contact)
