"""What boxd says and is asked: the health of the box, the history of its lines."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Event, Reply, Request
from e1_driver.watch.bins import Bin


class DaemonHealth(msgspec.Struct, frozen=True, kw_only=True):
    daemon: str
    state: str                                    # up, late (no heartbeat for 3 s), down (for 10 s), never
    pid: int = 0
    started_at: float = 0.0
    starts: int = 0                               # seen by boxd
    rss_octets: int = 0
    cpu_s: float = 0.0
    facts: dict[str, float] = msgspec.field(default_factory=dict)


class Health(Event, frozen=True):
    """Said on change and every 2 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    daemons: list[DaemonHealth]


class HealthReply(Reply, frozen=True):
    health: Health


class GetHealth(Request[HealthReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class LineFailure(Event, frozen=True):
    """A failure of a line, a defect that lasts (G.7710), begins or has ended."""

    owner: ClassVar[str] = "boxd"
    span: str
    alarm: str                                    # e1_driver.Alarm
    declared: bool                                # False: cleared
    since: float                                  # when the defect began, or ended
    at: float


class LineHistory(Reply, frozen=True):
    """Performance of one line (G.826), oldest first; a bin in which nothing was measured is not there."""

    quarters: list[Bin]                           # 15 minutes, the running one and up to 96 before it
    days: list[Bin]                               # of UTC, the running one and up to 30 before it
    failures: list[str]                           # those that stand


class GetLineHistory(Request[LineHistory], frozen=True):
    owner: ClassVar[str] = "boxd"
    span: str
