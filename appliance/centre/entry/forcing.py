"""Calendars in force: by their hours, or by a supervisor's hand."""

from appliance.bus.messages import (
    CalendarDay,
    CalendarInfo,
    CalendarList,
    CalendarLook,
    ForceCalendar,
    LookAtCalendar,
    Sentence,
)
from appliance.centre import events
from appliance.centre.entry.calendar import Opening
from appliance.centre.entry.reason import Reason
from appliance.centre.turn import Turn
from appliance.errors import StateError

LATEST_S = 4_102_444_800.0                        # the year 2100
MOST_YEARS = 5


def opening(turn: Turn, calendar: str) -> Opening:
    """Of a calendar that is configured."""
    return turn.setup.entrance.opening(calendar, turn.now, turn.state.forced)


def look(turn: Turn, asked: LookAtCalendar) -> CalendarLook:
    """StateError: there is no such calendar, or no such time."""
    _refuse_unknown(turn, asked.calendar)
    if not 0.0 <= asked.at < LATEST_S or len(asked.years) > MOST_YEARS:
        raise StateError(f"at: from 0 to {LATEST_S:.0f}, and at most {MOST_YEARS} years")
    entrance = turn.setup.entrance
    found, calendar = entrance.opening(asked.calendar, asked.at, turn.state.forced), \
        entrance.calendars[asked.calendar]
    why = found.why.sentence if isinstance(found.why, Reason) else Sentence(str(found.why))
    return CalendarLook(
        open=found.open, why=why, until=found.until,
        days=[CalendarDay(day.isoformat(), name, works)
              for year in asked.years for day, name, works in calendar.days(year)],
        unknown=[year for year in asked.years if calendar.unannounced(year, year)])


def calendars(turn: Turn) -> CalendarList:
    return CalendarList(calendars=[_info(turn, name) for name in turn.setup.entrance.calendars])


def force(turn: Turn, asked: ForceCalendar) -> CalendarList:
    """StateError: there is no such calendar, or its time is over already."""
    _refuse_unknown(turn, asked.calendar)
    if asked.until and asked.until <= turn.now:
        raise StateError(f"{asked.calendar}: until: that is over already: give a time to come")
    turn.log(events.CalendarForced(calendar=asked.calendar, open=asked.open,
                                   until=asked.until if asked.open is not None else 0.0, by=asked.by))
    return calendars(turn)


def _refuse_unknown(turn: Turn, calendar: str) -> None:
    known = turn.setup.entrance.calendars
    if calendar not in known:
        raise StateError(f"no calendar is called {calendar!r}, there are {', '.join(known) or 'none'}")


def _info(turn: Turn, name: str) -> CalendarInfo:
    found, forced = opening(turn, name), turn.state.forced.get(name)
    if forced is None or not forced.holds(turn.now):
        return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until)
    return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until, forced=forced.open,
                        forced_by=forced.by, forced_until=forced.until)
