"""What if: days that were, played again in the simulator with something else about them. One at a time."""

from typing import Any, ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

MOST_DAYS = 7
MOST_SEEDS = 20                                   # plays of each day
MOST_CHANGES = 40                                 # of one order
MOST_CHANGE = 200                                 # characters of one
MOST_TITLE = 100
RehearsalPhase = Literal["waiting", "running", "done", "failed", "stopped", "broken-off"]


class RehearsalOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`changes`: words as `branchline sim run --what-if` has them."""

    days: list[str]                               # 2026-03-02, of the box's own time
    changes: list[str]
    seeds: int = 5                                # plays of each day
    interval_min: int = 30
    title: str = ""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    rehearsal: str
    order: RehearsalOrder
    by: str
    began_at: float
    phase: RehearsalPhase
    ended_at: float = 0.0
    done: int = 0                                 # plays
    of: int = 0
    trouble: str = ""                             # failed: why


class RehearsalState(Event, frozen=True):
    """Said on change."""

    owner: ClassVar[str] = "boxd"
    rehearsal: Rehearsal


class RehearsalReply(Reply, frozen=True):
    """`result`: as appliance.sim.replayed has it; empty: there is none."""

    rehearsal: Rehearsal
    result: dict[str, Any]


class Rehearsals(Reply, frozen=True):
    rehearsals: list[Rehearsal]                   # newest first
    days: list[str]                               # that can be played: calls of them are kept


class GetRehearsals(Request[Rehearsals], frozen=True):
    owner: ClassVar[str] = "boxd"


class GetRehearsal(Request[RehearsalReply], frozen=True):
    owner: ClassVar[str] = "boxd"
    rehearsal: str


class BeginRehearsal(Request[RehearsalReply], frozen=True):
    """Refused: one runs, or the order cannot be."""

    owner: ClassVar[str] = "boxd"
    order: RehearsalOrder
    by: str


class StopRehearsal(Request[Done], frozen=True):
    """End one that runs, or remove one that has ended."""

    owner: ClassVar[str] = "boxd"
    rehearsal: str
