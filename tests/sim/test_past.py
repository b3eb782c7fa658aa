"""A day that was, played again: what is known stays, what nobody knows is drawn."""

from dataclasses import replace
from datetime import date

import pytest

from appliance.centre.events import AgentChanged, decode
from appliance.errors import ConfigError
from appliance.sim.branch import Branch
from appliance.sim.figures import METRICS, Figures
from appliance.sim.past import Moved, Past, past
from appliance.sim.replayed import added, play, plays
from appliance.sim.what_if import vary
from appliance.sim.world import simulate
from appliance.store.events import Entry
from appliance.store.records import ContactRecord, SegmentRecord
from tests.sim.branches import branch
from tests.sim.test_world import busy

DAY, UTC = date(2026, 1, 5), "UTC"


def lived() -> tuple[Branch, Past, Figures]:
    """A morning by chance, what the box's log has of it, and how it was."""
    arrivals = [{"called": "5001", "calls_per_hour": 160.0, "keys": {"1": 2.0, "2": 1.0}}]
    made = busy(ends="09:30", arrivals=arrivals,
                patience={"kind": "exponential", "mean_s": 90.0}, timezone=UTC)
    entries: list[Entry] = []
    day = simulate(made, keep=entries.extend)
    moves = [Moved(entry.at, event.agent, event.state) for entry in entries
             if isinstance(event := decode(entry), AgentChanged)]
    found = past(DAY, made.midnight(), made.config, day.records, moves, 15, 2, UTC)
    queues = {queue.name: queue.service_level.within_s for queue in made.config.centre.queues}
    return made, found, Figures(day, queues, made.scenario.short_abandon_s)


def test_a_day_played_again_is_as_it_was_and_more_agents_are_better() -> None:
    made, found, was = lived()
    again = replace(made, scenario=found.scenario, known=found.known)
    pair = again, vary(again, "agents=+2")
    done: list[int] = []
    result = play([pair], done.append)
    assert done == list(range(1, plays([pair]) + 1)) and result["plays"] == 2
    figures = result["queues"][""]["figures"]
    assert figures["offered"]["base"][0] == pytest.approx(was.of[""].offered, rel=0.02)
    assert figures["answered"]["base"][0] == pytest.approx(was.of[""].answered, rel=0.1)
    assert figures["occupancy"]["base"][0] == pytest.approx(METRICS["occupancy"].of(was.of[""]), abs=0.1)
    assert figures["service_level"]["change"][0] > 0 > figures["abandonment"]["change"][0]
    assert set(result["queues"]) == {"", "sales", "service"} and found.left_out == {}
    assert found.real["answered"] == was.of[""].answered
    intervals = result["queues"][""]["intervals"]
    assert intervals[0]["at"] == found.scenario.begins and intervals[0]["base"]["offered"]


def record(contact: str, **changes: object) -> ContactRecord:
    facts: dict[str, object] = {
        "contact": contact, "direction": "in", "calling": "139", "called": "5001", "state": "ended",
        "began_at": 36000.0, "ended_at": 36100.0, "queue": "sales", "outcome": "", "ended_by": "caller"}
    return ContactRecord(**facts | changes)      # type: ignore[arg-type]


