"""Which calls are drawn for judging, and who judges them. Pure; the same seed draws the same calls.

A keyed hash of each recording's name orders it: nobody can choose, and nobody can foretell without the seed.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.config.quality import SamplingConfig

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Candidate:
    recording: str
    agent: str
    queue: str
    direction: str
    disposition: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """In this period by this rule before."""

    recording: str
    agent: str
    queue: str
    scorer: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """`why`: how many calls did not fit for what; or, with 0, what else is in the way."""

    agent: str
    wanted: int
    found: int
    why: dict[str, int]                           # of _unfit; no-scorer, no-form


@dataclass(frozen=True, slots=True)
class Sample:
    drawn: list[Drawn]                            # beside those of before
    shortfalls: list[Shortfall]


def wanted(rule: SamplingConfig, since: float, until: float, now: float, first_at: float | None) -> int:
    """Of an agent by now: over the period evenly, so that its first days are not all of it."""
    new = first_at is None or now < first_at + rule.new_days * DAY_S
    whole = rule.new_per_agent if new and rule.new_per_agent is not None else rule.per_agent
    return math.ceil(whole * min(1.0, max(0.0, (now - since) / (until - since))))


def draw(rule: SamplingConfig, period: str, key: bytes, candidates: Iterable[Candidate],
         before: Sequence[Drawn], wants: Mapping[str, int], scorers: Mapping[str, Collection[str]],
         loads: Mapping[str, int]) -> Sample:
    """wants: agent -> how many by now. scorers: agent -> who may. loads: scorer -> open tasks of any."""
    fit: dict[str, list[Candidate]] = defaultdict(list)
    unfit: dict[str, Counter[str]] = defaultdict(Counter)
    taken = {one.recording for one in before}
    for candidate in candidates:
        if candidate.recording in taken:
            continue
        if why := _unfit(rule, candidate):
            unfit[candidate.agent][why] += 1
        else:
            fit[candidate.agent].append(candidate)
    share = _Share(scorers, Counter(loads), Counter((one.scorer, one.agent) for one in before),
                   lambda scorer, recording: _rank(key, rule.name, period, f"{scorer}/{recording}"))
    drawn: list[Drawn] = []
    shortfalls: list[Shortfall] = []
    # Those whom few may judge first: who may judge the others evens it out.
    for agent in sorted(wants, key=lambda one: (len(scorers.get(one, ())), one)):
        had = [one for one in before if one.agent == agent]
        room = max(0, wants[agent] - len(had))
        ranked = sorted(fit[agent], key=lambda one: _rank(key, rule.name, period, one.recording))
        chosen = _choose(rule.each_queue, Counter(one.queue for one in had), ranked, room)
        if chosen and not scorers.get(agent):
            shortfalls.append(Shortfall(agent, wants[agent], len(had), {"no-scorer": 0}))
            continue
        drawn += [Drawn(one.recording, agent, one.queue, share.take(agent, one.recording)) for one in chosen]
        if len(had) + len(chosen) < wants[agent]:
            shortfalls.append(Shortfall(agent, wants[agent], len(had) + len(chosen), dict(unfit[agent])))
    return Sample(drawn, shortfalls)


def _choose(each_queue: int, had: Counter[str], ranked: Sequence[Candidate], room: int) -> list[Candidate]:
    """The queues' own first, by turns; then whatever comes next."""
    chosen: list[Candidate] = []
    for turn in range(1, each_queue + 1):
        for candidate in ranked:
            if candidate.queue and had[candidate.queue] < turn and candidate not in chosen:
                chosen.append(candidate)
                had[candidate.queue] += 1
    chosen += [candidate for candidate in ranked if candidate not in chosen]
    return chosen[:room]


def _unfit(rule: SamplingConfig, candidate: Candidate) -> str:
    """Why it may not be drawn; "": it may."""
    if candidate.duration_s < rule.least_s:
        return "short"
    if candidate.duration_s > rule.most_s:
        return "long"
    if rule.queues and candidate.queue not in rule.queues:
        return "queue"
    if rule.directions and candidate.direction not in rule.directions:
        return "direction"
    if rule.dispositions and candidate.disposition not in rule.dispositions:
        return "disposition"
    return ""


def _rank(key: bytes, rule: str, period: str, what: str) -> bytes:
    return hashlib.blake2b(f"{rule}\0{period}\0{what}".encode(), key=key, digest_size=16).digest()


class _Share:
    """Who has least to do is next; of these who has judged this agent least; then by the hash."""

    def __init__(self, scorers: Mapping[str, Collection[str]], loads: Counter[str],
                 of_agent: Counter[tuple[str, str]], rank: Callable[[str, str], bytes]) -> None:
        self._scorers, self._loads, self._of_agent, self._rank = scorers, loads, of_agent, rank

    def take(self, agent: str, recording: str) -> str:
        scorer = min(self._scorers[agent], key=lambda one: (
            self._loads[one], self._of_agent[one, agent], self._rank(one, recording)))
        self._loads[scorer] += 1
        self._of_agent[scorer, agent] += 1
        return scorer
