"""Figures from records made by hand; what is sure of them; how they are shown."""

import math
from typing import Any
from xml.parsers import expat

import pytest

from appliance.sim import chart, tables
from appliance.sim.chances import Data, Exponential, LogNormal, Uniform, Weibull
from appliance.sim.day import Blocked, Day
from appliance.sim.figures import ALL, METRICS, Figures
from appliance.sim.study import Estimate, student, study
from appliance.store.records import ContactRecord, SegmentRecord
from tests.sim.branches import branch

MIDNIGHT = 1_000_000.0
BEGINS, ENDS = MIDNIGHT + 8 * 3600, MIDNIGHT + 9 * 3600


def record(at_s: float, *parts: tuple[str, str, float], outcome: str = "answered") -> ContactRecord:
    """A contact from `at_s` after the beginning: (kind, detail, for how long)."""
    segments, now = [], BEGINS + at_s
    for kind, detail, for_s in parts:
        segments.append(SegmentRecord(kind=kind, detail=detail, began_at=now, ended_at=now + for_s))
        now += for_s
    return ContactRecord(contact=str(at_s), direction="in", calling="", called="5001", state="ended",
                         began_at=BEGINS + at_s, ended_at=now, outcome=outcome, segments=tuple(segments))


def figures(*records: ContactRecord, blocked: int = 0) -> Figures:
    day = Day(MIDNIGHT, BEGINS, BEGINS, ENDS, 900.0, records=list(records))
    day.told_s |= {"0": 90.0, "10": 45.0, "20": 60.0, "910": 33.0}
    day.blocked += [Blocked(BEGINS + 60, "telco", "5001")] * blocked
    day.spent("ready", BEGINS - 100, BEGINS + 300, "")
    day.spent("talking", BEGINS + 300, BEGINS + 900, "")
    day.spent("wrap-up", BEGINS + 900, BEGINS + 1200, "sales")
    day.spent("not-ready", BEGINS + 1200, ENDS, "sales")
    return Figures(day, {"sales": 20.0, "service": 40.0}, short_s=5.0)


DAY = figures(
    record(0, ("flow", "menu", 5), ("queue", "sales", 0), ("ring", "ann", 10), ("talk", "ann", 100)),
    record(10, ("queue", "sales", 10), ("ring", "ann", 15), ("queue", "sales", 5), ("ring", "bo", 5),
           ("talk", "bo", 200)),
    record(20, ("queue", "sales", 3), outcome="abandoned"),
    record(900, ("queue", "sales", 19), outcome="abandoned"),
    record(910, ("queue", "sales", 30), ("queue", "service", 20), ("talk", "cy", 60), ("hold", "cy", 40)),
    record(920, ("flow", "menu", 9)),
    record(930, ("queue", "sales", 50), ("flow", "bye", 5)),
    record(4000, ("queue", "sales", 50)),                            # came when the day was over
    blocked=2)


@pytest.mark.parametrize(("queue", "expected"), [
    (ALL, {"calls": 9, "blocked": 2, "offered": 6, "answered": 3, "abandoned": 2, "short_abandoned": 1,
           "overflowed": 1, "service_level": 1 / 5, "service_level_offered": 1 / 6,
           "service_level_answered": 1 / 3, "service_level_positive": 3 / 6, "abandonment": 2 / 6,
           "abandonment_long": 1 / 5,
           "asa_s": (10 + 35 + 50) / 3, "wait_50_s": 35.0, "wait_90_s": 50.0, "aht_s": (400 + 300) / 3,
           "ewt_error_s": 13.0, "ewt_error_share": 13 / 20,
           "ewt_error_in_line": (10 / 35 + 13 / 20) / 2, "ewt_bias_s": (80 + 10 + 13) / 3,
           "occupancy": 900 / 1200}),
    ("sales", {"offered": 6, "answered": 2, "overflowed": 2, "abandoned": 2, "service_level": 1 / 5,
               "asa_s": 22.5, "aht_s": 600 / 2}),
    ("service", {"offered": 1, "answered": 1, "service_level": 1.0, "asa_s": 20.0, "aht_s": 100.0,
                 "ewt_bias_s": 13.0}),
])
def test_figures_are_their_formulas(queue: str, expected: dict[str, float]) -> None:
    found = {name: METRICS[name].of(DAY.of[queue]) for name in expected}
    assert found == pytest.approx(expected, nan_ok=True)


