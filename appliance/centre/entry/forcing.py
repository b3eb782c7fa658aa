"""Calendars in force: by their hours, or by a supervisor's hand; who goes by them; and one that may come."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from pathlib import Path

from pydantic import ValidationError

from appliance.bus.messages import (
    CalendarDay,
    CalendarInfo,
    CalendarList,
    CalendarLook,
    CalendarUse,
    ForceCalendar,
    LookAtCalendar,
    Sentence,
)
from appliance.centre import events
from appliance.centre.entry.calendar import Calendar, Forced, Opening, open_at
from appliance.centre.entry.reason import Reason
from appliance.centre.flow import HoursNode, QueueNode
from appliance.centre.turn import Setup, Turn
from appliance.config.entry import CalendarConfig
from appliance.errors import StateError

LATEST_S = 4_102_444_800.0                        # the year 2100
MOST_YEARS = 5
LONGEST_DRAFT = 256 * 1024                        # characters


def opening(turn: Turn, calendar: str) -> Opening:
    """Of a calendar that is configured."""
    return turn.setup.entrance.opening(calendar, turn.now, turn.state.forced)


def look(turn: Turn, asked: LookAtCalendar) -> CalendarLook:
    """StateError: there is no such calendar, or no such time."""
    _refuse_unknown(turn, asked.calendar)
    return _look(turn.setup.entrance.calendars[asked.calendar], asked, turn.state.forced)


def look_at_draft(asked: LookAtCalendar, forced: Mapping[str, Forced], zone: tzinfo) -> CalendarLook:
    """Of a calendar that is not in force, for a thread: reading a country's holidays takes a while.

    StateError: it is none, or there is no such time."""
    if len(asked.instead) > LONGEST_DRAFT:
        raise StateError(f"instead: at most {LONGEST_DRAFT} characters")
    try:
        calendar = Calendar(CalendarConfig.model_validate_json(asked.instead), zone)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise StateError(f"instead: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except ValueError as error:
        raise StateError(f"instead: {error}") from None
    return _look(calendar, asked, forced)


def _look(calendar: Calendar, asked: LookAtCalendar, forced: Mapping[str, Forced]) -> CalendarLook:
    if not 0.0 <= asked.at < LATEST_S or len(asked.years) > MOST_YEARS:
        raise StateError(f"at: from 0 to {LATEST_S:.0f}, and at most {MOST_YEARS} years")
    found = open_at(calendar, asked.at, forced.get(asked.calendar))
    why = found.why.sentence if isinstance(found.why, Reason) else Sentence(str(found.why))
    return CalendarLook(
        open=found.open, why=why, until=found.until,
        days=[CalendarDay(day.isoformat(), name, works)
              for year in asked.years for day, name, works in calendar.days(year)],
        unknown=[year for year in asked.years if calendar.unannounced(year, year)])


def calendars(turn: Turn) -> CalendarList:
    used: dict[str, list[CalendarUse]] = {}
    for name, use in uses(turn.setup):
        used.setdefault(name, []).append(use)
    return CalendarList(calendars=[_info(turn, name, used.get(name, []))
                                   for name in turn.setup.entrance.calendars])


def uses(setup: Setup) -> Iterator[tuple[str, CalendarUse]]:
    """Who goes by which calendar now."""
    centre = setup.entrance.centre
    for rule in centre.entry:
        if rule.calendar is not None:
            yield rule.calendar, CalendarUse(kind="entry", where=rule.name)
    for route in centre.inbound:
        if route.calendar is not None:
            yield route.calendar, CalendarUse(kind="number", where=f"{route.trunk} {route.called}",
                                              queues=_queues(setup, route.flow))
    for path in setup.flows:
        for name, node in setup.flows[path].nodes.items():
            if isinstance(node, HoursNode):
                yield node.calendar, CalendarUse(kind="flow", where=Path(path).name, what=name,
                                                 queues=_queues(setup, path))
    if setup.callbacks.calendar is not None:
        yield setup.callbacks.calendar, CalendarUse(kind="callbacks")


def _queues(setup: Setup, path: str) -> list[str]:
    """That callers of this flow may wait in."""
    flow = setup.flows.get(path)
    return sorted({node.queue for node in flow.nodes.values() if isinstance(node, QueueNode)}) if flow else []


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


def _info(turn: Turn, name: str, used: list[CalendarUse]) -> CalendarInfo:
    found, forced = opening(turn, name), turn.state.forced.get(name)
    if forced is None or not forced.holds(turn.now):
        return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until,
                            uses=used)
    return CalendarInfo(name=name, open=found.open, why=str(found.why), until=found.until, forced=forced.open,
                        forced_by=forced.by, forced_until=forced.until, uses=used)
