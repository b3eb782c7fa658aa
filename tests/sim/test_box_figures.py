"""The simulator's figures of a day are those that the box makes from the day's event log."""

import pytest

from appliance.centre.figures.ongoing import AGENT, QUEUE
from appliance.centre.figures.report import Row
from appliance.config.targets import TargetsConfig
from appliance.sim.figures import METRICS, Figures
from appliance.sim.world import simulate
from appliance.store.events import Entry
from tests.centre.figures.books import Books, aims, event_log
from tests.sim.test_world import busy

ALIKE = ("offered", "answered", "abandoned", "short_abandoned", "overflowed", "service_level",
         "service_level_offered", "service_level_answered", "service_level_positive", "abandonment",
         "abandonment_long", "asa_s", "wait_90_s", "aht_s", "ewt_error_s", "ewt_error_share", "ewt_bias_s")


def test_two_ways_to_the_same_figures() -> None:
    """Of each queue, and of all agents."""
    made = busy(ends="10:00", arrivals=[{"called": "5001", "calls_per_hour": {"08:00": 240.0, "09:00": 0.0},
                                         "keys": {"1": 2.0, "2": 1.0}}])
    entries: list[Entry] = []
    day = simulate(made, keep=entries.extend)
    queues = {queue.name: queue.service_level.within_s for queue in made.config.centre.queues}
    mine = Figures(day, queues, made.scenario.short_abandon_s)
    with event_log(entries, batch=500) as log:
        box = Books(log, day.ends, aims(made.config.centre, TargetsConfig()))
        rows = box.rows(QUEUE, day.begins, day.ends)
        for queue in queues:
            row = next(row for row in rows if row.name == queue)
            ours = {name: METRICS[name].of(mine.of[queue]) for name in ALIKE}
            assert ours == pytest.approx({name: row.ratios[name].value for name in ALIKE}, abs=2e-3)
        agents = box.rows(AGENT, day.begins, day.ends)
    at_work, ready = _sum(agents, "at_work_s"), _sum(agents, "ready_s")
    assert METRICS["occupancy"].of(mine.of[""]) == pytest.approx(at_work / (at_work + ready), abs=1e-4)


def _sum(rows: list[Row], figure: str) -> float:
    return sum(row.ratios[figure].value or 0.0 for row in rows if row.name)
