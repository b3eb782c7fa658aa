"""What the signalling of a span tells its application. `key` is the application's name of the call.

`elements` are those of the message behind the event, all that could be read; of Released, those of all
clearing messages of the far end. They do not count when events are compared.
"""
from dataclasses import dataclass, field
from enum import Enum

from appliance.isdn.elements import Element
from appliance.isdn.q931 import MessageType
from appliance.isdn.supplementary.events import ServiceEvent


class By(Enum):
    """Who ended a call."""

    FAR = "far"                                   # the other end
    NEAR = "near"                                 # the application
    LINE = "line"                                 # a timer, the data link, no channel, a restart


class ChannelState(Enum):
    IDLE = "idle"
    BUSY = "busy"
    RESTARTING = "restarting"
    OUT_OF_SERVICE = "out-of-service"             # N316 RESTARTs had no answer; tried on and on
    BLOCKED = "blocked"                           # by people, when no call is on it any more


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call is offered and its channel taken. `complete` False: digits are to come (5.1.3)."""

    key: str
    called: str
    calling: str                                  # "" when restricted or not given
    name: str
    bearer: int                                   # information transfer capability, 4.5.5
    complete: bool
    timeslot: int
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Digits:
    """`called` is the whole number so far. `complete`: Sending complete, or T302 ran out."""

    key: str
    called: str
    complete: bool


@dataclass(frozen=True, slots=True)
class ChannelChosen:
    """The channel of a call that we placed is settled; said once, before anything else of that call."""

    key: str
    timeslot: int


@dataclass(frozen=True, slots=True)
class Proceeding:
    key: str
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """`in_band`: tones or announcements are on the channel (progress descriptions 1 and 8)."""

    key: str
    in_band: bool
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Alerting:
    key: str
    in_band: bool
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Answered:
    key: str
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Disconnecting:
    """The far end clears a call that was not answered and says why in the channel (5.3.4.1, progress
    description 8). Released follows: when the application hangs up, the far end does, or T306 runs out."""

    key: str
    cause: int                                    # Q.850
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A message that changes no state and is for the application: NOTIFY, USER INFORMATION, FACILITY, and
    INFORMATION outside overlap."""

    key: str
    type: MessageType
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Released:
    """The call is over and without its channel. `channel_refused`: placed by us, another one may do."""

    key: str
    cause: int                                    # Q.850
    by: By
    channel_refused: bool = False
    elements: tuple[Element, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Layer 2."""

    up: bool


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    timeslot: int
    state: ChannelState


Event = (Incoming | Digits | ChannelChosen | Proceeding | Progress | Alerting | Answered | Disconnecting
         | Told | Released | LinkChanged | ChannelChanged | ServiceEvent)
