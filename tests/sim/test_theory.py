"""The box's engine, with agents who answer at once, is the queue of the books: M/M/c and M/M/c+M.

600 calls an hour of 12 s in the mean: 2 erlangs for 3 agents, 1.5 h in each of ten replications.
"""

import pytest

from appliance.sim.erlang import Load, steady
from appliance.sim.figures import ALL
from appliance.sim.study import Estimate, Study, study
from tests.sim.branches import branch

LOAD = Load(calls_per_hour=600, aht_s=12)
WITHIN_S = 4.0


def studied(agents: int, patience_s: float | None) -> Study:
    patience = "never" if patience_s is None else {"kind": "exponential", "mean_s": patience_s}
    return study("", branch(
        staff=agents, patience=patience, handling={"kind": "exponential", "mean_s": LOAD.aht_s},
        ends="09:30", arrivals=[{"queue": "sales", "calls_per_hour": LOAD.calls_per_hour}], warm_up_s=600.0,
        threshold_s=WITHIN_S, replications=10))


def waiting(found: Study) -> Estimate:
    """The share of calls that find every agent busy."""
    return Estimate.of([1 - tally.waits_s.count(0.0) / tally.offered for tally in found.tallies(ALL)])


@pytest.mark.parametrize(("agents", "patience_s"), [(3, None), (2, 9.0)], ids=["M/M/3", "M/M/2+M"])
def test_the_engine_agrees_with_erlang(agents: int, patience_s: float | None) -> None:
    found, theory = studied(agents, patience_s), steady(agents, LOAD, patience_s)
    pairs = {
        "waiting": (waiting(found), theory.waiting),
        "asa_s": (found.estimate("asa_s"), theory.asa_s),
        "service_level_offered": (found.estimate("service_level_offered"), theory.answered_within(WITHIN_S)),
        "occupancy": (found.estimate("occupancy"), theory.occupancy),
        "abandonment": (found.estimate("abandonment"), theory.abandoned),
    }
    off = {name: pair for name, pair in pairs.items() if pair[1] not in pair[0]}
    assert not off
    other = steady(agents + 1, LOAD, patience_s)                     # the test would see one agent more
    assert other.asa_s not in pairs["asa_s"][0] and other.waiting not in pairs["waiting"][0]
    assert pairs["waiting"][0].half < 0.05 and pairs["occupancy"][0].half < 0.03
