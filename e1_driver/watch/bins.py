"""What a line did over time, in bins of 15 minutes and days of UTC: figures that a telephone company takes.

Ref: ITU-T G.826 (12/02) Annex A, availability; RFC 4805, 96 bins of 15 minutes and what is corrected in them.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from e1_driver import Alarm
from e1_driver.watch.clock import HOLD_OVER, SlipRate
from e1_driver.watch.performance import Errored, Second, far, near

QUARTER_S = 900
DAY_S = 86_400
KEPT = {QUARTER_S: 96, DAY_S: 30}                 # ended bins, beside the running one
TURN_S = 10                                       # seconds in a row that change availability (G.826 A.1)
COUNTS = ("code_violations", "fas_errors", "crc_errors", "e_bits", "fcs_errors", "aborts", "packets_in",
          "packets_lost")


@dataclass(slots=True)
class End:
    """One direction. None: the interface could not tell. ES, SES, BBE: of available time; EB: of all."""

    measured_s: int = 0
    es: int | None = None
    ses: int | None = None
    bbe: int | None = None
    eb: int | None = None
    uas: int | None = None


@dataclass(slots=True)
class Bin:
    """What was measured from `at` on. What the interface could not tell is not in the dictionaries."""

    at: int                                       # unix time, a multiple of length_s
    length_s: int                                 # QUARTER_S or DAY_S; of a total() all of them
    measured_s: int = 0                           # less: box or span was away; more: the clock was set back
    near: End = field(default_factory=End)
    far: End = field(default_factory=End)
    alarm_s: dict[Alarm, int] = field(default_factory=dict)      # seconds with the alarm in them
    counts: dict[str, int] = field(default_factory=dict)         # COUNTS, named as in Second
    slips: dict[str, int] = field(default_factory=dict)          # by the box's clock source, or HOLD_OVER
    clock_s: dict[str, int] = field(default_factory=dict)        # seconds with slips told, likewise


def total(bins: Iterable[Bin]) -> Bin:
    """All of `bins` together; `at` is the first's, 0 of none."""
    whole = Bin(0, 0)
    for each in bins:
        whole.at = whole.at if whole.length_s else each.at
        whole.length_s += each.length_s
        whole.measured_s += each.measured_s
        for direction in ("near", "far"):
            into, more = getattr(whole, direction), getattr(each, direction)
            for figure in End.__slots__:
                if (value := getattr(more, figure)) is not None:
                    setattr(into, figure, (getattr(into, figure) or 0) + value)
        for name in ("alarm_s", "counts", "slips", "clock_s"):
            sums = getattr(whole, name)
            for key, value in getattr(each, name).items():
                sums[key] = sums.get(key, 0) + value
    return whole


