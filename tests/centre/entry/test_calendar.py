"""Calendars: hours, holidays, special days, the supervisor's hand, and clocks that change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.centre.entry import public_holidays
from appliance.centre.entry.calendar import Calendar, Forced, next_change, open_at
from appliance.config.country import Country
from appliance.config.entry import WEEKDAYS, CalendarConfig

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
OFFICE = {"mon-fri": ["09:00-12:00", "13:30-17:30"], "sat": "09:00-12:00"}


def calendar(zone: str = "Asia/Shanghai", hours: Any = OFFICE, **more: Any) -> Calendar:
    return Calendar(CalendarConfig(name="office", timezone=zone, hours=hours, **more))


def at(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def said(moment: float | None, zone: ZoneInfo = SHANGHAI) -> str | None:
    return None if moment is None else f"{datetime.fromtimestamp(moment, zone):%m-%d %H:%M}"


@pytest.mark.parametrize(("moment", "is_open", "until"), [
    ("2026-11-20 08:59:59", False, "11-20 09:00"),               # a Friday
    ("2026-11-20 09:00", True, "11-20 12:00"),
    ("2026-11-20 12:00", False, "11-20 13:30"),                  # lunch
    ("2026-11-20 17:29:59", True, "11-20 17:30"),
    ("2026-11-20 17:30", False, "11-21 09:00"),
    ("2026-11-21 12:00", False, "11-23 09:00"),                  # from Saturday noon to Monday
    ("2026-11-22 10:00", False, "11-23 09:00"),
])
def test_a_week(moment: str, is_open: bool, until: str) -> None:
    found = open_at(calendar(), at(moment))
    assert (found.open, said(found.until)) == (is_open, until)
    assert next_change(calendar(), at(moment)) == found.until


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = calendar(hours={"fri": "22:00-06:00"}, days=[{"date": "2026-11-21", "hours": []}])
    assert said(open_at(night, at("2026-11-21 05:59")).until) == "11-21 06:00"
    assert not open_at(night, at("2026-11-22 05:00")).open
    assert "fri 2026-11-20 22:00-06:00" in open_at(night, at("2026-11-21 05:59")).why


@pytest.mark.parametrize("hours", [{"mon-sun": "00:00-24:00"}, {"mon-sun": ["00:00-08:00", "08:00-24:00"]}])
def test_open_day_and_night_has_no_change(hours: Any) -> None:
    found = open_at(calendar(hours=hours), at("2026-11-22 08:00"))
    assert found.open and found.until is None


@pytest.mark.parametrize(("moment", "is_open", "why"), [
    ("2026-10-01 10:00", False, "National Day"),
    ("2026-10-07 10:00", False, "substituted from"),
    ("2026-10-08 10:00", True, "thu 2026-10-08 09:00-12:00"),
    ("2026-10-10 16:00", True, "working day in place of a holiday: hours of mon"),           # a Saturday
    ("2026-09-20 10:00", True, "working day in place of a holiday"),                         # a Sunday
    ("2026-02-21 10:00", False, "substituted from"),             # a Saturday of the Spring Festival
    ("2026-02-14 16:00", True, "hours of mon"),                  # the Saturday before it is worked
    ("2026-11-21 16:00", False, "hours 09:00-12:00"),            # a Saturday like others
])
def test_holidays_of_china_and_the_days_worked_in_their_place(moment: str, is_open: bool, why: str) -> None:
    found = open_at(calendar(holidays="cn"), at(moment))
    assert found.open is is_open and why in found.why


def test_the_spring_festival_is_one_closed_time() -> None:
    """By the notice for 2026: off from 15 to 23 February, the 14th and the 28th are worked."""
    china = calendar(holidays="cn")
    found = open_at(china, at("2026-02-14 17:30"))
    assert (found.open, said(found.until)) == (False, "02-24 09:00")
    assert said(open_at(china, at("2026-02-28 13:00")).until) == "02-28 13:30"


def test_years_that_are_not_announced_are_told_and_can_be_listed() -> None:
    china = calendar(holidays="cn")
    assert china.unannounced(2025, 2028) == [2027, 2028]
    assert "not known here" in open_at(china, at("2027-02-20 15:00")).why        # a Saturday
    listed = calendar(holidays="cn", days=[
        {"date": "2027-02-20", "like": "fri", "note": "make-up"},
        {"date": "2027-02-11", "to": "2027-02-12", "hours": []}])
    assert listed.unannounced(2025, 2028) == [2028]
    assert open_at(listed, at("2027-02-20 15:00")).open
    assert not open_at(listed, at("2027-02-12 10:00")).open
    assert calendar().unannounced(2025, 2040) == []


def test_special_days_go_before_holidays_and_have_hours_of_their_own() -> None:
    special = calendar(holidays="cn", on_holidays="10:00-16:00", days=[
        {"date": date(2026, 10, 1), "to": "2026-10-02", "hours": "08:00-09:00", "note": "opening sale"}])
    assert "opening sale" in open_at(special, at("2026-10-02 08:30")).why
    assert not open_at(special, at("2026-10-02 10:30")).open
    assert open_at(special, at("2026-10-03 10:30")).open         # a holiday's hours


def test_regions_have_holidays_of_their_own() -> None:
    bavaria = calendar("Europe/Berlin", holidays="de", region="BY")
    berlin = calendar("Europe/Berlin", holidays="de", region="BE")
    epiphany = at("2026-01-06 10:00", BERLIN)
    assert (open_at(bavaria, epiphany).open, open_at(berlin, epiphany).open) == (False, True)
    with pytest.raises(ValueError, match="cn has no region 'XX' with holidays of its own"):
        calendar(holidays="cn", region="XX")


@pytest.mark.parametrize(("stretch", "moment", "fold", "is_open"), [
    ("02:30-05:00", "2026-03-29 03:29", 0, False),               # 02:30 is skipped: 03:30 by the new offset
    ("02:30-05:00", "2026-03-29 03:30", 0, True),
    ("01:00-02:30", "2026-10-25 02:29", 0, True),                # 02:30 comes twice: the first
    ("01:00-02:30", "2026-10-25 02:29", 1, False),
    ("02:30-05:00", "2026-10-25 02:31", 0, True),
    ("02:30-03:00", "2026-03-29 03:15", 0, False),               # nothing is left of it
    ("00:00-24:00", "2026-03-29 03:15", 0, True),
])
def test_clocks_that_change(stretch: str, moment: str, fold: int, is_open: bool) -> None:
    summer = calendar("Europe/Berlin", hours={"sun": stretch})
    assert open_at(summer, at(moment, BERLIN, fold)).open is is_open


def test_a_supervisor_closes_and_opens() -> None:
    office = calendar()
    noon, three = at("2026-11-20 11:00"), at("2026-11-20 15:00")
    closed = Forced(open=False, until=three, by="li")
    found = open_at(office, noon, closed)
    assert (found.open, found.until) == (False, three)
    assert found.why == "closed by li until 2026-11-20 15:00"
    assert open_at(office, three, closed) == open_at(office, three)              # it is over
    evening = Forced(open=False, until=at("2026-11-20 18:00"), by="li")
    assert said(open_at(office, noon, evening).until) == "11-21 09:00"           # by its hours from then
    for_good = open_at(office, noon, Forced(open=True, until=0.0, by=""))
    assert for_good == (True, "opened by the command line", None)


def test_every_country_has_holidays_in_the_library() -> None:
    known = holidays.list_supported_countries()
    assert {country.upper() for country in get_args(Country)} <= known.keys()
    assert public_holidays.year("tr", None, 2026).free and not public_holidays.year("cn", None, 1970).free


@pytest.mark.parametrize(("wrong", "says"), [
    ({"hours": {"mon-fri": "9-12"}}, "write hours like 09:00-12:00"),
    ({"hours": {"mon": "09:00-25:00"}}, "a day has 00:00 to 24:00"),
    ({"hours": {"mon": "09:60-10:00"}}, "a day has 00:00 to 24:00"),
    ({"hours": {"mon": "09:00-09:00"}}, "begins where it ends"),
    ({"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "overlap"),
    ({"hours": {"fri-mon": "09:00-12:00"}}, "the week begins on mon"),
    ({"hours": {"monday": "09:00-12:00"}}, "write a day or days"),
    ({"hours": {"mon-fri": "09:00-12:00", "wed": "09:00-11:00"}}, "wed: more than one entry"),
    ({"timezone": "Asia/Peking"}, "no time zone"),
    ({"timezone": "../etc/passwd"}, "no time zone"),
    ({"holidays": "xx"}, "Input should be"),
    ({"region": "BY"}, "go with holidays"),
    ({"days": [{"date": "2026-13-01", "hours": []}]}, "month must be in"),
    ({"days": [{"date": "2026-11-01"}]}, "one of them"),
    ({"days": [{"date": "2026-11-01", "hours": [], "like": "mon"}]}, "one of them"),
    ({"days": [{"date": "2026-11-02", "to": "2026-11-01", "hours": []}]}, "not before"),
    ({"days": [{"date": "2026-11-01", "to": "2026-11-05", "hours": []},
               {"date": "2026-11-05", "hours": []}]}, "2026-11-05 is there twice"),
])
def test_what_is_wrong_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        CalendarConfig(**{"name": "office", "hours": {"mon": "09:00-12:00"}, **wrong})


quarters = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
weeks = st.dictionaries(st.sampled_from(WEEKDAYS), st.tuples(quarters, quarters).filter(
    lambda pair: pair[0] != pair[1]).map(lambda pair: "-".join(pair)), max_size=7)


@given(hours=weeks, zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Havana", "UTC"]),
       moment=st.integers(int(at("2026-03-20 00:00")), int(at("2026-11-30 00:00"))))
def test_until_is_the_very_next_change(hours: dict[str, str], zone: str, moment: int) -> None:
    """Asked in any order, a minute before and at each change."""
    one, other = calendar(zone, hours), calendar(zone, hours)
    found = one.opening(moment)
    for _ in range(4):
        if found.until is None:
            assert found.open is other.opening(moment + timedelta(days=30).total_seconds()).open
            break
        assert found.until > moment
        between = [moment + (found.until - moment) * part for part in (0.25, 0.5, 0.75, 0.999)]
        assert all(other.opening(part).open is found.open for part in between)
        moment = int(found.until)
        found = one.opening(moment)
        assert found.open is not other.opening(between[-1]).open


def test_the_library_counts_like_the_notices() -> None:
    """Days off and worked weekends of 2025, as the State Council published them."""
    year = public_holidays.year("cn", None, 2025)
    off = [("2025-01-01", 1), ("2025-01-28", 8), ("2025-04-04", 3), ("2025-05-01", 5), ("2025-05-31", 3),
           ("2025-10-01", 8)]
    days = [date.fromisoformat(first) + timedelta(days=place)
            for first, count in off for place in range(count)]
    assert sorted(year.free) == days
    assert sorted(day.isoformat() for day in year.working) == [
        "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"]
    assert datetime.fromtimestamp(at("2025-01-01 00:00"), UTC).year == 2024      # the zone decides the day
    assert not open_at(calendar(holidays="cn"), at("2025-01-01 09:30")).open
