"""Whether a rule is raised: what was read and the time go in, the change and the next deadline come out.
Pure.

Times are Unix seconds, as callers' waits are. A reading either has a value or grows: it is then the seconds
since `since`, and passes a threshold at a moment that is known beforehand.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`clear` is not beyond the threshold: between them nothing changes."""

    below: bool
    threshold: float
    clear: float
    hold_s: float
    clear_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` None with no `since`: nobody knows at this moment. `who`: whom it is about, the worst first."""

    value: float | None = None
    since: float | None = None
    who: tuple[str, ...] = ()

    def at(self, now: float) -> float | None:
        return self.value if self.since is None else max(0.0, now - self.since)


@dataclass(frozen=True, slots=True)
class Standing:
    """`since`: so long it has been over the threshold, or, when raised, clear. Only `raised` outlives the
    process: what had begun to hold begins anew."""

    raised: bool = False
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    standing: Standing
    change: str = ""                              # raised, cleared
    next_at: float | None = None                  # it may change then though nothing happens


def judge(limits: Limits, standing: Standing, reading: Reading, now: float) -> Judged:
    """What is not known changes nothing, and what had begun to hold begins anew."""
    if reading.value is None and reading.since is None:
        return Judged(Standing(standing.raised))
    so = clear(limits, reading, now) if standing.raised else over(limits, reading, now)
    if not so:
        return Judged(Standing(standing.raised), next_at=None if standing.raised else _passes(limits,
            reading, now))
    since = now if standing.since is None else min(standing.since, now)          # the clock was set back
    until = since + (limits.clear_s if standing.raised else limits.hold_s)
    if now < until:
        return Judged(Standing(standing.raised, since), next_at=until)
    return Judged(Standing(not standing.raised), "cleared" if standing.raised else "raised")


def over(limits: Limits, reading: Reading, now: float) -> bool:
    if reading.since is not None:                 # compared so that the deadline itself is over
        return not limits.below and now >= reading.since + limits.threshold
    value = reading.value or 0.0
    return value < limits.threshold if limits.below else value > limits.threshold


def clear(limits: Limits, reading: Reading, now: float) -> bool:
    if reading.since is not None:
        return now < reading.since + limits.clear
    value = reading.value or 0.0
    return value >= limits.clear if limits.below else value <= limits.clear


def _passes(limits: Limits, reading: Reading, now: float) -> float | None:
    if reading.since is None or limits.below:
        return None
    return reading.since + limits.threshold
