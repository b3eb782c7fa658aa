"""What the log keeps, typed. A kind's name and fields stay: a change that an old log does not have raises v.

Times are Unix seconds. The contact an event is about stands beside it in the log ("" for none).
A room for each part of the centre; import the kinds from here.
"""

import msgspec

from appliance.centre.events.agents import (
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentLegGone,
    AgentOverran,
    AgentPlaced,
    AgentWished,
    WrapUpExtended,
)
from appliance.centre.events.base import LogEvent
from appliance.centre.events.contacts import Began, Connected, Ended, Numbered
from appliance.centre.events.flow import (
    DigitAwaited,
    NodeEntered,
    Played,
    PlayOver,
    Pressed,
    Retried,
)
from appliance.centre.events.outbound import AgentTook, Alerted, Bridged, Dialled
from appliance.centre.events.queues import Announced, Joined, Offered, RingEnded, Talked
from appliance.centre.events.told import Charged, PartyKnown, TraceAsked, TraceOver
from appliance.centre.state import State
from appliance.errors import ConfigError
from appliance.store.events import Entry

__all__ = [
    "KINDS",
    "VERSION",
    "AgentChanged",
    "AgentJoined",
    "AgentLeft",
    "AgentLegGone",
    "AgentOverran",
    "AgentPlaced",
    "AgentTook",
    "AgentWished",
    "Alerted",
    "Announced",
    "Began",
    "Bridged",
    "Charged",
    "Checkpoint",
    "Connected",
    "Dialled",
    "DigitAwaited",
    "Ended",
    "Joined",
    "LogEvent",
    "NodeEntered",
    "Numbered",
    "Offered",
    "PartyKnown",
    "PlayOver",
    "Played",
    "Pressed",
    "Retried",
    "RingEnded",
    "Talked",
    "TraceAsked",
    "TraceOver",
    "WrapUpExtended",
    "decode",
    "encode",
]

VERSION = 1


class Checkpoint(LogEvent, frozen=True):
    """Everything known here: a replay may begin with it."""

    state: State


KINDS: dict[str, type[LogEvent]] = {kind.__name__: kind for kind in LogEvent.__subclasses__()}


def encode(at: float, contact: str, event: LogEvent) -> Entry:
    return Entry(at=at, contact=contact, kind=type(event).__name__,
                 data=msgspec.json.encode(event).decode(), v=VERSION)


def decode(entry: Entry) -> LogEvent:
    """ConfigError: written by another version."""
    kind = KINDS.get(entry.kind)
    if kind is None or entry.v != VERSION:
        raise ConfigError(f"event {entry.seq} of the log: {entry.kind} version {entry.v} is unknown here: "
                          "finish the update")
    try:
        return msgspec.json.decode(entry.data, type=kind)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"event {entry.seq} of the log: {entry.kind}: {error}: restore the log "
                          "from a backup") from None
