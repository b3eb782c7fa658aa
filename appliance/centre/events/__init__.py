"""What the log keeps, typed. A kind's name and fields stay: a change that an old log does not have raises v.

Times are Unix seconds. The contact an event is about stands beside it in the log ("" for none).
A room for each part of the centre; import the kinds from here.
"""

import msgspec

from appliance.centre.events.agents import (
    AgentAssigned,
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentLegGone,
    AgentOverran,
    AgentPlaced,
    AgentUnassigned,
    AgentWished,
    WrapUpExtended,
)
from appliance.centre.events.base import LogEvent
from appliance.centre.events.callbacks import (
    CallbackBooked,
    CallbackClaimed,
    CallbackClosed,
    CallbackHeld,
    CallbackMissed,
    CallbackMoved,
    CallbackPromised,
    CallbackReached,
    CallbackTaken,
    CallbackTried,
    MessageDone,
    MessageEnded,
    MessageHeard,
    MessageKept,
    SurveyAnswered,
    SurveyAsked,
    SurveyBegun,
    SurveyOver,
)
from appliance.centre.events.contacts import Began, Connected, Ended, Numbered
from appliance.centre.events.control import (
    Conferenced,
    Disposed,
    Held,
    LetGo,
    ModeChanged,
    Paired,
    Parked,
    PartyAdded,
    PartyAnswered,
    PartyGone,
    RecordingPaused,
    RecordingResumed,
    Retrieved,
    Tagged,
    TakenOver,
    Unparked,
)
from appliance.centre.events.entry import (
    CalendarForced,
    ForwardBegun,
    ForwardDeflected,
    ForwardDialled,
    ForwardOver,
    ForwardRefused,
    JoinAsked,
    JoinOver,
    Routed,
)
from appliance.centre.events.flow import (
    Asked,
    Attached,
    DigitAwaited,
    DigitsMasked,
    EntryBegun,
    FlowBegun,
    GaveUp,
    HiddenDigit,
    MessageBegun,
    MessageOver,
    NodeEntered,
    NotComputed,
    NoticeGiven,
    OrderOver,
    Played,
    PlayOver,
    Pressed,
    ProofWrong,
    Retried,
    VariablesSet,
)
from appliance.centre.events.outbound import AgentTook, Alerted, Bridged, Dialled
from appliance.centre.events.queues import (
    Announced,
    Joined,
    NotAdmitted,
    Offered,
    PriorityChanged,
    QueueLeft,
    RingEnded,
    RungBeside,
    Talked,
)
from appliance.centre.events.recording import (
    RecordingAnnounced,
    RecordingAsked,
    RecordingDecided,
    RecordingHushed,
    RecordingKept,
    RecordingSilent,
    RecordingStopped,
    ReplayBegun,
    ReplayFound,
    ReplayMoved,
    ReplayTurned,
)
from appliance.centre.events.told import Charged, PartyKnown, TraceAsked, TraceOver
from appliance.centre.state import State
from appliance.errors import ConfigError
from appliance.store.events import Entry

__all__ = [
    "KINDS",
    "VERSION",
    "AgentAssigned",
    "AgentChanged",
    "AgentJoined",
    "AgentLeft",
    "AgentLegGone",
    "AgentOverran",
    "AgentPlaced",
    "AgentTook",
    "AgentUnassigned",
    "AgentWished",
    "Alerted",
    "Announced",
    "Asked",
    "Attached",
    "Began",
    "Bridged",
    "CalendarForced",
    "CallbackBooked",
    "CallbackClaimed",
    "CallbackClosed",
    "CallbackHeld",
    "CallbackMissed",
    "CallbackMoved",
    "CallbackPromised",
    "CallbackReached",
    "CallbackTaken",
    "CallbackTried",
    "Charged",
    "Checkpoint",
    "Conferenced",
    "Connected",
    "Dialled",
    "DigitAwaited",
    "DigitsMasked",
    "Disposed",
    "Ended",
    "EntryBegun",
    "FlowBegun",
    "ForwardBegun",
    "ForwardDeflected",
    "ForwardDialled",
    "ForwardOver",
    "ForwardRefused",
    "GaveUp",
    "Held",
    "HiddenDigit",
    "JoinAsked",
    "JoinOver",
    "Joined",
    "LetGo",
    "LogEvent",
    "MessageBegun",
    "MessageDone",
    "MessageEnded",
    "MessageHeard",
    "MessageKept",
    "MessageOver",
    "ModeChanged",
    "NodeEntered",
    "NotAdmitted",
    "NotComputed",
    "NoticeGiven",
    "Numbered",
    "Offered",
    "OrderOver",
    "Paired",
    "Parked",
    "PartyAdded",
    "PartyAnswered",
    "PartyGone",
    "PartyKnown",
    "PlayOver",
    "Played",
    "Pressed",
    "PriorityChanged",
    "ProofWrong",
    "QueueLeft",
    "RecordingAnnounced",
    "RecordingAsked",
    "RecordingDecided",
    "RecordingHushed",
    "RecordingKept",
    "RecordingPaused",
    "RecordingResumed",
    "RecordingSilent",
    "RecordingStopped",
    "ReplayBegun",
    "ReplayFound",
    "ReplayMoved",
    "ReplayTurned",
    "Retried",
    "Retrieved",
    "RingEnded",
    "Routed",
    "RungBeside",
    "SurveyAnswered",
    "SurveyAsked",
    "SurveyBegun",
    "SurveyOver",
    "Tagged",
    "TakenOver",
    "Talked",
    "TraceAsked",
    "TraceOver",
    "Unparked",
    "VariablesSet",
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
