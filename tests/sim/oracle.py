"""How well a wait could be foretold at all: `python -m tests.sim.oracle`.

Somebody who sees the whole floor at the moment of joining and knows every distribution of the scenario, the
shifts too, but not the draws, plays the time from then on again and again. What these plays have in common is
all that can be known of the wait; the rest is chance. The box's own estimates stand beside it.
"""

import argparse
import heapq
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from statistics import NormalDist, fmean, median

from appliance.centre import events
from appliance.centre.announce import MINUTE_S
from appliance.centre.events import decode
from appliance.centre.evolve import evolve
from appliance.centre.state import State
from appliance.sim.branch import Branch
from appliance.sim.chances import Chance, Exponential, LogNormal
from appliance.sim.day import Day
from appliance.sim.figures import ALL, METRICS, Figures
from appliance.sim.scenario import clock_s
from appliance.sim.world import simulate
from appliance.store.events import Entry
from tests.sim.reference import reference

PLAYS = 200
OUT_OF_SIGHT_S = 4 * 3600.0                       # so long a play goes on at most

Play = tuple[float, float]                        # wait in s, how likely the caller stays so long


class Oracle:
    def __init__(self, branch: Branch, seed: int) -> None:
        self._random = Random(seed)
        self._branch, self._scenario = branch, branch.scenario
        self._queues = {queue.name: queue for queue in branch.config.centre.queues}
        self._serves = {agent.name: {name for name, queue in self._queues.items()
                                     if agent.name in queue.agents}
                        for agent in branch.config.centre.agents}
        self.served: dict[str, str] = {}          # by each agent last: of which queue
        self._at_work = {agent.name: self._spans(agent.name) for agent in branch.config.centre.agents}

    def plays(self, state: State, queue: str, now: float) -> list[Play]:
        """`state`: before it joins."""
        ahead = sorted((one for one in state.contacts.values() if one.choosable and one.line),
                       key=lambda one: (one.waits_since, one.line))
        waits_s = [self._play(state, [one.record.queue for one in ahead], queue, now) for _ in range(PLAYS)]
        patience_s = self._mean_patience_s(queue)
        return [(wait_s, math.exp(-wait_s / patience_s)) for wait_s in waits_s if wait_s < OUT_OF_SIGHT_S]

    def _play(self, state: State, ahead: Sequence[str], mine: str, now: float) -> float:
        """`ahead`: the queues of those before it, in their order."""
        agents = [(self._on_duty(name, self._free_at(state, name, now)), name) for name in self._serves]
        heapq.heapify(agents)
        line = [(queue, self._random.expovariate(1 / self._mean_patience_s(queue))) for queue in ahead]
        while agents:
            at, name = heapq.heappop(agents)
            if at > now + OUT_OF_SIGHT_S:
                break
            serves = self._serves[name]
            line = [one for one in line if now + one[1] > at]
            chosen = next((number for number, one in enumerate(line) if one[0] in serves), None)
            if chosen is not None:
                queue, _ = line.pop(chosen)
                done = at + self._ring_s() + self._talk_s(queue) + self._wrap_up_s(queue)
                heapq.heappush(agents, (self._on_duty(name, done), name))
            elif mine in serves:
                return max(0.0, at - now) + self._ring_s()
        return OUT_OF_SIGHT_S

    # --- what a day is made of

    def _free_at(self, state: State, name: str, now: float) -> float:
        agent = state.agents.get(name)
        contact = None if agent is None else state.contacts.get(agent.contact)
        if agent is not None and contact is not None:
            return self._end_of_talk(contact.record.queue, agent.state, agent.since, now)
        if agent is not None and agent.state == "wrap-up":
            chance = self._chance(self.served.get(name, ""), "wrap_up")
            if isinstance(chance, Exponential):
                return now + self._random.expovariate(1 / chance.mean_s)
            return max(now, agent.until)
        if agent is not None and agent.state == "unreachable":
            return max(now, agent.since + self._scenario.agents.notices_s)
        return now

    def _end_of_talk(self, queue: str, state: str, since: float, now: float) -> float:
        if state in ("reserved", "ringing"):
            left_s = max(0.0, self._ring_s() - (now - since)) + self._talk_s(queue)
        else:
            left_s = self._longer_s(queue, now - since) - (now - since)
        return now + left_s + self._wrap_up_s(queue)

    def _longer_s(self, queue: str, gone_s: float) -> float:
        """A talk of which is known that it takes longer than this."""
        chance = self._chance(queue, "handling")
        assert isinstance(chance, LogNormal)
        share = _shorter(chance, gone_s)
        return max(gone_s, chance.quantile_s(share + (1 - share) * self._random.random()))

    def _talk_s(self, queue: str) -> float:
        chance = self._chance(queue, "handling")
        assert chance is not None
        return chance.quantile_s(self._random.random())

    def _wrap_up_s(self, queue: str) -> float:
        chance = self._chance(queue, "wrap_up")
        if chance is None:
            return self._queues[queue].wrap_up_s
        return chance.quantile_s(self._random.random())

    def _ring_s(self) -> float:
        return self._scenario.agents.answer.quantile_s(self._random.random())

    def _mean_patience_s(self, queue: str) -> float:
        chance = self._chance(queue, "patience")
        assert isinstance(chance, Exponential)
        return chance.mean_s

    def _chance(self, queue: str, kind: str) -> Chance | None:
        own = self._scenario.queues.get(queue)
        found: Chance | None = getattr(own, kind) if own is not None else None
        return found or getattr(self._scenario, kind, None)

    def _spans(self, name: str) -> list[tuple[float, float]]:
        """When it is at work, breaks left out."""
        spans: list[tuple[float, float]] = []
        for shift in self._scenario.shifts:
            if name in shift.agents:
                since = clock_s(shift.begins)
                for rest in sorted(shift.breaks, key=lambda rest: clock_s(rest.begins)):
                    spans.append((since, clock_s(rest.begins)))
                    since = clock_s(rest.ends)
                spans.append((since, clock_s(shift.ends)))
        midnight = self._branch.midnight()
        return sorted((midnight + since, midnight + until) for since, until in spans)

    def _on_duty(self, name: str, at: float) -> float:
        for since, until in self._at_work[name]:
            if at < until:
                return max(at, since)
        return math.inf


