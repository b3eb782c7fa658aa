"""What the signalling of a span tells its application. `key` is the application's name of the call."""
from dataclasses import dataclass
from enum import Enum


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


@dataclass(frozen=True, slots=True)
class Progress:
    """`in_band`: tones or announcements are on the channel (progress descriptions 1 and 8)."""

    key: str
    in_band: bool


@dataclass(frozen=True, slots=True)
class Alerting:
    key: str
    in_band: bool


@dataclass(frozen=True, slots=True)
class Answered:
    key: str


@dataclass(frozen=True, slots=True)
class Released:
    """The call is over and without its channel. `channel_refused`: placed by us, another one may do."""

    key: str
    cause: int                                    # Q.850
    by: By
    channel_refused: bool = False


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Layer 2."""

    up: bool


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    timeslot: int
    state: ChannelState


Event = (Incoming | Digits | ChannelChosen | Proceeding | Progress | Alerting | Answered | Released
         | LinkChanged | ChannelChanged)
