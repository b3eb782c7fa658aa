"""Queues and agents: who is asked for, how that relaxes while somebody waits, who of several is chosen.

A contact asks for skills, by the queue that it waits in and by itself. Rings relax that while it waits.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Number, Part

# Asked for by these names: the skill that is called like what is known of the contact.
ABOUT_CONTACT = ("language", "region", "grade")
LONGEST_WAIT_S = 86400.0
SUM_PERCENT = 100.0

Level = Annotated[int, Field(ge=1, le=10)]
Priority = Annotated[int, Field(ge=0, le=100)]
Skills = dict[Name, Level]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1, le=1000)]
After = Annotated[float, Field(gt=0, le=LONGEST_WAIT_S)]
Prompt = Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$")]
Grade = Annotated[str, Field(min_length=1, max_length=32)]
Order = Literal["first-come", "service-level"]
Strategy = Literal["longest-idle", "fewest-calls", "least-occupied", "round-robin", "best-skill", "ring-all",
                   "last-agent-first", "percentage"]


class AgentConfig(Part):
    name: Name
    extension: Number | None = None               # None: at the telephone of each log-in
    trunk: Name | None = None                     # where the extension is reached
    starts: Literal["ready", "logged-out"] = "ready"     # when it is new
    skills: Skills = Field(default_factory=dict)  # level 1 (lowest) to 10

    @model_validator(mode="after")
    def _has_a_telephone(self) -> "AgentConfig":
        if (self.extension is None) != (self.trunk is None):
            raise ValueError("extension and trunk go together: give both or none")
        if self.extension is None and self.starts == "ready":
            raise ValueError("ready at no telephone: give extension and trunk, or starts: logged-out")
        return self

    @model_validator(mode="after")
    def _skills_are_skills(self) -> "AgentConfig":
        if names := sorted(self.skills.keys() & set(ABOUT_CONTACT)):
            raise ValueError(f"skills: {', '.join(names)}: stands for what is known of a contact: write the "
                             "skill itself, e.g. en")
        return self


class Ring(Part):
    """What is asked for less, and who may serve more, of contacts that have waited `after_s`."""

    after_s: After
    lower: Skills = Field(default_factory=dict)   # this level is enough now
    drop: list[Name] = Field(default_factory=list)                   # not asked for any more
    agents: list[Name] = Field(default_factory=list)                 # these, too, whatever the queue asks for
    queues: list[Name] = Field(default_factory=list)                 # and those who serve these queues


def relaxed(asked: Mapping[str, int], ring: Ring) -> dict[str, int]:
    """What is still asked for in the ring: skill -> level."""
    return {name: min(level, ring.lower.get(name, level)) for name, level in asked.items()
            if name not in ring.drop}


class Reserve(Part):
    """Agents that are held back until the queue is in need: one of the conditions is true."""

    agents: Annotated[list[Name], Field(min_length=1)]
    waiting: Count | None = None                  # so many wait
    wait_s: After | None = None                   # somebody has waited for so long

    @model_validator(mode="after")
    def _when(self) -> "Reserve":
        if self.waiting is None and self.wait_s is None:
            raise ValueError("when does the queue need them? Give waiting, wait_s or both")
        return self


class Overflow(Part):
    """Where a contact goes of which all this is true."""

    after_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 0.0  # it has waited so long
    waiting: Count | None = None                  # so many wait in the queue, itself not counted
    estimate_s: After | None = None               # it is expected to wait at least so long
    no_agents: bool = False                       # nobody who could serve it is logged in; also later on
    to: Name | None = None                        # a queue; where the flow goes on otherwise

    @model_validator(mode="after")
    def _when(self) -> "Overflow":
        if not self.after_s and self.waiting is None and self.estimate_s is None and not self.no_agents:
            raise ValueError("when? Give after_s, waiting, estimate_s or no_agents")
        if self.after_s and self.at_joining:
            raise ValueError("waiting and estimate_s are looked at before the contact waits: no after_s then")
        return self

    @property
    def at_joining(self) -> bool:
        """Looked at before the contact waits, and not again."""
        return self.waiting is not None or self.estimate_s is not None


class ServiceLevel(Part):
    within_s: Annotated[float, Field(gt=0, le=3600)] = 20.0
    percent: Annotated[float, Field(gt=0, le=100)] = 80.0            # of contacts


class QueueConfig(Part):
    name: Name
    agents: list[Name] = Field(default_factory=list)                 # of these only; empty: of all
    skills: Skills = Field(default_factory=dict)  # required, at these levels
    preferred: Skills = Field(default_factory=dict)                  # who has them is chosen first
    rings: list[Ring] = Field(default_factory=list)                  # in the order of time
    strategy: Strategy = "longest-idle"
    shares: dict[Name, Percent] = Field(default_factory=dict)        # of the contacts, for each agent
    most_rung: Annotated[int, Field(ge=2, le=30)] = 10               # telephones at a time, of ring-all
    priority: Priority = 0
    ageing_s: Annotated[float, Field(gt=0, le=600)] = 10.0           # so much waiting is a priority of 1 more
    service_level: ServiceLevel = ServiceLevel()
    reserve: Reserve | None = None
    overflow: list[Overflow] = Field(default_factory=list)           # the first that is true
    max_wait_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 0.0       # 0: no limit
    handling_s: Annotated[float, Field(ge=1, le=7200)] = 180.0       # of a contact, until that is known
    music: str = "music/default"                  # a prompt, repeated
    position_every_s: Annotated[float, Field(ge=0)] = 20.0           # 0: never said again
    say_wait: bool = False                        # how long it will take, beside the position
    comfort: list[Prompt] = Field(default_factory=list)              # prompts that follow it, by turns
    ring_s: Annotated[float, Field(ge=1, le=120)] = 15.0
    wrap_up_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    unavailable_s: Annotated[float, Field(ge=1)] = 30.0              # after no answer, busy or a failed ring
    no_answer: Literal["pause", "not-ready", "logged-out"] = "pause"         # for whom does not answer
    record: bool = True

    @model_validator(mode="after")
    def _makes_sense(self) -> "QueueConfig":
        if not self.agents and not self.skills:
            raise ValueError(f"{self.name}: who serves it? Give agents, skills or both")
        if both := sorted(self.skills.keys() & self.preferred.keys()):
            raise ValueError(f"{self.name}: {', '.join(both)}: required or preferred, one of them")
        if (self.strategy == "percentage") != bool(self.shares):
            raise ValueError(f"{self.name}: strategy percentage and shares go together")
        if self.shares and abs(sum(self.shares.values()) - SUM_PERCENT) > 0.01:
            raise ValueError(f"{self.name}: shares: {sum(self.shares.values()):g} in all: make it 100")
        if self.reserve and (both := sorted({*self.agents} & {*self.reserve.agents})):
            raise ValueError(f"{self.name}: reserve: {', '.join(both)}: serves the queue anyway")
        self._rings_relax()
        return self

    def _rings_relax(self) -> None:
        asked, before_s = {**self.skills, **self.preferred}, 0.0
        for ring in self.rings:
            where = f"{self.name}: ring after {ring.after_s:g} s"
            if ring.after_s <= before_s:
                raise ValueError(f"{where}: comes not after the one before it")
            before_s = ring.after_s
            if not (ring.lower or ring.drop or ring.agents or ring.queues):
                raise ValueError(f"{where}: changes nothing: give lower, drop, agents or queues")
            for name, level in ring.lower.items():
                if name in asked and level >= asked[name]:
                    raise ValueError(f"{where}: lower: {name}: {level} is not below {asked[name]}")
            asked = relaxed(asked, ring)


def skills_of(agents: Sequence[AgentConfig]) -> list[str]:
    """All that somebody has."""
    return sorted({skill for agent in agents for skill in agent.skills})


def mistakes(queues: Sequence[QueueConfig], agents: Sequence[AgentConfig]) -> Iterator[str]:
    """What a queue or agent alone cannot see: names that nobody has, queues that nobody can serve."""
    names = {agent.name for agent in agents}
    known, of_name = skills_of(agents), {queue.name: queue for queue in queues}
    for queue in queues:
        where = f"centre.queues: {queue.name}"
        reserve = queue.reserve.agents if queue.reserve else []
        of_rings = [name for ring in queue.rings for name in ring.agents]
        listed = dict.fromkeys([*queue.agents, *reserve, *queue.shares, *of_rings])
        yield from (f"{where}: no agent is called {name!r}" for name in listed if name not in names)
        asked = {*queue.skills, *queue.preferred}
        yield from (f"{where}: no agent has skill {name!r}, there are {', '.join(known) or 'none'}"
                    for name in sorted(asked) if name not in known and name not in ABOUT_CONTACT)
        others = [*(name for ring in queue.rings for name in ring.queues),
                  *(row.to for row in queue.overflow if row.to)]
        yield from (f"{where}: no other queue is called {name!r}" for name in dict.fromkeys(others)
                    if name not in of_name or name == queue.name)
        if all(name in names for name in listed) and not _anybody(queue, agents):
            yield (f"{where}: nobody can serve it, not even in its last ring: give somebody its skills, "
                   "or lower or drop them in a ring")
    if circle := _circle({queue.name: [row.to for row in queue.overflow if row.to in of_name]
                          for queue in queues}):
        yield f"centre.queues: overflow goes in a circle: {' -> '.join(circle)}"


def _anybody(queue: QueueConfig, agents: Sequence[AgentConfig]) -> bool:
    """Somebody can come to serve the queue, as far as it depends on the queue alone."""
    asked = {name: level for name, level in queue.skills.items() if name not in ABOUT_CONTACT}
    for ring in queue.rings:
        if ring.agents or ring.queues:
            return True
        asked = relaxed(asked, ring)
    group = [*queue.agents, *(queue.reserve.agents if queue.reserve else ())]
    return any(all(agent.skills.get(name, 0) >= level for name, level in asked.items())
               for agent in agents if agent.name in group or not queue.agents)


def _circle(ways: Mapping[str, Sequence[str]]) -> list[str]:
    """Names that lead back to the first one; none: []."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name):], name]
        if name in done:
            return []
        done.add(name)
        return next(filter(None, (walk(to, [*path, name]) for to in ways[name])), [])

    return next(filter(None, (walk(name, []) for name in ways)), [])
