"""Against values that others have published, and against each other."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from appliance.sim.erlang import ErlangA, ErlangC, Load, agents_for, channels_for, erlang_b, steady


@pytest.mark.parametrize(("channels", "erlangs", "blocking"), [      # the usual table of Erlang B
    (1, 0.0101, 0.01), (5, 1.361, 0.01), (10, 4.461, 0.01), (15, 8.108, 0.01), (20, 12.03, 0.01),
    (30, 20.34, 0.01), (10, 3.092, 0.001), (30, 24.80, 0.05)])
def test_erlang_b_is_the_table(channels: int, erlangs: float, blocking: float) -> None:
    assert erlang_b(channels, erlangs) == pytest.approx(blocking, rel=3e-3)
    assert channels_for(erlangs * 0.995, blocking) == channels


@pytest.mark.parametrize(("agents", "level"), [(11, 0.389), (12, 0.640), (13, 0.796), (14, 0.888)])
def test_erlang_c_of_100_calls_in_half_an_hour(agents: int, level: float) -> None:
    """Call Centre Helper, "Erlang C formula": 180 s each, answered within 20 s."""
    found = ErlangC(agents, Load(calls_per_hour=200, aht_s=180))
    assert found.answered_within(20) == pytest.approx(level, abs=1.1e-3)
    assert found.occupancy == pytest.approx(10 / agents)


def test_erlang_c_of_14_agents() -> None:
    """Call Centre Helper, ibid.: waiting 17.4 %, ASA 7.8 s."""
    found = ErlangC(14, Load(calls_per_hour=200, aht_s=180))
    assert found.waiting == pytest.approx(0.174, abs=5e-4)
    assert found.asa_s == pytest.approx(7.8, abs=0.05)


def test_erlang_c_of_55_agents() -> None:
    """360 calls of 4 min in half an hour: Ec 0.239, ASA 8.2 s (the worked example of T. Chan, "Erlang-C")."""
    found = ErlangC(55, Load(calls_per_hour=720, aht_s=240))
    assert found.waiting == pytest.approx(0.239, abs=5e-4)
    assert found.asa_s == pytest.approx(8.2, abs=0.05)


def test_patience_changes_everything() -> None:
    """O. Garnett, A. Mandelbaum, M. Reiman, "Designing a call center with impatient customers" (2002), their
    first example: 50 agents, 48 calls a minute of 1 min, patience endless or 2 min."""
    load = Load(calls_per_hour=48 * 60, aht_s=60)
    endless, impatient = ErlangC(50, load), ErlangA(50, load, patience_s=120)
    assert endless.asa_s == pytest.approx(20.8, abs=0.05)
    assert endless.wait_quantile_s(0.9) == pytest.approx(58.1, abs=0.05)
    assert endless.in_queue == pytest.approx(17, abs=0.5)
    assert impatient.abandoned == pytest.approx(0.031, abs=5e-4)
    assert impatient.abandoned * impatient.patience_s == pytest.approx(3.7, abs=0.05)        # their mean wait
    assert impatient.occupancy == pytest.approx(0.93, abs=5e-3)


@pytest.mark.parametrize("agents", [1, 3, 20, 200])
@pytest.mark.parametrize("patience_s", [1.0, 60.0, 1800.0])
@pytest.mark.parametrize("calls_per_hour", [1.0, 60.0, 5000.0])
def test_the_two_ways_to_erlang_a_agree(agents: int, patience_s: float, calls_per_hour: float) -> None:
    """Sums over states, and integrals of the offered wait."""
    found = ErlangA(agents, Load(calls_per_hour=calls_per_hour, aht_s=180), patience_s)
    assert found.answered_within(0) == pytest.approx(1 - found.waiting, abs=1e-9)
    assert found.answered_within(1e7) == pytest.approx(1 - found.abandoned, abs=1e-9)
    levels = [found.answered_within(seconds) for seconds in (0, 1, 10, 100, 1000, 10_000)]
    assert all(one <= other + 1e-12 for one, other in pairwise(levels)) and 0 <= levels[0] <= levels[-1] <= 1
    answered = found.answered_within(1e7)
    tail_s = _integral(lambda seconds: answered - found.answered_within(seconds), 20 * patience_s)
    assert found.asa_s * answered == pytest.approx(tail_s, rel=2e-3, abs=1e-6)


def _integral(of: Callable[[float], float], until: float, steps: int = 400) -> float:
    """Simpson's rule on a grid that is finer near 0."""
    grid = [until * (step / steps) ** 3 for step in range(steps + 1)]
    weights = [3 * until * (step / steps) ** 2 / steps for step in range(steps + 1)]
    values = [of(at) * weight for at, weight in zip(grid, weights, strict=True)]
    return (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2])) / 3


def test_endless_patience_is_erlang_c() -> None:
    load = Load(calls_per_hour=50, aht_s=180)
    patient, endless = ErlangA(4, load, patience_s=1e6), ErlangC(4, load)
    assert patient.waiting == pytest.approx(endless.waiting, rel=1e-3)
    assert patient.asa_s == pytest.approx(endless.asa_s, rel=1e-3)
    assert patient.answered_within(20) == pytest.approx(endless.answered_within(20), rel=1e-3)


@pytest.mark.parametrize("patience_s", [None, 90.0])
def test_the_fewest_agents(patience_s: float | None) -> None:
    load = Load(calls_per_hour=200, aht_s=180)
    agents = agents_for(load, 0.8, 20, patience_s)
    assert steady(agents, load, patience_s).answered_within(20) >= 0.8
    assert steady(agents - 1, load, patience_s).answered_within(20) < 0.8


@pytest.mark.parametrize(("ask", "says"), [
    (lambda: ErlangC(2, Load(calls_per_hour=60, aht_s=120)), "2 agents cannot carry 2.00 erlangs"),
    (lambda: Load(calls_per_hour=0, aht_s=120), "calls per hour: 0"),
    (lambda: Load(calls_per_hour=60, aht_s=math.nan), "average handling time: nan"),
    (lambda: ErlangA(0, Load(calls_per_hour=60, aht_s=120), 10), "0: write a number from 1"),
    (lambda: ErlangA(1, Load(calls_per_hour=60, aht_s=120), -1), "patience: -1 s"),
    (lambda: erlang_b(-1, 3), "-1: write a number from 0"),
    (lambda: erlang_b(10, -3), "-3 erlangs"),
    (lambda: channels_for(20, 0), "blocking: 0: write a share"),
    (lambda: agents_for(Load(calls_per_hour=60, aht_s=120), 1.0, 20), "target: 1: write a share"),
    (lambda: agents_for(Load(calls_per_hour=60, aht_s=120), 0.8, -1), "-1 s: write 0 or more"),
    (lambda: agents_for(Load(calls_per_hour=1e6, aht_s=120), 0.8, 20), "more than 10000 agents"),
])
def test_what_cannot_be_is_said(ask: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ask()
