"""What happens on a simulated day, told by the records that the box would keep."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.centre.engine import Engine
from appliance.centre.flow import Flow
from appliance.centre.invariants import violations
from appliance.centre.projector import ContactProjector
from appliance.sim.branch import Branch
from appliance.sim.callers import KnownCall
from appliance.sim.world import simulate
from appliance.store.events import Entry, EventLog
from appliance.store.records import ContactRecord
from tests.sim.branches import branch

BUSY = {"arrivals": [{"called": "5001", "calls_per_hour": 240.0, "keys": {"1": 2.0, "2": 1.0, "*": 0.2}}],
        "patience": {"kind": "weibull", "mean_s": 60.0, "shape": 1.5},
        "handling": {"kind": "log-normal", "mean_s": 100.0}, "ends": "08:30",
        "agents": {"answer": {"kind": "uniform", "least_s": 1.0, "most_s": 6.0}, "no_answer": 0.05},
        "queue": {"wrap_up_s": 10.0, "ring_s": 12.0, "position_every_s": 20.0}}


def calls(*known: KnownCall, **more: Any) -> Branch:
    """These calls and no others; each chooses sales and needs 60 s with an agent."""
    made = branch(arrivals=[{"called": "5001", "csv": "calls.csv", "keys": "1"}], **more)
    return replace(made, known={0: known})


def busy(**more: Any) -> Branch:
    return branch(**{"staff": 6, **BUSY, **more})


def at(clock: str, **more: Any) -> KnownCall:
    hours, minutes, seconds = map(int, clock.split(":"))
    return KnownCall(at_s=hours * 3600 + minutes * 60 + seconds, **more)


def shape(record: ContactRecord) -> list[tuple[str, str, float]]:
    return [(one.kind, one.detail, round(one.ended_at - one.began_at, 3)) for one in record.segments]


def outcomes(records: list[ContactRecord]) -> Counter[str]:
    return Counter(record.outcome for record in records)


def test_a_caller_gets_through_the_menu_and_talks_as_long_as_he_needs() -> None:
    record, = simulate(calls(at("08:00:10", calling="13800000001"), staff=1)).records
    assert (record.calling, record.outcome, record.ended_by, record.digits) == (
        "13800000001", "answered", "caller", "1")
    assert shape(record) == [("flow", "greeting", 2.0), ("queue", "sales", 0.0), ("ring", "agent1", 0.0),
                             ("talk", "agent1", 60.0)]


def test_who_runs_out_of_patience_hangs_up_in_line_and_not_in_the_talk() -> None:
    first, second = at("08:00:00", patience_s=5.0), at("08:00:01", patience_s=20.0)
    one, other = sorted(simulate(calls(first, second, staff=1)).records, key=lambda record: record.began_at)
    assert one.outcome == "answered" and shape(one)[-1] == ("talk", "agent1", 60.0)
    assert other.outcome == "abandoned" and shape(other)[-1] == ("queue", "sales", 20.0)


def test_who_presses_nothing_goes_where_the_flow_says() -> None:
    record, = simulate(calls(at("08:00:00", keys=""), staff=1)).records
    assert record.ended_by == "box" and record.queue == ""


def test_who_meets_silence_hangs_up() -> None:
    """A prompt that never ends must not keep a channel for ever."""
    patience = {"prompt_s": 600.0, "patience_s": 30.0}
    record, = simulate(calls(at("08:00:00", keys=""), staff=1, menus=patience)).records
    assert (record.outcome, record.ended_at - record.began_at) == ("abandoned", 30.0)


def test_a_flow_that_looks_something_up_gets_what_the_scenario_says() -> None:
    flow = Flow.model_validate({"start": "hello", "nodes": {
        "hello": {"kind": "say", "text": "hello", "next": "who"},
        "who": {"kind": "lookup", "source": "crm", "results": {"vip": {"path": "vip", "type": "true-false"}},
                "next": "what", "missing": "bye", "error": "bye"},
        "what": {"kind": "branch", "cases": [{"when": "vip", "next": "sales"}], "default": "bye"},
        "sales": {"kind": "queue", "queue": "sales"}, "bye": {"kind": "hangup"}}})
    for lookups, queue in (({"crm": {"vip": True}}, "sales"), ({"crm": {"vip": False}}, ""), ({}, "")):
        made = replace(calls(at("08:00:00", keys=""), lookups=lookups), flows={"menu": flow})
        record, = simulate(made).records
        assert record.queue == queue


def test_a_call_without_a_channel_never_reaches_the_box() -> None:
    """One E1, 40 calls within 40 s, nobody there to answer."""
    day = simulate(calls(*(at(f"08:00:{second:02}") for second in range(40)), lines=1, staff=1,
                         handling=3000.0))
    assert (len(day.records), len(day.blocked), day.busiest["telco"]) == (30, 10, 30)
    assert {blocked.called for blocked in day.blocked} == {"5001"}


def test_agents_come_go_and_rest_as_planned() -> None:
    shift = {"agents": ["agent1"], "begins": "08:10", "ends": "08:40",
             "breaks": [{"begins": "08:20", "ends": "08:25"}]}
    known = [at("08:00:00"), at("08:21:00"), at("08:39:30"), at("08:41:00", patience_s=60.0)]
    day = simulate(calls(*known, staff=1, shifts=[shift]))
    early, resting, late, too_late = sorted(day.records, key=lambda record: record.began_at)
    assert shape(early)[1] == ("queue", "sales", 598.0)              # to 08:10
    assert shape(resting)[1] == ("queue", "sales", 238.0)            # to 08:25
    assert late.outcome == "answered" and shape(late)[-1][2] == 60.0     # beyond the end of the shift
    assert too_late.outcome == "abandoned"
    assert {state: round(spent_s) for state, spent_s in day.in_state_s.items()} == {
        "logged-out": 600 + 1168, "not-ready": 300, "ready": 1352, "talking": 180}


def test_a_shift_that_meets_the_next_is_no_log_out() -> None:
    shifts = [{"agents": ["agent1"], "begins": begins, "ends": ends}
              for begins, ends in (("08:00", "08:30"), ("08:30", "09:00"))]
    assert set(simulate(calls(staff=1, shifts=shifts)).in_state_s) == {"ready"}


def test_agents_write_as_long_as_they_need() -> None:
    """Shorter or longer than the queue's timer of 30 s."""
    for needed_s in (10.0, 50.0):
        served = {"sales": {"wrap_up": needed_s}}
        day = simulate(calls(at("08:00:00"), staff=1, queues=served, queue={"wrap_up_s": 30.0}))
        assert (day.in_state_s["wrap-up"], day.wrap_up_s["sales"]) == (needed_s, needed_s)


