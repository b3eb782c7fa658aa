"""Whom agents serve by a supervisor's hand, beside the configuration: at once, and for a time."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.acdd import AgentInfo
from appliance.bus.messages.base import Reply, Request


class Assigning(msgspec.Struct, frozen=True, kw_only=True):
    """Of one agent, in place of what was assigned before; nothing but the name: as configured again.

    It ends at `until` (Unix time, 0: not by time), and at the next log-out with `until_log_out`.
    """

    agent: str
    skills: dict[str, int] | None = None          # all that count, level 1 to 10; None: the configured ones
    also: list[str] = msgspec.field(default_factory=list)            # queues served whatever they ask for
    without: list[str] = msgspec.field(default_factory=list)         # queues that it does not serve
    until: float = 0.0
    until_log_out: bool = False


class CrewMember(msgspec.Struct, frozen=True, kw_only=True):
    agent: AgentInfo
    configured: dict[str, int]                    # skills
    serves: dict[str, int]                        # queue -> from which of its rings on, 0 the first


class CrewQueue(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    skills: dict[str, int]                        # that it asks for
    rings: int                                    # that it has, the first one included


class CrewReply(Reply, frozen=True):
    """In the configuration's order."""

    agents: list[CrewMember]
    queues: list[CrewQueue]
    skills: list[str]                             # that somebody has, or a queue asks for


class GetCrew(Request[CrewReply], frozen=True):
    owner: ClassVar[str] = "acdd"


class AssignAgents(Request[CrewReply], frozen=True):
    """All of them, or none. Refused: it names the first that cannot be, and why."""

    owner: ClassVar[str] = "acdd"
    assignments: list[Assigning]
    by: str = ""


class QueueEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Of a queue now, and if it were so. `able`: agents who may come to serve it; `present`: logged in."""

    queue: str
    able: int
    able_then: int
    present: int
    present_then: int
    wait_s: float | None                          # of a new caller, expected; None: nobody is there
    wait_then_s: float | None
    waiting: int
    stranded: int                                 # of them: nobody who is logged in could come to serve them
    stranded_then: int


class CrewEffect(Reply, frozen=True):
    """`agents` as they would be."""

    queues: list[QueueEffect]
    agents: list[CrewMember]


class TryAssignment(Request[CrewEffect], frozen=True):
    """What AssignAgents would do; nothing changes."""

    owner: ClassVar[str] = "acdd"
    assignments: list[Assigning]
