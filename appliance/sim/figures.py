"""Figures of a day, for all queues together, each queue, and each interval. What each means: METRICS, which
are called and defined as the box's own figures are (docs/metrics.md). Pure.

A visit is a contact in one queue: from joining it until it is answered, hangs up or goes on elsewhere. For
all queues together it is the contact: from the first queue on.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from appliance.centre.choice.history import SHORT_WAIT_S
from appliance.sim.day import Day
from appliance.store.records import ContactRecord, SegmentRecord

ALL = ""                                          # in place of a queue's name
LINE = ("queue", "ring")                          # segments of a visit
LEFT = {"abandoned": "abandoned", "callback": "callback", "": "open"}     # of a contact that ends in line
TALK = ("talk", "hold", "consult", "conference")  # segments that keep an agent


@dataclass(frozen=True, slots=True)
class Visit:
    """`left`: answered, abandoned, callback, overflowed (went on elsewhere), failed; open: cut off."""

    queue: str
    at: float
    wait_s: float
    left: str
    talk_s: float = 0.0
    at_once: bool = False                         # rung for when it came


@dataclass(slots=True)
class Tally:
    """Counts of one scope. `within`: answered within the service level's threshold."""

    offered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    short: int = 0                                # abandoned sooner than counts as waiting
    overflowed: int = 0
    talk_s: float = 0.0
    wrap_up_s: float = 0.0
    ready_s: float = 0.0
    at_work_s: float = 0.0
    calls: int = 0                                # that came, in a queue or not
    blocked: int = 0
    waits_s: list[float] = field(default_factory=list)           # of the answered, in order of coming
    line_s: float = 0.0                           # waited by all, however they left
    told: list[tuple[float, float]] = field(default_factory=list)    # expected at joining, then waited, s
    told_in_line: list[tuple[float, float]] = field(default_factory=list)    # of those not rung for at once

    def add(self, visit: Visit, threshold_s: float, short_s: float) -> None:
        self.offered += 1
        self.line_s += visit.wait_s
        if visit.left == "answered":
            self.answered += 1
            self.within += visit.wait_s <= threshold_s
            self.talk_s += visit.talk_s
            self.waits_s.append(visit.wait_s)
        elif visit.left == "abandoned":
            self.abandoned += 1
            self.abandoned_within += visit.wait_s <= threshold_s
            self.short += visit.wait_s < short_s
        elif visit.left == "overflowed":
            self.overflowed += 1

    def wait_quantile_s(self, share: float) -> float:
        """This share of the answered waited no longer; NaN when nobody was."""
        waits_s = sorted(self.waits_s)
        return waits_s[max(0, math.ceil(share * len(waits_s)) - 1)] if waits_s else math.nan


@dataclass(frozen=True, slots=True)
class Metric:
    """`share`: shown in per cent. Its value is NaN when there is nothing to divide by."""

    name: str
    label: str
    formula: str
    of: Callable[[Tally], float]
    unit: str = ""
    share: bool = False


