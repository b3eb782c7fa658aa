"""Failures out of defects: 2.5 s to be declared, 10 s to be cleared, one cause and not its consequences."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import Alarm
from e1_driver.watch.defects import CLEAR_S, DECLARE_S, HIDES, FailureChange, Failures, causes

LOS, LOF, LOMF, AIS, RAI = Alarm.LOS, Alarm.LOF, Alarm.LOMF, Alarm.AIS, Alarm.RAI

CAUSES = [
    (set(), set()),
    ({LOS, LOF, LOMF, AIS, RAI}, {LOS}),
    ({AIS, LOF, LOMF, RAI}, {AIS}),
    ({LOF, LOMF, RAI}, {LOF}),
    ({LOMF, RAI}, {LOMF, RAI}),                                   # framed: the A bit is read
    ({RAI}, {RAI}),
]


@pytest.mark.parametrize(("defects", "shown"), CAUSES)
def test_a_cause_hides_what_follows_from_it(defects: set[Alarm], shown: set[Alarm]) -> None:
    assert causes(defects) == shown


def declared(at: float, alarm: Alarm, since: float) -> FailureChange:
    return FailureChange(at, alarm, declared=True, since=since)


def cleared(at: float, alarm: Alarm, since: float) -> FailureChange:
    return FailureChange(at, alarm, declared=False, since=since)


HISTORIES = [                                     # (time, defects from then on), what follows
    ([(0, {LOS}), (30, set())], [declared(2.5, LOS, 0), cleared(40, LOS, 30)]),
    ([(0, {LOS}), (2.4, set())], []),                                        # too short
    ([(0, {LOS}), (2, set()), (2.1, {LOS})], [declared(4.6, LOS, 2.1)]),     # or it begins again
    ([(0, {LOS}), (5, set()), (14.9, {LOS}), (15, set())], [declared(2.5, LOS, 0), cleared(25, LOS, 15)]),
    ([(0, {LOS, LOF, RAI})], [declared(2.5, LOS, 0)]),
    ([(0, {RAI}), (1, {LOF, RAI}), (20, {RAI})],
     [declared(3.5, LOF, 1), declared(22.5, RAI, 20), cleared(30, LOF, 20)]),
    ([(0, {LOF}), (10, {LOS, LOF})],                              # LOS takes LOF's place when it is declared
     [declared(2.5, LOF, 0), declared(12.5, LOS, 10), cleared(12.5, LOF, 10)]),
    ([(0, {LOS}), (10, {LOF})],                                   # what stays when the cause went is told
     [declared(2.5, LOS, 0), declared(12.5, LOF, 10), cleared(20, LOS, 10)]),
    ([(0, {LOMF, RAI})], [declared(2.5, LOMF, 0), declared(2.5, RAI, 0)]),
]


def play(defects: list[tuple[float, set[Alarm]]]) -> tuple[Failures, list[FailureChange]]:
    """Feed the changes, and jump to every deadline between them and after the last."""
    failures, changes = Failures(), list[FailureChange]()
    for (at, here), (until, _) in itertools.pairwise([*defects, (float("inf"), set[Alarm]())]):
        changes += failures.update(at, here)
        while (deadline := failures.next_deadline()) is not None and deadline < until:
            changes += failures.update(deadline, here)
    return failures, changes


@pytest.mark.parametrize(("defects", "expected"), HISTORIES)
def test_persistence(defects: list[tuple[float, set[Alarm]]], expected: list[FailureChange]) -> None:
    assert play(defects)[1] == expected


@given(st.lists(st.tuples(st.floats(0.01, 15), st.sets(st.sampled_from(Alarm))), max_size=30))
def test_every_failure_lasted_and_every_deadline_is_kept(steps: list[tuple[float, set[Alarm]]]) -> None:
    """Whatever comes: changes alternate, none is early, and at rest what stands is what is there."""
    times = itertools.accumulate(step for step, _ in steps)
    failures, changes = play([(at, here) for at, (_, here) in zip(times, steps, strict=True)])
    standing = set[Alarm]()
    for change in changes:
        assert change.declared == (change.alarm not in standing)
        standing ^= {change.alarm}
        if change.declared:
            assert change.at >= change.since + DECLARE_S
        else:
            hidden = any(change.alarm in HIDES[above] for above in standing)
            assert hidden or change.at >= change.since + CLEAR_S
    assert failures.standing == standing == causes(steps[-1][1] if steps else set())
    assert failures.next_deadline() is None
