"""Figures of a time: for each name, whole or by intervals, and the contacts or times behind one of them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from appliance.centre.figures.definitions import (
    FIGURES,
    Figure,
    Lengths,
    Pick,
    Ratio,
    Tally,
    Terms,
    figure,
    total_ms,
)
from appliance.centre.figures.ongoing import AGENT, ALL, NODE, QUEUE, milliseconds, so_far
from appliance.config.schema import Config, QueueConfig
from appliance.config.targets import TargetsConfig
from appliance.config.timeslots import timeslots
from appliance.errors import StateError
from appliance.store.counts import INTERVAL_MS, INTERVAL_S, Count, Ledger, add, quarter_ms
from appliance.store.days import Calls, Numbers

LONGEST_S = 400 * 86400.0                         # that is asked for at once
LONGEST_ROLLING_S = 2 * 86400.0                   # with other borders than quarters of an hour
MOST_INTERVALS = 3000
DAY_MS = 86_400_000
LONGEST_LINE_MS = DAY_MS                          # from the first queue of a contact to its last one
WHOLE = -1                                        # in place of an interval: all of them
NEVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class Aims:
    """Terms and targets, as configured. `channels`: of trunks."""

    targets: TargetsConfig
    queues: Mapping[str, QueueConfig]
    channels: Mapping[str, int]

    @classmethod
    def of(cls, config: Config) -> "Aims":
        """As the document has it."""
        channels: dict[str, int] = defaultdict(int)
        for span in config.spans:
            channels[span.trunk] += len(timeslots(span.timeslots))
        queues = {queue.name: queue for queue in config.centre.queues}
        return cls(config.centre.targets, queues, channels)

    def terms(self, of: str, name: str) -> Terms:
        queue = name if of == QUEUE else ALL
        own = self.queues.get(queue)
        level = self.targets.service_level if own is None else own.service_level
        return Terms(milliseconds(level.within_s), milliseconds(self.targets.value("short_abandon_s", queue)),
                     round(self.targets.value("repeat_days", queue) * DAY_MS))

    def target(self, of: str, name: str, figure: Figure) -> float | None:
        """In the figure's unit: a share, or s."""
        if not figure.target:
            return None
        queue = name if of == QUEUE else ALL
        if figure.target == "service_level":
            own = self.queues.get(queue)
            return (self.targets.service_level if own is None else own.service_level).percent / 100
        value = self.targets.value(figure.target, queue)
        return value / 100 if figure.unit == "share" else value


