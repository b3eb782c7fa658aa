"""How long a contact is expected to wait.

The wait of a contact is the time until its agents have begun one contact more than there are before it:

    begun(t) = ahead(t) + 1                       EWT = t + the queue's mean ring

begun(t), of all logged-in agents whom the contact reaches, in its last ring at the latest: each begins none
before the contact comes to that agent's ring, then
    a free one, and one whose wrap-up or pause ends at a known time: 1 at that time, then one more in every H;
    one at work: t / R of a contact until t = R, then one more in every H.
  R is what is left of the work in the mean, after e seconds of it: S (c2 + (1 - c2) max(0, 1 - e/S)), by its
  queue's mean S and squared variation c2 (0: all take as long; 1: exponential; more than 1 counts as 1).
  H is the mean handling time (ring, talk, wrap-up) of those before it, by their queues.
  Who is not ready, or will not be after the work, begins none.

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


class Supply(NamedTuple):
    """An agent begins nothing until `start_s`, its first contact within `ramp_s` from then."""

    start_s: float
    ramp_s: float


class Ahead(NamedTuple):
    contacts: float                               # by the share that counts
    impatience: float                             # hang-ups per second


def left_s(mean_s: float, variation2: float, gone_s: float) -> float:
    """Of a contact's handling, in the mean, after so much of it."""
    return mean_s * (variation2 + (1 - variation2) * max(0.0, 1 - gone_s / mean_s))


def wait_s(supplies: Mapping[Supply, int], handling_s: float, ahead: Sequence[Ahead]) -> float | None:
    """`supplies`: how many agents are alike. None: nobody comes within a day."""
    low_s, high_s = 0.0, 1.0
    while not _reached(supplies, handling_s, ahead, high_s):
        low_s, high_s = high_s, high_s * 2
        if low_s > LONGEST_S:
            return None
    if _reached(supplies, handling_s, ahead, 0.0):
        return 0.0
    while high_s - low_s > PRECISE_S:
        middle_s = (low_s + high_s) / 2
        if _reached(supplies, handling_s, ahead, middle_s):
            high_s = middle_s
        else:
            low_s = middle_s
    return high_s if high_s <= LONGEST_S else None


def _reached(supplies: Mapping[Supply, int], handling_s: float, ahead: Sequence[Ahead], at_s: float) -> bool:
    needed = 1.0 + sum(one.contacts * _to_serve(one.impatience * at_s) for one in ahead)
    begun = 0.0
    for (start_s, ramp_s), agents in supplies.items():
        gone_s = at_s - start_s
        if gone_s >= ramp_s:
            begun += agents * (1 + (gone_s - ramp_s) / handling_s)
        elif gone_s > 0:
            begun += agents * gone_s / ramp_s
    return begun >= needed - 1e-9


def _to_serve(hangups: float) -> float:
    """Of one contact, the part that does not hang up first."""
    if hangups < 1e-9:
        return 1.0
    return hangups / math.expm1(hangups) if hangups < MOST_HANGUPS else 0.0
