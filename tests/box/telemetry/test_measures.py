"""The table of measures: names, labels, and that each row reads something of a box at work."""

import re
from dataclasses import replace

import pytest

from appliance.box.telemetry.measure import Measure
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import sample
from appliance.box.telemetry.rows_centre import AGENT_STATES, TODAY
from appliance.box.telemetry.seen import GONE_S, Seen
from appliance.bus.messages import ChannelStates, DaemonHealth, Health, LineFailure, SpanState
from appliance.centre.figures.definitions import FIGURES
from appliance.config.telemetry import OURS
from e1_driver import Counters
from tests.box.telemetry.a_box import AT, a_box, counters

BASE = {"seconds": "seconds", "bytes": "bytes", "celsius": "celsius", "volts": "volts", "rpm": "rpm",
        "decibels": "decibels", "ratio": "ratio", "timestamp": "time_seconds"}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_row_is_named_as_prometheus_wants_it(measure: Measure) -> None:
    assert re.fullmatch(r"branchline_[a-z][a-z0-9_]*", measure.name)
    assert measure.name.endswith("_total") == (measure.kind == "counter")
    if measure.unit in BASE:
        assert measure.name.removesuffix("_total").endswith(BASE[measure.unit])
    assert measure.en and measure.zh and measure.en != measure.zh and "\n" not in measure.en + measure.zh
    assert set(measure.labels) <= OURS


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_row_reads_a_box_at_work_once_for_each_set_of_labels(measure: Measure) -> None:
    read = list(measure.read(a_box()))
    assert read
    assert len({labels for labels, _ in read}) == len(read)
    assert all(len(labels) == len(measure.labels) for labels, _ in read)
    assert all(isinstance(figure, int | float) for _, figure in read)


def test_names_are_there_once() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert set().union(*(measure.labels for measure in MEASURES)) == OURS


def test_of_what_nobody_said_nothing_is_told() -> None:
    told = {measure.name: list(measure.read(Seen())) for measure in MEASURES}
    assert {name for name, read in told.items() if read} == {
        "branchline_call_answered_total", "branchline_recorder_finished_total"}      # boxd's own counts


def _read(name: str, seen: Seen) -> dict[tuple[str, ...], float]:
    return dict(next(measure for measure in MEASURES if measure.name == name).read(seen))


def test_figures_are_those_that_were_said() -> None:
    seen = a_box()
    assert _read("branchline_span_alarm_active", seen)["telco1", "rai"] == 1
    assert _read("branchline_span_alarm_failure", seen) == {
        (f"telco{span}", alarm): float((span, alarm) == (1, "rai"))
        for span in (1, 2, 3, 4) for alarm in ("los", "lof", "lomf", "ais", "rai")}
    assert _read("branchline_span_slips_total", seen)["telco2",] == 2000
    assert _read("branchline_span_performance_day_unavailable_seconds", seen)["telco1", "near"] == 5
    assert _read("branchline_channel_in_state", seen)["telco1", "busy"] == 16
    assert _read("branchline_call_released_total", seen) == {("16", "far"): 1}
    assert _read("branchline_queue_oldest_wait_seconds", seen)["queue0",] == 12
    assert _read("branchline_queue_today_service_level_ratio", seen)["queue0",] == 0.83
    assert _read("branchline_agent_in_state", seen)["talking",] == 60
    assert _read("branchline_media_tick_p999_seconds", seen)[()] == pytest.approx(0.0031)
    assert _read("branchline_recorder_lag_seconds", seen)[()] == pytest.approx(0.12)
    assert _read("branchline_card_supply_volts", seen)["card1", "3v3"] == 3.301
    assert _read("branchline_disk_full_time_seconds", seen)[()] == AT + 86_400
    assert _read("branchline_clock_source", seen)["ntp",] == 1
    assert _read("branchline_network_received_bytes_total", seen) == {("eth0",): 0}
    assert _read("branchline_network_sent_bytes_total", seen) == {("eth0",): 4000}
    assert _read("branchline_network_dropped_total", seen) == {("eth0",): 8000}
    assert _read("branchline_machine_memory_available_bytes", seen)[()] == 600 << 20


