"""A turn of the engine on a large floor: what the box thinks from an agent's hang-up to the order to ring."""

import random
import time
from collections.abc import Callable
from itertools import count

from appliance.bus.messages import CallAnswered, CallIncoming, CallReleased, Dial, Event
from appliance.centre.engine import Engine
from appliance.centre.flow import Flow, QueueNode
from appliance.centre.turn import Setup
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.schema import CentreConfig, InboundRoute

WAITING, AGENTS, SKILLS, QUEUES = 1000, 500, 50, 40
LANGUAGES = ("zh", "en")
TURNS = 3000
STEP_S = 0.1                                      # from one event to the next


def centre(chance: random.Random) -> CentreConfig:
    """Skills with levels, rings that relax them, a queue behind each number."""
    skills = [f"s{number}" for number in range(SKILLS - len(LANGUAGES))]
    return CentreConfig(
        inbound=[InboundRoute(trunk="telco", called=str(5000 + number), flow=f"q{number}")
                 for number in range(QUEUES)],
        queues=[_queue(chance, f"q{number}", skills) for number in range(QUEUES)],
        agents=[_agent(chance, number, skills) for number in range(AGENTS)], order="service-level")


def _agent(chance: random.Random, number: int, skills: list[str]) -> AgentConfig:
    known = [*chance.sample(skills, 5), *chance.sample(LANGUAGES, chance.choice((1, 2)))]
    return AgentConfig(name=f"a{number}", extension=str(8000 + number), trunk="pbx",
                       skills={skill: chance.randint(1, 10) for skill in known})


def _queue(chance: random.Random, name: str, skills: list[str]) -> QueueConfig:
    first, second = chance.sample(skills, 2)
    return QueueConfig.model_validate({
        "name": name, "skills": {first: 6, "language": 4}, "preferred": {second: 3}, "wrap_up_s": 0,
        "ring_s": 120, "service_level": {"within_s": chance.choice((20, 60, 180))},
        "rings": [{"after_s": 30, "lower": {first: 3}}, {"after_s": 60, "drop": ["language"]},
                  {"after_s": 120, "drop": [first]}]})


class Branch:
    """Agents at work and `waiting` in line; a caller comes, or an agent hangs up and the next one rings."""

    def __init__(self, waiting: int, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        names = count(1)
        flows = {f"q{number}": Flow(start="queue", nodes={"queue": QueueNode(kind="queue", queue=f"q{number}")})
                 for number in range(QUEUES)}
        self.engine = Engine(Setup.of(centre(self.chance), flows, lambda: f"{next(names):032x}"))
        self.now, self.legs, self.talks = 1000.0, 0, list[str]()
        self.took_ms: dict[str, list[float]] = {}
        self._take("start", lambda: self.engine.start(self.now))
        while self.waiting() < waiting:
            self.step(self.join)

    def waiting(self) -> int:
        return sum(one.record.state == "queue" for one in self.engine.state.contacts.values())

    def step(self, happens: Callable[[], None]) -> None:
        """A moment later, with all that is due by then."""
        self.now += STEP_S
        while (deadline := self.engine.next_deadline()) is not None and deadline <= self.now:
            self._take("time passes", lambda: self.engine.expire(self.now))
        happens()

    def join(self) -> None:
        self.legs += 1
        self._give("a caller joins", CallIncoming(
            leg=f"c{self.legs}", trunk="telco", called=str(5000 + self.chance.randrange(QUEUES)),
            calling=f"139{self.legs % 10 ** 8:08d}", calling_name="", complete=True, at=self.now))

    def hang_up(self) -> None:
        """A caller does; the agent is free in the same moment."""
        leg = self.talks.pop(self.chance.randrange(len(self.talks)))
        self._give("an agent is free", CallReleased(leg=leg, cause=16, by="far", at=self.now))

    def _give(self, what: str, event: Event) -> None:
        self._take(what, lambda: self.engine.handle(event, self.now))

    def _take(self, what: str, decide: Callable[[], None]) -> None:
        """Whoever is rung answers at once."""
        began_ns = time.process_time_ns()
        decide()
        self.engine.next_deadline()
        _, actions = self.engine.take()
        self.took_ms.setdefault(what, []).append((time.process_time_ns() - began_ns) / 1e6)
        for action in actions:
            if isinstance(action, Dial):
                self._give("an agent answers", CallAnswered(leg=action.leg, at=self.now))
                self.talks.append(action.leg)
