"""Which span is the clock: the priority list with its times, hold-over; slip rates."""

import itertools
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.watch.clock import HOLD_OVER, ClockChange, ClockSelector, SlipRate, Why

BOTH, FIRST, SECOND, NEITHER = ({"t": t, "p": p} for t, p in ((True, True), (True, False), (False, True),
                                                            (False, False)))
Usable = Mapping[str, bool]


def play(selector: ClockSelector, steps: Iterable[tuple[float, Usable]]) -> list[ClockChange]:
    """Feed what is usable, and jump to every deadline between and after."""
    changes = list[ClockChange]()
    for (at, usable), (until, _) in itertools.pairwise([*steps, (float("inf"), NEITHER)]):
        changes += selector.update(at, usable)
        while (deadline := selector.next_deadline()) is not None and deadline < until:
            changes += selector.update(deadline, usable)
    return changes


CASES = [                                         # (time, usable), (time, from, to, why); list t p, 1, 300 s
    ([(0, BOTH)], [(0, None, "t", Why.START)]),
    ([(0, NEITHER), (5, SECOND)], [(5, None, "p", Why.RESTORED)]),
    ([(0, BOTH), (10, SECOND), (10.9, BOTH)], [(0, None, "t", Why.START)]),             # within the hold-off
    ([(0, BOTH), (10, SECOND)], [(0, None, "t", Why.START), (11, "t", "p", Why.FAILED)]),
    ([(0, BOTH), (10, SECOND), (60, BOTH)],
     [(0, None, "t", Why.START), (11, "t", "p", Why.FAILED), (360, "p", "t", Why.REVERTED)]),
    ([(0, BOTH), (10, SECOND), (60, BOTH), (359, SECOND), (359.1, BOTH)],               # a break: waits again
     [(0, None, "t", Why.START), (11, "t", "p", Why.FAILED), (659.1, "p", "t", Why.REVERTED)]),
    ([(0, FIRST), (10, NEITHER), (20, FIRST)],                    # hold-over is worse than a source just back
     [(0, None, "t", Why.START), (11, "t", None, Why.FAILED), (20, None, "t", Why.RESTORED)]),
    ([(0, FIRST), (10, NEITHER), (20, FIRST), (25, NEITHER), (25.5, FIRST)],       # with a hold-off again
     [(0, None, "t", Why.START), (11, "t", None, Why.FAILED), (20, None, "t", Why.RESTORED)]),
    ([(0, BOTH), (10, SECOND), (60, BOTH), (70, FIRST)],          # t waits to restore, but p is gone
     [(0, None, "t", Why.START), (11, "t", "p", Why.FAILED), (71, "p", "t", Why.FAILED)]),
    ([(0, BOTH), (10, NEITHER)], [(0, None, "t", Why.START), (11, "t", None, Why.FAILED)]),
    ([(0, SECOND), (2, BOTH)], [(0, None, "p", Why.START), (302, "p", "t", Why.REVERTED)]),
    ([(0, {"x": True})], []),
]


@pytest.mark.parametrize(("steps", "expected"), CASES)
def test_selection(steps: list[tuple[float, Usable]],
                   expected: list[tuple[float, str | None, str | None, Why]]) -> None:
    selector = ClockSelector(["t", "p"], hold_off_s=1.0, revert_s=300.0)
    assert play(selector, steps) == [ClockChange(*change) for change in expected]
    assert selector.source == (expected[-1][2] if expected else None)


@pytest.mark.parametrize("order", [["t", "t"], ["t", ""], [HOLD_OVER]])
def test_a_wrong_list_is_refused(order: list[str]) -> None:
    with pytest.raises(ValueError, match="each span once"):
        ClockSelector(order)


@given(st.lists(st.tuples(st.floats(0.01, 400), st.fixed_dictionaries(dict.fromkeys("abc", st.booleans()))),
                min_size=1, max_size=30))
def test_in_the_end_the_best_usable_source_is_taken(steps: list[tuple[float, dict[str, bool]]]) -> None:
    """Whatever comes: each change says where it comes from, and no source is left before its hold-off."""
    selector = ClockSelector(list("abc"))
    times = list(itertools.accumulate(step for step, _ in steps))
    line = [(at, usable) for at, (_, usable) in zip(times, steps, strict=True)]
    changes = play(selector, line)
    before = None
    for change in changes:
        assert change.source_before == before != change.source
        now_usable = next(usable for at, usable in reversed(line) if at <= change.at)
        assert change.source is None or now_usable[change.source]
        if change.why is Why.FAILED:
            assert change.source_before is not None
            assert not any(
                usable[change.source_before] for at, usable in line if change.at - 1 < at <= change.at)
        before = change.source
    assert selector.source == next((name for name in "abc" if line[-1][1][name]), None)
    assert selector.next_deadline() is None


@pytest.mark.parametrize(("slips", "measured_s", "per_hour", "category"), [
    (0, 86_400, 0.0, "a"),
    (5, 86_400, 5 / 24, "a"),                     # G.822 table 1
    (6, 86_400, 0.25, "b"),
    (30, 3_600, 30.0, "b"),
    (31, 3_600, 31.0, "c"),
])
def test_slip_rate(slips: int, measured_s: int, per_hour: float, category: str) -> None:
    rate = SlipRate("t", slips, measured_s)
    assert (rate.per_hour, rate.per_day, rate.category) == (per_hour, per_hour * 24, category)
