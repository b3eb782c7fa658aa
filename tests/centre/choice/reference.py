"""Choices made slowly and in the plainest words, for comparison: all contacts, agents and rules anew."""

from collections.abc import Sequence

from appliance.centre.choice import History, Rules, Standing, Waiting
from appliance.config.queues import QueueConfig

Agents = Sequence[Standing]
KNOWN_OF_CONTACT = ("language", "region", "grade")


def decisions(rules: Rules, history: History, contacts: Sequence[Waiting], agents: Agents,
              now: float) -> list[tuple[str, tuple[str, ...]]]:
    """Contacts with the agents they are given, best first."""
    free = [agent for agent in agents if agent.free]
    in_line = [one for one in contacts if not one.ringing]
    needy = [name for name in rules.queues if in_need(rules.queues[name], in_line, now)]
    found = []
    for waiting in sorted(in_line, key=lambda one: (place(rules, history, one), one.line)):
        able = [agent for agent in free if may_serve(rules, agents, agent, waiting, now, needy)]
        if able:
            chosen = choice(rules, history, agents, able, waiting, now)
            free = [agent for agent in free if agent not in chosen]
            found.append((waiting.contact, tuple(agent.agent for agent in chosen)))
    return found


def place(rules: Rules, history: History, waiting: Waiting) -> float:
    queue = rules.queues[waiting.queue]
    priority = queue.priority if waiting.priority is None else waiting.priority
    priority = min(100, priority + rules.grades.get(waiting.grade, 0))
    at = waiting.since - priority * queue.ageing_s
    if rules.order == "service-level":
        goal = queue.service_level
        waits = history.pace(queue.name).waits
        good = [wait_s for wait_s in waits if 0 <= wait_s <= goal.within_s]
        bad = [wait_s for wait_s in waits if abs(wait_s) > goal.within_s]
        kept = len(good) / (len(good) + len(bad)) if good or bad else 1.0
        at += goal.within_s * min(1.0, kept * 100 / goal.percent)
    return at


def in_need(queue: QueueConfig, in_line: Sequence[Waiting], now: float) -> bool:
    here = [one for one in in_line if one.queue == queue.name]
    if queue.reserve is None:
        return False
    many = queue.reserve.waiting is not None and len(here) >= queue.reserve.waiting
    limit_s = queue.reserve.wait_s
    late = limit_s is not None and any(one.joined_at + limit_s <= now for one in here)
    return bool(here) and (many or late)


def skills_of(rules: Rules, agent: Standing) -> dict[str, int]:
    return dict(rules.agents[agent.agent].skills if agent.skills is None else agent.skills)


def somebody_has(rules: Rules, agents: Agents, skill: str) -> bool:
    changed = {agent.agent: agent for agent in agents}
    return any(skill in (skills_of(rules, changed[name]) if name in changed else config.skills)
               for name, config in rules.agents.items())


def rings_reached(queue: QueueConfig, waiting: Waiting, now: float) -> int:
    return sum(waiting.joined_at + ring.after_s <= now for ring in queue.rings)


def level_asked(queue: QueueConfig, name: str, level: int, ring: int) -> int:
    """0: not asked for any more."""
    for change in queue.rings[:ring]:
        if name in change.drop:
            return 0
        level = min(level, change.lower.get(name, level))
    return level


def of_contact(waiting: Waiting, name: str) -> str:
    return {"language": waiting.language, "region": waiting.region, "grade": waiting.grade.lower()}[name]


