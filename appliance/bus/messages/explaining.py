"""Why this agent, why this wait: what acdd says of one contact or agent at this moment."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Reply, Request


class AgentFor(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as a contact in line sees it."""

    agent: str
    ring: int | None                              # from this one on it may serve the contact; None: never
    now: bool                                     # free, and in the contact's present ring
    words: str


class ContactExplained(Reply, frozen=True):
    contact: str
    queue: str
    position: int                                 # 1 the first
    priority: int
    ring: int                                     # 0 the first
    rings: int                                    # that there are
    widens_at: float | None                       # when it comes to the next one
    before: int                                   # of all queues, served before it
    estimate_s: float | None                      # that it will wait; None: nobody is there for it
    agents: list[AgentFor]
    words: str


class ExplainContact(Request[ContactExplained], frozen=True):
    """Refused: it is not in line."""

    owner: ClassVar[str] = "acdd"
    contact: str


class AgentExplained(Reply, frozen=True):
    agent: str
    queues: list[str]                             # that it serves
    contacts: list[str]                           # whom it may serve now, the next one first; at most ten
    waiting: int                                  # so many of them
    words: str
    reasons: list[str] = msgspec.field(default_factory=list)         # for which it may be not ready; []: any


class ExplainAgent(Request[AgentExplained], frozen=True):
    """Refused: there is no such agent."""

    owner: ClassVar[str] = "acdd"
    agent: str


class SetPriority(Request[ContactExplained], frozen=True):
    """Of a contact in line, 0 to 100, in place of its queue's. Refused: it is not in line."""

    owner: ClassVar[str] = "acdd"
    contact: str
    priority: int
    by: str = ""
