"""Calendars, acdd's: open or closed, and by whose hand."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.acdd import Sentence
from appliance.bus.messages.base import Reply, Request


class CalendarUse(msgspec.Struct, frozen=True, kw_only=True):
    """Who goes by a calendar: `where` an entry rule's name, a number, or a flow's file, whose node is `what`.
    `queues`: of that flow."""

    kind: Literal["entry", "number", "flow", "callbacks"]
    where: str = ""
    what: str = ""
    queues: list[str] = msgspec.field(default_factory=list)


class CalendarInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    open: bool
    why: str
    until: float | None                           # when that changes; None: not within a year
    forced: bool | None = None                    # opened (True) or closed by a supervisor
    forced_by: str = ""
    forced_until: float = 0.0                     # 0: until it is called off
    uses: list[CalendarUse] = msgspec.field(default_factory=list)


class CalendarList(Reply, frozen=True):
    """In the document's order."""

    calendars: list[CalendarInfo]


class GetCalendars(Request[CalendarList], frozen=True):
    owner: ClassVar[str] = "acdd"


class CalendarDay(msgspec.Struct, frozen=True):
    """A day that its country makes unlike others: a public holiday, or a weekend that is worked."""

    day: str                                      # 2026-10-01
    name: str                                     # of the holiday
    works: bool = False


class CalendarLook(Reply, frozen=True):
    """`until`: when that changes; None: not within a year. `unknown`: years whose make-up working days nobody
    has announced."""

    open: bool
    why: Sentence
    until: float | None
    days: list[CalendarDay]
    unknown: list[int]


class LookAtCalendar(Request[CalendarLook], frozen=True):
    """What it says of a moment, a forced state that lasts until then included, and of `years`: at most 5.

    `instead`: a calendar (config.entry.CalendarConfig as JSON) that is not in force, looked at in its place.
    """

    owner: ClassVar[str] = "acdd"
    calendar: str
    at: float
    years: list[int] = msgspec.field(default_factory=list)
    instead: str = ""


class ForceCalendar(Request[CalendarList], frozen=True):
    """Open or close it whatever its hours; open None: by its hours again. until 0: until it is called off."""

    owner: ClassVar[str] = "acdd"
    calendar: str
    open: bool | None
    until: float = 0.0
    by: str = ""
