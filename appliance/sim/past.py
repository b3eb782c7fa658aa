"""A day that was, as a scenario: who called, how long they waited and were served, who was there when. Pure.

What nobody can know is drawn: how long those would have waited who were answered, how long those would have
talked who gave up. Both are drawn from what is known of the day's others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from appliance.centre.state import AT_WORK
from appliance.config.schema import CentreConfig, Config
from appliance.errors import ConfigError
from appliance.sim.callers import KnownCall
from appliance.sim.chances import AnyChance, Data, Exponential, Fixed, LogNormal
from appliance.sim.scenario import DAY_S, Arrivals, Habits, Pause, Scenario, Served, Shift
from appliance.store.records import ContactRecord, SegmentRecord

LEAST_VALUES = 10                                 # of a distribution: fewer say nothing
MOST_VALUES = 2000
LEAST_REST_S = 120.0                              # not ready for less is no break in the plan
LEAST_PATIENCE_S, MOST_PATIENCE_S = 10.0, 1800.0  # of the mean
MINUTE_S = 60.0
TALK = ("talk", "hold", "consult", "conference")
THERE = ("ready", *AT_WORK)


@dataclass(frozen=True, slots=True)
class Moved:
    """An agent's state from `at` on; "": he is no more."""

    at: float
    agent: str
    state: str


@dataclass(slots=True)
class Past:
    """`left_out`: what of the day cannot be played, counted by why."""

    scenario: Scenario
    known: dict[int, tuple[KnownCall, ...]]
    real: dict[str, float]                        # answered, abandoned, waited_s of the answered: as it was
    left_out: dict[str, int] = field(default_factory=dict)


def past(day: date, midnight: float, config: Config, records: Iterable[ContactRecord],
         moves: Sequence[Moved], interval_min: int, seeds: int, zone: str | None = None,
         hours: tuple[str, str] | None = None) -> Past:
    """`records`: of contacts that began that day; `moves` in order, from before midnight on. ConfigError:
    nothing of the day can be played."""
    centre, left_out = config.centre, dict[str, int]()
    calls = _Calls(centre, midnight, left_out)
    for record in sorted(records, key=lambda one: one.began_at):
        if record.direction == "in":
            calls.add(record)
    if not calls.rows:
        raise ConfigError(f"{day}: no call of that day can be played: none came in to a number or queue "
                          "of now")
    stays = _Stays(centre, midnight, left_out)
    stays.take(moves)
    begins, ends = hours or _hours(calls.first_s, calls.last_s, interval_min)
    written = stays.wrap_up(calls.talks)
    arrivals: list[dict[str, Any]] = []
    known: dict[int, tuple[KnownCall, ...]] = {}
    for place, ((called, queue, trunk), of_row) in enumerate(calls.rows.items()):
        where = {"queue": queue} if queue else {"called": called}
        arrivals.append({**where, "trunk": trunk, "csv": "past"})
        known[place] = tuple(of_row)
    scenario = Scenario(
        box="past", day=day, timezone=zone, begins=begins, ends=ends, interval_min=interval_min,
        replications=seeds,
        arrivals=[Arrivals.model_validate(one) for one in arrivals],
        patience=Exponential(kind="exponential", mean_s=calls.patience_s()),
        handling=_chance(calls.handling[""]) or LogNormal(kind="log-normal", mean_s=180.0),
        queues={queue.name: Served(handling=_chance(calls.handling[queue.name]),
                                   wrap_up=_chance(written[queue.name]))
                for queue in centre.queues},
        agents=Habits(answer=_chance(calls.rings) or Fixed(kind="fixed", value_s=4.0),
                      no_answer=calls.no_answer()),
        shifts=stays.shifts(begins))
    return Past(scenario, known, calls.real, left_out)


class _Calls:
    """Calls by the row of arrivals that they belong to, and what is measured of them."""

    def __init__(self, centre: CentreConfig, midnight: float, left_out: dict[str, int]) -> None:
        self.rows: dict[tuple[str, str, str], list[KnownCall]] = {}
        self.handling: dict[str, list[float]] = defaultdict(list)    # by queue; "": all
        self.rings: list[float] = []
        self.talks: dict[str, list[tuple[float, str]]] = defaultdict(list)   # of an agent: end, queue
        self.first_s, self.last_s = DAY_S, 0.0
        self._midnight, self._left_out = midnight, left_out
        self._queues = {queue.name for queue in centre.queues}
        self._trunks: dict[str, list[str]] = defaultdict(list)
        for route in centre.inbound:
            self._trunks[route.called].append(route.trunk)
        self._any = next((route.trunk for route in centre.inbound), "")
        self.real = {"answered": 0.0, "abandoned": 0.0, "waited_s": 0.0}
        self._waited_s, self._gave_up, self._rung = 0.0, 0, 0

    def add(self, record: ContactRecord) -> None:
        wait = next((one for one in record.segments if one.kind == "queue"), None)
        talk = next((one for one in record.segments if one.kind in TALK and one.agent), None)
        number = self._trunks.get(record.called)
        at = record.began_at
        if number:
            row = record.called, "", number[0]
        elif wait is not None and wait.detail in self._queues and self._any:
            row, at = ("", wait.detail, self._any), wait.began_at
        else:
            self._left_out["call"] = self._left_out.get("call", 0) + 1
            return
        call = self._call(record, at, wait, talk, straight=not number)
        self.first_s, self.last_s = min(self.first_s, call.at_s), max(self.last_s, call.at_s)
        self.rows.setdefault(row, []).append(call)

    def _call(self, record: ContactRecord, at: float, wait: SegmentRecord | None,
              talk: SegmentRecord | None, straight: bool) -> KnownCall:
        patience_s, handling_s, answered_after_s = None, None, 0.0
        if talk is not None:
            parts = [one for one in record.segments if one.kind in TALK and one.ended_at]
            handling_s = sum(one.ended_at - one.began_at for one in parts)
            for queue in {"", record.queue}:
                self.handling[queue].append(handling_s)
            self._rings_of(record)
            for one in parts:
                self.talks[one.agent].append((one.ended_at, record.queue))
        if wait is not None:
            until = talk.began_at if talk is not None else record.ended_at or wait.ended_at
            waited_s = max(0.0, until - wait.began_at)
            self._waited_s += waited_s
            if talk is None and record.ended_by == "caller":
                patience_s = waited_s
                self._gave_up += 1
                self.real["abandoned"] += 1
            elif talk is not None:
                answered_after_s = waited_s
                self.real["answered"] += 1
                self.real["waited_s"] += waited_s
        keys = record.digits if not straight and set(record.digits) <= set("0123456789*#") else ""
        return KnownCall(at_s=at - self._midnight, called="" if straight else record.called,
                         calling=record.calling, keys=keys[:64], patience_s=patience_s, handling_s=handling_s,
                         waited_s=answered_after_s)

    def _rings_of(self, record: ContactRecord) -> None:
        talked = {(one.agent, round(one.began_at, 1)) for one in record.segments if one.kind == "talk"}
        for one in record.segments:
            if one.kind == "ring" and one.ended_at:
                self._rung += 1
                if (one.agent, round(one.ended_at, 1)) in talked:
                    self.rings.append(one.ended_at - one.began_at)

    def patience_s(self) -> float:
        """The mean that fits best: all that was waited by how many gave up, who were answered among them."""
        mean_s = self._waited_s / self._gave_up if self._gave_up else MOST_PATIENCE_S
        return min(max(mean_s, LEAST_PATIENCE_S), MOST_PATIENCE_S)

    def no_answer(self) -> float:
        return round(1 - len(self.rings) / self._rung, 4) if self._rung else 0.0


