"""Whom agents serve by a supervisor's hand: at once, for a time, and what that would do to the queues."""

from collections.abc import Iterable, Iterator, Sequence

from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    CrewEffect,
    CrewMember,
    CrewQueue,
    CrewReply,
    QueueEffect,
    TryAssignment,
)
from appliance.centre import events
from appliance.centre.board import agent_info
from appliance.centre.choice import Floor
from appliance.centre.following import floor_of, standing
from appliance.centre.state import Agent
from appliance.centre.turn import Turn
from appliance.config.queues import ABOUT_CONTACT
from appliance.errors import StateError

MOST_AGENTS = 500                                 # at a time
MOST_SKILLS = 100                                 # of one agent
LONGEST_S = 31 * 86400.0
LEVELS = range(1, 11)


def crew(turn: Turn) -> CrewReply:
    """Who serves what now."""
    return CrewReply(
        agents=list(_members(turn, turn.floor, turn.setup.agents)),
        queues=[CrewQueue(name=name, skills=dict(queue.skills), rings=1 + len(queue.rings))
                for name, queue in turn.setup.queues.items()],
        skills=sorted(_known_skills(turn)))


def effect(turn: Turn, asked: TryAssignment) -> CrewEffect:
    """StateError: one of them cannot be."""
    _not_too_many(asked.assignments)
    then = floor_of(turn.state, turn.setup.rules, {
        one.agent: standing(turn.state, _checked(turn, one))._replace(
            skills=one.skills, also=tuple(one.also), without=tuple(one.without))
        for one in asked.assignments})
    return CrewEffect(
        queues=[_of_queue(turn, turn.floor, then, name) for name in turn.setup.queues],
        agents=list(_members(turn, then, [one.agent for one in asked.assignments])))


def assign(turn: Turn, asked: AssignAgents) -> CrewReply:
    """StateError: one of them cannot be, and nothing is."""
    _not_too_many(asked.assignments)
    agents = [_checked(turn, one) for one in asked.assignments]
    for agent, one in zip(agents, asked.assignments, strict=True):
        if agent.assigned is not None or not _is_nothing(one):
            _log(turn, one, asked.by)
    return crew(turn)


def reconfigured(turn: Turn) -> None:
    """Queues that the configuration has no more, and skills that nobody has or wants, are no part of it."""
    skills = _known_skills(turn)
    for agent in list(turn.state.agents.values()):
        if (was := agent.assigned) is None:
            continue
        known = {one: at for one, at in (was.skills or {}).items() if one in skills}
        left = Assigning(
            agent=agent.name, also=[one for one in was.also if one in turn.setup.queues],
            without=[one for one in was.without if one in turn.setup.queues],
            skills=None if was.skills is None else known, until=was.until,
            until_log_out=was.until_log_out)
        if (left.skills, *left.also, *left.without) != (was.skills, *was.also, *was.without):
            _log(turn, left, was.by)


def over(turn: Turn, agent: Agent) -> None:
    """The time is over for which it was so."""
    turn.log(events.AgentUnassigned(agent=agent.name))


def _is_nothing(one: Assigning) -> bool:
    return one.skills is None and not one.also and not one.without


def _log(turn: Turn, one: Assigning, by: str) -> None:
    turn.log(events.AgentUnassigned(agent=one.agent, by=by) if _is_nothing(one) else events.AgentAssigned(
        agent=one.agent, skills=one.skills, also=tuple(one.also), without=tuple(one.without),
        until=one.until, until_log_out=one.until_log_out, by=by))


def _not_too_many(assignments: Sequence[Assigning]) -> None:
    if not 1 <= len(assignments) <= MOST_AGENTS:
        raise StateError(f"{len(assignments)} agents: name 1 to {MOST_AGENTS}")


def _checked(turn: Turn, one: Assigning) -> Agent:
    agent = turn.state.agents.get(one.agent)
    if agent is None or one.agent not in turn.setup.agents:
        raise StateError(f"{one.agent}: no agent is called so")
    for skill, level in (one.skills or {}).items():
        if level not in LEVELS:
            raise StateError(f"{one.agent}: {skill} {level}: a level is 1 to 10")
        if skill not in _known_skills(turn):
            raise StateError(f"{one.agent}: no queue asks for {skill!r} and nobody has it")
    if len(one.skills or ()) > MOST_SKILLS:
        raise StateError(f"{one.agent}: more than {MOST_SKILLS} skills")
    for queue in (*one.also, *one.without):
        if queue not in turn.setup.queues:
            raise StateError(f"{one.agent}: no queue is called {queue!r}, there are "
                             f"{', '.join(turn.setup.queues) or 'none'}")
    if both := sorted(set(one.also) & set(one.without)):
        raise StateError(f"{one.agent}: {', '.join(both)}: to serve it, or not to: one of them")
    if one.until and not turn.now < one.until <= turn.now + LONGEST_S:
        raise StateError(f"{one.agent}: until: give a time to come, within {LONGEST_S / 86400:.0f} days")
    if one.until_log_out and agent.state == "logged-out":
        raise StateError(f"{one.agent}: is logged out already: give a time, or leave it open")
    return agent


def _known_skills(turn: Turn) -> set[str]:
    return {*(skill for agent in turn.setup.agents.values() for skill in agent.skills),
            *(skill for queue in turn.setup.queues.values() for skill in (*queue.skills, *queue.preferred))
            } - set(ABOUT_CONTACT)


def _members(turn: Turn, floor: Floor, names: Iterable[str]) -> Iterator[CrewMember]:
    serving = {name: floor.serving(name) for name in turn.setup.queues}
    for name in names:
        if name in turn.state.agents:
            yield CrewMember(
                agent=agent_info(turn.state.agents[name]), configured=dict(turn.setup.agents[name].skills),
                serves={queue: rings[name] for queue, rings in serving.items() if name in rings})


def _of_queue(turn: Turn, now: Floor, then: Floor, queue: str) -> QueueEffect:
    able, able_then = now.serving(queue), then.serving(queue)
    return QueueEffect(
        queue=queue, able=len(able), able_then=len(able_then),
        present=_present(turn, able), present_then=_present(turn, able_then),
        wait_s=now.wait_of_new(queue, turn.now), wait_then_s=then.wait_of_new(queue, turn.now),
        waiting=len(now.line(queue)), stranded=now.stranded(queue), stranded_then=then.stranded(queue))


def _present(turn: Turn, names: Iterable[str]) -> int:
    return sum(turn.state.agents[name].state != "logged-out" for name in names if name in turn.state.agents)