def may_in_ring(rules: Rules, agents: Agents, agent: Standing, waiting: Waiting, ring: int,
                listed: bool) -> bool:
    """`listed`: the agent counts as one of the queue's list."""
    if waiting.queue in agent.without:
        return False
    queue, has = rules.queues[waiting.queue], skills_of(rules, agent)
    for name, level in queue.skills.items():
        if name in KNOWN_OF_CONTACT:
            skill = of_contact(waiting, name)
            if skill and somebody_has(rules, agents, skill) and has.get(skill, 0) < level_asked(
                    queue, name, level, ring):
                return False
    for skill, level in waiting.skills:
        if somebody_has(rules, agents, skill) and has.get(skill, 0) < level_asked(queue, skill, level, ring):
            return False
    if waiting.queue in agent.also:
        return True
    for change in queue.rings[:ring]:
        if agent.agent in change.agents or any(serves(rules, agent, other) for other in change.queues):
            return True
    if not listed:
        return False
    return all(has.get(name, 0) >= level_asked(queue, name, level, ring)
               for name, level in queue.skills.items() if name not in KNOWN_OF_CONTACT)


def serves(rules: Rules, agent: Standing, name: str) -> bool:
    """The queue, from the beginning of a contact that asks for nothing itself."""
    queue, has = rules.queues[name], skills_of(rules, agent)
    if name in agent.also or name in agent.without:
        return name not in agent.without
    return (not queue.agents or agent.agent in queue.agents) and all(
        has.get(skill, 0) >= level for skill, level in queue.skills.items() if skill not in KNOWN_OF_CONTACT)


def regular(rules: Rules, agents: Agents, agent: Standing, waiting: Waiting, ring: int) -> bool:
    queue = rules.queues[waiting.queue]
    return may_in_ring(rules, agents, agent, waiting, ring, not queue.agents or agent.agent in queue.agents)


def may_serve(rules: Rules, agents: Agents, agent: Standing, waiting: Waiting, now: float,
              needy: Sequence[str]) -> bool:
    queue = rules.queues[waiting.queue]
    ring = rings_reached(queue, waiting, now)
    if regular(rules, agents, agent, waiting, ring):
        return True
    return (waiting.queue in needy and queue.reserve is not None and agent.agent in queue.reserve.agents
            and may_in_ring(rules, agents, agent, waiting, ring, True))


def choice(rules: Rules, history: History, agents: Agents, able: Agents, waiting: Waiting,
           now: float) -> list[Standing]:
    queue, pace = rules.queues[waiting.queue], history.pace(waiting.queue)
    ring, order = rings_reached(queue, waiting, now), list(rules.agents)

    def rank(agent: Standing) -> tuple[float, ...]:
        has = skills_of(rules, agent)
        since_ring = next((number for number in range(ring + 1)
                           if regular(rules, agents, agent, waiting, number)), None)
        preferred = 0
        for name, level in queue.preferred.items():
            skill = of_contact(waiting, name) if name in KNOWN_OF_CONTACT else name
            preferred += bool(skill) and has.get(skill, 0) >= level_asked(queue, name, level, ring)
        if queue.strategy == "fewest-calls":
            own = float(agent.calls)
        elif queue.strategy == "least-occupied":
            own = agent.busy_s / max(1.0, now - agent.logged_in_at)
        elif queue.strategy == "round-robin":
            last = order.index(pace.last) if pace.last in order else -1
            own = (order.index(agent.agent) - last - 1) % len(order)
        elif queue.strategy == "best-skill":
            asked = {of_contact(waiting, name) if name in KNOWN_OF_CONTACT else name
                     for name in [*queue.skills, *queue.preferred]} | {skill for skill, _ in waiting.skills}
            own = -sum(has.get(skill, 0) for skill in asked)
        elif queue.strategy == "last-agent-first":
            own = float(history.last_agents.get(waiting.caller) != agent.agent)
        elif queue.strategy == "percentage":
            share = queue.shares.get(agent.agent, 0.0)
            own = (pace.talks.get(agent.agent, 0.0) + 1) / share if share else float("inf")
        else:
            own = 0.0
        return (since_ring is None, since_ring or 0, -preferred, own, agent.idle_since)

    ranked = sorted(able, key=lambda agent: (rank(agent), agent.agent))
    return ranked[:queue.most_rung] if queue.strategy == "ring-all" else ranked[:1]
