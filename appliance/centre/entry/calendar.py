"""Calendars: is somebody there at a moment, why, and until when. Pure; a moment is Unix time in seconds.

A stretch of hours belongs to the day on which it begins, also behind midnight. A time that the clock
skips or shows twice (daylight saving) is meant as RFC 5545, 3.3.5 says: by the offset before the change, and
the first one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.centre.entry import public_holidays
from appliance.centre.entry.reason import Reason
from appliance.config.entry import (
    DAY_MINUTES,
    WEEKDAYS,
    CalendarConfig,
    DayConfig,
    Weekday,
    minutes,
    weekdays,
)

HORIZON_DAYS = 400                                # further ahead no change is looked for
_DAY = timedelta(days=1)
_LONG_S = (HORIZON_DAYS - 2) * _DAY.total_seconds()


class Opening(NamedTuple):
    """`until`: when that changes; None: not within a year."""

    open: bool
    why: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Forced:
    """A supervisor has opened or closed it, whatever the hours. until 0: until it is called off."""

    open: bool
    until: float
    by: str

    def holds(self, at: float) -> bool:
        return not self.until or at < self.until


class _Stretch(NamedTuple):
    begin: float
    end: float
    why: str


class _Day(NamedTuple):
    stretches: list[str]
    why: str                                      # these are its hours


class Calendar:
    """One calendar. `zone`: the box's own, for a calendar without one. ValueError: no such region."""

    def __init__(self, config: CalendarConfig, zone: tzinfo = UTC) -> None:
        self.name, self._config = config.name, config
        self.zone: tzinfo = ZoneInfo(config.timezone) if config.timezone else zone
        self._week: dict[Weekday, list[str]] = {
            day: stretches for key, stretches in config.hours.items() for day in weekdays(key)}
        self._special = {one.date + _DAY * place: one for one in config.days
                         for place in range(((one.to or one.date) - one.date).days + 1)}
        self._known = (0.0, 0.0, Opening(False, "", None))           # from when, to when this is the answer
        self._year(public_holidays.FIRST_YEAR)    # the library is read now, not when a call comes

    def opening(self, at: float) -> Opening:
        """By its hours alone."""
        began, end, known = self._known
        if began <= at < end:
            return known
        today = _local(at, self.zone).date()
        end, found = self._find(today, at)
        self._known = at, min(end, self._instant(today, DAY_MINUTES)), found
        return found

    def unannounced(self, first: int, last: int) -> list[int]:
        """Years of these whose make-up working days are not known, and of which the calendar lists none."""
        listed = {day.year for day, one in self._special.items() if one.like is not None}
        return [number for number in range(first, last + 1)
                if not self._year(number).announced and number not in listed]

    def days(self, number: int) -> list[tuple[date, str, bool]]:
        """Of that year what the country makes of days: day, holiday's name, whether it is worked."""
        found = self._year(number)
        return sorted([*((day, name, False) for day, name in found.free.items()),
                       *((day, "", True) for day in found.working)])

    def _find(self, today: date, at: float) -> tuple[float, Opening]:
        """And how long, at most, for the same reason."""
        ahead = (one for one in self._ahead(today) if one.end > at)
        now = next(ahead, None)
        if now is None or now.begin > at:
            until = None if now is None else now.begin
            return until or math.inf, Opening(False, self._closed(today), until)
        until = now.end
        for later in ahead:
            if later.begin > until:
                return now.end, Opening(True, now.why, until)
            until = max(until, later.end)
        always = until > at + _LONG_S
        return now.end, Opening(True, now.why, None if always else until)

    def _ahead(self, today: date) -> Iterator[_Stretch]:
        """From yesterday on, in order."""
        for place in range(-1, HORIZON_DAYS):
            day = today + place * _DAY
            hours = self._day(day)
            for stretch in sorted(hours.stretches, key=minutes):
                first, last = minutes(stretch)
                begin, end = self._instant(day, first), self._instant(day, last)
                if begin < end:
                    yield _Stretch(begin, end, Reason("{weekday} {day} {hours}{why}", hours=stretch,
                                                      why=hours.why, **_named(day)))

    def _closed(self, today: date) -> str:
        hours = self._day(today)
        if not hours.stretches:
            return Reason("{weekday} {day}{why}: closed", why=hours.why, **_named(today))
        return Reason("{weekday} {day}{why}: hours {hours}", why=hours.why, hours=", ".join(hours.stretches),
                      **_named(today))

    def _day(self, day: date) -> _Day:
        special = self._special.get(day)
        if special is not None:
            return self._listed(special)
        year = self._year(day.year)
        if day in year.working:
            like = self._config.working_day
            return _Day(self._week.get(like, []), Reason(
                " (working day in place of a holiday: hours of {weekday})", weekday=Reason(like)))
        if day in year.free:
            return _Day(self._config.on_holidays, f" ({year.free[day]})")
        doubt = "" if year.announced or day.weekday() < 5 else (
            Reason(" (the working weekends of {year} are not known here: list them in days)",
                   year=str(day.year)))
        return _Day(self._week.get(WEEKDAYS[day.weekday()], []), doubt)

    def _listed(self, special: DayConfig) -> _Day:
        note = special.note or Reason("listed in days")
        if special.like is not None:
            return _Day(self._week.get(special.like, []), Reason(
                " ({note}: hours of {weekday})", note=note, weekday=Reason(special.like)))
        return _Day(special.hours or [], Reason(" ({note})", note=note))

    def _year(self, number: int) -> public_holidays.Year:
        if self._config.holidays is None:
            return _NO_HOLIDAYS
        return public_holidays.year(self._config.holidays, self._config.region, number)

    def _instant(self, day: date, minute: int) -> float:
        naive = datetime.combine(day, time()) + timedelta(minutes=minute)
        return naive.replace(tzinfo=self.zone).timestamp()


def _named(day: date) -> dict[str, str]:
    return {"weekday": Reason(WEEKDAYS[day.weekday()]), "day": day.isoformat()}


_NO_HOLIDAYS = public_holidays.Year({}, frozenset(), announced=True)


def open_at(calendar: Calendar, at: float, forced: Forced | None = None) -> Opening:
    """Is it open, why, and until when; `forced` as the log has it, also when it is over."""
    if forced is None or not forced.holds(at):
        return calendar.opening(at)
    word = "opened" if forced.open else "closed"
    by = forced.by or Reason("the command line")
    if not forced.until:
        return Opening(forced.open, Reason(f"{word} by {{by}}", by=by), None)
    why = Reason(f"{word} by {{by}} until {{until}}", by=by,
                 until=f"{_local(forced.until, calendar.zone):%Y-%m-%d %H:%M}")
    after = calendar.opening(forced.until)
    return Opening(forced.open, why, after.until if after.open == forced.open else forced.until)


def next_change(calendar: Calendar, now: float, forced: Forced | None = None) -> float | None:
    """When it opens or closes next; None: not within a year."""
    return open_at(calendar, now, forced).until


def _local(at: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, zone)
