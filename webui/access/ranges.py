"""Whose calls a person sees: limits by queue, agent and trunk. Pure.

None is no limit, and said so; an empty set is a limit that names nobody.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from appliance.bus.messages import Within

KINDS = ("queues", "agents", "trunks")
MOST_NAMES = 500                                  # of one limit

Names = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an act is about; "" is not said. `call`: a call of which this is known, none of these itself."""

    queue: str = ""
    agent: str = ""
    trunk: str = ""
    call: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """`groups`: of agents, by the configuration; with `agents` they are one limit. resolved() has none."""

    queues: Names = None
    agents: Names = None
    trunks: Names = None
    groups: frozenset[str] = frozenset()

    @property
    def limited(self) -> bool:
        return bool(self.groups) or any(getattr(self, kind) is not None for kind in KINDS)

    def resolved(self, groups: Mapping[str, Iterable[str]]) -> "Range":
        """With the agents that the groups have now; a group that is not there any more has none."""
        if not self.groups:
            return self
        named = {agent for name in self.groups for agent in groups.get(name, ())}
        return replace(self, agents=(self.agents or frozenset()) | named, groups=frozenset())

    def names(self, kind: str, name: str) -> bool:
        """A queue, an agent or a trunk itself: its own limit decides."""
        limit: Names = getattr(self, kind)
        return limit is None or name in limit

    def holds(self, subject: Subject) -> bool:
        """A call: no limit leaves out what is known of it, and one names it.

        A caller who waits has no agent yet, a call of an agent's own no queue: what is not known yet is no
        reason against. What no limit names, such as a caller in a menu, is for people without limits.
        """
        if not self.limited:
            return True
        said = [(limit, name) for limit, name in
                ((self.queues, subject.queue), (self.agents, subject.agent), (self.trunks, subject.trunk))
                if limit is not None and name]
        return bool(said) and all(name in limit for limit, name in said)

    def covers_subject(self, subject: Subject) -> bool:
        """What an act is about: a queue, agent or trunk by its own limit, a call by all that it says."""
        said = [(kind, name) for kind, name in
                zip(KINDS, (subject.queue, subject.agent, subject.trunk), strict=True) if name]
        return self.names(*said[0]) if len(said) == 1 and not subject.call else self.holds(subject)

    def covers(self, other: "Range") -> bool:
        """Whether somebody with this range may give `other`: both resolved, nothing in it is outside."""
        def inside(mine: Names, theirs: Names) -> bool:
            return mine is None or (theirs is not None and theirs <= mine)
        return all(inside(getattr(self, kind), getattr(other, kind)) for kind in KINDS)

    def asked(self) -> Within | None:
        """As the bus takes it; resolved. None: no limits."""
        if not self.limited:
            return None
        return Within(**{kind: None if (names := getattr(self, kind)) is None else sorted(names)
                         for kind in KINDS})

    def written(self) -> str:
        """As JSON, for the file of users."""
        kept = {field.name: sorted(value) for field in fields(self)
                if (value := getattr(self, field.name)) is not None and (value or field.name != "groups")}
        return json.dumps(kept, ensure_ascii=False)


UNLIMITED = Range()
NOTHING = Range(frozenset(), frozenset(), frozenset())


def read(text: str) -> Range:
    """What written() wrote; NOTHING when it is damaged: nobody sees more because of it."""
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or not set(found) <= {*KINDS, "groups"}:
            return NOTHING
        limits = {kind: frozenset(map(str, names)) for kind, names in found.items()}
    except (ValueError, TypeError):
        return NOTHING
    return Range(**limits)
