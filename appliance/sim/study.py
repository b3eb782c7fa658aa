"""Several days of one branch, each of its own chance: what a figure is on average, how sure that is. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from appliance.sim.branch import Branch
from appliance.sim.figures import ALL, METRICS, Figures, Tally
from appliance.sim.loop import Keep
from appliance.sim.world import simulate

# Student's t for 95 % on both sides, for 1 to 30 degrees of freedom; further on a series
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
      2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
      2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
_NORMAL = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean is known to lie within `half` of `mean` with 95 %; NaN: nobody can say."""

    mean: float
    half: float = math.nan

    def __contains__(self, value: float) -> bool:
        return abs(value - self.mean) <= self.half

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """Of independent values; those that are NaN are left out."""
        known = [value for value in values if not math.isnan(value)]
        if len(known) < 2:
            return cls(known[0] if known else math.nan)
        return cls(fmean(known), student(len(known) - 1) * stdev(known) / math.sqrt(len(known)))


def student(freedom: int) -> float:
    """Student's t, 95 % on both sides."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = _NORMAL
    return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)


@dataclass(frozen=True, slots=True)
class Study:
    """A branch and the figures of its days."""

    title: str
    branch: Branch
    days: tuple[Figures, ...]

    def tallies(self, queue: str = ALL, interval: int | None = None) -> list[Tally]:
        return [day.of[queue] if interval is None else day.intervals[queue][interval] for day in self.days]

    def estimate(self, metric: str, queue: str = ALL, interval: int | None = None) -> Estimate:
        return Estimate.of([METRICS[metric].of(tally) for tally in self.tallies(queue, interval)])

    def change(self, metric: str, before: "Study", queue: str = ALL) -> Estimate:
        """Against another study of the same days: the same people called, so days are compared one by one."""
        of = METRICS[metric].of
        return Estimate.of([of(now) - of(then) for now, then in
                            zip(self.tallies(queue), before.tallies(queue), strict=True)])


def study(title: str, branch: Branch, keep: Keep | None = None) -> Study:
    """`keep` gets the event log of the first day."""
    scenario = branch.scenario
    thresholds_s = {queue.name: queue.service_level.within_s if scenario.threshold_s is None
                    else scenario.threshold_s for queue in branch.config.centre.queues}
    days = []
    for replication in range(1, scenario.replications + 1):
        day = simulate(branch, replication, keep if replication == 1 else None)
        days.append(Figures(day, thresholds_s, scenario.short_abandon_s))
    return Study(title, branch, tuple(days))
