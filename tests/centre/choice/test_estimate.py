"""Estimated waits: against closed forms, against what the formula promises, and how wrong they are."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.centre.choice import Floor, Standing
from appliance.centre.choice.estimate import Ahead, Handling, Supply, wait_s
from appliance.centre.choice.history import USUAL_RING_S, Pace, errors
from tests.centre.choice import made_up
from tests.centre.choice.branch import Branch, agent, queue

TALK_S = 200.0
NAMES = [f"a{number}" for number in range(10)]


def busy(branch: Branch, names: Sequence[str], **facts: Any) -> None:
    for name in names:
        branch.agent(name, **{"free": False, "state": "talking", "queue": "main", **facts})


def branch_of(count: int, **keys: Any) -> Branch:
    names = NAMES[:count]
    main = queue("main", agents=names, handling_s=TALK_S, **keys)
    other = queue("other", agents=names[:1], handling_s=TALK_S)
    return Branch([main, other], [agent(name) for name in names])


def estimated(branch: Branch, contact: str, now: float = 0.0) -> float:
    """Without the ring at its end."""
    found = branch.floor.estimate(contact, now)
    assert found is not None
    return found - USUAL_RING_S


@pytest.mark.need(4)
@pytest.mark.parametrize("agents", [1, 4, 10])
@pytest.mark.parametrize("ahead", [0, 1, 20])
def test_exponential_talks_the_wait_is_that_of_the_ends_of_talks(agents: int, ahead: int) -> None:
    """M/M/c: with n before a contact it waits for n + 1 ends, TALK_S / c apart in the mean."""
    branch = branch_of(agents)
    busy(branch, NAMES[:agents])
    for number in range(ahead + 1):
        branch.join(f"c{number}", "main")
    expected = (ahead + 1) * TALK_S / agents
    assert estimated(branch, f"c{ahead}") == pytest.approx(expected, rel=0.01, abs=0.1)


@pytest.mark.need(4)
@pytest.mark.parametrize("ahead", [0, 3, 30])
@pytest.mark.parametrize("patience_s", [30.0, 120.0, 1000.0])
def test_those_before_who_hang_up_are_not_waited_for(ahead: int, patience_s: float) -> None:
    """M/M/c+M: an end or a hang-up brings the contact forward; the sum of the means of these steps."""
    rate = 4 / TALK_S
    exact_s = sum(1 / (rate + waiting / patience_s) for waiting in range(ahead + 1))
    found = wait_s({Supply(0.0, TALK_S): 4}, Handling(TALK_S, 1.0), [Ahead(ahead, 1 / patience_s)])
    assert found == pytest.approx(exact_s, rel=0.15)


@pytest.mark.need(4)
def test_an_end_that_is_known_is_waited_for_exactly() -> None:
    branch = branch_of(2)
    branch.join("c1", "main")
    branch.agent("a0", free=False, state="wrap-up", back_at=12.0)
    assert estimated(branch, "c1") == pytest.approx(12.0, abs=0.1)
    assert estimated(branch, "c1", 5.0) == pytest.approx(7.0, abs=0.1)
    branch.agent("a1", free=True)
    assert estimated(branch, "c1", 5.0) == 0.0


@pytest.mark.need(4)
def test_staffing_counts_at_once() -> None:
    branch = branch_of(4)
    busy(branch, NAMES[:4])
    for number in range(5):
        branch.join(f"c{number}", "main")
    with_all = estimated(branch, "c4")
    busy(branch, NAMES[2:4], comes_back=False)    # they wish for a break after the talk
    assert estimated(branch, "c4") == pytest.approx(2 * with_all, rel=0.01)
    busy(branch, NAMES[:4], logged_in=False)
    assert branch.floor.estimate("c4", 0.0) is None
    assert branch.floor.forecast(branch.would_join("new", "main"), 0.0) is None


@pytest.mark.need(4)
def test_contacts_of_other_queues_count_by_the_agents_that_they_share() -> None:
    """a0 alone serves the other queue: those of main count there by half."""
    branch = branch_of(2)
    busy(branch, NAMES[:2])
    for number in range(3):
        branch.join(f"o{number}", "other")
    branch.join("c", "main")
    assert estimated(branch, "c") == pytest.approx(4 * TALK_S / 2, rel=0.01)
    branch.join("o", "other")
    assert estimated(branch, "o") == pytest.approx((3 + 1 / 2 + 1) * TALK_S, rel=0.01)


@pytest.mark.need(4)
def test_agents_of_a_later_ring_count_from_then_on() -> None:
    main = queue("main", agents=["a0"], handling_s=TALK_S, rings=[{"after_s": 30, "agents": ["a1"]}])
    branch = Branch([main], [agent("a0"), agent("a1")])
    busy(branch, ["a0"])
    branch.agent("a1")
    branch.join("c", "main")
    assert estimated(branch, "c") == pytest.approx(30.0, abs=0.2)
    assert estimated(branch, "c", 20.0) == pytest.approx(10.0, abs=0.2)


@pytest.mark.need(4)
def test_one_before_counts_by_the_ring_in_which_it_needs_the_same_agents_most() -> None:
    wide = queue("wide", agents=["a0"], handling_s=TALK_S, rings=[{"after_s": 30, "agents": ["a1"]}])
    branch = Branch([wide, queue("main", agents=["a0"], handling_s=TALK_S)], [agent("a0"), agent("a1")])
    busy(branch, ["a0", "a1"])
    branch.join("before", "wide")
    branch.join("c", "main")
    assert estimated(branch, "c") == pytest.approx(2 * TALK_S, rel=0.01)
    assert estimated(branch, "c", 30.0) == pytest.approx(1.5 * TALK_S, rel=0.01)


@pytest.mark.need(4)
def test_the_reserve_counts_from_the_time_when_it_is_let_in() -> None:
    main = queue("main", agents=["a0"], handling_s=TALK_S, reserve={"agents": ["a1"], "wait_s": 30})
    branch = Branch([main], [agent("a0"), agent("a1")])
    busy(branch, ["a0"])
    branch.agent("a1")
    branch.join("c", "main")
    assert estimated(branch, "c") == pytest.approx(30.0, abs=0.2)
    assert estimated(branch, "c", 30.0) == 0.0


def test_what_is_left_of_a_talk() -> None:
    assert [Handling(100.0, 0.0).left_s(gone_s) for gone_s in (0, 40, 300)] == [100.0, 60.0, 0.0]
    assert [Handling(100.0, 1.0).left_s(gone_s) for gone_s in (0, 40, 300)] == [100.0, 100.0, 100.0]
    assert Handling(100.0, 0.25).left_s(40.0) == pytest.approx(70.0)


def test_the_first_of_several_ends_comes_sooner_than_each() -> None:
    """Two who need 20 s more in the mean: one of them is through in 10."""
    assert wait_s({Supply(0.0, 20.0): 2}, Handling(100.0, 1.0), []) == pytest.approx(10.0, abs=0.1)


@pytest.mark.need(4)
@pytest.mark.parametrize("variation2", [0.0, 0.3, 1.0])
def test_talks_of_any_length_end_at_the_same_rate_in_the_long_run(variation2: float) -> None:
    """M/G/c: agents at any point of their work, 60 before: the wait is that of 61 ends."""
    handling = Handling(100.0, variation2)
    left_s = handling.mean_s * (1 + variation2) / 2           # in the mean over all moments of work
    assert wait_s({Supply(0.0, left_s): 20}, handling, [Ahead(60, 0.0)]) == pytest.approx(305.0, rel=0.01)


def test_the_next_day_is_as_good_as_never() -> None:
    assert wait_s({Supply(90_000.0, 0.0): 1}, Handling(100.0, 1.0), []) is None


@pytest.mark.need(4)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_estimate_never_rises_by_waiting(data: st.DataObject) -> None:
    """Nothing happens but time, in any branch: rings widen, reserves come in, known ends come nearer."""
    rules = data.draw(made_up.rules())
    history = data.draw(made_up.histories(rules))
    for pace in history.paces.values():
        pace.handled, pace.handled_s, pace.handled_s2 = 50.0, 3000.0, data.draw(
            st.sampled_from([180_000.0, 230_000.0, 600_000.0]))
        pace.left, pace.waited_s = data.draw(st.sampled_from([0.0, 5.0])), 300.0
    floor = Floor(rules, history)
    for name in made_up.AGENTS:
        standing: Standing = data.draw(made_up.standings(name, 1000.0))
        floor.agent(standing._replace(queue=data.draw(st.sampled_from(["", *rules.queues]))))
    contacts = [data.draw(made_up.waitings(rules, line, 1000.0)) for line in range(1, 9)]
    for waiting in contacts:
        floor.contact(waiting)
    before = {one.contact: floor.estimate(one.contact, 1000.0) for one in contacts}
    for now in (1001.0, 1004.0, 1010.0, 1020.0, 1035.0, 1100.0, 1500.0):
        for name, was in before.items():
            estimate_s = floor.estimate(name, now)
            if was is not None:
                assert estimate_s is not None and estimate_s <= was + 0.1
            before[name] = estimate_s


def test_handling_times_are_learned_and_what_is_configured_fades() -> None:
    branch = branch_of(1)
    assert branch.history.pace("main").handling(TALK_S) == (TALK_S, 1.0)
    for number in range(300):
        branch.history.offered("main", "a0", number * 1000.0)
        branch.history.talked("main", "a0", "", number * 1000.0 + 8, 30.0, None)
        branch.history.over("a0", number * 1000.0 + (80 if number % 2 else 120))
    pace = branch.history.pace("main")
    mean_s, variation2 = pace.handling(TALK_S)
    assert mean_s == pytest.approx(109.0, abs=2) and 0.2 < variation2 < 0.45
    assert pace.ring_s() == pytest.approx(8.0, abs=0.1)


def test_impatience_is_hang_ups_by_the_time_that_all_have_waited() -> None:
    history = branch_of(1).history
    assert history.pace("main").impatience() == 0.0
    history.abandoned("main", 60.0)
    history.talked("main", "a0", "", 100.0, 40.0, None)
    history.went_on("main", 100.0)
    assert history.pace("main").impatience() == pytest.approx(1 / 200, rel=0.03)


def test_the_kept_share_is_of_those_answered_and_those_who_waited_too_long_for_it() -> None:
    assert Pace(waits=[5.0, 20.0, 21.0, -3.0, -30.0]).kept(20.0) == 2 / 4
    assert Pace(waits=[-3.0]).kept(20.0) == 1.0


@pytest.mark.need(4)
def test_estimates_are_measured_against_the_waits_that_came() -> None:
    history = branch_of(1).history
    for told_s, waited_s in ((10.0, 20.0), (30.0, 20.0), (60.0, 40.0), (40.0, 40.0), (None, 50.0)):
        history.talked("main", "a0", "", 0.0, waited_s, told_s)
    found = errors(history.pace("main").estimates)
    assert found is not None
    assert (found.count, found.mean_s, found.median_s, found.bias_s) == (4, 10.0, 10.0, 5.0)
    assert (found.mean_share, found.median_share) == (0.375, 0.5)
    assert errors([]) is None
