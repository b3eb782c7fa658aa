"""What a choice means: times, intervals and what they are compared to, where clocks change, too."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import force_locale

from webui.reports.choice import Ask, Choice, read, read_query, times

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
HOUR = 3600.0


def unix(text: str, zone: tzinfo) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.fixture(autouse=True)
def in_english(bare: Flask) -> Iterator[None]:
    """Sentences are in somebody's language."""
    with bare.app_context(), force_locale("en"):
        yield


NOW = unix("2026-11-18T15:20:00", SHANGHAI)       # a Wednesday


@pytest.mark.parametrize(("period", "since", "until", "weeks"), [
    ("today", "2026-11-18T00:00", "2026-11-18T15:30", 1),
    ("yesterday", "2026-11-17T00:00", "2026-11-18T00:00", 1),
    ("this-week", "2026-11-16T00:00", "2026-11-18T15:30", 1),
    ("last-week", "2026-11-09T00:00", "2026-11-16T00:00", 1),
    ("this-month", "2026-11-01T00:00", "2026-11-18T15:30", 3),
    ("last-month", "2026-10-01T00:00", "2026-11-01T00:00", 5),
    ("this-year", "2026-01-01T00:00", "2026-11-18T15:30", 0)])
def test_periods_are_of_the_box_and_compared_to_whole_weeks_before(
        period: str, since: str, until: str, weeks: int) -> None:
    found = times(Choice(period=period, set="service"), NOW, SHANGHAI)
    assert (found.since, found.until) == (unix(since, SHANGHAI), unix(until, SHANGHAI))
    assert found.shift_days == 7 * weeks and found.long == (not weeks)
    if found.long:
        return                                    # it stands alone
    before = found.before()
    assert (before.since, before.until) == (found.since - 7 * weeks * 86400, found.until - 7 * weeks * 86400)
    assert before.until <= found.since


def test_days_of_23_and_25_hours_are_whole_days() -> None:
    spring = Choice(period="dates", since="2026-03-27", until="2026-03-31", interval="day", set="service")
    found = times(spring, unix("2026-06-01T00:00", BERLIN), BERLIN)
    hours = [(until - since) / HOUR for since, until in found.spans("day")]
    assert hours == [24, 24, 23, 24, 24]
    assert [ask.interval_s / HOUR for ask in found.asks("day")] == [24, 0, 24]       # 0: one alone
    assert sum(ask.until - ask.since for ask in found.asks("day")) == sum(hours) * HOUR
    before = found.before()                       # no clock was set in it: the same days of the wall clock
    assert [before.local(since).hour for since, _ in before.spans("day")] == [0] * 5
    autumn = Choice(period="dates", since="2026-10-25", until="2026-10-25", interval="hour", set="service")
    found = times(autumn, unix("2026-12-01T00:00", BERLIN), BERLIN)
    assert len(found.spans("hour")) == 25
    assert [found.local(since).hour for since, _ in found.spans("hour")][:5] == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("zone", [BERLIN, SHANGHAI, KATHMANDU, UTC])
@pytest.mark.parametrize("interval", ["whole", "quarter", "hour", "day", "week"])
@pytest.mark.parametrize("days", [("2026-03-28", "2026-03-30"), ("2026-10-01", "2026-10-31"),
                                  ("2026-10-24", "2026-10-26")])
def test_questions_have_every_interval_once_and_are_quarters_of_an_hour(
        zone: tzinfo, interval: str, days: tuple[str, str]) -> None:
    choice = Choice(period="dates", since=days[0], until=days[1], interval=interval, set="service")
    if interval == "quarter" and days[0] == "2026-10-01":
        with pytest.raises(ValueError, match="too many intervals"):
            times(choice, NOW, zone)
        return
    for found in (times(choice, NOW, zone), times(choice, NOW, zone).before()):
        asks, spans = found.asks(interval), found.spans(interval)
        asked = [(at, min(at + (one.interval_s or one.until - one.since), one.until)) for one in asks
                 for at in _steps(one)]
        assert asked == spans
        assert len(asks) <= 5
        assert all(border % 900 == 0 for ask in asks for border in (ask.since, ask.until, ask.interval_s))


def _steps(one: Ask) -> list[float]:
    step = one.interval_s or one.until - one.since
    return [one.since + place * step for place in range(int(-(-(one.until - one.since) // step)))]


def test_an_address_says_the_whole_choice() -> None:
    choice = Choice(kind="agent", names=("zhào & co", "=1+1"), period="dates", since="2026-01-02",
                    until="2026-02-03", interval="hour", set="work", chart="aht_s")
    assert read_query(choice.query()) == choice
    assert read_query("") == Choice(set="service")


@pytest.mark.parametrize(("args", "why"), [
    ({"kind": "weather"}, "cannot be understood"), ({"interval": "year"}, "cannot be understood"),
    ({"period": "dates", "since": "2026-13-01"}, "is no day"),
    ({"period": "dates", "since": "0001-01-01"}, "is no day"),
    ({"period": "dates", "since": "2026-11-30"}, "not come yet"),
    ({"period": "dates", "since": "2026-11-10", "until": "2026-11-09"}, "before the first"),
    ({"period": "dates", "since": "2024-01-01", "until": "2026-11-01"}, "a year at a time"),
    ({"period": "this-year", "interval": "hour"}, "too many intervals")])
def test_what_cannot_be_asked_is_said(args: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        times(read(args, []), NOW, SHANGHAI)