def _per(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _off(told_s: float, wait_s: float) -> float:
    return abs(told_s - wait_s) / max(wait_s, SHORT_WAIT_S)


def _median(values: list[float]) -> float:
    return median(values) if values else math.nan


METRICS: dict[str, Metric] = {metric.name: metric for metric in (
    Metric("calls", "calls", "calls that came, blocked ones too", lambda tally: tally.calls),
    Metric("blocked", "blocked", "calls for which all channels were busy", lambda tally: tally.blocked),
    Metric("offered", "offered", "joined a queue", lambda tally: tally.offered),
    Metric("answered", "answered", "talked to an agent", lambda tally: tally.answered),
    Metric("abandoned", "abandoned", "hung up in line", lambda tally: tally.abandoned),
    Metric("short_abandoned", "of them short", "sooner than short_abandon_s", lambda tally: tally.short),
    Metric("overflowed", "overflowed", "went on from the queue elsewhere", lambda tally: tally.overflowed),
    Metric("service_level", "service level", "answered within the threshold / (offered - short abandons)",
           lambda tally: _per(tally.within, tally.offered - tally.short), share=True),
    Metric("service_level_offered", "  of offered", "answered within the threshold / offered",
           lambda tally: _per(tally.within, tally.offered), share=True),
    Metric("service_level_answered", "  of answered", "answered within the threshold / answered",
           lambda tally: _per(tally.within, tally.answered), share=True),
    Metric("service_level_positive", "  with abandons", "answered or abandoned within it / offered",
           lambda tally: _per(tally.within + tally.abandoned_within, tally.offered), share=True),
    Metric("abandonment", "abandonment", "abandoned / offered",
           lambda tally: _per(tally.abandoned, tally.offered), share=True),
    Metric("abandonment_long", "  without short", "(abandoned - short) / (offered - short)",
           lambda tally: _per(tally.abandoned - tally.short, tally.offered - tally.short), share=True),
    Metric("asa_s", "ASA", "waits of the answered / answered",
           lambda tally: _per(sum(tally.waits_s), tally.answered), "s"),
    Metric("wait_50_s", "wait, median", "of the answered", lambda tally: tally.wait_quantile_s(0.5), "s"),
    Metric("wait_90_s", "wait, 90 %", "of the answered", lambda tally: tally.wait_quantile_s(0.9), "s"),
    Metric("wait_99_s", "wait, 99 %", "of the answered", lambda tally: tally.wait_quantile_s(0.99), "s"),
    Metric("aht_s", "AHT", "(talk + hold + wrap-up) / answered",
           lambda tally: _per(tally.talk_s + tally.wrap_up_s, tally.answered), "s"),
    Metric("ewt_error_s", "EWT error", "median of |expected at joining - wait| of the answered",
           lambda tally: _median([abs(told_s - wait_s) for told_s, wait_s in tally.told]), "s"),
    Metric("ewt_error_share", "  of the wait", "median of |expected at joining - wait| / wait (at least 1 s)",
           lambda tally: _median([_off(*pair) for pair in tally.told]), share=True),
    Metric("ewt_error_in_line", "  of waits in line", "likewise, of those who were not rung for at once",
           lambda tally: _median([_off(*pair) for pair in tally.told_in_line]), share=True),
    Metric("ewt_bias_s", "EWT bias", "mean of expected at joining - wait of the answered",
           lambda tally: _per(sum(told_s - wait_s for told_s, wait_s in tally.told), len(tally.told)), "s"),
    Metric("occupancy", "occupancy", "reserved to wrap-up / (reserved to wrap-up + ready)",
           lambda tally: _per(tally.at_work_s, tally.at_work_s + tally.ready_s), share=True),
)}


class Figures:
    """`of[queue]`, `of[ALL]`, and `intervals[queue][number from midnight]`."""

    def __init__(self, day: Day, thresholds_s: Mapping[str, float], short_s: float) -> None:
        queues = [*thresholds_s, ALL]
        self.of = {queue: Tally() for queue in queues}
        numbers = range(day.interval(day.begins), math.ceil((day.ends - day.midnight) / day.interval_s))
        self.intervals = {queue: {number: Tally() for number in numbers} for queue in queues}
        self._day, self._thresholds_s, self._short_s = day, thresholds_s, short_s
        for record in day.records:
            if self._counts(record.began_at):
                self._add(record)
        for blocked in day.blocked:
            if self._counts(blocked.at):
                for tally in self._tallies(ALL, blocked.at):
                    tally.calls += 1
                    tally.blocked += 1
        self._add_time()

    def _counts(self, at: float) -> bool:
        return self._day.begins <= at < self._day.ends

    def _tallies(self, queue: str, at: float) -> Iterator[Tally]:
        """The queue's, and that of its interval; the last one has those who came late to it."""
        of_queue = self.intervals[queue]
        yield self.of[queue]
        yield of_queue[min(max(of_queue), self._day.interval(at))]

    def _add(self, record: ContactRecord) -> None:
        found = list(visits(record, self._day))
        for tally in self._tallies(ALL, record.began_at):
            tally.calls += 1
        for visit in found:
            for tally in self._tallies(visit.queue, visit.at):
                tally.add(visit, self._thresholds_s[visit.queue], self._short_s)
        if found:
            whole = whole_visit(found)
            for tally in self._tallies(ALL, whole.at):
                tally.add(whole, self._thresholds_s[whole.queue], self._short_s)
            told_s = self._day.told_s.get(record.contact)
            answered = next((visit for visit in found if visit.left == "answered"), None)
            if told_s is not None and answered is not None:
                for queue in (answered.queue, ALL):
                    for tally in self._tallies(queue, answered.at):
                        tally.told.append((told_s, answered.wait_s))
                        if not answered.at_once:
                            tally.told_in_line.append((told_s, answered.wait_s))

    def _add_time(self) -> None:
        for queue, spent_s in self._day.wrap_up_s.items():
            if queue in self._thresholds_s:
                self.of[queue].wrap_up_s += spent_s
            self.of[ALL].wrap_up_s += spent_s
        for number, tally in self.intervals[ALL].items():
            tally.ready_s = self._day.ready_s.get(number, 0.0)
            tally.at_work_s = self._day.at_work_s.get(number, 0.0)
        self.of[ALL].ready_s = sum(self._day.ready_s.values())
        self.of[ALL].at_work_s = sum(self._day.at_work_s.values())


def visits(record: ContactRecord, day: Day) -> Iterator[Visit]:
    """Of a contact, in order."""
    queue, since, at_once = "", 0.0, False
    segments = record.segments
    for place, segment in enumerate(segments):
        if segment.kind == "queue" and segment.detail != queue:
            if queue:
                yield Visit(queue, since, segment.began_at - since, "overflowed")
            queue, since = segment.detail, segment.began_at
            at_once = _length_s(segment) == 0 and bool(segment.ended_at)
        elif segment.kind not in LINE and queue:
            talks = segment.kind == "talk"
            yield Visit(queue, since, segment.began_at - since, "answered" if talks else "overflowed",
                        sum(_length_s(one) for one in segments[place:] if one.kind in TALK), at_once)
            queue = ""
    if queue:
        until = record.ended_at or day.ends
        left = LEFT.get(record.outcome, "failed")
        yield Visit(queue, since, max(0.0, until - since), left)


def _length_s(segment: SegmentRecord) -> float:
    return max(0.0, segment.ended_at - segment.began_at)


def whole_visit(found: list[Visit]) -> Visit:
    """From the first queue on, left as the last one was."""
    answered = next((visit for visit in found if visit.left == "answered"), found[-1])
    return Visit(found[0].queue, found[0].at, answered.at + answered.wait_s - found[0].at, answered.left,
                 answered.talk_s)
