"""Judging by itself: held long enough, over long enough, no flapping, a restart in the middle."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webui.alerts.judging import Judged, Limits, Reading, Standing, clear, judge, over

WAITING = Limits(below=False, threshold=5.0, clear=2.0, hold_s=30.0, clear_s=10.0)
FREE = Limits(below=True, threshold=3.0, clear=6.0, hold_s=30.0, clear_s=10.0)
STEPS = st.lists(st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 10))), max_size=60)


def value(number: float) -> Reading:
    return Reading(number)


def test_it_must_hold_and_then_be_over_for_as_long_as_the_rule_says() -> None:
    judged = judge(WAITING, Standing(), value(6), 100.0)
    assert (judged.change, judged.next_at) == ("", 130.0)
    judged = judge(WAITING, judged.standing, value(7), 129.9)
    assert (judged.change, judged.next_at) == ("", 130.0)
    judged = judge(WAITING, judged.standing, value(7), 130.0)
    assert (judged.change, judged.standing) == ("raised", Standing(True))
    judged = judge(WAITING, judged.standing, value(4), 140.0)        # between the levels: it stays
    assert (judged.change, judged.next_at) == ("", None)
    judged = judge(WAITING, judged.standing, value(2), 150.0)
    assert (judged.change, judged.next_at) == ("", 160.0)
    judged = judge(WAITING, judged.standing, value(3), 155.0)        # not over after all
    judged = judge(WAITING, judged.standing, value(0), 156.0)
    assert judged.next_at == 166.0
    assert judge(WAITING, judged.standing, value(0), 166.0) == Judged(Standing(False), "cleared")


def test_what_grows_is_raised_at_the_moment_that_is_known_beforehand() -> None:
    longest = Limits(below=False, threshold=60.0, clear=60.0, hold_s=0.0, clear_s=10.0)
    waits = Reading(since=1000.1)
    judged = judge(longest, Standing(), waits, 1003.0)
    assert (judged.change, judged.next_at) == ("", 1060.1)
    assert judge(longest, judged.standing, waits, 1060.1).change == "raised"
    assert judge(longest, Standing(), Reading(0.0), 1060.1) == Judged(Standing())        # he was answered


def test_what_nobody_knows_changes_nothing() -> None:
    for standing in (Standing(), Standing(True)):
        begun = Standing(standing.raised, 10.0)
        assert judge(WAITING, begun, Reading(), 1e9) == Judged(standing)


def test_a_clock_that_was_set_back_makes_nothing_wait_for_ever() -> None:
    judged = judge(WAITING, Standing(False, 5000.0), value(9), 100.0)
    assert judged.next_at == 130.0


@given(st.sampled_from([WAITING, FREE]), STEPS, st.sets(st.integers(0, 60)))
def test_no_flapping_and_no_second_time_whatever_happens(
        limits: Limits, steps: list[tuple[int, int | None]], killed: set[int]) -> None:
    """Deadlines are kept; at the steps of `killed` the process begins anew and knows `raised` alone."""
    now, standing, changes = 0.0, Standing(), list[tuple[float, str]]()
    known: list[tuple[float, int | None]] = []

    def look(reading: int | None) -> None:
        nonlocal standing
        judged = judge(limits, standing, Reading() if reading is None else value(reading), now)
        if judged.change:
            held_s = limits.hold_s if judged.change == "raised" else limits.clear_s
            fits = over if judged.change == "raised" else clear
            lately = [one for at, one in known if at > now - held_s] + [reading]
            assert all(one is not None and fits(limits, value(one), now) for one in lately)
            changes.append((now, judged.change))
        standing = judged.standing
        assert judged.next_at is None or judged.next_at > now
        known.append((now, reading))

    for number, (passed, reading) in enumerate(steps):
        until = now + passed
        while standing.since is not None and known:          # the deadlines on the way, with what was known
            due = standing.since + (limits.clear_s if standing.raised else limits.hold_s)
            if due > until:
                break
            now = max(due, now)
            look(known[-1][1])
        now = until
        if number in killed:
            standing = Standing(standing.raised)
        look(reading)
    kinds = [kind for _, kind in changes]
    assert kinds == ["raised", "cleared"] * (len(kinds) // 2) + ["raised"] * (len(kinds) % 2)
    for (at, _), (then, kind) in pairwise(changes):
        assert then - at >= (limits.clear_s if kind == "cleared" else limits.hold_s) - 1e-6