def _shorter(chance: LogNormal, than_s: float) -> float:
    """The share of all that is."""
    if than_s <= 0:
        return 0.0
    variance = math.log1p(chance.variation ** 2)
    return NormalDist().cdf((math.log(than_s / chance.mean_s) + variance / 2) / math.sqrt(variance))


def mean_s(plays: Sequence[Play]) -> float:
    return sum(wait_s * stays for wait_s, stays in plays) / sum(stays for _, stays in plays)


def median_s(plays: Sequence[Play]) -> float:
    half, passed = sum(stays for _, stays in plays) / 2, 0.0
    for wait_s, stays in sorted(plays):
        passed += stays
        if passed >= half:
            return wait_s
    return math.nan


SAYS: dict[str, Callable[[Sequence[Play]], float]] = {"mean": mean_s, "median": median_s}


def foretold(branch: Branch, replication: int) -> tuple[Day, dict[str, dict[str, float]]]:
    """The day, and what is said of each contact in each way."""
    entries: list[Entry] = []
    day = simulate(branch, replication, entries.extend)
    found = {name: dict[str, float]() for name in SAYS}
    oracle, state = Oracle(branch, seed=replication), State()
    for entry in entries:
        event = decode(entry)
        if isinstance(event, events.Joined) and entry.contact in day.told_s:
            if plays := oracle.plays(state, event.queue, entry.at):
                for name, says in SAYS.items():
                    found[name][entry.contact] = says(plays)
        if isinstance(event, events.Talked) and entry.contact in state.contacts:
            record = state.contacts[entry.contact].record
            oracle.served[record.agent] = record.queue
        evolve(state, entry.at, entry.contact, event)
    return day, found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.oracle", description=(
        "The error of estimated waits in line on the reference day: the box's, and the least there can be."))
    parser.add_argument("--days", type=int, default=1)
    branch = reference()
    thresholds_s = {queue.name: queue.service_level.within_s for queue in branch.config.centre.queues}
    for replication in range(1, parser.parse_args().days + 1):
        day, found = foretold(branch, replication)
        for name, told_s in {"box": day.told_s, **found}.items():
            figures = Figures(replace(day, told_s=told_s), thresholds_s, branch.scenario.short_abandon_s)
            tally = figures.of[ALL]
            off_s = [abs(told - waited) for told, waited in tally.told_in_line]
            mean_wait_s = fmean(waited for _, waited in tally.told_in_line)
            print(f"day {replication}, {name}: median error {median(off_s):.1f} s, "
                  f"{100 * METRICS['ewt_error_in_line'].of(tally):.1f} % of the wait, "
                  f"{100 * median(off_s) / mean_wait_s:.1f} % of the mean wait of {mean_wait_s:.1f} s; "
                  f"within a minute {100 * fmean(one <= MINUTE_S for one in off_s):.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
