"""Stretches of time by name, as people mean them in the box's time zone. Pure."""

import calendar
from datetime import date, datetime, timedelta, tzinfo


def window(preset: str, now: float, zone: tzinfo | None) -> tuple[float, float]:
    """[since, until) in Unix seconds. `zone` None: the system's.

    Last week: today and the six days before it; last month: all days since the same one of the month before.
    """
    today = datetime.fromtimestamp(now, zone).date()
    tomorrow = today + timedelta(days=1)
    first, end = {
        "today": (today, tomorrow),
        "yesterday": (today - timedelta(days=1), today),
        "last-week": (today - timedelta(days=6), tomorrow),
        "last-month": (_month_before(today), tomorrow),
    }[preset]
    return _midnight(first, zone), _midnight(end, zone)


def _midnight(day: date, zone: tzinfo | None) -> float:
    """The first moment of the day there."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _month_before(day: date) -> date:
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, calendar.monthrange(last.year, last.month)[1]))
