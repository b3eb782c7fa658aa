"""Of calls that arrive: what the entry rules decided, forwards, calendars that people force."""

import msgspec

from appliance.bus.messages import Sentence
from appliance.centre.events.base import LogEvent
from appliance.centre.state import Forward


class Routed(LogEvent, frozen=True):
    """The entry rules have decided, and this is known of the contact now. `rule` "": the number's route."""

    rule: str
    why: str
    priority: int | None = None
    grade: str = ""
    region: str = ""
    skills: dict[str, int] = msgspec.field(default_factory=dict)
    note: str = ""                                # of the caller, from a list
    reasons: list[Sentence] = msgspec.field(default_factory=list)    # `why`, to be said in any language


class ForwardBegun(LogEvent, frozen=True):
    """The contact goes to somebody outside: the network is asked to do it, or the box dials."""

    forward: Forward


class ForwardDeflected(LogEvent, frozen=True):
    """The network offers the call there, and clears it here."""

    until: float                                  # so long it may take


class ForwardRefused(LogEvent, frozen=True):
    """The network will not: `why`."""

    why: str


class ForwardDialled(LogEvent, frozen=True):
    """By the box itself, until somebody answers or it is `until`."""

    leg: str
    until: float


class ForwardOver(LogEvent, frozen=True):
    """Nobody was reached there."""

    cause: int                                    # Q.850


class JoinAsked(LogEvent, frozen=True):
    """The network is to connect both legs, so that their channels are free."""


class JoinOver(LogEvent, frozen=True):
    """done: it has; else `why` not."""

    done: bool
    why: str = ""


class CalendarForced(LogEvent, frozen=True):
    """open None: by its hours again. until 0: until it is called off."""

    calendar: str
    open: bool | None
    until: float
    by: str
