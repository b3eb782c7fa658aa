"""Erlang B, C and A: what a group of channels or agents does in steady state, in closed form. Pure.

B (M/M/n/n): who finds all channels busy is lost. C (M/M/n): who finds all agents busy waits, for ever.
A (M/M/n+M, Palm's): who waits hangs up after an exponential patience.

Ref: A. K. Erlang, 1917; ITU-T E.501, E.521; D. Gross and C. Harris, Fundamentals of Queueing Theory; C. Palm,
1957; S. Zeltyn and A. Mandelbaum, "Call centers with impatient customers", Queueing Systems 51, 2005: their
integrals J and J(t) are, for exponential patience, the incomplete gamma function of _log_j.

A bad argument is ValueError with a sentence.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass

MOST_SERVERS = 10_000                             # looked for: more than any branch has
_SMALLEST_TERM = 1e-17                            # of a series, relative to its sum
_MOST_TERMS = 1e6
_LARGE, _LEAST = 1e200, 1e-200                    # sums are scaled down from here; a share below it is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Calls that come, and how long each keeps an agent: talk, hold and wrap-up."""

    calls_per_hour: float
    aht_s: float

    def __post_init__(self) -> None:
        for name, value in (("calls per hour", self.calls_per_hour), ("average handling time", self.aht_s)):
            if not (0 < value < math.inf):
                raise ValueError(f"{name}: {value:g}: write more than 0")

    @property
    def erlangs(self) -> float:
        return self.calls_per_hour * self.aht_s / 3600

    @property
    def calls_per_s(self) -> float:
        return self.calls_per_hour / 3600


def erlang_b(channels: int, erlangs: float) -> float:
    """The share of calls that find every channel busy."""
    _check(channels, erlangs, least=0)
    blocked = 1.0
    for number in range(1, channels + 1):
        blocked = erlangs * blocked / (number + erlangs * blocked)
    return blocked


def channels_for(erlangs: float, blocking: float) -> int:
    """The fewest channels that lose at most the share `blocking` of calls."""
    _check(0, erlangs, least=0)
    if not 0 < blocking < 1:
        raise ValueError(f"blocking: {blocking:g}: write a share between 0 and 1, e.g. 0.01")
    blocked = 1.0
    for channels in range(1, MOST_SERVERS + 1):
        blocked = erlangs * blocked / (channels + erlangs * blocked)
        if blocked <= blocking:
            return channels
    raise ValueError(f"{erlangs:g} erlangs: more than {MOST_SERVERS} channels would be needed")


@dataclass(frozen=True, slots=True)
class ErlangC:
    """Nobody hangs up. ValueError: the agents cannot do the work, and the line would grow without end."""

    agents: int
    load: Load

    def __post_init__(self) -> None:
        _check(self.agents, self.load.erlangs, least=1)
        if self.load.erlangs >= self.agents:
            raise ValueError(f"{self.agents} agents cannot carry {self.load.erlangs:.2f} erlangs when nobody "
                             f"hangs up: at least {math.floor(self.load.erlangs) + 1} are needed")

    @property
    def waiting(self) -> float:
        """The share of calls that wait at all."""
        blocked = erlang_b(self.agents, self.load.erlangs)
        return self.agents * blocked / (self.agents - self.load.erlangs * (1 - blocked))

    @property
    def asa_s(self) -> float:
        """Average speed of answer, over all calls."""
        return self.waiting * self.load.aht_s / (self.agents - self.load.erlangs)

    @property
    def occupancy(self) -> float:
        return self.load.erlangs / self.agents

    @property
    def abandoned(self) -> float:
        return 0.0

    @property
    def in_queue(self) -> float:
        """Callers in line, on average (Little)."""
        return self.load.calls_per_s * self.asa_s

    def answered_within(self, seconds: float) -> float:
        """The share of calls offered that are answered within this time."""
        rate_per_s = (self.agents - self.load.erlangs) / self.load.aht_s
        return 1 - self.waiting * math.exp(-rate_per_s * _time(seconds))

    def wait_quantile_s(self, share: float) -> float:
        """This share of calls waits no longer."""
        if not 0 <= share < 1:
            raise ValueError(f"share: {share:g}: write one from 0 to below 1")
        rate_per_s = (self.agents - self.load.erlangs) / self.load.aht_s
        waiting = self.waiting
        return max(0.0, math.log(waiting / (1 - share)) / rate_per_s) if waiting else 0.0


