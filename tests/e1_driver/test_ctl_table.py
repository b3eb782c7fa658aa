"""Tables and paragraphs of e1ctl on narrow and wide terminals, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.ctl.bert import parse_timeslots
from e1_driver.ctl.table import BARS, bar, columns, cut, paragraph, printed, spoken_s


@pytest.mark.parametrize(("seconds", "says"), [
    (0, "0 s"), (0.5, "0.5 s"), (42, "42 s"), (60, "1 min"), (725, "12 min 5 s"), (12000, "3 h 20 min"),
    (7200, "2 h"), (3599.6, "1 h")])
def test_seconds_as_people_say_them(seconds: float, says: str) -> None:
    assert spoken_s(seconds) == says


def test_columns_are_aligned_and_cut() -> None:
    assert columns([("a", "1", "x"), ("bbb", "22", "a long word")], right=(1,), width=14) == [
        "a     1  x", "bbb  22  a lo…"]
    assert cut("12345", 5) == "12345"


@given(st.text(alphabet="ab ，。线路正常x-", max_size=80), st.integers(20, 60))
def test_paragraphs_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = paragraph("head", text, width, indent=6)
    longest = max((printed(word) for word in text.split()), default=0)
    assert all(printed(line) <= max(width, 6 + longest) for line in lines)
    assert "".join("".join(lines).removeprefix("head").split()) == "".join(text.split())


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    assert paragraph("", "线路正常。线路正常。", 9, indent=0) == ["线路正", "常。线路", "正常。"]


def test_bars_rise_with_the_figure() -> None:
    assert bar(0, 900) == "_" and bar(1, 900) == BARS[0] and bar(900, 900) == BARS[-1]
    heights = [("_" + BARS).index(bar(figure, 900)) for figure in range(901)]
    assert heights == sorted(heights)


@pytest.mark.parametrize(("text", "timeslots"), [
    ("1", (1,)), ("31,1-3", (1, 2, 3, 31)), ("15,17", (15, 17)), ("2-2,2", (2,))])
def test_timeslots(text: str, timeslots: tuple[int, ...]) -> None:
    assert parse_timeslots(text) == timeslots
    assert len(parse_timeslots("all")) == 30


@pytest.mark.parametrize("text", ["", "0", "16", "32", "1-", "-1", "3-1", "1,,2", "one", "1-99999999999"])
def test_what_is_no_timeslot(text: str) -> None:
    with pytest.raises(ValueError, match="timeslot"):
        parse_timeslots(text)
