"""How far scorers agree. Pure.

Ref: J. Cohen, Educational and Psychological Measurement 20 (1960) 37; weighted: Psychological Bulletin 70
(1968) 213. Here pairs of any two scorers are taken in both orders, so that nobody is the first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from appliance.recording.quality.forms import Item

LEAST_PAIRS = 2                                   # of a kappa: one call cannot show what chance would do

Value = float | None                              # None: not applicable
Pair = tuple[Value, Value]


@dataclass(frozen=True, slots=True)
class Statistics:
    pairs: int
    agreement: float                              # share of pairs with the same answer
    difference: float | None                      # mean of pairs that both gave an answer, of 100 points
    kappa: float | None


def pairs(values: Sequence[Value]) -> list[Pair]:
    """Any two of those who judged one call."""
    return list(combinations(values, 2))


def statistics(item: Item, found: Sequence[Pair]) -> Statistics:
    if not found:
        return Statistics(0, 0.0, None, None)
    same = sum(one == other for one, other in found) / len(found)
    apart = [abs(item.share(one) - item.share(other)) for one, other in found
             if one is not None and other is not None]
    difference = 100.0 * sum(apart) / len(apart) if apart else None
    return Statistics(len(found), same, difference, kappa(item, found))


def kappa(item: Item, found: Sequence[Pair]) -> float | None:
    """Cohen's; of scales and points with linear weights. None: too few, or all gave one answer."""
    if len(found) < LEAST_PAIRS:
        return None
    given = Counter(value for pair in found for value in pair)
    total = sum(given.values())
    expected = sum(_weight(item, one, other) * given[one] * given[other]
                   for one in given for other in given) / total ** 2
    if expected == 0.0:
        return None
    observed = sum(_weight(item, one, other) for one, other in found) / len(found)
    return 1.0 - observed / expected


def _weight(item: Item, one: Value, other: Value) -> float:
    """Of a disagreement: 0 none, 1 the greatest. "Not applicable" is as far as can be from any answer."""
    if one is None or other is None:
        return float(one is not other)
    return abs(item.share(one) - item.share(other))
