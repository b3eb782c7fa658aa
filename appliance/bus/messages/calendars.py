"""Calendars, acdd's: open or closed, and by whose hand."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.acdd import Sentence
from appliance.bus.messages.base import Reply, Request


class CalendarInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    open: bool
    why: str
    until: float | None                           # when that changes; None: not within a year
    forced: bool | None = None                    # opened (True) or closed by a supervisor
    forced_by: str = ""
    forced_until: float = 0.0                     # 0: until it is called off


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
    """What it says of a moment, a forced state that lasts until then included, and of `years`: at most 5."""

    owner: ClassVar[str] = "acdd"
    calendar: str
    at: float
    years: list[int] = msgspec.field(default_factory=list)


class ForceCalendar(Request[CalendarList], frozen=True):
    """Open or close it whatever its hours; open None: by its hours again. until 0: until it is called off."""

    owner: ClassVar[str] = "acdd"
    calendar: str
    open: bool | None
    until: float = 0.0
    by: str = ""
