"""What choices remember of the past. A part of the state: changed by events of the log only.

A queue's figures fade with each new contact, not with time: nothing changes while nothing happens.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

FADES = 0.98                                      # with each contact: about the last 50 count
SHARES_FADE = 0.99
RECENT_WAITS = 50
RECENT_ESTIMATES = 100
KNOWN_CALLERS = 2000
PRIOR_CONTACTS = 5.0                              # so many count for what is configured
USUAL_RING_S = 5.0                                # until it is known
SHORT_WAIT_S = 1.0                                # a relative error of shorter ones says nothing


class Pace(msgspec.Struct, kw_only=True):
    """Of a queue. Counts and sums are faded ones."""

    handled: float = 0.0                          # contacts
    handled_s: float = 0.0                        # ring, talk and wrap-up
    handled_s2: float = 0.0                       # squares
    rung: float = 0.0
    rung_s: float = 0.0                           # of rings that were answered
    left: float = 0.0                             # abandoned
    waited_s: float = 0.0                         # by all who waited, whatever came of it
    waits: list[float] = []                       # s until the talk; below 0: until it was abandoned
    estimates: list[tuple[float, float]] = []     # told at joining, and then waited, s
    last: str = ""                                # agent who was rung last
    talks: dict[str, float] = {}                  # agent -> talks

    def handling(self, expected_s: float) -> tuple[float, float]:
        """Mean in s, and squared coefficient of variation or 1; `expected_s` counts for a few contacts."""
        count = self.handled + PRIOR_CONTACTS
        mean_s = (self.handled_s + PRIOR_CONTACTS * expected_s) / count
        squares = (self.handled_s2 + PRIOR_CONTACTS * 2 * expected_s ** 2) / count
        return mean_s, min(1.0, max(0.0, squares / mean_s ** 2 - 1))

    def ring_s(self) -> float:
        """Mean, until it is answered."""
        return (self.rung_s + USUAL_RING_S) / (self.rung + 1)

    def impatience(self) -> float:
        """Of those who wait so many hang up in a second; 0: none ever did."""
        return self.left / self.waited_s if self.waited_s else 0.0

    def kept(self, within_s: float) -> float:
        """Share of the recent contacts that was answered in time; who hung up sooner does not count."""
        in_time = sum(0 <= wait_s <= within_s for wait_s in self.waits)
        late = sum(wait_s > within_s or wait_s < -within_s for wait_s in self.waits)
        return in_time / (in_time + late) if in_time + late else 1.0


class Work(msgspec.Struct, kw_only=True):
    """What an agent does for a queue."""

    queue: str
    since: float                                  # it rings
    talked: bool = False


class History(msgspec.Struct, kw_only=True):
    paces: dict[str, Pace] = {}                   # of queues
    works: dict[str, Work] = {}                   # of agents
    last_agents: dict[str, str] = {}              # caller -> who talked with them last; oldest first

    def pace(self, queue: str) -> Pace:
        return self.paces.get(queue) or Pace()

    def offered(self, queue: str, agent: str, at: float) -> None:
        self._kept(queue).last = agent
        self.works[agent] = Work(queue=queue, since=at)

    def talked(self, queue: str, agent: str, caller: str, at: float, waited_s: float,
               estimate_s: float | None) -> None:
        pace = self._kept(queue)
        self._waited(pace, waited_s, left=False)
        if estimate_s is not None:
            pace.estimates = [*pace.estimates, (estimate_s, waited_s)][-RECENT_ESTIMATES:]
        pace.talks = {name: count * SHARES_FADE for name, count in pace.talks.items()}
        pace.talks[agent] = pace.talks.get(agent, 0.0) + 1
        if (work := self.works.get(agent)) is not None:
            work.talked = True
            pace.rung = pace.rung * FADES + 1
            pace.rung_s = pace.rung_s * FADES + max(0.0, at - work.since)
        if caller:
            self.last_agents.pop(caller, None)
            self.last_agents[caller] = agent
            if len(self.last_agents) > KNOWN_CALLERS:
                del self.last_agents[next(iter(self.last_agents))]

    def abandoned(self, queue: str, waited_s: float) -> None:
        self._waited(self._kept(queue), waited_s, left=True)

    def went_on(self, queue: str, waited_s: float) -> None:
        """Left the queue neither for a talk nor by hanging up."""
        pace = self._kept(queue)
        pace.left, pace.waited_s = pace.left * FADES, pace.waited_s * FADES + max(0.0, waited_s)

    def over(self, agent: str, at: float) -> None:
        """The agent is done with it, wrap-up included."""
        work = self.works.pop(agent, None)
        if work is not None and work.talked:
            pace, took_s = self._kept(work.queue), max(0.0, at - work.since)
            pace.handled = pace.handled * FADES + 1
            pace.handled_s = pace.handled_s * FADES + took_s
            pace.handled_s2 = pace.handled_s2 * FADES + took_s ** 2

    def _kept(self, queue: str) -> Pace:
        return self.paces.setdefault(queue, Pace())

    def _waited(self, pace: Pace, waited_s: float, *, left: bool) -> None:
        waited_s = max(0.0, waited_s)
        pace.waits = [*pace.waits, -waited_s if left else waited_s][-RECENT_WAITS:]
        pace.left = pace.left * FADES + left
        pace.waited_s = pace.waited_s * FADES + waited_s


@dataclass(frozen=True, slots=True)
class Errors:
    """Of estimates against the waits that came: of answered contacts that had one at joining."""

    count: int
    mean_s: float                                 # of absolute errors
    median_s: float
    bias_s: float                                 # above 0: told too much
    mean_share: float                             # of the wait
    median_share: float


def errors(estimates: Sequence[tuple[float, float]]) -> Errors | None:
    """Of pairs (told, then waited), both in s; None without any."""
    if not estimates:
        return None
    off = [abs(told_s - waited_s) for told_s, waited_s in estimates]
    share = [abs(told_s - waited_s) / max(waited_s, SHORT_WAIT_S) for told_s, waited_s in estimates]
    return Errors(len(off), statistics.fmean(off), statistics.median(off),
                  statistics.fmean(told_s - waited_s for told_s, waited_s in estimates),
                  statistics.fmean(share), statistics.median(share))
