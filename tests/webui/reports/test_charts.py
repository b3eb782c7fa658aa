"""What is drawn: round scales, nothing where nothing is known, the most and the mean where they are."""

import pytest

from appliance.bus.messages import FigureDefinition, FigureValue
from webui.reports import charts
from webui.reports.choice import Times
from webui.reports.tables import Cell, Line, Section, peaks

HOUR = 3600.0
OFFERED = FigureDefinition(name="offered", zh="", en="offered", unit="contacts", formula="")
LEVEL = FigureDefinition(name="service_level", zh="", en="level", unit="share", formula="")


def section(values: list[float | None], before: list[float | None], target: float | None = None) -> Section:
    def value(one: float | None) -> FigureValue:
        return FigureValue(value=one, top=one or 0.0, bottom=1.0, target=target)
    return Section("", tuple(
        Line("", at * HOUR, (at + 1) * HOUR, (Cell(value(now), value(was)),))
        for at, (now, was) in enumerate(zip(values, before, strict=True))), None)


def times(hours: int) -> Times:
    return Times(0.0, hours * HOUR, 7, None)


@pytest.mark.parametrize(("low", "high", "unit", "made"), [
    (0, 7, "contacts", (0, 8, 2)), (0, 1, "contacts", (0, 1, 1)), (0, 0, "contacts", (0, 1, 1)),
    (0, 376, "contacts", (0, 400, 100)), (0, 1.0, "share", (0, 1.0, 0.25)),
    (0, 0.03, "share", (0, 0.1, 0.025)), (-30, 50, "s", (-40, 60, 20)), (0, 0.0, "Erl", (0, 0.25, 0.25)),
    (0, 0.4, "s", (0, 0.4, 0.1))])
def test_scales_are_round_and_hold_all_values(
        low: float, high: float, unit: str, made: tuple[float, float, float]) -> None:
    assert charts.scale(low, high, unit) == pytest.approx(made)


def test_lines_break_where_nothing_is_known_and_the_most_is_marked() -> None:
    known: list[float | None] = [0.5, 0.75, None, 1.0]
    drawn = charts.draw(section(known, [None, None, 0.5, 0.5], 0.8), 0, LEVEL, times(4), None)
    assert drawn is not None
    assert [len(piece.split()) for piece in (*drawn.now, *drawn.before)] == [2, 2, 2]
    assert drawn.peak is not None and drawn.peak[1] == charts.TOP
    assert drawn.target is not None and charts.TOP < drawn.target < drawn.bottom
    assert drawn.mean is None and len(drawn.hovers) == 4
    assert drawn.grid[0] == (drawn.bottom, "0 %") and drawn.grid[-1] == (charts.TOP, "100 %")


def test_nothing_is_drawn_of_nothing() -> None:
    assert charts.draw(section([None, None], [1.0, 1.0]), 0, LEVEL, times(2), None) is None
    assert charts.draw(section([1.0], [1.0]), 0, LEVEL, times(1), None) is None


def test_peaks_are_of_each_day_and_means_only_of_what_adds_up() -> None:
    two_days = section([float(hour % 24) for hour in range(48)], [None] * 48)
    found = peaks(two_days, 0, OFFERED, times(48))
    assert [(peak.value, peak.mean, peak.intervals) for peak in found] == [
        (23.0, 11.5, 24), (23.0, 11.5, 24), (23.0, 11.5, 48)]
    assert [peak.day for peak in found][-1] == "" and found[0].line.since == 23 * HOUR
    assert [peak.mean for peak in peaks(two_days, 0, LEVEL, times(48))] == [None] * 3
