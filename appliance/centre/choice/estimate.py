"""How long a contact is expected to wait.

The wait of a contact is the time until its agents have begun one contact more than there are before it:

    begun(t) = ahead(t) + 1                       EWT = t + the queue's mean ring

begun(t), of all logged-in agents whom the contact reaches, in its last ring at the latest: each begins none
before the contact comes to that agent's ring (the queue to its need, for the reserve); then, t from there on:
    one at work: max(0, A), and before R at most t / R
    a free one, or one whose wrap-up or pause ends at the known time R: 0 before R, then max(1, A)
    A = (t - R) / H + (1 + C) / 2
  H and C are mean and squared variation (0: all alike; 1: exponential; more counts as 1) of the handling time
  (ring, talk, wrap-up) of those before it, by their queues. A is the renewal process of an agent who goes on
  and on: in the mean over all moments of work it is t / H, and of exponential handling at any moment.
  R of one at work for e seconds is what is left in the mean: S (c + (1 - c) max(0, 1 - e / S)), S and c of
  that work's queue. Who is not ready, or will not be after the work, begins none.

ahead(t), of all who are served before it, also of other queues: each with the share of its own agents (in the
ring where that is largest) whom this contact may have, too; and with h t / (exp(h t) - 1), where h is
hang-ups per second of waiting in its queue: that part is served, the rest hangs up. (Of n who are served at a
steady rate s, n' = -s - h n, and none is left when s t = n h t / (exp(h t) - 1).)

While only time passes R falls, rings and known times come nearer, and all else stays: an estimate never rises
by waiting. Contacts that come later and go before by priority are not foreseen.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LONGEST_S = 86400.0                               # more is as good as never
PRECISE_S = 0.05
MOST_HANGUPS = 500.0                              # of more the exponential is too large a number


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


class Ahead(NamedTuple):
    contacts: float                               # by the share that counts
    impatience: float                             # hang-ups per second


def wait_s(supplies: Mapping[Supply, int], handling: Handling, ahead: Sequence[Ahead]) -> float | None:
    """`supplies`: how many agents are alike. None: nobody comes within a day."""
    low_s, high_s = 0.0, 1.0
    while not _reached(supplies, handling, ahead, high_s):
        low_s, high_s = high_s, high_s * 2
        if low_s > LONGEST_S:
            return None
    if _reached(supplies, handling, ahead, 0.0):
        return 0.0
    while high_s - low_s > PRECISE_S:
        middle_s = (low_s + high_s) / 2
        if _reached(supplies, handling, ahead, middle_s):
            high_s = middle_s
        else:
            low_s = middle_s
    return high_s if high_s <= LONGEST_S else None


def _reached(supplies: Mapping[Supply, int], handling: Handling, ahead: Sequence[Ahead], at_s: float) -> bool:
    needed = 1.0 + sum(one.contacts * _to_serve(one.impatience * at_s) for one in ahead)
    mean_s, steady = handling.mean_s, (1 + handling.variation2) / 2
    begun = 0.0
    for (start_s, left_s), agents in supplies.items():
        gone_s = at_s - start_s
        count = (gone_s - left_s) / mean_s + steady
        if gone_s >= 0 and not left_s:
            begun += agents * max(1.0, count)
        elif gone_s > 0 and count > 0:
            begun += agents * (count if gone_s >= left_s else min(count, gone_s / left_s))
    return begun >= needed - 1e-9


def _to_serve(hangups: float) -> float:
    """Of one contact, the part that does not hang up first."""
    if hangups < 1e-9:
        return 1.0
    return hangups / math.expm1(hangups) if hangups < MOST_HANGUPS else 0.0
