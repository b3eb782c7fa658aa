"""What every message is made from, and what every daemon says."""

from typing import ClassVar, Generic, TypeVar, get_args

import msgspec

PROTOCOL = 1

R = TypeVar("R", bound="Reply")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Anything on the bus. `v` is refused by a receiver of another PROTOCOL."""

    v: int = PROTOCOL


class Event(Message, frozen=True):
    owner: ClassVar[str] = "*"


class Reply(Message, frozen=True):
    """What a request is answered with."""


class Done(Reply, frozen=True):
    """Yes."""


class Reloaded(Reply, frozen=True):
    """Keys of the configuration document whose change this daemon has taken over."""

    document: str                                 # its path
    changed: list[str]


class Request(Message, Generic[R], frozen=True):
    owner: ClassVar[str] = ""

    @classmethod
    def reply_type(cls) -> type[Reply]:
        reply: type[Reply] = get_args(cls.__orig_bases__[0])[0]      # type: ignore[attr-defined]
        return reply


class DaemonUp(Event, frozen=True):
    """Said at start and after the bus was away: who needs this daemon's state asks now, or tells it again."""

    daemon: str
    pid: int
    started_at: float


class Heartbeat(Event, frozen=True):
    """Once a second."""

    daemon: str
    pid: int
    started_at: float
    at: float
    rss_octets: int
    cpu_s: float
    facts: dict[str, float] = msgspec.field(default_factory=dict)    # its own figures, units in names
