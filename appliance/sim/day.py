"""What is known of a simulated day when it is over: contacts as the box keeps them, calls that found no
channel, how agents' time went. Pure.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from appliance.centre.agents import READY
from appliance.centre.state import AT_WORK
from appliance.sim.branch import Branch
from appliance.sim.scenario import clock_s
from appliance.store.records import ContactRecord


@dataclass(frozen=True, slots=True)
class Blocked:
    """A call for which the trunk had no channel."""

    at: float
    trunk: str
    called: str


def _seconds() -> dict[str, float]:
    return defaultdict(float)


def _by_interval() -> dict[int, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Day:
    """Times are Unix seconds. What counts is from `begins`, which is after the warm-up, to `ends`."""

    midnight: float
    opens: float
    begins: float
    ends: float
    interval_s: float
    records: list[ContactRecord] = field(default_factory=list)       # of contacts, as they end
    blocked: list[Blocked] = field(default_factory=list)
    wrap_up_s: dict[str, float] = field(default_factory=_seconds)    # after talks of a queue, all agents
    in_state_s: dict[str, float] = field(default_factory=_seconds)   # all agents
    ready_s: dict[int, float] = field(default_factory=_by_interval)
    at_work_s: dict[int, float] = field(default_factory=_by_interval)
    told_s: dict[str, float] = field(default_factory=dict)           # contact -> the last wait expected
    busiest: dict[str, int] = field(default_factory=dict)            # most channels of a trunk at a time
    turns: int = 0                                # of the engine

    @classmethod
    def of(cls, branch: Branch) -> "Day":
        scenario, midnight = branch.scenario, branch.midnight()
        opens, ends = midnight + clock_s(scenario.begins), midnight + clock_s(scenario.ends)
        return cls(midnight, opens, min(opens + scenario.warm_up_s, ends), ends, scenario.interval_min * 60.0)

    def interval(self, at: float) -> int:
        """Counted from midnight."""
        return int((at - self.midnight) // self.interval_s)

    def spent(self, state: str, since: float, until: float, queue: str) -> None:
        """An agent was in `state`; `queue`: of the talk before."""
        since, until = max(since, self.begins), min(until, self.ends)
        if until <= since:
            return
        self.in_state_s[state] += until - since
        if state == "wrap-up":
            self.wrap_up_s[queue] += until - since
        spent = self.at_work_s if state in AT_WORK else self.ready_s
        while (state in AT_WORK or state == READY) and since < until:
            here = self.interval(since)
            to = min(until, self.midnight + (here + 1) * self.interval_s)
            spent[here] += to - since
            since = to
