"""Of flows, and of what is played."""

import msgspec

from appliance.centre.events.base import LogEvent

Value = str | int | float | bool                  # as in appliance.centre.flow.expressions


class FlowBegun(LogEvent, frozen=True):
    """From its first node; `version` is kept for as long as a contact needs it."""

    flow: str
    version: str
    language: str
    variables: dict[str, Value]


class NodeEntered(LogEvent, frozen=True):
    flow: str
    node: str
    language: str
    by: str = ""                                  # how it left the node before: next, digit 1, error, ...
    limit_at: float = 0.0                         # it may be in the flow until then; 0: for ever


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
    """A node that awaits digits begins once more."""


class ProofWrong(LogEvent, frozen=True):
    """A customer number and a PIN that do not belong together."""

    of: str = ""                                  # a hash that names whose it was to be


class NoticeGiven(LogEvent, frozen=True):
    """To a group of agents, "" everybody, until then. `node`, of a flow, gives none before `again_at`."""

    notice: str
    node: str
    text: str
    urgency: str
    group: str
    until: float
    again_at: float


class EntryBegun(LogEvent, frozen=True):
    """Several digits are awaited, from the first one. `what`: which of a node's entries."""

    what: str


class HiddenDigit(LogEvent, frozen=True):
    """One was pressed that nothing may keep."""


class DigitsMasked(LogEvent, frozen=True):
    """From now on nobody hears or records the caller's digits; or again."""

    on: bool


class VariablesSet(LogEvent, frozen=True):
    values: dict[str, Value]


class NotComputed(LogEvent, frozen=True):
    """An expression, a result or a text has no value with what the variables are."""

    what: str


class Asked(LogEvent, frozen=True):
    """A look-up or a text to be spoken, which is awaited until then."""

    order: str
    until: float


class OrderOver(LogEvent, frozen=True):
    """Answered, or not for the reason `error`."""

    error: str = ""


class MessageBegun(LogEvent, frozen=True):
    """The caller alone is recorded."""

    recording: str


class MessageOver(LogEvent, frozen=True):
    pass


class Attached(LogEvent, frozen=True):
    """What is known of the contact for its talk and the choice of an agent; None: as before."""

    priority: int | None = None
    grade: str | None = None
    region: str | None = None
    skills: dict[str, int] = msgspec.field(default_factory=dict)     # beside those it asks for already
    record: bool | None = None                    # a talk with somebody who is in no queue


class GaveUp(LogEvent, frozen=True):
    """The flow has no end for this contact."""

    why: str
