"""Quality: where forms are, who may judge whom, which calls are drawn, what an appraisal is made of."""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Part

Act = Literal["score", "see", "coach", "decide", "calibrate", "publish"]
PeriodKind = Literal["day", "week", "month", "quarter", "year"]
Person = Annotated[str, Field(min_length=1, max_length=64)]          # as they sign in
Count = Annotated[int, Field(ge=0, le=1000)]
Weight = Annotated[float, Field(gt=0, le=1000)]
Seconds = Annotated[float, Field(ge=0, le=86400)]

SCORE = "score"                                   # the figure of an appraisal that is not acdd's


class GroupConfig(Part):
    name: Name
    agents: Annotated[list[Name], Field(min_length=1)]


class PersonConfig(Part):
    """What somebody may do, with whose calls."""

    name: Person
    agent: Name | None = None                     # who this is when he serves callers; None: of the same name
    groups: list[Name] = Field(default_factory=list)                 # empty: all agents
    may: list[Act] = Field(default_factory=list)


class SamplingConfig(Part):
    """A rule: how many calls of each agent are judged in each period, and which may be drawn."""

    name: Name
    form: Name
    period: PeriodKind = "month"
    per_agent: Annotated[int, Field(ge=1, le=1000)] = 5
    each_queue: Count = 0                         # of these at least so many of each queue that he served
    new_per_agent: Count | None = None            # of an agent who is new; None: as of the others
    new_days: Annotated[float, Field(gt=0, le=3650)] = 90.0          # from his first recording on
    groups: list[Name] = Field(default_factory=list)                 # empty: all agents
    queues: list[Name] = Field(default_factory=list)                 # empty: any, and calls of none
    directions: list[Literal["in", "out"]] = Field(default_factory=list)
    dispositions: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list)
    least_s: Seconds = 60.0
    most_s: Seconds = 900.0
    scorers: list[Person] = Field(default_factory=list)              # empty: all who may score the agent
    seed: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _in_order(self) -> "SamplingConfig":
        if self.least_s > self.most_s:
            raise ValueError("least_s is more than most_s: no call is so")
        return self


class AppraisalConfig(Part):
    """A part of the appraisal: 0 points at `worst` or beyond, 100 at `best` or beyond, straight between."""

    figure: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    weight: Weight = 1.0
    worst: float = 0.0                            # in the figure's unit: s, or a share of 0 to 1
    best: float = 100.0
    queue: Name | None = None                     # of this queue in place of the agent's own

    @model_validator(mode="after")
    def _apart(self) -> "AppraisalConfig":
        if self.worst == self.best:
            raise ValueError("worst and best are the same: every value would be both")
        if self.figure == SCORE and self.queue is not None:
            raise ValueError("queue: the score is the agent's own: leave queue out")
        return self


class QualityConfig(Part):
    forms: str = "forms"                          # folder of NAME.yaml
    groups: list[GroupConfig] = Field(default_factory=list)
    people: list[PersonConfig] = Field(default_factory=list)         # empty: all but agents may do all
    sampling: list[SamplingConfig] = Field(default_factory=list)
    appraisal: list[AppraisalConfig] = Field(default_factory=list)   # empty: the score alone
    appeal_days: Annotated[float, Field(gt=0, le=365)] = 14.0        # from the result on

    def members(self, groups: Sequence[str]) -> frozenset[str]:
        return frozenset(agent for group in self.groups if group.name in groups for agent in group.agents)


def mistakes(quality: QualityConfig, *, queues: Collection[str],
             agents: Collection[str]) -> Iterator[tuple[list[int | str], str]]:
    """Names that nobody has, or that are there twice: the keys that lead there, a sentence."""
    def none(kind: str, name: str, there: Collection[str]) -> str:
        return f"no {kind} is called {name!r}, there are {', '.join(sorted(there)) or 'none'}"

    groups = {group.name for group in quality.groups}
    people = {person.name for person in quality.people}
    for kind, names in (("groups", [one.name for one in quality.groups]),
                        ("people", [one.name for one in quality.people]),
                        ("sampling", [one.name for one in quality.sampling])):
        for place, name in enumerate(names):
            if name in names[:place]:
                yield ["quality", kind, place, "name"], f"{name!r} is there twice"
    for place, group in enumerate(quality.groups):
        for name in group.agents:
            if name not in agents:
                yield ["quality", "groups", place, "agents"], none("agent", name, agents)
    for place, person in enumerate(quality.people):
        if person.agent is not None and person.agent not in agents:
            yield ["quality", "people", place, "agent"], none("agent", person.agent, agents)
        for name in person.groups:
            if name not in groups:
                yield ["quality", "people", place, "groups"], none("group", name, groups)
    for place, rule in enumerate(quality.sampling):
        for key, names, kind, there in (("groups", rule.groups, "group", groups),
                                        ("queues", rule.queues, "queue", queues),
                                        ("scorers", rule.scorers, "one of quality.people", people)):
            for name in names:
                if name not in there:
                    yield ["quality", "sampling", place, key], none(kind, name, there)
    for place, part in enumerate(quality.appraisal):
        if part.queue is not None and part.queue not in queues:
            yield ["quality", "appraisal", place, "queue"], none("queue", part.queue, queues)