def test_intervals_add_up_to_the_day() -> None:
    assert list(DAY.intervals["sales"]) == [32, 33, 34, 35]
    for name in ("calls", "blocked", "offered", "answered", "abandoned", "overflowed"):
        for queue in DAY.of:
            parts = [METRICS[name].of(tally) for tally in DAY.intervals[queue].values()]
            assert sum(parts) == METRICS[name].of(DAY.of[queue]), (name, queue)
    assert [tally.ready_s for tally in DAY.intervals[ALL].values()] == [300.0, 0.0, 0.0, 0.0]
    assert [tally.at_work_s for tally in DAY.intervals[ALL].values()] == [600.0, 300.0, 0.0, 0.0]


def test_where_nothing_was_there_is_no_figure() -> None:
    nothing = figures().of["service"]
    for name in ("service_level", "abandonment", "asa_s", "wait_90_s", "aht_s", "occupancy"):
        assert math.isnan(METRICS[name].of(nothing))


def test_what_is_sure_of_a_mean() -> None:
    """Textbook: five values, t = 2.776."""
    found = Estimate.of([10.0, 12.0, 9.0, 11.0, 13.0, math.nan])
    assert found.mean == 11.0
    assert found.half == pytest.approx(2.776 * math.sqrt(2.5) / math.sqrt(5))
    assert 12.9 in found and 13.0 not in found
    assert math.isnan(Estimate.of([10.0]).half) and math.isnan(Estimate.of([]).mean)
    assert student(40) == pytest.approx(2.021, abs=1e-3) and student(120) == pytest.approx(1.980, abs=1e-3)


@pytest.mark.parametrize(("chance", "mean_s"), [
    (Exponential(kind="exponential", mean_s=180.0), 180.0),
    (Weibull(kind="weibull", mean_s=90.0, shape=0.7), 90.0),
    (Weibull(kind="weibull", mean_s=90.0, shape=3.0), 90.0),
    (LogNormal(kind="log-normal", mean_s=200.0, variation=0.8), 200.0),
    (Uniform(kind="uniform", least_s=2.0, most_s=6.0), 4.0),
    (Data(kind="data", values_s=[30.0, 10.0, 20.0]), 20.0)])
def test_a_distribution_has_its_mean(chance: Exponential, mean_s: float) -> None:
    """The mean is the integral of the quantile function; it never falls."""
    steps = 30_000
    times = [chance.quantile_s((step + 0.5) / steps) for step in range(steps)]
    assert times == sorted(times) and times[0] >= 0
    assert sum(times) / steps == pytest.approx(mean_s, rel=5e-3)


def drawn(svg: str) -> tuple[list[str], list[str]]:
    """Tags and texts. ExpatError: it is not well-formed."""
    tags: list[str] = []
    texts: list[str] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: tags.append(name)
    parser.CharacterDataHandler = texts.append
    parser.Parse(svg, True)
    return tags, "".join(texts).split("\n")


def test_a_study_is_shown_as_it_is() -> None:
    """Rows for every figure, stars where agents surely matter, a picture that is well-formed."""
    rates = {"08:00": 150.0, "08:30": 60.0}
    scenario: dict[str, Any] = {"arrivals": [{"queue": "sales", "calls_per_hour": rates}], "replications": 4,
                                "patience": {"kind": "exponential", "mean_s": 60.0}}
    studies = [study("as it is", branch(2, **scenario)), study("<4 agents>", branch(4, **scenario))]
    rows = list(tables.side_by_side(studies, tables.UNICODE))
    assert [row[:tables.LABEL].rstrip() for row in rows[1:]] == [metric.label for metric in METRICS.values()]
    starred = {row[:tables.LABEL].rstrip(): row.rstrip().endswith("*") for row in rows}
    assert (starred["calls"], starred["answered"]) == (False, True)
    assert "±" in rows[1] and "+-" in next(iter(list(tables.side_by_side(studies, tables.ASCII))[1:]))
    _, calls, level, wait = tables.over_the_day(studies[0], tables.UNICODE)
    assert calls.startswith("calls") and "█" in calls and "most" in calls and "at 08:" in calls
    assert "least" in level and "ASA" in wait
    assert len(list(tables.in_rows(studies[0], tables.ASCII))) == 1 + 4
    tags, texts = drawn(chart.svg(studies, target=0.8))
    assert {"as it is", "<4 agents>", "service level", "08:45", "100 %"} <= set(texts)
    assert (tags[0], tags.count("polyline")) == ("svg", 2)
