"""The measures as Prometheus reads them, judged by promtool."""

import subprocess

import pytest

from appliance.box.exposed.exposition import exposition
from appliance.box.telemetry.measure import Measure
from appliance.box.telemetry.measures import MEASURES
from tests.box.snmp.boxes import UNIX, seen


def linted(text: str) -> tuple[int, str]:
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True,
                          timeout=60, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def wrong(text: str) -> set[str]:
    """Names with which it finds something wrong."""
    return {line.partition(" ")[0] for line in linted(text)[1].splitlines()}


def row(kind: str, *readings: tuple[tuple[str, ...], float], labels: tuple[str, ...] = ("name",),
        en: str = "What it is", group: str = "test", field: str = "figure") -> Measure:
    return Measure(group, field, kind, "", labels, en, "", lambda seen: readings)   # type: ignore[arg-type]


@pytest.mark.need(11)
def test_promtool_takes_a_box() -> None:
    found = seen()
    found.at = UNIX
    text = exposition(MEASURES, found)
    assert 'branchline_span_up{span="telco1"} 1\n' in text and wrong(text) == set()


def test_promtool_takes_any_measure() -> None:
    told = [row(measure.kind, (measure.labels, 1.0), labels=measure.labels, group=measure.group,
                field=measure.field) for measure in MEASURES]
    assert wrong(exposition(told, seen())) == set()


def test_what_nobody_knows_is_not_there() -> None:
    found = seen()
    found.wall_clock, found.floor = None, None
    text = exposition(MEASURES, found)
    assert "branchline_clock" not in text and "branchline_queue" not in text


def test_labels_and_helps_are_quoted_and_figures_exact() -> None:
    measure = row("gauge", (('a "b" \\ c\nd',), 0.1), (("",), 12345678901.0), (("e",), 1.5e300),
                  en="one\\two\nthree")
    assert exposition([measure], seen()) == (
        "# HELP branchline_test_figure one\\\\two\\nthree\n# TYPE branchline_test_figure gauge\n"
        'branchline_test_figure{name="a \\"b\\" \\\\ c\\nd"} 0.1\n'
        f"branchline_test_figure 12345678901\nbranchline_test_figure{{name=\"e\"}} {int(1.5e300)}\n")


@pytest.mark.parametrize("figure", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_said_as_prometheus_has_it(figure: float) -> None:
    text = exposition([row("gauge", (("a",), figure))], seen())
    assert linted(text)[0] == 0 and text.splitlines()[-1].split()[-1] in ("+Inf", "-Inf", "NaN")


def test_promtool_does_find_what_is_wrong() -> None:
    assert linted(exposition([row("counter", (("a",), 1.0))], seen()))[0] == 3, "a counter ends in _total"
