"""Periods cover time without a gap, also where clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.config.quality import PeriodKind
from appliance.recording.quality.periods import period

ZONES = [ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")]
KINDS: list[PeriodKind] = ["day", "week", "month", "quarter", "year"]


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.floats(0, 4e9), st.sampled_from(ZONES))
def test_a_moment_is_in_its_period_and_the_next_begins_where_it_ends(
        kind: PeriodKind, at: float, zone: ZoneInfo) -> None:
    one = period(kind, at, zone)
    assert one.since <= at < one.until
    after = period(kind, one.until, zone)
    assert after.since == one.until and after.name > one.name
    assert period(kind, one.until - 1, zone) == one


@pytest.mark.parametrize(("kind", "name", "since", "until"), [
    ("day", "2026-12-31", (2026, 12, 31), (2027, 1, 1)), ("week", "2026-W53", (2026, 12, 28), (2027, 1, 4)),
    ("month", "2026-12", (2026, 12, 1), (2027, 1, 1)), ("quarter", "2026-Q4", (2026, 10, 1), (2027, 1, 1)),
    ("year", "2026", (2026, 1, 1), (2027, 1, 1)),
])
def test_the_last_day_of_a_year(kind: PeriodKind, name: str, since: tuple[int, int, int],
                                until: tuple[int, int, int]) -> None:
    zone = ZONES[0]
    one = period(kind, datetime(2026, 12, 31, 23, 59, tzinfo=zone).timestamp(), zone)
    assert one.name == name
    assert one.since == datetime(*since, tzinfo=zone).timestamp()
    assert one.until == datetime(*until, tzinfo=zone).timestamp()
