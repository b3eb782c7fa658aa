"""Calendars, acdd's: open or closed, and by whose hand."""

from typing import ClassVar

import msgspec

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


class ForceCalendar(Request[CalendarList], frozen=True):
    """Open or close it whatever its hours; open None: by its hours again. until 0: until it is called off."""

    owner: ClassVar[str] = "acdd"
    calendar: str
    open: bool | None
    until: float = 0.0
    by: str = ""
