"""How long a contact is expected to wait.

Contacts are served in their order, each by whichever of its agents comes first: one after the other takes
what its agents have begun and those before it have left over, and the last one is the contact itself.

    sum over its groups of (begun(t) - taken) = 1, if it is still there        EWT = t + the queue's mean ring

Of the contact itself that is 1 - 0.31 C: the middle wait rather than the mean (of n + 1 exponential ends the
median is that of n + 0.69); it may hang up like the others, so that the wait is that of who is answered.
What is found is taken from its groups, from each as much as it has of it.

Agents whom the same contacts may have are a group. begun(t) of a group, of all its agents: each begins none
before the contact comes to that agent's ring (the queue to its need, for the reserve); then, t from there on:
    one at work: max(0, A), and before R at most (t - W) / (R - W), W being the queue's wrap-up; before W none
    a free one, or one whose wrap-up or pause ends at the known time R: 0 before R, then max(1, A)
    A = (t - R) / H + (1 + C) / 2
  H and C are mean and squared variation (0: all alike; 1: exponential; more counts as 1) of the handling time
  (ring, talk, wrap-up) of those before it, by their queues. A is the renewal process of an agent who goes on
  and on: in the mean over all moments of work it is t / H, and of exponential handling at any moment.
  R of one at work for e seconds is what is left in the mean: S (c + (1 - c) max(0, 1 - e / S)), S and c of
  that work's queue. Who is not ready, or will not be after the work, begins none.

Of n before it who are served from u to t at a steady rate, n exp(-h u) x / (exp(x) - 1) with x = h (t - u)
are served and the rest hangs up; h is hang-ups per second of waiting in their queue. (From n' = -s - h n.)

Where a queue has rings or a reserve, or very many wait, those before are taken together, by the part of
their agents that they share with it.

While only time passes R falls, rings and known times come nearer, and all else stays: an estimate does not
rise by waiting, or by some seconds where queues share agents in part. Contacts that come later and go before
by priority are not foreseen.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LONGEST_S = 86400.0                               # more is as good as never
PRECISE_S = 0.02
MOST_HANGUPS = 500.0                              # of more the exponential is too large a number
MEDIAN = 0.31                                     # of an exponential the mean less the median, 1 - ln 2


class Handling(NamedTuple):
    """How long contacts take."""

    mean_s: float
    variation2: float                             # squared coefficient of variation, 1 at most

    def left_s(self, gone_s: float) -> float:
        """In the mean, after so much of it."""
        return self.mean_s * (self.variation2 + (1 - self.variation2) * max(0.0, 1 - gone_s / self.mean_s))


class Supply(NamedTuple):
    """An agent begins nothing until `start_s`; `left_s` of work are left then, in the mean. 0: none."""

    start_s: float
    left_s: float
    least_s: float = 0.0                          # of work are left for sure


Group = Mapping[Supply, int]                      # how many agents are alike


class Ahead(NamedTuple):
    contacts: float
    impatience: float                             # hang-ups per second
    groups: Sequence[int]                         # that may serve it


def wait_s(groups: Sequence[Group], handling: Handling, ahead: Sequence[Ahead], mine: Sequence[int],
           impatience: float = 0.0) -> float | None:
    """`ahead` in their order; `mine`: the groups that count. None: nobody comes within a day."""
    taken = [0.0] * len(groups)
    served_s = 0.0
    for one in ahead:
        at_s = _when(groups, handling, taken, one, served_s)
        if at_s is not None:
            served_s = max(served_s, at_s)
    last = Ahead(1 - MEDIAN * handling.variation2, impatience, mine)
    return _when(groups, handling, taken, last, served_s)


def _when(groups: Sequence[Group], handling: Handling, taken: list[float], one: Ahead,
          since_s: float) -> float | None:
    """It is served, and its part of what has begun is taken."""
    def left(at_s: float) -> dict[int, float]:
        return {group: max(0.0, _begun(groups[group], handling, at_s) - taken[group]) for group in one.groups}

    def over(at_s: float) -> bool:
        return sum(left(at_s).values()) >= _needed(one, since_s, at_s) - 1e-9

    low_s, high_s = 0.0, 1.0
    while not over(high_s):
        low_s, high_s = high_s, high_s * 2
        if low_s > LONGEST_S:
            return None
    if over(0.0):
        high_s = 0.0
    while high_s - low_s > PRECISE_S:
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (low_s, middle_s) if over(middle_s) else (middle_s, high_s)
    if high_s > LONGEST_S:
        return None
    found = left(high_s)
    part = min(1.0, _needed(one, since_s, high_s) / (sum(found.values()) or 1.0))
    for group, count in found.items():
        taken[group] += part * count
    return high_s


def _begun(group: Group, handling: Handling, at_s: float) -> float:
    mean_s, steady = handling.mean_s, (1 + handling.variation2) / 2
    begun = 0.0
    for (start_s, left_s, least_s), agents in group.items():
        gone_s = at_s - start_s
        count = (gone_s - left_s) / mean_s + steady
        if gone_s >= 0 and not left_s:
            begun += agents * max(1.0, count)
        elif gone_s >= left_s:
            begun += agents * max(0.0, count)
        elif gone_s > least_s and count > 0:
            begun += agents * min(count, (gone_s - least_s) / (left_s - least_s))
    return begun


def _needed(one: Ahead, since_s: float, at_s: float) -> float:
    """Of the contacts, those who do not hang up first."""
    before = min(one.impatience * min(since_s, at_s), MOST_HANGUPS)
    hangups = one.impatience * max(0.0, at_s - since_s)
    if hangups < 1e-9:
        return one.contacts * math.exp(-before)
    return one.contacts * math.exp(-before) * hangups / math.expm1(hangups) if hangups < MOST_HANGUPS else 0.0
