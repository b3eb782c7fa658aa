"""The floor: who waits, who is free, and who is served next by whom.

It follows from the rules, the history and what it is told of contacts and agents, and is never in the log. It
does nothing by itself: what it says is true when it is told so.

One contact after the other, as order.py has it, is given the one of its free agents whom strategies.py says.
"""

import heapq
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import nsmallest

from appliance.centre.choice import outlook, strategies
from appliance.centre.choice.crew import Agents, Crew, Demand
from appliance.centre.choice.explain import AgentExplained, ContactExplained, explain_agent, explain_contact
from appliance.centre.choice.facts import Rules, Standing, Waiting
from appliance.centre.choice.history import History
from appliance.centre.choice.lines import Lines, Place, Spot, Spots
from appliance.centre.choice.order import Shifts
from appliance.centre.choice.view import View
from appliance.config.queues import Overflow

MOST_NAMED = 5                                    # of those who were passed over


@dataclass(frozen=True, slots=True)
class Why:
    """Of a match. Passed over: began to wait earlier and still do."""

    strategy: str
    choices: int                                  # free agents who might serve it
    ring: int                                     # of the contact, 0 the first
    reserve: bool = False                         # the queue is in need
    behind: int = 0                               # passed over: later in the order (priority, service level)
    unfit: int = 0                                # passed over: earlier, but the agent may not serve them now
    passed: tuple[str, ...] = ()                  # the first few of them

    def in_words(self) -> str:
        parts = [f"{self.strategy} of {self.choices} free ones" if self.choices > 1 else "the only one free"]
        if self.ring:
            parts.append(f"ring {self.ring}")
        if self.reserve:
            parts.append("from the reserve")
        if self.behind:
            parts.append(f"before {self.behind} who began to wait earlier and come later in the order")
        if self.unfit:
            parts.append(f"before {self.unfit} who began to wait earlier and ask for others")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Match:
    """Ring these agents for this contact; several only of ring-all."""

    contact: str
    agents: tuple[str, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class Leave:
    """The contact goes to a queue, or where its flow goes on (`to` "")."""

    contact: str
    why: str                                      # time, length, estimate, no agents, max wait
    to: str = ""


class Floor:
    def __init__(self, rules: Rules, history: History) -> None:
        self.rules = rules
        self._history = history
        self._shifts = Shifts(rules, history)
        self._crew = Crew(rules)
        self._all_lines = Lines(rules, self._crew)
        self._stale = False                       # agents serve others than when the lines were made
        self._standings: dict[str, Standing] = {}
        self._free: Agents = 0
        self._logged_in: Agents = 0

    # --- what it is told

    def contact(self, waiting: Waiting) -> None:
        """It waits, or rings, from now on; or something about that is new."""
        known = self._lines.places.get(waiting.contact)
        if known is None or known.waiting != waiting:
            self._lines.put(waiting)

    def contact_gone(self, contact: str) -> None:
        """Waits no more."""
        self._lines.drop(contact)

    def agent(self, standing: Standing) -> None:
        """One of the rules' agents; of others it knows nothing."""
        bit = self._crew.of((standing.agent,))
        if bit:
            self._standings[standing.agent] = standing
            self._free = self._free | bit if standing.free else self._free & ~bit
            self._logged_in = self._logged_in | bit if standing.logged_in else self._logged_in & ~bit
            self._stale |= self._crew.assign(standing)

    def agent_gone(self, agent: str) -> None:
        bit = self._crew.of((agent,))
        self._standings.pop(agent, None)
        self._free, self._logged_in = self._free & ~bit, self._logged_in & ~bit

    # --- what it says

    def decide(self, now: float) -> list[Match]:
        """Who is to be rung for whom, best first. The same until it is told that something came of it."""
        if not self._free or not self._lines.rows:
            return []
        view = self._view(now)
        free, found = self._free, []
        heads = [(*view.shifted(row.demand.queue, row.spots[0])[:2], 0, row)
                 for row in self._lines.rows.values() if view.agents(row.demand.queue, row.reach) & free]
        heapq.heapify(heads)                      # no two lines are equal: rows are never compared
        while heads:
            _, _, number, row = heapq.heappop(heads)
            candidates = view.agents(row.demand.queue, row.reach) & free
            if not candidates:
                continue
            found.append(self._match(view, self._lines.places[row.spots[number][2]], candidates))
            free &= ~self._crew.of(found[-1].agents)
            if number + 1 < len(row.spots):
                following = view.shifted(row.demand.queue, row.spots[number + 1])
                heapq.heappush(heads, (*following[:2], number + 1, row))
        served = {match.contact for match in found}
        return [self._with_passed(view, match, served) for match in found]

    def next_change(self, now: float) -> float | None:
        """When decide or leaving may say something else although nothing happens; None: never."""
        self._lines.widen(now)
        times = [spots[place][0] + after_s for spots, after_s in self._changes()
                 if (place := _due(spots, after_s, now)) < len(spots)]
        if (widening := self._lines.next_widening()) is not None:
            times.append(widening)
        return min(times, default=None)

    def admit(self, waiting: Waiting, now: float) -> Leave | None:
        """Before the contact joins the queue: None, or where it goes instead."""
        for row in self.rules.queues[waiting.queue].overflow:
            if row.after_s:
                continue
            if why := self._too_much(row, waiting, now):
                return Leave(waiting.contact, why, row.to or "")
        return None

    def leaving(self, now: float) -> list[Leave]:
        """Contacts whose wait in their queue is over without a talk; whoever rings somewhere stays."""
        found: dict[str, Leave] = {}
        for queue, config in self.rules.queues.items():
            arrived, joined = self._lines.arrived[queue], self._lines.joined[queue]
            if config.max_wait_s:
                for _, _, contact in arrived[:_due(arrived, config.max_wait_s, now)]:
                    found[contact] = Leave(contact, "max wait")
            for row in config.overflow if joined else ():
                if row.at_joining:
                    continue
                for _, _, contact in joined[:_due(joined, row.after_s, now)]:
                    if not row.no_agents or not self._staffed(self._lines.places[contact].demand):
                        why = "no agents" if row.no_agents else "time"
                        found.setdefault(contact, Leave(contact, why, row.to or ""))
        return list(found.values())

    @property
    def waiting(self) -> int:
        """Contacts in line, those that ring somewhere included."""
        return len(self._lines.places)

    def line(self, queue: str) -> list[str]:
        """Contacts in their order."""
        return [spot[2] for spot in self._lines.queues.get(queue, ())]

    def position(self, contact: str) -> int:
        """In its queue, 1 the first; those that ring somewhere count."""
        return self._lines.position(contact)

    def estimate(self, contact: str, now: float) -> float | None:
        """How long it will wait from now on, in s (estimate.py); None: nobody is there for it."""
        return self.forecast(self._lines.places[contact].waiting, now)

    def forecast(self, waiting: Waiting, now: float) -> float | None:
        """Likewise for a contact that may not have joined yet."""
        return outlook.wait_s(self._view(now), waiting)

    def skills(self, agent: str) -> Mapping[str, int]:
        """That count now; of somebody who is not known none."""
        return self._crew.skills.get(agent, {})

    def serves(self, agent: str, queue: str) -> bool:
        """From the beginning of a wait, whatever contacts ask for themselves."""
        return bool(self._crew.group(queue) & self._crew.of((agent,)))

    def serving(self, queue: str) -> dict[str, int]:
        """Who may come to serve contacts that ask for nothing themselves: agent -> from which ring on."""
        found: dict[str, int] = {}
        for ring, reach in enumerate(self._crew.reaches(self._crew.demand(_anybody(queue, 0.0)))):
            for name in self._crew.in_words(reach.agents | reach.reserve):
                found.setdefault(name, ring)
        return found

    def wait_of_new(self, queue: str, now: float) -> float | None:
        """Of a contact that joins now and asks for nothing itself; None: nobody is there for it."""
        return self.forecast(_anybody(queue, now), now)

    def stranded(self, queue: str) -> int:
        """Contacts of it whom nobody who is logged in could come to serve."""
        return sum(not self._staffed(self._lines.places[contact].demand) for contact in self.line(queue))

    def unreachable(self) -> list[str]:
        """Contacts whom no agent may serve, logged in or not, not even in their last ring."""
        return [contact for contact, place in self._lines.places.items()
                if not place.waiting.ringing and not place.reaches[-1].agents | place.reaches[-1].reserve]

    def explain(self, contact: str, now: float) -> ContactExplained:
        """Why it waits, and for whom."""
        return explain_contact(self._view(now), self._lines.places[contact])

    def explain_agent(self, agent: str, now: float) -> AgentExplained:
        """Whom it would serve, or why nobody."""
        return explain_agent(self._view(now), agent)

    # --- inside

    @property
    def _lines(self) -> Lines:
        """Made anew once, however many agents serve others."""
        if self._stale:
            self._stale = False
            self._all_lines.renew()
        return self._all_lines

    def _view(self, now: float) -> View:
        self._lines.widen(now)
        in_need = {queue for queue in self.rules.queues if self._in_need(queue, now)}
        return View(self.rules, self._history, self._crew, self._lines, self._standings, self._free,
                    self._logged_in, self._shifts.now(), in_need, now)

    def _in_need(self, queue: str, now: float) -> bool:
        reserve, joined = self.rules.queues[queue].reserve, self._lines.joined[queue]
        if reserve is None or not joined:
            return False
        if reserve.waiting is not None and len(joined) >= reserve.waiting:
            return True
        return reserve.wait_s is not None and joined[0][0] + reserve.wait_s <= now

    def _match(self, view: View, place: Place, candidates: Agents) -> Match:
        waiting = place.waiting
        config = self.rules.queues[waiting.queue]
        case = strategies.Case(waiting, config, place.reaches[:place.ring + 1], self._crew, self._history,
                               view.now)
        chosen = strategies.best(case, [self._standings[name] for name in self._crew.in_words(candidates)])
        agents = tuple(standing.agent for standing in chosen)
        reserve = bool(self._crew.of(agents) & ~place.reaches[place.ring].agents)
        return Match(waiting.contact, agents,
                     Why(config.strategy, candidates.bit_count(), place.ring, reserve))

    def _with_passed(self, view: View, match: Match, served: set[str]) -> Match:
        place = self._lines.places[match.contact]
        mine, passed, behind = view.shifted(place.waiting.queue, place.spot), list[Spot](), 0
        for queue, arrived in self._lines.arrived.items():
            for since in arrived[:bisect_left(arrived, place.arrived)]:
                if since[2] not in served:
                    behind += view.shifted(queue, self._lines.places[since[2]].spot) > mine
                    passed.append(since)
        if not passed:
            return match
        first = nsmallest(MOST_NAMED, passed)
        return replace(match, why=replace(match.why, behind=behind, unfit=len(passed) - behind,
                                          passed=tuple(contact for _, _, contact in first)))

    def _too_much(self, row: Overflow, waiting: Waiting, now: float) -> str:
        """Why the row sends the contact away before it waits; "": it does not."""
        reasons: list[tuple[str, bool]] = []
        if row.waiting is not None:
            reasons.append(("length", len(self._lines.queues[waiting.queue]) >= row.waiting))
        if row.estimate_s is not None:
            wait_s = self.forecast(waiting, now)
            reasons.append(("estimate", wait_s is not None and wait_s >= row.estimate_s))
        if row.no_agents:
            reasons.append(("no agents", not self._staffed(self._crew.demand(waiting))))
        return ", ".join(name for name, _ in reasons) if all(true for _, true in reasons) else ""

    def _staffed(self, demand: Demand) -> bool:
        """Somebody who can come to serve it is logged in."""
        last = self._crew.reaches(demand)[-1]
        return bool((last.agents | last.reserve) & self._logged_in)

    def _changes(self) -> Iterator[tuple[Spots, float]]:
        """What happens by time alone: of each of these, so much after it."""
        for queue, config in self.rules.queues.items():
            if config.reserve is not None and config.reserve.wait_s is not None:
                yield self._lines.joined[queue][:1], config.reserve.wait_s
            for row in config.overflow:
                if row.after_s:
                    yield self._lines.joined[queue], row.after_s
            if config.max_wait_s:
                yield self._lines.arrived[queue], config.max_wait_s


def _due(spots: Spots, after_s: float, now: float) -> int:
    """How many of them it is so long ago."""
    return bisect_right(spots, now, key=lambda spot: spot[0] + after_s)


def _anybody(queue: str, now: float) -> Waiting:
    """The last in line, of whom nothing is known."""
    return Waiting("", queue, sys.maxsize, now, now)