def slip_rates(bins: Iterable[Bin]) -> list[SlipRate]:
    """Slips by the clock source they came under; none when the interface cannot tell slips."""
    whole = total(bins)
    return [SlipRate(source, slips, whole.clock_s[source]) for source, slips in sorted(whole.slips.items())]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a store has to write of one history."""

    standing: bytes
    dropped: list[tuple[int, int]]                # (length_s, at), before the bins
    bins: list[tuple[int, int, bytes]]


@dataclass(slots=True)
class Availability:
    """The state of one direction, and the seconds in a row that speak against it (G.826 A.1)."""

    unavailable: bool = False
    last: int = -1
    run: list[tuple[int, Errored]] = field(default_factory=list)


@dataclass(slots=True)
class Standing:
    """How far a history has come."""

    newest: int = -1                              # the second counted last
    near: Availability = field(default_factory=Availability)
    far: Availability = field(default_factory=Availability)


class History:
    """One line's bins. Seconds may be missing or come twice (the clock was set): measured_s says so.

    A second is counted as the state of its direction has it. When ten in a row turn the state, the ten are
    counted again in the bins they fell in, as if it had turned before them. A missing second breaks the row.
    """

    def __init__(self, standing: Standing | None = None, bins: Iterable[Bin] = ()) -> None:
        self.standing = standing or Standing()
        self._bins: dict[int, dict[int, Bin]] = {length_s: {} for length_s in KEPT}
        for each in bins:
            self._bins[each.length_s][each.at] = each
        self._changed: set[tuple[int, int]] = set()              # (length_s, at) not stored yet
        self._dropped: set[tuple[int, int]] = set()              # likewise, too old

    def observe(self, second: Second, source: str | None) -> None:
        """Count a second in; `source`: the span that the box took its clock from, None: hold-over."""
        self.standing.newest = second.at
        clock = source or HOLD_OVER
        for each in self._at(second.at):
            each.measured_s += 1
            for alarm in second.told:
                each.alarm_s[alarm] = each.alarm_s.get(alarm, 0) + (alarm in second.defects)
            for name in COUNTS:
                if (count := getattr(second, name)) is not None:
                    each.counts[name] = each.counts.get(name, 0) + count
            if second.slips is not None:
                each.clock_s[clock] = each.clock_s.get(clock, 0) + 1
                each.slips[clock] = each.slips.get(clock, 0) + second.slips
        if (errored := near(second)) is not None:
            self._judge("near", second.at, errored)
        if (errored := far(second)) is not None:
            self._judge("far", second.at, errored)

    def quarters(self, now_unix_s: float) -> list[Bin]:
        """The running 15 minutes and the 96 before, oldest first; none where nothing was measured."""
        return self._since(QUARTER_S, now_unix_s)

    def days(self, now_unix_s: float) -> list[Bin]:
        """The running day of UTC and the 30 before, likewise."""
        return self._since(DAY_S, now_unix_s)

    def bin(self, length_s: int, at: int) -> Bin | None:
        """The one that begins `at`, itself and no copy: read it at once. None: nothing was measured in it."""
        return self._bins[length_s].get(at)

    @property
    def newest(self) -> int:
        """The second counted last, unix time; -1: none yet."""
        return self.standing.newest

    def unsaved(self) -> bool:
        """Is there something for changes() to give?"""
        return bool(self._changed)

    def changes(self) -> "Changes":
        """What is new since the last call, as the store has it."""
        changed, dropped = self._changed, self._dropped
        self._changed, self._dropped = set(), set()
        return Changes(msgspec.json.encode(self.standing), sorted(dropped),
                       [(length_s, at, msgspec.json.encode(self._bins[length_s][at]))
                        for length_s, at in sorted(changed)])

    def not_saved(self, changes: "Changes") -> None:
        """To be given again with what is new by then."""
        self._changed |= {(length_s, at) for length_s, at, _ in changes.bins if at in self._bins[length_s]}
        self._dropped |= set(changes.dropped)

    def _since(self, length_s: int, now_unix_s: float) -> list[Bin]:
        running = int(now_unix_s) // length_s * length_s
        first = running - KEPT[length_s] * length_s
        return [copy.deepcopy(each) for at, each in sorted(self._bins[length_s].items())
                if first <= at <= running]

    def _at(self, at: int) -> list[Bin]:
        """Its two bins. The one begun first makes room: a clock that was wrong for a while costs little."""
        found = []
        for length_s, bins in self._bins.items():
            start = at - at % length_s
            self._changed.add((length_s, start))
            if start not in bins:
                bins[start] = Bin(start, length_s)
                if len(bins) > KEPT[length_s] + 1:
                    oldest = next(iter(bins))
                    del bins[oldest]
                    self._changed.discard((length_s, oldest))
                    self._dropped.add((length_s, oldest))
            found.append(bins[start])
        return found

    def _judge(self, direction: str, at: int, errored: Errored) -> None:
        state: Availability = getattr(self.standing, direction)
        if at != state.last + 1:
            state.run.clear()
        state.last = at
        for each in self._at(at):
            end: End = getattr(each, direction)
            end.measured_s += 1
            if errored.eb is not None:
                end.eb = (end.eb or 0) + errored.eb
            _count(end, errored, state.unavailable, 1)
        if errored.ses == state.unavailable:
            state.run.clear()
            return
        state.run.append((at, errored))
        if len(state.run) == TURN_S:
            for then, that in state.run:
                for each in self._at(then):
                    end = getattr(each, direction)
                    _count(end, that, state.unavailable, -1)
                    _count(end, that, not state.unavailable, 1)
            state.unavailable = not state.unavailable
            state.run.clear()


def _count(end: End, errored: Errored, unavailable: bool, sign: int) -> None:
    end.uas = (end.uas or 0) + sign * unavailable
    end.ses = (end.ses or 0) + sign * (errored.ses and not unavailable)
    if errored.es is not None:
        end.es = (end.es or 0) + sign * (errored.es and not unavailable)
    if errored.eb is not None:
        end.bbe = (end.bbe or 0) + (0 if unavailable or errored.ses else sign * errored.eb)