@dataclass(frozen=True, slots=True)
class ErlangA:
    """Callers hang up after an exponential patience of this mean, counted from joining the queue."""

    agents: int
    load: Load
    patience_s: float

    def __post_init__(self) -> None:
        _check(self.agents, self.load.erlangs, least=1)
        if not 0 < self.patience_s < math.inf:
            raise ValueError(f"patience: {self.patience_s:g} s: write more than 0")
        if self.load.calls_per_s * self.patience_s > _MOST_TERMS:
            raise ValueError(f"patience: {self.patience_s:g} s: nobody would ever hang up: use Erlang C")

    @property
    def waiting(self) -> float:
        """The share of calls that find every agent busy."""
        return self._states().delayed

    @property
    def abandoned(self) -> float:
        """The share of calls offered whose callers hang up in line."""
        states = self._states()
        return states.delayed - states.served_after_wait

    @property
    def asa_s(self) -> float:
        """Average speed of answer, over the calls that are answered."""
        states = self._states()
        return states.wait_of_served_s / (1 - states.delayed + states.served_after_wait)

    @property
    def occupancy(self) -> float:
        return self.load.erlangs * (1 - self.abandoned) / self.agents

    @property
    def in_queue(self) -> float:
        """Callers in line, on average: each hangs up at the rate of one a patience."""
        return self.load.calls_per_s * self.abandoned * self.patience_s

    def answered_within(self, seconds: float) -> float:
        """The share of calls offered that are answered within this time."""
        seconds = _time(seconds)
        served_per_s = self.agents / self.load.aht_s
        log_j, log_rest = self._log_j(0.0), self._log_j(seconds)
        idle = 1 / max(erlang_b(self.agents - 1, self.load.erlangs), _LEAST)
        scale = max(0.0, log_j)
        small = math.exp(-scale)
        all_of_it = idle * small + self.load.calls_per_s * math.exp(log_j - scale)
        served = (math.exp(self._log_growth(seconds) - scale) - small
                  + served_per_s * (math.exp(log_j - scale) - math.exp(log_rest - scale)))
        return min(1.0, max(0.0, (idle * small + served) / all_of_it))       # what rounding leaves

    def _log_growth(self, seconds: float) -> float:
        left = -math.expm1(-seconds / self.patience_s)
        return self.load.calls_per_s * self.patience_s * left - self.agents / self.load.aht_s * seconds

    def _log_j(self, seconds: float) -> float:
        """log J(t), J(t) = integral from t on of exp(growth(x)) dx: a lower incomplete gamma function."""
        shape = self.agents / self.load.aht_s * self.patience_s
        reach = self.load.calls_per_s * self.patience_s * math.exp(-seconds / self.patience_s)
        total = term = 1 / shape
        log_scale, step = 0.0, 1
        while term > total * _SMALLEST_TERM:
            term *= reach / (shape + step)
            total += term
            step += 1
            if total > _LARGE:
                total, term, log_scale = total / _LARGE, term / _LARGE, log_scale + math.log(_LARGE)
        return math.log(self.patience_s) + self._log_growth(seconds) + math.log(total) + log_scale

    def _states(self) -> "_States":
        """Sums over the states "all agents busy and so many in line", by birth and death."""
        arrival, served, leaves = self.load.calls_per_s, self.agents / self.load.aht_s, 1 / self.patience_s
        idle = 1 / max(erlang_b(self.agents, self.load.erlangs), _LEAST) - 1     # relative to an empty line
        weight, share, wait_s, ahead = 1.0, 1.0, 0.0, 0              # of a caller with so many ahead
        delayed = served_after = served_wait_s = 0.0
        while weight > (delayed + idle) * _SMALLEST_TERM:
            rate = served + (ahead + 1) * leaves
            stays = (rate - leaves) / rate
            wait_s, share = stays * (wait_s + share / rate), stays * share
            delayed += weight
            served_after += weight * share
            served_wait_s += weight * wait_s
            weight *= arrival / rate
            ahead += 1
            if weight > _LARGE:
                weight, delayed, idle = weight / _LARGE, delayed / _LARGE, idle / _LARGE
                served_after, served_wait_s = served_after / _LARGE, served_wait_s / _LARGE
        everything = idle + delayed
        return _States(delayed / everything, served_after / everything, served_wait_s / everything)


@dataclass(frozen=True, slots=True)
class _States:
    """Per call offered."""

    delayed: float
    served_after_wait: float
    wait_of_served_s: float


def agents_for(load: Load, share: float, within_s: float, patience_s: float | None = None) -> int:
    """The fewest agents that answer `share` of the calls offered within `within_s`."""
    if not 0 < share < 1:
        raise ValueError(f"target: {share:g}: write a share between 0 and 1, e.g. 0.8")
    _time(within_s)
    def enough(agents: int) -> bool:
        return steady(agents, load, patience_s).answered_within(within_s) >= share

    least = 1 if patience_s else math.floor(load.erlangs) + 1
    found = bisect_left(range(least, MOST_SERVERS + 1), True, key=enough)
    if least + found > MOST_SERVERS:
        raise ValueError(f"{load.erlangs:g} erlangs: more than {MOST_SERVERS} agents would be needed")
    return least + found


def steady(agents: int, load: Load, patience_s: float | None = None) -> ErlangC | ErlangA:
    """The model that fits: A when callers hang up."""
    return ErlangA(agents, load, patience_s) if patience_s else ErlangC(agents, load)


def _check(servers: int, erlangs: float, least: int) -> None:
    if not least <= servers <= MOST_SERVERS:
        raise ValueError(f"{servers}: write a number from {least} to {MOST_SERVERS}")
    if not 0 < erlangs < math.inf:
        raise ValueError(f"{erlangs:g} erlangs: write more than 0")


def _time(seconds: float) -> float:
    if not seconds >= 0:
        raise ValueError(f"{seconds:g} s: write 0 or more")
    return seconds