def test_what_is_known_of_a_call_and_what_is_not() -> None:
    made = branch(timezone=UTC)
    gave_up = record("a", segments=(
        SegmentRecord(kind="queue", began_at=36010.0, ended_at=36100.0, detail="sales"),))
    answered = record("b", ended_by="agent", began_at=37000.0, ended_at=37200.0, digits="1", segments=(
        SegmentRecord(kind="queue", began_at=37010.0, ended_at=37030.0, detail="sales"),
        SegmentRecord(kind="ring", began_at=37025.0, ended_at=37030.0, detail="agent1", agent="agent1"),
        SegmentRecord(kind="talk", began_at=37030.0, ended_at=37130.0, detail="agent1", agent="agent1"),
        SegmentRecord(kind="hold", began_at=37130.0, ended_at=37200.0, detail="agent1", agent="agent1")))
    straight = record("c", called="9999", began_at=38000.0, segments=(
        SegmentRecord(kind="queue", began_at=38020.0, ended_at=38030.0, detail="service"),))
    nowhere = record("d", called="9999", began_at=38500.0)
    out = record("e", direction="out")
    moves = [Moved(-100.0, "agent1", "ready"), Moved(36000.0, "agent1", "not-ready"),
             Moved(36600.0, "agent1", "ready"), Moved(50000.0, "agent1", "logged-out"),
             Moved(40000.0, "gone", "ready")]
    found = past(DAY, 0.0, made.config, [straight, answered, gave_up, nowhere, out], moves, 30, 5, UTC)
    known = {call.at_s: call for calls in found.known.values() for call in calls}
    assert set(known) == {36000.0, 37000.0, 38020.0}
    assert (known[36000.0].patience_s, known[36000.0].handling_s) == (90.0, None)
    assert (known[37000.0].patience_s, known[37000.0].handling_s) == (None, 170.0)
    assert (known[37000.0].waited_s, known[37000.0].keys) == (20.0, "1")
    assert found.left_out == {"call": 1, "agent": 1}
    assert (found.scenario.begins, found.scenario.ends) == ("10:00", "11:00")
    shifts = {shift.agents[0]: shift for shift in found.scenario.shifts}
    assert (shifts["agent1"].begins, shifts["agent1"].ends) == ("00:00", "13:53")
    assert [(rest.begins, rest.ends) for rest in shifts["agent1"].breaks] == [("10:00", "10:10")]
    assert (shifts["agent2"].begins, shifts["agent2"].ends) == ("00:00", "00:01")            # was not there
    with pytest.raises(ConfigError, match="no call of that day can be played"):
        past(DAY, 0.0, made.config, [nowhere, out], moves, 30, 5, UTC)
    assert added([{"call": 1}, {"call": 2, "agent": 1}]) == {"call": 3, "agent": 1}


@pytest.mark.parametrize(("change", "is_"), [
    ("staff=09:00-10:00:+2", [("08:00", "12:00", 2), ("09:00", "10:00", 1), ("09:00", "10:00", 1)]),
    ("staff=09:00-10:00:-1", [("08:00", "12:00", 1), ("08:00", "09:00", 1), ("10:00", "12:00", 1)]),
])
def test_more_and_fewer_for_a_time(change: str, is_: list[tuple[str, str, int]]) -> None:
    made = vary(branch(staff=2, shifts=[{"agents": ["agent1", "agent2"], "begins": "08:00", "ends": "12:00"}],
                       ends="12:00"), change)
    assert [(one.begins, one.ends, len(one.agents)) for one in made.scenario.shifts] == is_


def test_queues_and_skills_change() -> None:
    made = vary(branch(), "strategy.sales=fewest-calls,overflow.sales=30:service,serve.sales=-agent3,"
                          "skill.agent1=en:7")
    sales = made.config.centre.queues[0]
    assert sales.strategy == "fewest-calls" and sales.agents == ["agent1", "agent2"]
    assert [(one.after_s, one.to) for one in sales.overflow] == [(30.0, "service")]
    assert made.config.centre.agents[0].skills == {"en": 7}
    assert vary(made, "overflow.sales=none,skill.agent1=en:0").config.centre.queues[0].overflow == []


@pytest.mark.parametrize(("change", "says"), [
    ("staff=9-10:+1", "from when to when"), ("staff=10:00-09:00:+1", "not after"),
    ("staff=09:00-10:00:-9", "are there"), ("strategy.sales=best", "strategy"),
    ("strategy=ring-all", "of which queue"), ("strategy.sales=percentage", "shares"),
    ("overflow.sales=30:sales", "others are service"), ("overflow.sales=x:service", "write seconds"),
    ("serve.sales=agent1", "write + or -"), ("serve.sales=+nobody", "write + or -"),
    ("skill=en:5", "of which agent"),
    ("skill.agent1=en:11", "from 0 to 10"), ("skill.nobody=en:5", "of which agent")])
def test_what_is_no_change(change: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("+", r"\+")):
        vary(branch(), change)
