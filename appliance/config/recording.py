"""Which talks are recorded: the section `recording`, and the one function that decides. Pure.

acdd decides with it before a talk begins, recordd when it writes a finished recording: equal facts give both
the same decision, also years later.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, NumberPattern, Part
from appliance.config.queues import Percent, Prompt

Direction = Literal["in", "out", "internal"]
Record = Literal["always", "never", "on-demand"]
Quality = Literal["small", "original"]
MayPause = Literal["agent", "system"]

_OF_ALL = 2 ** 64                                 # draws there are
_SALT = b"branchline rec"                         # no other hash of a contact's name gives the same draw


class RecordingRule(Part):
    """Takes the talks of which all its conditions are true; one that is not given is true of all."""

    name: Name
    trunk: Name | None = None                     # by which the customer is there
    called: NumberPattern | None = None           # a regular expression of all of the number
    queue: Name | None = None                     # where the contact was last
    flow: Annotated[str, Field(min_length=1, max_length=200)] | None = None  # as centre.inbound names it
    node: Annotated[str, Field(min_length=1, max_length=200)] | None = None  # of that flow, the last one
    agent: Name | None = None
    direction: Direction | None = None            # internal: between extensions, and consultations
    record: Record | None = None
    percent: Percent | None = None                # of the contacts, in place of record
    keep: Literal["asked", "whole"] = "asked"     # on demand: from then on, or from the talk's beginning
    format: Quality | None = None                 # None: recording.format
    announce: Prompt | None = None                # to who waits in a queue, before; None: recording.announce
    pause: list[MayPause] | None = None           # who may; None: recording.pause

    @model_validator(mode="after")
    def _makes_sense(self) -> "RecordingRule":
        if (self.record is None) == (self.percent is None):
            raise ValueError(f"{self.name}: what is done? Give record or percent")
        if self.node is not None and self.flow is None:
            raise ValueError(f"{self.name}: node: of which flow? Give flow, too")
        if self.keep == "whole" and self.record != "on-demand":
            raise ValueError(f"{self.name}: keep: whole goes with record: on-demand")
        if self.announce is not None and self.agent is not None:
            raise ValueError(f"{self.name}: announce: is told before anybody knows the agent: give it to "
                             "a rule without agent")
        return self


class RecordingConfig(Part):
    rules: list[RecordingRule] = Field(default_factory=list)         # in order: the first that takes a talk
    format: Quality = "small"                     # what a finished recording is kept as
    announce: Prompt | None = None
    pause: list[MayPause] = Field(default_factory=lambda: list[MayPause](["agent", "system"]))


@dataclass(frozen=True, slots=True)
class Talk:
    """What is known of a talk when it begins. "": there is none, or it is not known yet."""

    contact: str
    direction: Direction
    own: bool                                     # where no rule takes it: what `own_by` says of itself
    own_by: str                                   # e.g. queue sales
    trunk: str = ""
    called: str = ""
    queue: str = ""
    flow: str = ""
    node: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`record` "always": from the beginning. `unless_kept`: that, too, and erased if nobody keeps it."""

    record: Record
    why: str                                      # a sentence
    rule: str = ""                                # "": none took it
    unless_kept: bool = False
    format: Quality = "small"
    announce: str = ""                            # the prompt that who waits is told before
    pause: tuple[str, ...] = ()                   # who may

    @property
    def runs(self) -> bool:
        """Something is recorded from the talk's beginning."""
        return self.record == "always" or self.unless_kept


def decide(config: RecordingConfig, talk: Talk) -> Decision:
    """What the first rule says that takes the talk, else what the talk's own queue or route says."""
    rule = next((one for one in config.rules if takes(one, talk)), None)
    if rule is None:
        said = "is recorded" if talk.own else "is not recorded"
        decision = Decision(record="always" if talk.own else "never", why=f"{said}: {talk.own_by} says so",
                            format=config.format, pause=tuple(config.pause))
        return _announced(decision, config.announce)
    record, why = _record(rule, talk.contact)
    decision = Decision(
        record=record, why=why, rule=rule.name, format=rule.format or config.format,
        unless_kept=record == "on-demand" and rule.keep == "whole",
        pause=tuple(config.pause if rule.pause is None else rule.pause))
    return _announced(decision, rule.announce or config.announce)


def takes(rule: RecordingRule, talk: Talk) -> bool:
    return not _misses(rule, talk)


def explain(config: RecordingConfig, talk: Talk) -> list[str]:
    """Rule by rule, for people; the last sentence says what is done."""
    told: list[str] = []
    for rule in config.rules:
        if miss := _misses(rule, talk):
            told.append(f"{rule.name}: does not take it: {miss}")
        else:
            told.append(f"{rule.name}: takes it")
            break
    decision = decide(config, talk)
    announced = f"; the caller hears {decision.announce} before" if decision.announce else ""
    return [*told, f"{decision.why}; kept as {decision.format}{announced}; "
                   f"paused by {', '.join(decision.pause) or 'nobody'}"]


def drawn(rule: str, contact: str) -> float:
    """0 to less than 100, as good as by chance, always the same for this contact and rule."""
    digest = blake2b(contact.encode(), digest_size=8, key=rule.encode(), person=_SALT).digest()
    return 100.0 * int.from_bytes(digest, "big") / _OF_ALL


def mistakes(config: RecordingConfig, trunks: Collection[str], queues: Collection[str],
             agents: Collection[str]) -> Iterator[str]:
    """Names that nothing has."""
    for rule in config.rules:
        for key, there in (("trunk", trunks), ("queue", queues), ("agent", agents)):
            wanted = getattr(rule, key)
            if wanted is not None and wanted not in there:
                yield (f"recording.rules: {rule.name}: no {key} is called {wanted!r}, there are "
                       f"{', '.join(sorted(there)) or 'none'}")


def _misses(rule: RecordingRule, talk: Talk) -> str:
    """The first condition that is not true; "": all are."""
    for key in ("trunk", "queue", "flow", "node", "agent", "direction"):
        wanted, there = getattr(rule, key), getattr(talk, key)
        if wanted is not None and wanted != there:
            return f"{key} is {there or 'not known'}, not {wanted}"
    if rule.called is not None and re.fullmatch(rule.called, talk.called) is None:
        return f"called is {talk.called or 'not known'}, which {rule.called} does not match"
    return ""


def _record(rule: RecordingRule, contact: str) -> tuple[Record, str]:
    if rule.percent is not None:
        draw = drawn(rule.name, contact)
        if draw < rule.percent:
            return "always", f"is recorded: drawn among {rule.percent:g} % by rule {rule.name}"
        return "on-demand", f"is not recorded: not drawn among {rule.percent:g} % by rule {rule.name}"
    if rule.record == "on-demand":
        kept = ("is recorded, and erased at its end unless somebody keeps it" if rule.keep == "whole"
                else "is recorded when somebody asks for it")
        return "on-demand", f"{kept}: rule {rule.name}"
    if rule.record == "always":
        return "always", f"is recorded: rule {rule.name}"
    return "never", f"is not recorded: rule {rule.name}"


def _announced(decision: Decision, prompt: str | None) -> Decision:
    """Only where something may be recorded is it told."""
    return replace(decision, announce=prompt or "") if decision.record != "never" else decision
