"""Calendars in force: by their hours, or by a supervisor's hand."""

from appliance.bus.messages import CalendarInfo, CalendarList, ForceCalendar
from appliance.centre import events
from appliance.centre.entry.calendar import Opening
from appliance.centre.turn import Turn
from appliance.errors import StateError


def opening(turn: Turn, calendar: str) -> Opening:
    """Of a calendar that is configured."""
    return turn.setup.entrance.opening(calendar, turn.now, turn.state.forced)


def calendars(turn: Turn) -> CalendarList:
    return CalendarList(calendars=[_info(turn, name) for name in turn.setup.entrance.calendars])


def force(turn: Turn, asked: ForceCalendar) -> CalendarList:
    """StateError: there is no such calendar, or its time is over already."""
    known = turn.setup.entrance.calendars
    if asked.calendar not in known:
        raise StateError(f"no calendar is called {asked.calendar!r}, there are {', '.join(known) or 'none'}")
    if asked.until and asked.until <= turn.now:
        raise StateError(f"{asked.calendar}: until: that is over already: give a time to come")
    turn.log(events.CalendarForced(calendar=asked.calendar, open=asked.open,
                                   until=asked.until if asked.open is not None else 0.0, by=asked.by))
    return calendars(turn)


def _info(turn: Turn, name: str) -> CalendarInfo:
    found, forced = opening(turn, name), turn.state.forced.get(name)
    if forced is None or not forced.holds(turn.now):
        return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until)
    return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until, forced=forced.open,
                        forced_by=forced.by, forced_until=forced.until)
