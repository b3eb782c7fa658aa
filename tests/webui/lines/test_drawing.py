"""The drawing of a history: every figure at its place, gaps shown, nothing made up."""

from hypothesis import given
from hypothesis import strategies as st

from e1_driver.watch.bins import DAY_S, QUARTER_S, Bin, End
from webui.lines import drawing
from webui.lines.drawing import FIGURES, LEFT, RIGHT, ROW

NOW = 1_795_400_000.0
NEWEST = int(NOW) // QUARTER_S * QUARTER_S


def a_bin(back: int, **near: int | None) -> Bin:
    return Bin(at=NEWEST - QUARTER_S * back, length_s=QUARTER_S, measured_s=900,
               near=End(measured_s=900, **near), far=End(measured_s=900))


def test_what_was_measured_has_bars_and_what_was_not_is_a_gap() -> None:
    chart = drawing.quarters([a_bin(0, es=5, ses=0, bbe=9, uas=0), a_bin(96, es=0, ses=0, bbe=0, uas=900)],
                             True, NOW)
    bars = {row.figure: [(bar.at, bar.value) for bar in row.bars] for row in chart.rows}
    assert bars == {"uas": [(NEWEST - 96 * QUARTER_S, 900)], "ses": [], "es": [(NEWEST, 5)],
                    "bbe": [(NEWEST, 9)]}
    assert len(chart.gaps) == 95
    outage = chart.rows[0].bars[0]
    assert outage.height == ROW and outage.x >= LEFT
    assert not chart.clean


def test_a_figure_that_cannot_be_told_is_not_zero() -> None:
    rows = drawing.quarters([a_bin(0, es=0)], True, NOW).rows
    assert {row.figure: row.untold for row in rows} == {"uas": True, "ses": True, "es": False, "bbe": True}
    assert not any(row.untold for row in drawing.quarters([], True, NOW).rows)       # nothing is known at all


def test_the_month_has_a_bin_for_each_day() -> None:
    day = int(NOW) // DAY_S * DAY_S
    one = Bin(at=day - 30 * DAY_S, length_s=DAY_S, measured_s=DAY_S, near=End(), far=End(DAY_S, es=1, ses=1))
    chart = drawing.days([one], False, NOW)
    assert [bar.at for row in chart.rows for bar in row.bars] == [one.at, one.at]
    assert len(chart.gaps) == 30


@given(st.dictionaries(st.integers(0, 200), st.tuples(*[st.none() | st.integers(0, 10**9)] * 4)))
def test_nothing_is_ever_drawn_outside(figures: dict[int, tuple[int | None, ...]]) -> None:
    bins = [a_bin(back, **dict(zip(FIGURES, values, strict=True))) for back, values in figures.items()]
    chart = drawing.quarters(bins, True, NOW)
    for row in chart.rows:
        for bar in row.bars:
            assert LEFT <= bar.x and bar.x + bar.width <= RIGHT + 0.01
            assert 0 <= row.base - ROW <= bar.y and bar.y + bar.height <= chart.height
            assert bar.height >= 2.0
