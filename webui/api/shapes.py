"""What goes in and comes out of /api/v1, as msgspec shapes: OpenAPI is made from them.

Later versions may add fields; none changes its meaning or goes within v1. Times are Unix seconds.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.bus.messages import (
    AgentInfo,
    ContactInfo,
    FigureDefinition,
    FigureRow,
    QueueInfo,
    RecordingRow,
)

MOST = 200                                        # of a list
Text = Annotated[str, Meta(max_length=64)]
Time = Annotated[float, Meta(ge=0, le=4102444800)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said to the box: a misspelt name is an error."""


class Nothing(Strict, frozen=True, kw_only=True):
    """No parameters."""


class Paged(Strict, frozen=True, kw_only=True):
    offset: Annotated[int, Meta(ge=0, le=10_000, description="so many of the newest are left out")] = 0
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
    since: Annotated[float, Meta(ge=0, le=4102444800, description="that began then or later")] = 0.0
    until: Annotated[float, Meta(
        ge=0, le=4102444800, description="that began before; 0: no limit")] = 0.0
    after: Annotated[str, Meta(
        pattern=r"^([0-9]{1,10}(\.[0-9]{1,9})?~[A-Za-z0-9._-]{1,64})?$",
        description="`next` of the page before: however many there are, none twice and none left out")] = ""


class RecordingsAsked(Strict, frozen=True, kw_only=True):
    after: Annotated[int, Meta(ge=0, le=9_000_000_000, description="`next` of the page before")] = 0
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
    since: Time = 0.0
    until: Annotated[float, Meta(ge=0, le=4102444800, description="0: no limit")] = 0.0
    number: Annotated[str, Meta(max_length=32, pattern="^(\\^?[0-9*#+]{3,31})?$",
                                description="part of either, 3 digits at least; ^: its beginning")] = ""
    agent: Text = ""
    queue: Text = ""
    trunk: Text = ""
    contact: Text = ""


class FiguresAsked(Strict, frozen=True, kw_only=True):
    of: Annotated[str, Meta(pattern="^(queue|agent|trunk|node)$")]
    since: Time
    until: Time
    names: Annotated[str, Meta(max_length=2000, description="with commas between them; none: all")] = ""
    interval_s: Annotated[float, Meta(
        ge=0, le=31_622_400, description="whole quarters of an hour; 0: the whole time as one")] = 0.0


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    at: float
    contacts: list[ContactInfo]
    queues: list[QueueInfo]
    agents: list[AgentInfo]


class ContactPage(msgspec.Struct, frozen=True, kw_only=True):
    """`total`: of these times within the range of the token, counted to 10 000 when it has limits."""

    total: int
    contacts: list[ContactInfo]
    next: str = ""                                # for `after`; "": there are no more


class RecordingPage(msgspec.Struct, frozen=True, kw_only=True):
    recordings: list[RecordingRow]
    next: int                                     # for `after`; 0: there are no more


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    up: bool
    alarms: list[str]
    counters: dict[str, int]
    clock: str
    crc4: bool | None
    level_db: int | None
    lent: bool                                    # given away for tests


class LineList(msgspec.Struct, frozen=True, kw_only=True):
    lines: list[LineView]


class AlertInfo(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    rule: str
    severity: str                                 # info, warning, critical
    text: str
    value: float
    raised_at: float
    seen_by: str                                  # "": nobody sees to it yet
    seen_at: float                                # 0: never


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    alerts: list[AlertInfo]


class FigureTable(msgspec.Struct, frozen=True, kw_only=True):
    """Each of a row's values is [value, numerator, denominator, target, kept], as the definitions follow."""

    at: float
    definitions: list[FigureDefinition]
    rows: list[FigureRow]


class NoticeAsked(Strict, frozen=True, kw_only=True):
    """To everybody, or to groups, roles and people by their names; until: at most a year from now."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]
    urgency: Annotated[str, Meta(pattern="^(normal|important|urgent)$")] = "normal"
    until: Time
    everybody: bool = False
    roles: Annotated[list[Text], Meta(max_length=20)] = []
    groups: Annotated[list[Text], Meta(max_length=200)] = []
    people: Annotated[list[Text], Meta(max_length=200)] = []


class NoticeMade(msgspec.Struct, frozen=True, kw_only=True):
    number: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
