"""Choices on a large floor: whom a free agent serves, who serves a new contact, how long the others wait."""

import random
import time
from collections.abc import Callable

from appliance.centre.choice import Floor, History, Match, Rules, Standing, Waiting
from appliance.config.queues import AgentConfig, QueueConfig
from tests.bench.figures import Kind, Say, Theme

WAITING, AGENTS, SKILLS, QUEUES = 1000, 500, 50, 40
DECISIONS, ESTIMATES = 4000, 300
STEP_S = 0.05                                     # from one event to the next
LANGUAGES = ("zh", "en")


class Rush:
    """A branch with all at work and a thousand in line; as many come as are served."""

    def __init__(self) -> None:
        self.chance = random.Random(1)
        skills = [f"s{number}" for number in range(SKILLS - len(LANGUAGES))]
        agents = [self._agent(f"a{number}", skills) for number in range(AGENTS)]
        queues = [self._queue(f"q{number}", skills) for number in range(QUEUES)]
        self.rules = Rules({one.name: one for one in queues}, {one.name: one for one in agents},
                           "service-level")
        self.history = History()
        self.floor = Floor(self.rules, self.history)
        self.now, self.contacts, self.waiting = 1000.0, 0, dict[str, Waiting]()
        for agent in agents:
            self.floor.agent(self._standing(agent.name, free=False))
        while len(self.waiting) < WAITING:
            self.join()

    def join(self) -> None:
        self.contacts += 1
        name, since = f"c{self.contacts}", self.now - self.chance.choice((0.0, 0.0, 30.0, 90.0))
        self.waiting[name] = Waiting(
            name, self.chance.choice(list(self.rules.queues)), self.contacts, since, since,
            priority=self.chance.choice((None, None, 5, 10)), language=self.chance.choice(LANGUAGES))
        self.floor.contact(self.waiting[name])

    def agent_is_free(self) -> None:
        self.floor.agent(self._standing(f"a{self.chance.randrange(AGENTS)}", free=True))

    def priority_changes(self) -> None:
        name = self.chance.choice(list(self.waiting))
        self.waiting[name] = self.waiting[name]._replace(priority=self.chance.randrange(20))
        self.floor.contact(self.waiting[name])

    def carry_out(self, match: Match) -> None:
        waiting = self.waiting.pop(match.contact)
        self.history.talked(waiting.queue, match.agents[0], "", self.now, self.now - waiting.since, None)
        self.floor.contact_gone(match.contact)
        for agent in match.agents:
            self.floor.agent(self._standing(agent, free=False))

    def _agent(self, name: str, skills: list[str]) -> AgentConfig:
        known = [*self.chance.sample(skills, 5), *self.chance.sample(LANGUAGES, self.chance.choice((1, 2)))]
        return AgentConfig(name=name, extension="8001", trunk="pbx",
                           skills={skill: self.chance.randint(1, 10) for skill in known})

    def _queue(self, name: str, skills: list[str]) -> QueueConfig:
        first, second = self.chance.sample(skills, 2)
        return QueueConfig.model_validate({
            "name": name, "skills": {first: 6, "language": 4}, "preferred": {second: 3},
            "service_level": {"within_s": self.chance.choice((20, 60, 180))},
            "rings": [{"after_s": 30, "lower": {first: 3}}, {"after_s": 60, "drop": ["language"]},
                      {"after_s": 120, "drop": [first]}]})

    def _standing(self, name: str, *, free: bool) -> Standing:
        return Standing(name, free, self.now, "ready" if free else "talking", since=self.now,
                        queue=self.chance.choice(list(self.rules.queues)))


def once(say: Say) -> dict[str, float]:
    rush = Rush()
    took_ms, served = list[float](), 0
    while len(took_ms) < DECISIONS:
        rush.now += STEP_S
        event = rush.join if len(rush.waiting) < WAITING else rush.chance.choice(
            (rush.agent_is_free, rush.agent_is_free, rush.priority_changes))
        began_ns = time.process_time_ns()
        event()
        found = rush.floor.decide(rush.now)
        took_ms.append((time.process_time_ns() - began_ns) / 1e6)
        served += len(found)
        for match in found:
            rush.carry_out(match)
    if served < DECISIONS / 4:
        raise ValueError(f"{served} of {DECISIONS} decisions served somebody: this floor stands still")
    estimates_ms = [_cpu_ms(lambda: rush.floor.estimate(rush.chance.choice(list(rush.waiting)), rush.now))
                    for _ in range(ESTIMATES)]
    return {"decision, p50": _percentile(took_ms, 0.5), "decision, p99": _percentile(took_ms, 0.99),
            "estimate of a wait, p99": _percentile(estimates_ms, 0.99)}


def _cpu_ms(work: Callable[[], object]) -> float:
    began_ns = time.process_time_ns()
    work()
    return (time.process_time_ns() - began_ns) / 1e6


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


ROUTING = Theme(
    "routing",
    f"CPU time of a decision, {WAITING:,} contacts waiting in {QUEUES} queues, {AGENTS} agents, {SKILLS} "
    "skills, rings, languages, priorities and service levels: an agent becomes free, a contact joins or has "
    "another priority, and the floor says who is served by whom. Whatever it says is carried out.",
    (Kind("decision, p50", "ms CPU"), Kind("decision, p99", "ms CPU", "under 1"),
     Kind("estimate of a wait, p99", "ms CPU")), once, runs=5)
