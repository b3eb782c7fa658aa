"""Lists of days as people paste them: what a line says, what it does to the calendar, what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.entry import CalendarConfig
from webui.centre.days import take
from webui.centre.forms import MOST_ROWS

SHUT: dict[str, Any] = {"hours": []}


@pytest.mark.parametrize(("line", "day"), [
    ("2027-01-01 New Year", {"date": "2027-01-01", "hours": [], "note": "New Year"}),
    ("2027-1-1", {"date": "2027-01-01", "hours": []}),
    ("2027/1/1\tNew Year", {"date": "2027-01-01", "hours": [], "note": "New Year"}),
    ("2027.01.01;x", {"date": "2027-01-01", "hours": [], "note": "x"}),
    ("2027\u5e741\u67081\u65e5\u5143\u65e6", {"date": "2027-01-01", "hours": [], "note": "\u5143\u65e6"}),
    ("2027-10-01 - 2027-10-07 National Day",
     {"date": "2027-10-01", "to": "2027-10-07", "hours": [], "note": "National Day"}),
    ("2027-10-01,2027-10-07,National Day",
     {"date": "2027-10-01", "to": "2027-10-07", "hours": [], "note": "National Day"}),
    ("2027-10-01 to 2027-10-01", {"date": "2027-10-01", "hours": []}),
    ("2027\u5e742\u67085\u65e5\u81f32027\u5e742\u670811\u65e5 x",
     {"date": "2027-02-05", "to": "2027-02-11", "hours": [], "note": "x"}),
    ("2027-12-31 09:00-12:00 13:30\uff5e15:00 eve",
     {"date": "2027-12-31", "hours": ["09:00-12:00", "13:30-15:00"], "note": "eve"}),
    ("2027-09-26 =Fri make-up", {"date": "2027-09-26", "like": "fri", "note": "make-up"}),
    *((line, {"date": "2027-10-01", "to": "2027-10-07", "hours": [], "note": "x"}) for line in (
        "2027\u5e7410\u67081\u65e5\u81f37\u65e5 x", "2027\u5e7410\u67081\u65e5\u81f310\u67087\u65e5 x",
        "2027-10-01 - 10-07 x", "2027-10-01 (Fri) to 10/7 (Thursday) x", "2027-10-01\u201410.07 x",
        "2027\u5e7410\u67081\u65e5\uff08\u5468\u4e94\uff09\u81f32027\u5e7410\u67087\u65e5"
        "\uff08\u661f\u671f\u56db\uff09x")),
    ("2027-12-31 09:00-12:00\u300113:00-15:00 x",
     {"date": "2027-12-31", "hours": ["09:00-12:00", "13:00-15:00"], "note": "x"}),
    ("\ufeff2027-09-26: 7 years", {"date": "2027-09-26", "hours": [], "note": "7 years"}),
])
def test_how_a_day_may_be_written(line: str, day: dict[str, Any]) -> None:
    taken = take(line, (), False)
    assert (taken.days, taken.wrong) == ([day], False)


@pytest.mark.parametrize(("line", "spans"), [
    ("2027\u5e7410\u67081\u65e5\u30013\u65e5 x", ["10-01", "10-03"]),
    ("2027-10-01\u30012027-10-07 x", ["10-01", "10-07"]),
    ("2027-10-01\u300110-03\u300111/5 x", ["10-01", "10-03", "11-05"]),
    ("2027\u5e7410\u67081\u65e5\u81f33\u65e5\u3001 5\u65e5\uff08\u5468\u4e8c\uff09\u81f36\u65e5 x",
     ["10-01 10-03", "10-05 10-06"])])
def test_days_with_the_sign_of_a_list_between_them_are_not_all_from_the_first_to_the_last(
        line: str, spans: list[str]) -> None:
    taken = take(line.replace("x", "09:00-10:00 x"), (), False)
    assert not taken.wrong and {row.line for row in taken.rows} == {1}
    assert [" ".join(one[key][5:] for key in ("date", "to") if key in one) for one in taken.days] == spans
    assert all((one["hours"], one["note"]) == (["09:00-10:00"], "x") for one in taken.days)
    assert len({id(one["hours"]) for one in taken.days}) == len(spans)


@pytest.mark.parametrize(("line", "why", "about"), [
    ("2027-10-07\u30012027-10-01", "date", "\u30012027-10-01"),
    ("2027-10-01\u300132\u65e5", "date", "\u300132\u65e5"),
    ("2027-10-01\u30019-12 x", "date", "\u30019-12"),
    ("Christmas", "date", "Christmas"), ("2027-02-30 x", "date", "2027-02-30"),
    ("27-01-01", "date", "27-01-01"), ("2027-01-012", "date", "2027-01-012"),
    ("2027-01-05 2027-01-01", "last day", "2027-01-01"),
    ("2027-01-01 2028-01-02", "last day", "2028-01-02"), ("2027-01-01 25:00-26:00", "hours", "25:00-26:00"),
    ("2027-01-01 =fun", "like", "fun"), ("2027-01-01 =fri 09:00-10:00", "like", "fri"),
    ("2027-10-01 - 7 x", "last day", "- 7 x"), ("2027-10-01 \u81f3 9:00 x", "last day", "\u81f3 9:00 x"),
    ("2027-10-01 - 09-30 x", "last day", "2027-09-30"), ("2027-12-30 to 01-02", "last day", "2027-01-02"),
    ("2027-10-01 - 13-07", "date", "- 13-07"),
    ("2027-09-26 =friday x", "like", "=friday x"), ("2027-09-26 =\u5468\u4e94 x", "like", "=\u5468\u4e94 x"),
    ("2027-09-26 =fri =sat x", "like", "=sat x"), ("2027-09-26 9-12 x", "hours", "9-12 x"),
    ("2027-09-26 09.00-12.00", "hours", "09.00-12.00"),
    ("2027-09-26 09:00-12:00 13:00-15 x", "hours", "13:00-15 x"),
    ("2027-01-01 " + "x" * 65, "note", "x" * 20)])
def test_what_no_day_is(line: str, why: str, about: str) -> None:
    row, = take(line, (), False).rows
    assert (row.state, row.why, row.about, row.line) == ("wrong", why, about, 1)


def test_a_list_meets_the_days_that_are_there() -> None:
    there = [{"date": "2026-12-31", **SHUT, "note": "a"}, {"date": "2027-05-01", "to": "2027-05-03", **SHUT},
             {"date": "2027-12-31", "hours": "09:00-12:00"}]
    text = "2027-05-01 - 2027-05-05 May\n\n# remark\n2027-12-31 09:00-12:00\n2027-01-01 x"
    taken = take(text, there, False)
    assert [(row.line, row.state) for row in taken.rows] == [(1, "changed"), (4, "same"), (5, "new")]
    assert [one["date"] for one in taken.days] == ["2026-12-31", "2027-05-01", "2027-12-31", "2027-01-01"]
    assert taken.days[2] == there[2] and taken.days[1]["to"] == "2027-05-05"
    meets = take("2027-05-02 x", there, False)
    assert meets.wrong and (meets.rows[0].why, meets.rows[0].about) == ("overlap", "2027-05-01")
    whole = take("2027-05-02 x", there, True)     # the year's others go; another year's stays
    assert not whole.wrong and [one["date"] for one in whole.days] == ["2026-12-31", "2027-05-02"]
    assert [row.name for row in whole.rows if row.state == "gone"] == [
        "2027-05-01 - 2027-05-03", "2027-12-31 09:00-12:00"]


def test_the_hours_of_a_day_are_seen_before_it_is_taken() -> None:
    text = "2027-01-01 x\n2027-01-02 =fri x\n2027-01-03 09:00-10:00, 11:00-12:00 x"
    assert [row.name for row in take(text, (), False).rows] == [
        "2027-01-01 x", "2027-01-02 =fri x", "2027-01-03 09:00-10:00 11:00-12:00 x"]


def test_no_more_than_a_form_may_have() -> None:
    lines = [f"{2000 + place // 300}-{place % 300 // 28 + 1:02}-{place % 28 + 1:02}" for place in range(280)]
    more = [line.replace("2000", "2001") for line in lines]
    taken = take("\n".join(lines + more), (), False)
    assert taken.wrong and (taken.rows[-1].why, taken.rows[-1].about) == ("rows", str(MOST_ROWS))
    there = [{"date": line, **SHUT} for line in lines]
    assert take("\n".join(more), there, False).rows[0].why == "rows"


@given(st.lists(st.text("0123456789-/:=~ \t,x#\u5e74\u6708\u65e5fri", max_size=40) | st.builds(
    "{}-{:02}-{:02} {}".format, st.integers(2026, 2028), st.integers(1, 12), st.integers(1, 28),
    st.sampled_from(["", "x", "=mon", "09:00-10:00", "2028-12-30", "\u30012028-12-30",
                     "\u300131\u65e5"])), max_size=6), st.booleans())
def test_whatever_is_pasted_what_is_taken_the_document_takes(lines: list[str], whole: bool) -> None:
    there = [{"date": "2027-05-01", "to": "2027-05-03", **SHUT}]
    taken = take("\n".join(lines), there, whole)
    if not taken.wrong:
        CalendarConfig.model_validate({"name": "x", "hours": {}, "days": taken.days})
