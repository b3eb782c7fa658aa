"""A floor to write scenarios with: short words for queues, agents and contacts."""

from typing import Any

from appliance.centre.choice import Floor, History, Rules, Standing, Waiting
from appliance.config.queues import AgentConfig, QueueConfig


def queue(name: str, **keys: Any) -> QueueConfig:
    return QueueConfig.model_validate({"name": name, **keys})


def agent(name: str, **skills: int) -> AgentConfig:
    return AgentConfig(name=name, extension="8001", trunk="pbx", skills=skills)


class Branch:
    """Time is what the test says; it begins at 0."""

    def __init__(self, queues: list[QueueConfig], agents: list[AgentConfig], **rules: Any) -> None:
        self.rules = Rules({one.name: one for one in queues}, {one.name: one for one in agents}, **rules)
        self.history = History()
        self.floor = Floor(self.rules, self.history)
        self.lines = 0
        for name in self.rules.agents:
            self.agent(name, free=False)

    def join(self, contact: str, queue: str, at: float = 0.0, **facts: Any) -> Waiting:
        waiting = self.would_join(contact, queue, at, **facts)
        self.lines += 1
        self.floor.contact(waiting)
        return waiting

    def would_join(self, contact: str, queue: str, at: float = 0.0, **facts: Any) -> Waiting:
        return Waiting(**{"contact": contact, "queue": queue, "line": self.lines + 1, "since": at,
                          "joined_at": at, **facts})

    def agent(self, name: str, **facts: Any) -> None:
        self.floor.agent(Standing(**{"agent": name, "free": True, "idle_since": 0.0, **facts}))

    def decisions(self, now: float) -> dict[str, tuple[str, ...]]:
        return {match.contact: match.agents for match in self.floor.decide(now)}
