"""When saved reports are due: each day once, whatever clocks do."""

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from webui.reports.timing import MOST_MISSED, Schedule

BERLIN = ZoneInfo("Europe/Berlin")


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def said(schedule: Schedule, after: str, most: int) -> list[str]:
    return [datetime.fromtimestamp(due, BERLIN).strftime("%m-%d %H:%M")
            for due in islice(schedule.dues(unix(after), BERLIN), most)]


@pytest.mark.parametrize(("schedule", "after", "dues"), [
    (Schedule("daily", at="06:00"), "2026-11-20T05:59", ["11-20 06:00", "11-21 06:00", "11-22 06:00"]),
    (Schedule("daily", at="06:00"), "2026-11-20T06:00", ["11-21 06:00"]),
    (Schedule("weekly", 0, "07:30"), "2026-11-20T12:00", ["11-23 07:30", "11-30 07:30"]),
    (Schedule("monthly", 31, "00:00"), "2026-01-31T12:00", ["02-28 00:00", "03-31 00:00", "04-30 00:00"]),
    (Schedule("daily", at="02:30"), "2026-03-27T12:00", ["03-28 02:30", "03-29 03:30", "03-30 02:30"]),
    (Schedule("daily", at="02:30"), "2026-10-24T12:00", ["10-25 02:30", "10-26 02:30"]),
    (Schedule(""), "2026-10-24T12:00", [])])
def test_due_times(schedule: Schedule, after: str, dues: list[str]) -> None:
    assert said(schedule, after, len(dues) or 1) == dues


def test_after_a_time_away_the_newest_are_made_and_none_twice() -> None:
    daily = Schedule("daily", at="06:00")
    missed = daily.missed(unix("2026-01-01T00:00"), unix("2026-11-20T12:00"), BERLIN)
    assert len(missed) == MOST_MISSED and missed[-1] == unix("2026-11-20T06:00")
    assert daily.missed(missed[-1], unix("2026-11-20T12:00"), BERLIN) == []
    assert Schedule("monthly", 1).missed(unix("2026-01-01T00:00"), unix("2026-11-20T12:00"), BERLIN) == [
        unix("2026-11-01T06:00")]


@pytest.mark.parametrize("wrong", [("hourly", 0, "06:00"), ("daily", 1, "06:00"), ("weekly", 7, "06:00"),
                                   ("monthly", 0, "06:00"), ("daily", 0, "24:00"), ("daily", 0, "6:00")])
def test_what_is_no_schedule(wrong: tuple[str, int, str]) -> None:
    with pytest.raises(ValueError, match="no time of a schedule"):
        Schedule(*wrong)                          # type: ignore[arg-type]
