"""Which of several free agents: the smallest key has the contact.

A key ends in (idle since, name), so that no two agents have the same one. Before a strategy's own key comes:
who is not from the reserve, who could serve it since an earlier ring, who has more of the preferred skills.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.centre.choice.crew import Crew, Reach
from appliance.centre.choice.facts import Standing, Waiting
from appliance.centre.choice.history import History
from appliance.config.queues import QueueConfig, Strategy

Key = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One contact and its agents at one moment. `reaches` ends with the contact's present ring."""

    waiting: Waiting
    queue: QueueConfig
    reaches: Sequence[Reach]
    crew: Crew
    history: History
    now: float


def best(case: Case, candidates: Sequence[Standing]) -> list[Standing]:
    """One of them, or of ring-all as many as may ring; there must be one."""
    if len(candidates) == 1:
        return list(candidates)
    own = OWN[case.queue.strategy](case)

    def key(agent: Standing) -> tuple[Key, Key, float, str]:
        return _before(case, agent), own(agent), agent.idle_since, agent.agent

    if case.queue.strategy == "ring-all":
        return sorted(candidates, key=key)[:case.queue.most_rung]
    return [min(candidates, key=key)]


def ring_of(reaches: Sequence[Reach], agent: int) -> int | None:
    """The first ring with the agent in it, the reserve aside."""
    return next((number for number, reach in enumerate(reaches) if reach.agents & agent), None)


def _before(case: Case, agent: Standing) -> Key:
    bit = case.crew.of((agent.agent,))
    ring = ring_of(case.reaches, bit)
    preferred = sum(bool(agents & bit) for agents in case.reaches[-1].preferred)
    return ring is None, ring or 0, -preferred


def _longest_idle(case: Case) -> Callable[[Standing], Key]:
    return lambda agent: ()


def _fewest_calls(case: Case) -> Callable[[Standing], Key]:
    return lambda agent: (agent.calls,)


def _least_occupied(case: Case) -> Callable[[Standing], Key]:
    """Share of the time since log-in; at least a second of it."""
    return lambda agent: (agent.busy_s / max(1.0, case.now - agent.logged_in_at),)


def _round_robin(case: Case) -> Callable[[Standing], Key]:
    """In the document's order, going on after the one who was rung last."""
    order = {name: place for place, name in enumerate(case.crew.names)}
    last = order.get(case.history.pace(case.queue.name).last, -1)
    return lambda agent: ((order[agent.agent] - last - 1) % len(order),)


def _best_skill(case: Case) -> Callable[[Standing], Key]:
    asked, skills = case.reaches[-1].skills, case.crew.skills
    return lambda agent: (-sum(skills[agent.agent].get(skill, 0) for skill in asked),)


def _last_agent_first(case: Case) -> Callable[[Standing], Key]:
    last = case.history.last_agents.get(case.waiting.caller)
    return lambda agent: (agent.agent != last,)


def _percentage(case: Case) -> Callable[[Standing], Key]:
    """Whose share would be exceeded least by one talk more."""
    talks, shares = case.history.pace(case.queue.name).talks, case.queue.shares

    def key(agent: Standing) -> Key:
        share = shares.get(agent.agent, 0.0)
        return (talks.get(agent.agent, 0.0) + 1) / share if share else float("inf"),
    return key


OWN: dict[Strategy, Callable[[Case], Callable[[Standing], Key]]] = {
    "longest-idle": _longest_idle,
    "fewest-calls": _fewest_calls,
    "least-occupied": _least_occupied,
    "round-robin": _round_robin,
    "best-skill": _best_skill,
    "ring-all": _longest_idle,
    "last-agent-first": _last_agent_first,
    "percentage": _percentage,
}
