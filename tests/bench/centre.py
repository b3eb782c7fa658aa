"""From an agent's hang-up to the order to ring: what a turn of the engine takes, and the whole of acdd."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from itertools import count

from appliance.bus.messages import CallAnswered, CallIncoming, CallReleased, Dial, Event
from appliance.centre.engine import Engine
from appliance.centre.flow import Flow, QueueNode
from appliance.centre.turn import Setup
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.schema import CentreConfig, InboundRoute
from tests.bench.centre_box import AGENTS as BOX_AGENTS
from tests.bench.centre_box import CALLS_PER_S, reaction
from tests.bench.figures import Kind, Say, Theme

WAITING, AGENTS, SKILLS, QUEUES = 1000, 500, 50, 40
LANGUAGES = ("zh", "en")
TURNS = 2000
FREE, JOINS, PASSES = "an agent is free", "a caller joins", "time passes"
IN_LINE = (120, 1000)
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
        flows = {name: Flow(start="queue", nodes={"queue": QueueNode(kind="queue", queue=name)})
                 for name in (f"q{number}" for number in range(QUEUES))}
        self.engine = Engine(Setup.of(centre(self.chance), flows, lambda: f"{next(names):032x}"))
        self.now, self.legs, self.talks = 1000.0, 0, list[str]()
        self.took_ms: dict[str, list[float]] = {}
        self._take("start", lambda: self.engine.start(self.now))
        while self.engine.waiting < waiting:
            self.step(self.join)

    def step(self, happens: Callable[[], None]) -> None:
        """A moment later, with all that is due by then."""
        self.now += STEP_S
        while (deadline := self.engine.next_deadline()) is not None and deadline <= self.now:
            self._take(PASSES, lambda: self.engine.expire(self.now))
        happens()

    def join(self) -> None:
        self.legs += 1
        self._give(JOINS, CallIncoming(
            leg=f"c{self.legs}", trunk="telco", called=str(5000 + self.chance.randrange(QUEUES)),
            calling=f"139{self.legs % 10 ** 8:08d}", calling_name="", complete=True, at=self.now))

    def hang_up(self) -> None:
        """A caller does; the agent is free in the same moment."""
        leg = self.talks.pop(self.chance.randrange(len(self.talks)))
        self._give(FREE, CallReleased(leg=leg, cause=16, by="far", at=self.now))

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


def once(say: Say) -> dict[str, float]:
    branch = Branch(WAITING)
    say(f"{branch.engine.waiting} wait, {len(branch.talks)} of {AGENTS} agents talk")
    branch.took_ms.clear()
    for _ in range(TURNS):
        branch.step(branch.join if branch.engine.waiting < WAITING else branch.hang_up)
    figures = {f"turn: {what}, {name}": _percentile(branch.took_ms[what], percent)
               for what in (FREE, JOINS, PASSES) for name, percent in (("p50", 50), ("p99", 99))}
    fsync_ms: list[float] = []
    for waiting in IN_LINE:
        took_ms, beside_ms = asyncio.run(reaction(waiting))
        fsync_ms += beside_ms
        say(f"{waiting} wait: {len(took_ms)} agents rung")
        figures |= {f"hang-up to ring, {waiting:,} waiting, {name}": _percentile(took_ms, percent)
                    for name, percent in (("p50", 50), ("p99", 99))}
    return {**figures, "fsync of that disk, p50": _percentile(fsync_ms, 50),
            "fsync of that disk, p99": _percentile(fsync_ms, 99)}


def _percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[percent * (len(values) - 1) // 100]


def _kinds() -> tuple[Kind, ...]:
    turns = [Kind(f"turn: {what}, {name}", "ms CPU", "under 1" if (what, name) == (FREE, "p99") else "")
             for what in (FREE, JOINS, PASSES) for name in ("p50", "p99")]
    goals = {"p50": "app_queue: 420 to 500", "p99": "under 20; app_queue: 600 to 1,500"}
    rings = [Kind(f"hang-up to ring, {waiting:,} waiting, {name}", "ms", goal)
             for waiting in IN_LINE for name, goal in goals.items()]
    return (*turns, *rings, Kind("fsync of that disk, p50", "ms"), Kind("fsync of that disk, p99", "ms"))


CENTRE = Theme(
    "centre", "A turn of the engine, next deadline and log entries included, in CPU time of one process with "
    f"{WAITING:,} contacts waiting in {QUEUES} queues, {AGENTS} agents, {SKILLS} skills: a caller hangs up "
    "and the agent rings for the next one, a caller joins (with the estimate of the wait), timers are due. "
    f"And the whole of acdd, its log on the disk, on a real bus with {BOX_AGENTS} agents at {CALLS_PER_S:g} "
    "calls/s: from the word that an agent's leg has ended until the order to ring is there. app_queue: "
    "Asterisk on such a machine with 30 agents and 120 waiting.", _kinds(), once, runs=2)
