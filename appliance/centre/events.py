"""What the log keeps, typed. A kind's name and fields stay: a change that an old log does not have raises v.

Times are Unix seconds. The contact an event is about stands beside it in the log ("" for none).
"""

import msgspec

from appliance.centre.state import State
from appliance.errors import ConfigError
from appliance.store.events import Entry

VERSION = 1


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened or was decided."""


# --- agents ----------------------------------------------------------------------------------------

class AgentJoined(LogEvent, frozen=True):
    """Configured, or configured anew."""

    agent: str
    extension: str
    trunk: str


class AgentLeft(LogEvent, frozen=True):
    agent: str


class AgentChanged(LogEvent, frozen=True):
    """The one event that moves an agent's state."""

    agent: str
    state: str
    idle_since: float
    until: float = 0.0
    reason: str = ""
    leg: str = ""                                 # what occupies the telephone from now on


class AgentLegGone(LogEvent, frozen=True):
    """The telephone is on the hook again."""

    agent: str


# --- a contact's beginning and end -----------------------------------------------------------------

class Began(LogEvent, frozen=True):
    leg: str
    trunk: str
    direction: str                                # in, out
    calling: str
    calling_name: str
    called: str                                   # so far
    began_at: float
    withheld: bool = False                        # the caller does not want to be shown
    redirecting: str | None = None                # who diverted the call here, "" withheld; None: nobody
    redirected_why: int = 0                       # reason, Q.931 4.6.7


class Numbered(LogEvent, frozen=True):
    """More digits of the called number."""

    called: str


class Connected(LogEvent, frozen=True):
    """We answered the leg that arrived."""


class Ended(LogEvent, frozen=True):
    outcome: str
    ended_by: str
    cause: int
    ended_at: float


# --- flow ------------------------------------------------------------------------------------------

class NodeEntered(LogEvent, frozen=True):
    flow: str
    node: str
    language: str


class Played(LogEvent, frozen=True):
    play: str
    fragments: list[str]
    repeat: bool


class PlayOver(LogEvent, frozen=True):
    """By itself, or because it could not be played (`error`)."""

    error: str = ""


class DigitAwaited(LogEvent, frozen=True):
    until: float                                  # 0: not by time


class Pressed(LogEvent, frozen=True):
    digit: str


class Retried(LogEvent, frozen=True):
    """A menu begins once more."""


# --- queue and agent -------------------------------------------------------------------------------

class Joined(LogEvent, frozen=True):
    queue: str
    overflow_at: float                            # 0: waits for ever


class Announced(LogEvent, frozen=True):
    """The caller's place was told; next time at `next_at`, 0: never."""

    position: int
    next_at: float


class Offered(LogEvent, frozen=True):
    """The agent's telephone is being rung by `leg`."""

    agent: str
    leg: str


class RingEnded(LogEvent, frozen=True):
    """No talk came of it; the contact is in line as before."""

    agent: str
    cause: int
    reason: str


class Talked(LogEvent, frozen=True):
    """Customer and agent hear each other; recording "": not recorded."""

    recording: str


# --- outbound --------------------------------------------------------------------------------------

class Dialled(LogEvent, frozen=True):
    leg: str
    trunk: str
    number: str                                   # that goes out
    record: bool


class Bridged(LogEvent, frozen=True):
    """Before the answer: the extension hears what the far end says in-band."""


class Alerted(LogEvent, frozen=True):
    """The extension was told that the far end rings."""


class AgentTook(LogEvent, frozen=True):
    """The contact is this agent's own outbound call."""

    agent: str


# --- what the lines tell of a contact, also when it has ended; `of_leg` is a leg that it has or had --------

class PartyKnown(LogEvent, frozen=True):
    """Who is at the leg's far end. `why`: answered (COLP), named, diverted, transferred."""

    of_leg: str
    why: str
    number: str = ""                              # "": withheld or not given
    name: str = ""
    answered: bool = True                         # transferred: False while it rings there


class Charged(LogEvent, frozen=True):
    """Advice of charge, as it came."""

    of_leg: str
    units: int | None = None
    amount_thousandths: int | None = None         # of the currency's unit
    currency: str = ""                            # "": the network's own
    free: bool = False
    total: bool = True                            # False: since the advice before
    final: bool = False
    billing: str = ""
    charged_to: str = ""


class TraceAsked(LogEvent, frozen=True):
    """The network is asked to register who calls. `by`: a user, "telephone", "" for the command line."""

    of_leg: str
    by: str


class TraceOver(LogEvent, frozen=True):
    """done: it has; else `why` not."""

    of_leg: str
    done: bool
    why: str = ""


# --- the log itself --------------------------------------------------------------------------------

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
