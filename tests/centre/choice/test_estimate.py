"""Estimated waits: against closed forms, against what the formula promises, and how wrong they are."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.centre.choice import Floor, Standing
from appliance.centre.choice.estimate import MEDIAN, Ahead, Handling, Supply, wait_s
from appliance.centre.choice.history import USUAL_RING_S, Pace, errors
from appliance.centre.choice.outlook import MOST_APART
from tests.centre.choice import made_up
from tests.centre.choice.branch import Branch, agent, queue

TALK_S = 200.0
SLACK_S = 3.0                                     # queues that share agents, estimate.py
OWN = 1 - MEDIAN                                  # of exponential talks: ends more than there are before
NAMES = [f"a{number}" for number in range(10)]


def busy(branch: Branch, names: Sequence[str], **facts: Any) -> None:
    for name in names:
        branch.agent(name, **{"free": False, "state": "talking", "queue": "main", **facts})


def branch_of(count: int, **keys: Any) -> Branch:
    names = NAMES[:count]
    main = queue("main", agents=names, **{"handling_s": TALK_S, "wrap_up_s": 0, **keys})
    other = queue("other", agents=names[:1], handling_s=TALK_S, wrap_up_s=0)
    return Branch([main, other], [agent(name) for name in names])


def median_of_gamma(shape: int) -> float:
    """Of the sum of so many exponential times of mean 1: where half of the probability is passed (Erlang)."""
    low, high = 0.0, shape + 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        later = sum(math.exp(-middle + n * math.log(middle) - math.lgamma(n + 1)) for n in range(shape))
        low, high = (middle, high) if later > 0.5 else (low, middle)
    return low


def estimated(branch: Branch, contact: str, now: float = 0.0) -> float:
    """Without the ring at its end."""
    found = branch.floor.estimate(contact, now)
    assert found is not None
    return found - USUAL_RING_S


@pytest.mark.need(4)
@pytest.mark.parametrize("agents", [1, 4, 10])
@pytest.mark.parametrize("ahead", [0, 1, 20])
def test_exponential_talks_the_wait_is_that_of_the_ends_of_talks(agents: int, ahead: int) -> None:
    """M/M/c: with n before a contact it waits for n + 1 ends, TALK_S / c apart; the middle wait."""
    branch = branch_of(agents)
    busy(branch, NAMES[:agents])
    for number in range(ahead + 1):
        branch.join(f"c{number}", "main")
    expected = median_of_gamma(ahead + 1) * TALK_S / agents
    assert estimated(branch, f"c{ahead}") == pytest.approx(expected, rel=0.02, abs=0.1)


@pytest.mark.need(4)
@pytest.mark.parametrize("ahead", [0, 3, 30])
@pytest.mark.parametrize("patience_s", [30.0, 120.0, 1000.0])
def test_those_before_who_hang_up_are_not_waited_for(ahead: int, patience_s: float) -> None:
    """M/M/c+M: an end or a hang-up brings the contact forward; the sum of the means of these steps.

    At once or one by one alike.
    """
    rate, hangups = 4 / TALK_S, 1 / patience_s
    exact_s = sum(1 / (rate + waiting * hangups) for waiting in range(ahead + 1)) - MEDIAN / rate
    for before in ([Ahead(ahead, hangups, [0])], [Ahead(1, hangups, [0])] * ahead):
        found = wait_s([{Supply(0.0, TALK_S): 4}], Handling(TALK_S, 1.0), before, [0])
        assert found == pytest.approx(exact_s, rel=0.25)


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
def test_contacts_of_other_queues_count_for_the_agents_that_they_share() -> None:
    """a0 alone serves the other queue, and a1 nobody but main: neither waits for those of the other one."""
    branch = branch_of(2)
    busy(branch, NAMES[:2])
    for number in range(3):
        branch.join(f"o{number}", "other")
    branch.join("c", "main")
    assert estimated(branch, "c") == pytest.approx(OWN * TALK_S, rel=0.01)    # a1, who has nobody else
    branch.join("o", "other")
    assert estimated(branch, "o") == pytest.approx((3 + OWN) * TALK_S, rel=0.01)


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
    assert estimated(branch, "c") == pytest.approx((1 + OWN) * TALK_S, rel=0.01)
    assert estimated(branch, "c", 30.0) == pytest.approx((1 / 2 + OWN) * TALK_S, rel=0.01)


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
    found = wait_s([{Supply(0.0, 20.0): 2}], Handling(100.0, 1.0), [], [0])
    assert found == pytest.approx(OWN * 10.0, abs=0.1)


@pytest.mark.need(4)
@pytest.mark.parametrize("variation2", [0.0, 0.3, 1.0])
def test_talks_of_any_length_end_at_the_same_rate_in_the_long_run(variation2: float) -> None:
    """M/G/c: agents at any point of their work, 60 before: the wait is that of 61 ends, the middle one."""
    handling = Handling(100.0, variation2)
    left_s = handling.mean_s * (1 + variation2) / 2           # in the mean over all moments of work
    found = wait_s([{Supply(0.0, left_s): 20}], handling, [Ahead(60, 0.0, [0])], [0])
    assert found == pytest.approx(305.0 - 5.0 * MEDIAN * variation2, rel=0.01)


@pytest.mark.need(4)
def test_of_two_queues_with_agents_in_common_all_work_until_the_line_is_empty() -> None:
    """Three agents, two of them for both queues: the one who has only main takes its part of main."""
    agents_s = [{Supply(0.0, TALK_S): 1}, {Supply(0.0, TALK_S): 2}]
    main, other = Ahead(1.0, 0.0, [0, 1]), Ahead(1.0, 0.0, [1])
    found = wait_s(agents_s, Handling(TALK_S, 1.0), [main, other] * 3, [1])
    assert found == pytest.approx((6 + OWN) * TALK_S / 3, rel=0.15)


@pytest.mark.need(4)
def test_nobody_in_wrap_up_to_be_begins_sooner_than_it_lasts() -> None:
    supply = {Supply(0.0, 40.0, least_s=30.0): 1}
    found = wait_s([supply], Handling(40.0, 1.0), [], [0])
    assert found is not None and found > 30.0


@pytest.mark.need(4)
def test_many_before_are_looked_at_together_and_cost_no_more() -> None:
    """On both sides of the limit the estimates of one line go on from each other."""
    branch = branch_of(10)
    busy(branch, NAMES)
    most = MOST_APART // 10
    for number in range(most + 3):
        branch.join(f"c{number:03}", "main")
    waits_s = [estimated(branch, f"c{number:03}") for number in range(most - 1, most + 3)]
    steps_s = [after_s - before_s for before_s, after_s in pairwise(waits_s)]
    assert all(step_s == pytest.approx(TALK_S / 10, abs=0.5) for step_s in steps_s)


@pytest.mark.parametrize("branch", [branch_of(1), branch_of(4)])
def test_an_empty_history_is_that_of_the_configuration(branch: Branch) -> None:
    busy(branch, NAMES[:1])
    branch.join("c", "main")
    found = branch.floor.estimate("c", 0.0)
    assert found is not None and 0.0 <= found <= TALK_S + USUAL_RING_S


def test_the_next_day_is_as_good_as_never() -> None:
    assert wait_s([{Supply(90_000.0, 0.0): 1}], Handling(100.0, 1.0), [], [0]) is None


@pytest.mark.need(4)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_estimate_never_rises_by_waiting(data: st.DataObject) -> None:
    """Nothing happens but time, in any branch: rings widen, reserves come in, known ends come nearer.

    As soon as somebody is to be rung, or a known end has come, something happens.
    """
    rules = data.draw(made_up.rules())
    history = data.draw(made_up.histories(rules))
    for pace in history.paces.values():
        pace.handled, pace.handled_s, pace.handled_s2 = 50.0, 3000.0, data.draw(
            st.sampled_from([180_000.0, 230_000.0, 600_000.0]))
        pace.left, pace.waited_s = data.draw(st.sampled_from([0.0, 5.0])), 300.0
    floor, ends_at = Floor(rules, history), 2000.0
    for name in made_up.AGENTS:
        standing: Standing = data.draw(made_up.standings(name, 1000.0))
        ends_at = min(ends_at, standing.back_at or ends_at)
        floor.agent(standing._replace(queue=data.draw(st.sampled_from(["", *rules.queues]))))
    contacts = [data.draw(made_up.waitings(rules, line, 1000.0)) for line in range(1, 9)]
    for waiting in contacts:
        floor.contact(waiting)
    while matches := floor.decide(1000.0):
        for match in matches:
            floor.contact_gone(match.contact)
            contacts = [one for one in contacts if one.contact != match.contact]
            for name in match.agents:
                floor.agent(Standing(name, False, 1000.0, "talking", since=1000.0, queue="sales"))
    before = {one.contact: floor.estimate(one.contact, 1000.0) for one in contacts}
    for now in (1001.0, 1004.0, 1010.0, 1020.0, 1035.0, 1100.0, 1500.0):
        if now > ends_at or floor.decide(now):
            break
        for name, was in before.items():
            estimate_s = floor.estimate(name, now)
            if was is not None:
                assert estimate_s is not None and estimate_s <= was + SLACK_S
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
