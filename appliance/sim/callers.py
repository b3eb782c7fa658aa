"""Who calls on one day, in order of time. What is chance about a caller is drawn here, once: in every variant
of the day the same people call, as patient and as talkative as before. Pure.
"""

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from appliance.sim.scenario import Arrivals, Scenario, clock_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`patience` and `handling` are shares of their distributions, unless a real day gave seconds."""

    at_s: float                                   # from midnight
    called: str
    trunk: str
    calling: str
    keys: str
    patience: float
    handling: float
    patience_s: float | None = None
    handling_s: float | None = None
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCall:
    """A call of a real day, as far as it was written down."""

    at_s: float
    called: str = ""
    calling: str = ""
    keys: str | None = None
    patience_s: float | None = None
    handling_s: float | None = None
    waited_s: float = 0.0                         # and was answered then: the patience was for more


@dataclass(frozen=True, slots=True)
class Source:
    """A row of arrivals, and where its calls come in."""

    row: Arrivals
    trunk: str
    called: str
    known: tuple[KnownCall, ...] = ()


def callers(sources: Iterable[Source], scenario: Scenario, seed: str, calls_times: float = 1.0
            ) -> Iterator[Caller]:
    """`calls_times` multiplies the rates; calls of a real day are left out or doubled by chance."""
    streams = [_of(source, scenario, Random(f"{seed}/{place}"), calls_times)
               for place, source in enumerate(sources)]
    return heapq.merge(*streams, key=lambda caller: caller.at_s)


def _of(source: Source, scenario: Scenario, random: Random, calls_times: float) -> Iterator[Caller]:
    keys = list(source.row.keys) or [""]
    weights = list(accumulate(source.row.keys.values() or [1.0]))
    times = _again(source.known, random, calls_times) if source.known else (
        KnownCall(at_s=at_s) for at_s in _poisson(source.row, scenario, random, calls_times))
    for call in times:
        pressed = random.choices(keys, cum_weights=weights)[0]
        yield Caller(
            at_s=call.at_s, called=call.called or source.called, trunk=source.trunk,
            calling=call.calling or f"139{random.randrange(10 ** 8):08}",
            keys=pressed if call.keys is None else call.keys, patience=random.random(),
            handling=random.random(), patience_s=call.patience_s, handling_s=call.handling_s,
            waited_s=call.waited_s)


def _poisson(row: Arrivals, scenario: Scenario, random: Random, calls_times: float) -> Iterator[float]:
    """Rates hold from their hour on until the next one."""
    begins_s, ends_s = clock_s(scenario.begins), clock_s(scenario.ends)
    steps = sorted((clock_s(clock), rate) for clock, rate in row.calls_per_hour.items())
    for (from_s, rate), (to_s, _) in pairwise([*steps, (ends_s, 0.0)]):
        at_s, until_s = max(from_s, begins_s), min(to_s, ends_s)
        while rate * calls_times > 0:
            at_s += -math.log1p(-random.random()) * 3600 / (rate * calls_times)
            if at_s >= until_s:
                break
            yield at_s


def _again(known: Iterable[KnownCall], random: Random, calls_times: float) -> Iterator[KnownCall]:
    for call in known:
        for _ in range(int(calls_times + random.random())):
            yield call
