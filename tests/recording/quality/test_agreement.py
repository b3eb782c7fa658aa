"""How far scorers agree, against worked examples and what must hold of any."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.recording.quality.agreement import Pair, kappa, pairs, statistics
from appliance.recording.quality.forms import Item

YES_NO = Item(name="a", text="?")
SCALE = Item(name="b", text="?", kind="scale")

answers = st.none() | st.integers(1, 5).map(float)
several = st.lists(st.tuples(answers, answers), min_size=2, max_size=30)


def test_kappa_of_a_worked_example() -> None:
    """20 both yes, 15 both no, 15 apart evenly: expected by chance (p = 0.55) is 0.505."""
    found: list[Pair] = [
        *[(1.0, 1.0)] * 20, *[(0.0, 0.0)] * 15, *[(1.0, 0.0)] * 8, *[(0.0, 1.0)] * 7]
    assert kappa(YES_NO, found) == pytest.approx((0.70 - 0.505) / (1 - 0.505))


def test_a_near_miss_on_a_scale_weighs_less_than_a_far_one() -> None:
    base: list[Pair] = [(1.0, 1.0), (5.0, 5.0), (3.0, 3.0)]
    near, far = kappa(SCALE, [*base, (1.0, 2.0)]), kappa(SCALE, [*base, (1.0, 5.0)])
    assert near is not None and far is not None and 1 > near > far


def test_where_a_kappa_makes_no_sense_there_is_none() -> None:
    assert kappa(YES_NO, [(1.0, 1.0)] * 9) is None
    assert kappa(YES_NO, [(1.0, 0.0)]) is None
    assert statistics(YES_NO, []).agreement == 0.0


@settings(deadline=None)
@given(several)
def test_the_order_of_scorers_makes_no_difference(found: list[Pair]) -> None:
    turned = [(other, one) for one, other in found]
    assert statistics(SCALE, found).kappa == pytest.approx(statistics(SCALE, turned).kappa)
    value = statistics(SCALE, found).kappa
    assert value is None or value <= 1.0 + 1e-9


@settings(deadline=None)
@given(st.lists(answers, min_size=2, max_size=30))
def test_who_always_agrees_has_1_or_said_one_thing_only(values: list[float | None]) -> None:
    found = statistics(SCALE, [(value, value) for value in values])
    assert found.agreement == 1.0 and found.difference in (0.0, None)
    assert found.kappa == (None if len(set(values)) == 1 else 1.0)


def test_three_scorers_are_three_pairs() -> None:
    found = statistics(SCALE, pairs([1.0, 3.0, None]))
    assert (found.pairs, found.agreement, found.difference) == (3, 0.0, 50.0)