class _Stays:
    """When each agent was there, and how long he wrote after his calls."""

    def __init__(self, centre: CentreConfig, midnight: float, left_out: dict[str, int]) -> None:
        self._agents = [agent.name for agent in centre.agents]
        self._midnight, self._left_out = midnight, left_out
        self._stays: dict[str, list[tuple[float, float, str]]] = defaultdict(list)   # from, to, state

    def take(self, moves: Sequence[Moved]) -> None:
        """Seconds from midnight, cut to the day."""
        now: dict[str, tuple[float, str]] = {}
        for move in moves:
            at_s = min(max(move.at - self._midnight, 0.0), DAY_S)
            self._ends(now.get(move.agent), move.agent, at_s)
            now[move.agent] = at_s, move.state
        for agent, since in now.items():
            self._ends(since, agent, DAY_S)
        if gone := set(self._stays) - set(self._agents):
            self._left_out["agent"] = len(gone)

    def _ends(self, since: tuple[float, str] | None, agent: str, at_s: float) -> None:
        if since is not None and at_s > since[0]:
            self._stays[agent].append((since[0], at_s, since[1]))

    def wrap_up(self, talks: Mapping[str, list[tuple[float, str]]]) -> dict[str, list[float]]:
        """By queue: of the last talk before."""
        found: dict[str, list[float]] = defaultdict(list)
        for agent, stays in self._stays.items():
            ended = sorted(talks.get(agent, ()))
            for since_s, until_s, state in stays:
                if state == "wrap-up":
                    before = [queue for at, queue in ended if at <= self._midnight + since_s + 1.0]
                    if before:
                        found[before[-1]].append(until_s - since_s)
        return found

    def shifts(self, begins: str) -> list[Shift]:
        """Each time that somebody was there, with its breaks; who was not there has a minute outside."""
        found = []
        for agent in self._agents:
            here = _joined([(since, until) for since, until, state in self._stays.get(agent, ())
                            if state not in ("logged-out", "")], MINUTE_S)
            rests = _joined([(since, until) for since, until, state in self._stays.get(agent, ())
                             if state not in THERE and state not in ("logged-out", "")], MINUTE_S)
            of_day = [(since, until) for since, until in here if until - since >= MINUTE_S]
            for since, until in of_day:
                breaks = [Pause(begins=_clock(max(one, since)), ends=_clock(min(two, until)))
                          for one, two in rests if min(two, until) - max(one, since) >= LEAST_REST_S]
                if _clock(since) != _clock(until):
                    found.append(Shift(
                        agents=[agent], begins=_clock(since), ends=_clock(until),
                        breaks=breaks))
            if not of_day:
                outside = ("00:00", "00:01") if begins != "00:00" else ("23:59", "24:00")
                found.append(Shift(agents=[agent], begins=outside[0], ends=outside[1]))
        return found


def _joined(stays: Iterable[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    """Those with less than `gap_s` between them are one."""
    found: list[tuple[float, float]] = []
    for since, until in sorted(stays):
        if found and since - found[-1][1] < gap_s:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def _clock(at_s: float) -> str:
    minutes = min(round(at_s / MINUTE_S), 24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _hours(first_s: float, last_s: float, interval_min: int) -> tuple[str, str]:
    """Whole intervals around all calls."""
    wide = interval_min * MINUTE_S
    begins_s, ends_s = first_s // wide * wide, min(DAY_S, (last_s // wide + 1) * wide)
    return _clock(begins_s), _clock(ends_s)


def _chance(values: Sequence[float]) -> AnyChance | None:
    """As measured; None: too few."""
    if len(values) < LEAST_VALUES:
        return None
    step = max(1, len(values) // MOST_VALUES)
    return Data(kind="data", values_s=[round(max(0.0, one), 1) for one in sorted(values)[::step]])


def midnight_of(day: date, zone: Any) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