@dataclass(frozen=True, slots=True)
class Row:
    """One name in one time. `sums`: of all that was counted, how often and how long in s."""

    name: str
    since: float
    until: float
    ratios: dict[str, Ratio]
    targets: dict[str, float]
    sums: dict[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """names, figures (): all. interval_s 0: the whole time in one row. whole: that, beside the intervals."""

    of: str
    since: float
    until: float
    names: tuple[str, ...] = ()
    interval_s: float = 0.0
    figures: tuple[str, ...] = ()
    whole: bool = False

    def __post_init__(self) -> None:
        """StateError: nobody can answer that."""
        if self.of not in FIGURES:
            raise StateError(f"{self.of}: there are figures of {', '.join(FIGURES)}")
        for name in self.figures:
            _figure(self.of, name)
        if not self.since_ms < self.until_ms or self.until > self.since + LONGEST_S:
            raise StateError(f"from {self.since:.0f} to {self.until:.0f}: the end comes after the beginning, "
                             f"by at most {LONGEST_S / 86400:.0f} days")
        if not self.by_quarters and self.until - self.since > LONGEST_ROLLING_S:
            raise StateError("longer than two days: begin and end at :00, :15, :30 or :45")
        if self.interval_s and (self.interval_s % INTERVAL_S or not self.by_quarters):
            raise StateError("intervals are whole quarters of an hour and begin at :00, :15, :30 or :45")
        if self.interval_s and (self.until - self.since) / self.interval_s > MOST_INTERVALS:
            raise StateError(f"more than {MOST_INTERVALS} intervals: ask for longer ones")

    @property
    def by_quarters(self) -> bool:
        """Its borders are those of quarters of an hour."""
        return not self.since % INTERVAL_S and not self.until % INTERVAL_S

    @property
    def twice(self) -> bool:
        """By intervals, and the whole time."""
        return self.whole and self.interval_s > 0

    @property
    def since_ms(self) -> int:
        return milliseconds(self.since)

    @property
    def until_ms(self) -> int:
        return milliseconds(self.until)

    @property
    def chosen(self) -> list[Figure]:
        return [one for one in FIGURES[self.of] if not self.figures or one.name in self.figures]

    def needs(self, *names: str) -> bool:
        return any(one.name in names for one in self.chosen)

    def spans(self) -> list[tuple[int, int]]:
        step_ms = milliseconds(self.interval_s) or self.until_ms - self.since_ms
        return [(at_ms, min(at_ms + step_ms, self.until_ms))
                for at_ms in range(self.since_ms, self.until_ms, step_ms)]


def rows_and_whole(ledger: Ledger, wanted: Wanted, aims: Aims, now: float) -> tuple[list[Row], list[Row]]:
    """By name, "" for all together first, then by time; and the rows of the whole time, when they are
    wanted: what is read is read once for both."""
    spans = wanted.spans()
    tallies = _tallies(ledger, wanted, spans, now)
    if wanted.needs("fcr"):
        _repeats(ledger, wanted, spans, aims, tallies)
    if wanted.needs("peak", "all_busy_s"):
        _levels(ledger, wanted, spans, aims, tallies, now)
    names = sorted({name for name, _ in tallies})
    found = [Row(name, since_ms / 1000, until_ms / 1000, *_values(wanted, name, tally, aims))
             for name in names for place, (since_ms, until_ms) in enumerate(spans)
             if (tally := tallies.get((name, place))) is not None]
    if not wanted.twice:
        return found, found if wanted.whole else []
    return found, [Row(name, wanted.since_ms / 1000, wanted.until_ms / 1000, *_values(
        wanted, name, tallies[name, WHOLE], aims)) for name in names]


def behind(ledger: Ledger, wanted: Wanted, name: str, figure_name: str, aims: Aims,
           now: float) -> tuple[Figure, list[Count], list[Count]]:
    """What is counted above the line and below it, in order of time. StateError: there is no such figure."""
    found, terms = _figure(wanted.of, figure_name), aims.terms(wanted.of, name)
    whats = sorted({what for pick in (*found.top, *found.bottom) for what in pick.what})
    of_one = None if name == ALL and wanted.of != QUEUE else name
    if found.name == "fcr" and wanted.of == AGENT:               # an agent's are those that he answered
        there = [count for count in _counts(ledger, replace(wanted, of=QUEUE), now, ALL, whats)
                 if name in (ALL, count.other)]
    else:
        there = list(_counts(ledger, wanted, now, of_one, whats))
    bottom = _picked(there, found.bottom, terms)
    if found.name == "fcr":
        bottom = [count for count in bottom if count.number]
        again = _called_again(ledger, bottom, terms) if bottom else set()
        return found, [count for count in bottom if count.contact not in again], bottom
    return found, _picked(there, found.top, terms), bottom


def _figure(of: str, name: str) -> Figure:
    """StateError: there is none of this name."""
    found = figure(of, name)
    if found is None:
        names = ", ".join(one.name for one in FIGURES[of])
        raise StateError(f"{name}: is no figure of a {of}, there are {names}")
    return found


def _picked(there: Sequence[Count], picks: Iterable[Pick], terms: Terms) -> list[Count]:
    picks = tuple(picks)
    return [count for count in there
            if any(pick.takes(count.what) and pick.fits(count.for_ms, terms) for pick in picks)]


def _values(wanted: Wanted, name: str, tally: Tally, aims: Aims) -> tuple[
        dict[str, Ratio], dict[str, float], dict[str, tuple[int, float]]]:
    terms = aims.terms(wanted.of, name)
    targets = {one.name: target for one in wanted.chosen
               if (target := aims.target(wanted.of, name, one)) is not None}
    return ({one.name: one.ratio(tally, terms) for one in wanted.chosen}, targets,
            {what: (len(lengths), total_ms(lengths) / 1000) for what, lengths in sorted(tally.sums.items())})


# --- what was counted

Tallies = dict[tuple[str, int], Tally]            # by name and place of the interval, or WHOLE


def _tallies(ledger: Ledger, wanted: Wanted, spans: Sequence[tuple[int, int]], now: float) -> Tallies:
    """Quarters have the sums already; what goes on now comes to them."""
    lists: dict[tuple[str, int], dict[str, list[int]]] = {}
    first_ms, step_ms = spans[0][0], spans[0][1] - spans[0][0]

    def sums(name: str, at_ms: int) -> Iterator[dict[str, list[int]]]:
        for one in _whose(wanted, name):
            for place in _places(wanted, (at_ms - first_ms) // step_ms):
                yield lists.setdefault((one, place), {})

    arrays: Pieces = {}
    if wanted.by_quarters:
        arrays = _closed_days(ledger, wanted, first_ms, step_ms)
        for name, at_ms, quarter in ledger.quarters(wanted.of, wanted.since_ms, wanted.until_ms):
            for one in sums(name, at_ms):
                for what, lengths in quarter.items():
                    one.setdefault(what, []).extend(lengths)
        counts: Iterable[Count] = _now(ledger, wanted, now)
    else:
        counts = _counts(ledger, wanted, now)
    for count in counts:
        for one in sums(count.name, count.at_ms):
            add(one, count.what, count.for_ms)
    of_places = [*enumerate(spans), (WHOLE, (wanted.since_ms, wanted.until_ms))]
    clocks_ms = {place: max(0, min(until_ms, milliseconds(now)) - since_ms)
                 for place, (since_ms, until_ms) in of_places}
    return {(name, place): Tally(clocks_ms[place], _joined(
                arrays.get((name, place), {}), lists.get((name, place), {})))
            for name, place in (*arrays, *(key for key in lists if key not in arrays))}


def _whose(wanted: Wanted, name: str) -> Iterator[str]:
    """Which of those that are asked for have what `name` has. The sum of queues is counted by itself, and
    there is none of nodes."""
    for one in (name,) if wanted.of in (QUEUE, NODE) else (name, ALL):
        if not wanted.names or one in wanted.names:
            yield one


def _places(wanted: Wanted, place: int) -> tuple[int, ...]:
    """Of which intervals something is that is in this one."""
    return (place, WHOLE) if wanted.twice else (place,)


Pieces = dict[tuple[str, int], dict[str, list[Numbers]]]


def _closed_days(ledger: Ledger, wanted: Wanted, first_ms: int, step_ms: int) -> Pieces:
    """Of days that are over, each cut where intervals begin."""
    found: Pieces = {}
    names = wanted.names if wanted.of in (QUEUE, NODE) else ()
    for name, day_ms, day in ledger.days(wanted.of, wanted.since_ms, wanted.until_ms, names):
        whose = list(_whose(wanted, name))
        borders = _borders(day_ms, first_ms, step_ms, wanted.until_ms)
        edges = np.array([begins for _, begins, _ in borders] + [borders[-1][2]], np.int64)
        for what, quarters, lengths in day.columns():
            cuts = quarters.searchsorted(edges).tolist()
            for (place, _, _), first, last in zip(borders, cuts, cuts[1:], strict=False):
                if first < last:
                    for key in product(whose, _places(wanted, place)):
                        found.setdefault(key, {}).setdefault(what, []).append(lengths[first:last])
    return found


def _borders(day_ms: int, first_ms: int, step_ms: int, until_ms: int) -> list[tuple[int, int, int]]:
    """Intervals that have a part in the day: the place, and its first quarter and the one after its last."""
    at_ms, end_ms = max(day_ms, first_ms), min(day_ms + DAY_MS, until_ms)
    found = []
    while at_ms < end_ms:
        place = (at_ms - first_ms) // step_ms
        next_ms = min(first_ms + (place + 1) * step_ms, end_ms)
        found.append((place, (at_ms - day_ms) // INTERVAL_MS, (next_ms - day_ms) // INTERVAL_MS))
        at_ms = next_ms
    return found


def _joined(arrays: Mapping[str, list[Numbers]], lists: Mapping[str, list[int]]) -> dict[str, Lengths]:
    """Estimates and what came of them stay beside one another: both come in the same pieces."""
    found: dict[str, Lengths] = {what: np.concatenate(
        [*pieces, np.array(lists[what], np.int64)] if what in lists else pieces)
        for what, pieces in arrays.items()}
    return found | {what: lengths for what, lengths in lists.items() if what not in found}


def _counts(ledger: Ledger, wanted: Wanted, now: float, name: str | None = None,
            whats: Sequence[str] = ()) -> Iterator[Count]:
    """One by one, what goes on now last; of one name, of kinds that these are part of, or of all."""
    since_ms = quarter_ms(wanted.since_ms)        # a time that began before may reach into it
    for count in ledger.counts(wanted.of, since_ms, wanted.until_ms, name, whats):
        yield from _clipped(count, wanted)
    for count in _now(ledger, wanted, now):
        if name in (None, count.name):
            yield count


def _now(ledger: Ledger, wanted: Wanted, now: float) -> Iterator[Count]:
    for count in so_far(ledger.ongoing(), milliseconds(now)):
        if count.of == wanted.of:
            yield from _clipped(count, wanted)


def _clipped(count: Count, wanted: Wanted) -> Iterator[Count]:
    """Times are cut at both ends; anything else counts when it began, or not at all."""
    if _is_time(count):
        at_ms = max(count.at_ms, wanted.since_ms)
        until_ms = min(count.at_ms + count.for_ms, wanted.until_ms)
        if at_ms < until_ms:
            yield replace(count, at_ms=at_ms, for_ms=until_ms - at_ms)
    elif wanted.since_ms <= count.at_ms < wanted.until_ms:
        yield count


def _is_time(count: Count) -> bool:
    return count.what.startswith(("state/", "busy/"))


# --- who calls again


def _repeats(ledger: Ledger, wanted: Wanted, spans: Sequence[tuple[int, int]], aims: Aims,
             tallies: Tallies) -> None:
    """An answered contact is its queue's, all queues', and the agent's who answered."""
    repeat_ms = {name: aims.terms(wanted.of, name).repeat_ms for name, _ in tallies}
    first_ms, step_ms, many = spans[0][0], spans[0][1] - spans[0][0], len(spans)
    calls = ledger.calls(wanted.since_ms - LONGEST_LINE_MS,
                         wanted.until_ms + max(repeat_ms.values(), default=0))
    for names, owner, at_ms, next_ms in _answered(calls, wanted.of):
        there = (at_ms >= wanted.since_ms) & (at_ms < wanted.until_ms)
        owner, at_ms, next_ms = owner[there], at_ms[there], next_ms[there]
        limits = np.array([repeat_ms.get(name, repeat_ms.get(ALL, 0)) for name in names], np.int64)
        of_place = owner * many + (at_ms - first_ms) // step_ms
        callers, called_again = (np.bincount(one, minlength=len(names) * many).reshape(-1, many)
                                 for one in (of_place, of_place[next_ms <= at_ms + limits[owner]]))
        for which, place in zip(*(some.tolist() for some in np.nonzero(callers)), strict=True):
            for one in (names[which],) if wanted.of == QUEUE else (names[which], ALL):
                for its in _places(wanted, place):
                    if (tally := tallies.get((one, its))) is not None:
                        tally.callers += int(callers[which, place])
                        tally.called_again += int(called_again[which, place])


def _answered(calls: Calls, of: str) -> Iterator[tuple[Sequence[str], Numbers, Numbers, Numbers]]:
    """Queues or agents; of each answered contact whose it is, a place in these, when it joined, and when the
    same number joined a queue again."""
    contacts = np.flatnonzero(calls.kind < 2)     # in order of time already
    number = calls.number[contacts]
    order = _stable_order(number)
    contacts, number = contacts[order], number[order]
    same = number[1:] == number[:-1]
    next_ms = np.full(calls.at_ms.size, NEVER_MS)
    next_ms[contacts[:-1][same]] = calls.at_ms[contacts[1:][same]]
    answered = np.flatnonzero(calls.kind == 1)
    if of == QUEUE:
        yield (ALL,), np.zeros(answered.size, np.int64), calls.at_ms[answered], next_ms[answered]
        answered = np.flatnonzero(calls.kind == 2)
    first = calls.first[answered]
    yield calls.owners, calls.owner[answered], calls.at_ms[answered], np.where(
        first >= 0, next_ms[first], NEVER_MS)


def _stable_order(keys: Numbers) -> Numbers:
    """As keys.argsort(kind="stable"), of u8 with many different bits, in a third of the time: the place is
    sorted with the upper bits of the key."""
    bits = np.uint64(max(1, keys.size).bit_length())
    packed = keys >> bits << bits | np.arange(keys.size, dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.intp)
    ordered = keys[order]
    upper = ordered >> bits
    if ((upper[1:] == upper[:-1]) & (ordered[1:] != ordered[:-1])).any():      # two differ below them alone
        return keys.argsort(kind="stable")
    return order


def _called_again(ledger: Ledger, there: Sequence[Count], terms: Terms) -> set[str]:
    """Contacts of these whose caller called again in time."""
    first_ms, last_ms = there[0].at_ms - LONGEST_LINE_MS, there[-1].at_ms + terms.repeat_ms
    calls = _next_calls(ledger, first_ms, last_ms + 1)
    return {count.contact for count in there
            if calls.get(count.contact, math.inf) <= count.at_ms + terms.repeat_ms}


def _next_calls(ledger: Ledger, since_ms: int, until_ms: int) -> Mapping[str, int]:
    """Contact: when the same number joined a queue again."""
    found: dict[str, int] = {}
    latest: dict[str, int] = {}
    for number, at_ms, contact in ledger.callers(since_ms, until_ms):
        if number in latest:
            found[contact] = latest[number]
        latest[number] = at_ms
    return found


# --- how many at a time


def _levels(ledger: Ledger, wanted: Wanted, spans: Sequence[tuple[int, int]], aims: Aims, tallies: Tallies,
            now: float) -> None:
    """For each trunk: how long how many calls were on it."""
    for (name, _), tally in tallies.items():
        tally.channels = aims.channels.get(name, 0)
    pieces: dict[str, list[tuple[Numbers, Numbers]]] = defaultdict(list)
    for name, at_ms, for_ms in ledger.busy(quarter_ms(wanted.since_ms), wanted.until_ms):
        pieces[name].append((at_ms, for_ms))
    for count in _now(ledger, wanted, now):
        if _is_time(count):
            pieces[count.name].append((np.array([count.at_ms]), np.array([count.for_ms])))
    busy = {name: tuple(map(np.concatenate, zip(*some, strict=True))) for name, some in pieces.items()}
    borders = np.array([since_ms for since_ms, _ in spans] + [wanted.until_ms])
    for name, (at_ms, for_ms) in busy.items():
        begins, ends = (np.clip(one, wanted.since_ms, wanted.until_ms) for one in (at_ms, at_ms + for_ms))
        times = np.concatenate((borders, begins, ends))
        by = np.repeat((0, 1, -1), (borders.size, begins.size, ends.size))
        order = times.argsort(kind="stable")
        times, levels = times[order], by[order].cumsum()[:-1]
        lengths, cuts = np.diff(times), times[:-1].searchsorted(borders)
        for place, (first, last) in enumerate(pairwise(cuts.tolist())):
            of_levels = np.bincount(levels[first:last], lengths[first:last]).astype(int).tolist()
            for its in _places(wanted, place):
                if (one := tallies.get((name, its))) is not None:
                    for level, level_ms in enumerate(of_levels):
                        if level_ms:
                            one.levels_ms[level] = one.levels_ms.get(level, 0) + level_ms