def test_a_telephone_that_nobody_answers_rings_on_to_the_next_agent() -> None:
    day = simulate(calls(at("08:00:00", patience_s=100.0), staff=2, agents={"no_answer": 1.0},
                         queue={"ring_s": 10.0, "unavailable_s": 300.0}))
    record, = day.records
    assert record.outcome == "abandoned"
    assert [one for one in shape(record) if one[0] == "ring"] == [
        ("ring", "agent1", 10.0), ("ring", "agent2", 10.0)]


def test_an_agent_taken_out_of_service_notices_and_comes_back() -> None:
    day = simulate(calls(at("08:00:00", patience_s=200.0), staff=1,
                         queue={"ring_s": 10.0, "no_answer": "logged-out"},
                         agents={"no_answer": 1.0, "notices_s": 40.0}))
    record, = day.records
    rings = [one.began_at - record.began_at for one in record.segments if one.kind == "ring"]
    assert rings == [2.0, 52.0, 102.0, 152.0]


def test_agents_without_a_telephone_get_one() -> None:
    made = calls(at("08:00:00"), staff=2)
    agents = [agent.model_copy(update={"extension": None, "trunk": None, "starts": "logged-out"})
              if agent.name == "agent1" else agent for agent in made.config.centre.agents]
    centre = made.config.centre.model_copy(update={"agents": agents})
    day = simulate(replace(made, config=made.config.model_copy(update={"centre": centre})))
    assert [record.outcome for record in day.records] == ["answered"]
    assert set(day.in_state_s) == {"ready", "talking"}


def test_the_same_number_is_the_same_day() -> None:
    one, same, other = (simulate(busy(), replication) for replication in (1, 1, 2))
    assert one == same
    assert one.records != other.records


def test_in_every_variant_the_same_people_call() -> None:
    """More agents change who waits, not who calls, how patient they are or how long they talk."""
    def by_caller(staff: int) -> dict[str, ContactRecord]:
        return {record.calling: record for record in simulate(busy(staff=staff)).records}
    few, many = by_caller(4), by_caller(8)
    assert few.keys() == many.keys()
    talks = [(shape(few[name])[-1][2], shape(many[name])[-1][2]) for name in few
             if few[name].outcome == many[name].outcome == "answered" and few[name].queue == many[name].queue
             and few[name].queue]
    assert len(talks) > 20 and all(one == pytest.approx(other, abs=0.002) for one, other in talks)


def test_the_log_of_a_day_is_a_box_s_log(tmp_path: Path) -> None:
    """It replays to the state that the day ended in, and its tables have the day's contacts."""
    entries: list[Entry] = []
    made = busy()
    day = simulate(made, keep=entries.extend)
    log = EventLog(tmp_path / "acd.sqlite", ContactProjector())
    try:
        log.append(entries)
        records, total = log.contacts(0, 1000)
    finally:
        log.close()
    assert total == len(day.records) > 80
    assert _by_name(records) == _by_name(day.records)
    engine = Engine(made.setup(str))
    engine.replay(entries)
    assert engine.state.contacts == {} and violations(engine.state) == []


def _by_name(records: list[ContactRecord]) -> dict[str, ContactRecord]:
    return {record.contact: record for record in records}


def test_a_full_day_leaves_nobody_behind() -> None:
    day = simulate(busy())
    assert all(record.state == "ended" for record in day.records)
    assert outcomes(day.records).keys() <= {"answered", "abandoned"} and len(outcomes(day.records)) == 2
    expected_s = 6 * 1800.0
    assert sum(day.in_state_s.values()) == pytest.approx(expected_s)
    assert sum(day.ready_s.values()) == pytest.approx(day.in_state_s["ready"])
    assert sum(day.at_work_s.values()) == pytest.approx(
        expected_s - day.in_state_s["ready"] - day.in_state_s["unreachable"])