@pytest.mark.parametrize(("oper", "told"), [("up", {("eth0",): 1.0}), ("lowerlayerdown", {("eth0",): 0.0}),
                                            ("down", {("eth0",): 0.0}), ("unknown", {})])
def test_a_card_that_cannot_tell_whether_it_has_a_link_is_not_told_to_be_down(
        oper: str, told: dict[tuple[str, ...], float]) -> None:
    seen = a_box()
    seen.network = tuple(replace(card, oper=oper) for card in seen.network)
    assert _read("branchline_network_up", seen) == told


def test_of_a_daemon_that_is_away_no_figure_stays() -> None:
    seen = a_box()
    seen.hear(Health(at=AT, daemons=[DaemonHealth(daemon="spand", state="down", pid=1, starts=1),
                                     DaemonHealth(daemon="acdd", state="late", pid=1, starts=1)]))
    assert not _read("branchline_span_up", seen) and not _read("branchline_media_ticks_total", seen)
    assert _read("branchline_queue_waiting", seen)                   # late is not away yet
    assert _read("branchline_daemon_up", seen) == {("spand",): 0, ("acdd",): 0}
    assert _read("branchline_daemon_starts_total", seen)["spand",] == 1


def test_what_a_line_cannot_tell_and_a_lent_one_is_not_told() -> None:
    seen = a_box(spans=1)
    seen.hear(SpanState(span="telco1", up=True, alarms=[], counters=counters(5), at=AT,
                        untold=["crc_errors", "rai"]))
    assert not _read("branchline_span_crc_errors_total", seen)
    assert ("telco1", "rai") not in _read("branchline_span_alarm_active", seen)
    seen.hear(SpanState(span="telco1", up=True, alarms=[], counters=counters(5), at=AT, lent=True))
    assert not _read("branchline_span_up", seen) and _read("branchline_span_lent", seen) == {("telco1",): 1}
    assert not _read("branchline_link_up", seen)  # which nobody is to be woken for


def test_what_is_no_number_is_no_field() -> None:
    def row(field: str, figure: float) -> Measure:
        return Measure("m", field, "gauge", "", (), "", "", lambda _: [((), figure)])

    rows = [row("a", 1.0), row("b", float("nan")), row("c", float("inf"))]
    assert sample(rows, Seen()) == {("branchline_m", ()): {"a": 1.0}}


def test_a_line_that_is_taken_away_is_told_no_more() -> None:
    seen = a_box(spans=2)
    seen.hear(ChannelStates(span="telco1", trunk="telco", link_up=False, channels=[]))
    assert _read("branchline_link_up", seen) == {("telco2",): 1}
    seen.at += GONE_S                             # spand says only the second one
    seen.hear(SpanState(span="telco2", up=True, alarms=[], counters={}, at=seen.at))
    for name in ("up", "lent", "clock_source"):
        assert set(_read(f"branchline_span_{name}", seen)) == {("telco2",)}
    for name in ("active", "failure"):
        assert {span for span, _ in _read(f"branchline_span_alarm_{name}", seen)} == {"telco2"}


def test_a_failure_ends() -> None:
    seen = a_box()
    seen.hear(LineFailure(span="telco1", alarm="rai", declared=False, since=AT, at=AT))
    assert not any(_read("branchline_span_alarm_failure", seen).values())


def test_the_tables_that_it_takes_names_from_have_them() -> None:
    from appliance.centre import state

    assert {one.name for one in FIGURES["queue"]} >= set(TODAY)
    assert all(word in (state.Agent.__doc__ or "") for word in AGENT_STATES)
    told = {measure.name for measure in MEASURES if measure.group == "span" and measure.kind == "counter"}
    assert len(told) == len(set(Counters.__slots__) - {"blocks_in", "blocks_out"})
