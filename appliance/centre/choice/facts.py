"""What a choice is made from: the rules, who waits, where the agents stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from appliance.config.queues import AgentConfig, Order, QueueConfig

MOST_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """As configured, in the document's order."""

    queues: Mapping[str, QueueConfig]
    agents: Mapping[str, AgentConfig]
    order: Order = "first-come"
    grades: Mapping[str, int] = field(default_factory=dict)          # of customers -> more priority


class Waiting(NamedTuple):
    """A contact in line."""

    contact: str
    queue: str
    line: int                                     # nobody else has it; later ones have a higher one
    since: float                                  # when it began to wait, in whatever queue
    joined_at: float                              # this queue
    ringing: bool = False                         # at an agent: keeps its place and is not chosen for
    priority: int | None = None                   # its own, in place of the queue's
    grade: str = ""
    region: str = ""
    language: str = ""
    skills: tuple[tuple[str, int], ...] = ()      # asked for by the contact itself: skill, level
    caller: str = ""                              # whose last agent may be looked for; "": unknown


class Standing(NamedTuple):
    """An agent."""

    agent: str
    free: bool                                    # may be rung
    idle_since: float                             # the place among the free ones
    state: str = "ready"                          # in words, for people
    logged_in: bool = True
    logged_in_at: float = 0.0
    calls: int = 0                                # since then
    busy_s: float = 0.0                           # since then
    skills: Mapping[str, int] | None = None       # None: as configured
    also: tuple[str, ...] = ()                    # queues that it serves, whatever they ask for
    without: tuple[str, ...] = ()                 # queues that it does not serve
    # until when it is not free
    comes_back: bool = True                       # by itself, as soon as its work is over
    back_at: float | None = None                  # known; None: when the contact is over
    since: float = 0.0                            # at the contact
    queue: str = ""                               # of the contact


def priority(rules: Rules, waiting: Waiting) -> int:
    """0 to 100: the contact's own or its queue's, and what the customer's grade adds."""
    own = rules.queues[waiting.queue].priority if waiting.priority is None else waiting.priority
    return max(0, min(MOST_PRIORITY, own + rules.grades.get(waiting.grade, 0)))
