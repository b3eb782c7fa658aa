"""When a saved report is due, by the wall clock of the box. Pure: times and the zone are arguments."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, get_args

Every = Literal["", "daily", "weekly", "monthly"]
EVERY = get_args(Every)
MOST_MISSED = 7                                   # made after the box was away, the newest ones
MISSED_S = 32 * 86400.0                           # and none that is older
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`day`: of the week, Monday is 0; of the month from 1, the last one where a month is shorter."""

    every: Every
    day: int = 0
    at: str = "06:00"

    def __post_init__(self) -> None:
        """ValueError: it is none."""
        days = {"": range(1), "daily": range(1), "weekly": range(7), "monthly": range(1, 32)}
        if self.every not in days or self.day not in days[self.every] or not _CLOCK.fullmatch(self.at):
            raise ValueError(f"{self.every} {self.day} {self.at}: is no time of a schedule")

    def falls_on(self, day: date) -> bool:
        if self.every == "weekly":
            return day.weekday() == self.day
        if self.every == "monthly":
            return day.day == min(self.day, calendar.monthrange(day.year, day.month)[1])
        return self.every == "daily"

    def dues(self, after: float, zone: tzinfo | None = None) -> Iterator[float]:
        """Later than `after`, in order, for ever; none without a schedule.

        Each day has one at most: an hour that clocks jump over is the one after it, one that comes twice the
        first.
        """
        if not self.every:
            return
        hour, minute = map(int, self.at.split(":"))
        day = datetime.fromtimestamp(after, zone).date() - timedelta(days=1)
        while True:
            if self.falls_on(day):
                due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp()
                if due > after:
                    yield due
            day += timedelta(days=1)

    def missed(self, after: float, now: float, zone: tzinfo | None = None) -> list[float]:
        """Later than `after` and not later than `now`: the newest MOST_MISSED."""
        found: list[float] = []
        for due in self.dues(max(after, now - MISSED_S), zone):
            if due > now:
                break
            found.append(due)
        return found[-MOST_MISSED:]
