"""Queues: who waits, who is rung for whom, and what comes of the ring.

First come, first served over all queues; of ready agents the one who has been so longest.
"""

from appliance.bus.messages import Bridge, Dial, Hangup, StartRecording
from appliance.centre import agents, announce, events
from appliance.centre.state import Agent, Contact
from appliance.centre.turn import NORMAL, Turn

RING_REASONS = {                                  # Q.850 cause -> why the agent did not take it
    17: "busy",
    18: "no answer",
    19: "no answer",
    21: "refused",
}
NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)


def join(turn: Turn, contact: Contact, queue: str, overflow_at: float) -> None:
    """To the end of the line; the caller hears the place and then music."""
    turn.log(events.Joined(queue=queue, overflow_at=overflow_at), contact)
    tell_position(turn, contact)


def tell_position(turn: Turn, contact: Contact) -> None:
    queue = turn.setup.queues[contact.record.queue]
    place = turn.state.line(queue.name).index(contact) + 1
    every_s = queue.position_every_s
    turn.log(events.Announced(position=place, next_at=turn.now + every_s if every_s else 0.0), contact)
    fragments = announce.position(contact.language, place)
    if fragments:
        turn.play(contact, fragments)
    else:
        play_music(turn, contact)


def play_music(turn: Turn, contact: Contact) -> None:
    turn.play(contact, [f"music:{turn.setup.queues[contact.record.queue].music}"], repeat=True)


def assign(turn: Turn) -> None:
    """Ring ready agents for those who wait, as long as both are there."""
    free = sorted((agent for agent in turn.state.agents.values() if agent.free),
                  key=lambda agent: (agent.idle_since, agent.name))
    if not free:
        return
    waiting = sorted((contact for contact in turn.state.contacts.values() if contact.record.state == "queue"),
                     key=lambda contact: contact.line)
    for contact in waiting:
        members = turn.setup.queues[contact.record.queue].agents
        agent = next((agent for agent in free if agent.name in members), None)
        if agent is not None:
            free.remove(agent)
            _offer(turn, contact, agent)


def _offer(turn: Turn, contact: Contact, agent: Agent) -> None:
    queue = turn.setup.queues[contact.record.queue]
    leg = turn.setup.new_id()
    turn.log(events.Offered(agent=agent.name, leg=leg), contact)
    agents.change(turn, agent, "reserved", leg=leg, contact=contact, until=turn.now + queue.ring_s,
                  idle_since=agent.idle_since)
    turn.do(Dial(leg=leg, trunk=agent.trunk, called=agent.extension,
                 calling=contact.record.calling, calling_name=contact.calling_name,
                 withheld=contact.withheld or None))


def rings(turn: Turn, contact: Contact) -> None:
    """The agent's telephone does."""
    agent = turn.state.agents[contact.record.agent]
    if agent.state == "reserved":
        agents.change(turn, agent, "ringing", leg=agent.leg, contact=contact, until=agent.until,
                      idle_since=agent.idle_since)


def talk(turn: Turn, contact: Contact) -> None:
    """The agent has answered."""
    queue = turn.setup.queues.get(contact.record.queue)
    agent = turn.state.agents[contact.record.agent]
    recording = turn.setup.new_id() if queue is not None and queue.record else ""
    turn.log(events.Talked(recording=recording), contact)
    agents.change(turn, agent, "talking", leg=contact.dialled_leg, contact=contact,
                  idle_since=agent.idle_since)
    bridge(turn, contact)


def bridge(turn: Turn, contact: Contact) -> None:
    """Let the two hear each other, and record them if that was decided."""
    turn.do(Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))
    if contact.recording:
        turn.do(StartRecording(recording=contact.recording, caller_leg=contact.customer_leg,
                               agent_leg=contact.agent_leg))


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


def _ring_ended(turn: Turn, contact: Contact, cause: int, leg: str) -> None:
    """The agent rests, as the queue's rule has it; the contact is first in line again.

    `leg` keeps the telephone until it is gone.
    """
    agent = turn.state.agents[contact.record.agent]
    queue = turn.setup.queues[contact.record.queue]
    reason = RING_REASONS.get(cause, f"cause {cause}")
    turn.log(events.RingEnded(agent=agent.name, cause=cause, reason=reason), contact)
    if reason == "no answer" and queue.no_answer != "pause":
        agents.change(turn, agent, queue.no_answer, leg=leg, reason=reason)
    else:
        agents.change(turn, agent, "unreachable", until=turn.now + queue.unavailable_s, reason=reason,
                      leg=leg)


def give_up_ring(turn: Turn, contact: Contact) -> None:
    """The caller is gone while it rings: the agent keeps the place among the ready ones."""
    agent = turn.state.agents[contact.record.agent]
    agents.release(turn, agent, leg=contact.dialled_leg, idle_since=agent.idle_since)


def take(turn: Turn, contact: Contact) -> None:
    """An outbound contact belongs to the agent whose extension it comes from; no queue rings there then.

    Who was not ready is so again afterwards.
    """
    agent = agents.at(turn, contact.record.calling, contact.trunk)
    if agent is not None and not agent.contact:
        turn.log(events.AgentTook(agent=agent.name), contact)
        if agent.state == agents.NOT_READY:
            turn.log(events.AgentWished(agent=agent.name, state=agent.state, reason=agent.reason))
        agents.change(turn, agent, "talking", leg=contact.arrived_leg, contact=contact,
                      idle_since=agent.idle_since)


def finish(turn: Turn, contact: Contact, gone_leg: str) -> None:
    """The talk, or the outbound contact, is over: wrap-up if its queue has one."""
    agent = turn.state.agents.get(contact.record.agent)
    if agent is None or agent.contact != contact.record.contact:
        return
    leg = "" if agent.leg == gone_leg else agent.leg
    queue = turn.setup.queues.get(contact.record.queue)
    if queue is not None and queue.wrap_up_s:
        agents.change(turn, agent, "wrap-up", until=turn.now + queue.wrap_up_s, leg=leg)
    else:
        agents.release(turn, agent, leg=leg)
