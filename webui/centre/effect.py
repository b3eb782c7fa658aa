"""What a change means for those who wait: who can serve which queue, before and after. Pure.

A queue's own rules decide; what a contact brings with it, such as a language, is not looked at.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from appliance.config.queues import ABOUT_CONTACT, AgentConfig, QueueConfig, relaxed
from appliance.config.schema import CentreConfig


@dataclass(frozen=True, slots=True)
class QueueEffect:
    """Agents who may come to serve it; `present` of these are logged in. None: there is no such queue."""

    queue: str
    before: frozenset[str] | None
    after: frozenset[str] | None
    present_before: int
    present_after: int

    @property
    def gone(self) -> list[str]:
        return sorted((self.before or frozenset()) - (self.after or frozenset()))

    @property
    def come(self) -> list[str]:
        return sorted((self.after or frozenset()) - (self.before or frozenset()))

    @property
    def nobody(self) -> bool:
        """Somebody could serve it, and nobody can any more."""
        return self.after is not None and not self.after and bool(self.before)

    @property
    def nobody_here(self) -> bool:
        return self.after is not None and bool(self.present_before) and not self.present_after


@dataclass(frozen=True, slots=True)
class AgentEffect:
    """Of one agent: skills before and after, queues that come and go."""

    agent: str
    skills: Mapping[str, tuple[int, int]]         # 0: has it not; those that differ
    come: list[str]
    gone: list[str]
    new: bool = False
    removed: bool = False


def serves(agent: AgentConfig, queues: Sequence[QueueConfig]) -> dict[str, int]:
    """Queue -> from which of its rings on the agent may serve it, 0 before the first; no others."""
    by_name = {queue.name: queue for queue in queues}
    found = {queue.name: _ring(agent, queue, by_name) for queue in queues}
    return {name: ring for name, ring in found.items() if ring is not None}


def _ring(agent: AgentConfig, queue: QueueConfig, queues: Mapping[str, QueueConfig]) -> int | None:
    asked: dict[str, int] = {**queue.skills}
    if _in_group(agent, queue) and _able(agent, asked):
        return 0
    for place, ring in enumerate(queue.rings, 1):
        asked = relaxed(asked, ring)
        others = (queues[name] for name in ring.queues if name in queues)
        if agent.name in ring.agents or (_in_group(agent, queue) and _able(agent, asked)) or any(
                _in_group(agent, other) and _able(agent, other.skills) for other in others):
            return place
    return None


def _in_group(agent: AgentConfig, queue: QueueConfig) -> bool:
    reserve = queue.reserve.agents if queue.reserve else ()
    return not queue.agents or agent.name in queue.agents or agent.name in reserve


def _able(agent: AgentConfig, asked: Mapping[str, int]) -> bool:
    return all(agent.skills.get(name, 0) >= level for name, level in asked.items()
               if name not in ABOUT_CONTACT)


def of_queues(before: CentreConfig, after: CentreConfig, present: Collection[str]) -> list[QueueEffect]:
    """Of every queue that there is before or after, in the order of the document."""
    old, new = _servers(before), _servers(after)
    return [QueueEffect(name, old.get(name), new.get(name), _here(old.get(name), present),
                        _here(new.get(name), present)) for name in {**old, **new}]


def _here(agents: frozenset[str] | None, present: Collection[str]) -> int:
    return sum(agent in present for agent in agents or ())


def _servers(centre: CentreConfig) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {queue.name: set() for queue in centre.queues}
    for agent in centre.agents:
        for queue in serves(agent, centre.queues):
            found[queue].add(agent.name)
    return {name: frozenset(agents) for name, agents in found.items()}


def of_agents(before: CentreConfig, after: CentreConfig) -> list[AgentEffect]:
    """Of those whose skills or queues differ."""
    old = {agent.name: agent for agent in before.agents}
    new = {agent.name: agent for agent in after.agents}
    found: list[AgentEffect] = []
    for name in {**old, **new}:
        was, now = old.get(name), new.get(name)
        had, has = was.skills if was else {}, now.skills if now else {}
        skills = {skill: (had.get(skill, 0), has.get(skill, 0)) for skill in sorted({*had, *has})
                  if had.get(skill) != has.get(skill)}
        served = serves(was, before.queues) if was else {}
        to_serve = serves(now, after.queues) if now else {}
        come = [one for one in to_serve if one not in served]
        gone = [one for one in served if one not in to_serve]
        if skills or come or gone or was is None or now is None:
            found.append(AgentEffect(name, skills, come, gone, was is None, now is None))
    return found
