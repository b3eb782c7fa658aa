"""Which span the box takes its clock from: a priority list, hold-off, wait to restore, hold-over; slip rates.

Ref: ITU-T G.781 (2024): hold-off 5.8, wait to restore 5.9, selection 5.12; without
quality levels, which an E1 to a branch does not carry. Slip rates: ITU-T G.822 (11/88) table 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

HOLD_OVER = "hold-over"                           # named where no source is
HOLD_OFF_S = 1.0                                  # 5.8: 0.3 to 1.8
REVERT_S = 300.0                                  # 5.9: 0 to 12 minutes, 5 by default


class Why(StrEnum):
    """What moved the clock."""

    START = "start"
    FAILED = "failed"                             # the source, for the hold-off time
    RESTORED = "restored"                         # in hold-over a source came back
    REVERTED = "reverted"                         # a better one was good for the revert time


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The clock comes from elsewhere from now on. None as a source: hold-over."""

    at: float                                     # the caller's `now`
    source_before: str | None
    source: str | None
    why: Why


@dataclass(slots=True)
class _Candidate:
    usable: bool
    since: float                                  # that it is so
    failed: bool                                  # hold-off over, revert time not yet


class ClockSelector:
    """Tell it which spans are usable whenever that changes and at next_deadline(). `now`: any steady clock.

    The first of the list that has not failed is the source. A failed one counts again once it was usable for
    the revert time without a break; earlier only when there is nothing else, because hold-over drifts.
    """

    def __init__(self, order: Sequence[str], hold_off_s: float = HOLD_OFF_S,
                 revert_s: float = REVERT_S) -> None:
        self._order = _checked(order)
        self._hold_off_s, self._revert_s = hold_off_s, revert_s
        self._source: str | None = None
        self._candidates: dict[str, _Candidate] = {}

    @property
    def source(self) -> str | None:
        """The span that the clock comes from; None: hold-over."""
        return self._source

    def update(self, now: float, usable: Mapping[str, bool]) -> list[ClockChange]:
        """What follows at `now`. A span that `usable` lacks is not usable; one not in the list is ignored."""
        why = Why.START if not self._candidates else Why.RESTORED if self._source is None else Why.REVERTED
        self._age(now, usable)
        source = self._candidates.get(self._source) if self._source else None
        return self._select(now, Why.FAILED if source is not None and source.failed else why)

    def next_deadline(self) -> float | None:
        """When update() may decide something with nothing coming or going."""
        return min((each.since + (self._revert_s if each.usable else self._hold_off_s)
                    for each in self._candidates.values() if each.usable == each.failed), default=None)

    def _age(self, now: float, usable_now: Mapping[str, bool]) -> None:
        before, self._candidates = self._candidates, {}
        for name in self._order:
            usable = bool(usable_now.get(name))
            each = self._candidates[name] = before.get(name) or _Candidate(usable, now, failed=not usable)
            if each.usable != usable:
                each.usable, each.since = usable, now
            if each.usable == each.failed:
                each.failed ^= now >= each.since + (self._revert_s if usable else self._hold_off_s)

    def _select(self, now: float, why: Why) -> list[ClockChange]:
        before, self._source = self._source, self._best()
        if before == self._source:
            return []
        if self._source is not None:
            self._candidates[self._source].failed = False        # also when taken before its time
        return [ClockChange(now, before, self._source, why)]

    def _best(self) -> str | None:
        held = [name for name in self._order if not self._candidates[name].failed
                and (self._candidates[name].usable or name == self._source)]
        if held:
            return held[0]
        return next((name for name in self._order if self._candidates[name].usable), None)


def _checked(order: Sequence[str]) -> list[str]:
    if len(set(order)) != len(order) or HOLD_OVER in order or not all(order):
        raise ValueError(f"clock sources {', '.join(map(repr, order))}: each span once, by its name")
    return list(order)


@dataclass(frozen=True, slots=True)
class SlipRate:
    """Slips while the clock came from `source`."""

    source: str                                   # HOLD_OVER: from none
    slips: int
    measured_s: int                               # at least 1

    @property
    def per_hour(self) -> float:
        return self.slips * 3600 / self.measured_s

    @property
    def per_day(self) -> float:
        return self.per_hour * 24

    @property
    def category(self) -> str:
        """Of G.822 table 1: a, up to 5 in 24 hours; b, up to 30 in 1 hour; c, more."""
        return "a" if self.per_day <= 5 else "b" if self.per_hour <= 30 else "c"
