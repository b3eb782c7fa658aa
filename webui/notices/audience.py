"""To whom a notice is. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

MOST_NAMES = 200                                  # of one kind


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who has signed in; `groups`: those that the agent is in whom this person is."""

    name: str
    role: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody, or whoever one of the names fits."""

    everybody: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def nobody(self) -> bool:
        return not (self.everybody or self.roles or self.groups or self.people)

    def holds(self, reader: Reader) -> bool:
        return (self.everybody or reader.name in self.people or reader.role in self.roles
                or not reader.groups.isdisjoint(self.groups))

    def written(self) -> str:
        return json.dumps(asdict(self))


def read(text: str) -> Audience:
    """What written() wrote."""
    found = json.loads(text)
    return Audience(bool(found["everybody"]), *(tuple(found[kind]) for kind in ("roles", "groups", "people")))


def reached(sender: frozenset[str] | None, groups: Mapping[str, frozenset[str]],
            agents: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Groups and people that somebody may address who reaches the agents `sender` (None: all).

    `agents`: which agent each person is.
    """
    if sender is None:
        return sorted(groups), sorted(agents)
    return (sorted(name for name, members in groups.items() if members and members <= sender),
            sorted(name for name, agent in agents.items() if agent in sender))
