"""What was seen of the box since the last daily record, and when the next is due. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from appliance.bus.messages import (
    DayRecord,
    Fitness,
    Hardware,
    Health,
    LineFailure,
    SpanDay,
    WallClock,
)
from e1_driver.watch.bins import QUARTER_S, Bin, End

DAY_S = 86_400.0
LATE_S = 900.0                                    # after its hour: the box was down then
MOST_NAMES = 100                                  # of each: names come and go


class Tally(msgspec.Struct, kw_only=True):
    """Kept on the disk now and then: a power cut costs minutes of it and not the day."""

    since: float
    restarts: dict[str, int] = msgspec.field(default_factory=dict)
    box_starts: int = 0
    failures: dict[str, int] = msgspec.field(default_factory=dict)       # of spans
    celsius: dict[str, float] = msgspec.field(default_factory=dict)
    alarms: dict[str, int] = msgspec.field(default_factory=dict)


class Watch:
    """What the bus says, counted."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.health: Health | None = None
        self.fitness: Fitness | None = None
        self.clock: WallClock | None = None
        self.up: dict[str, bool] = {}             # of spans
        self._starts: dict[str, int] = {}
        self._stood: set[str] = set()

    def hear(self, event: object) -> bool:
        """Whether something was counted that is to be kept."""
        match event:
            case Health():
                return self._of_daemons(event)
            case Fitness():
                return self._of_fitness(event)
            case WallClock():
                self.clock = event
            case LineFailure(declared=True):
                return _count(self.tally.failures, event.span)
            case Hardware():
                return self._of_hardware(event)
        return False

    def begin(self, at: float) -> None:
        """A new day."""
        self.tally = Tally(since=at)
        self._stood = set()

    def _of_daemons(self, health: Health) -> bool:
        self.health, counted = health, False
        for one in health.daemons:
            before = self._starts.get(one.daemon, one.starts)
            self._starts[one.daemon] = one.starts
            if before and one.starts > before:    # the first that boxd sees may be its own start
                counted |= _count(self.tally.restarts, one.daemon, one.starts - before)
        return counted

    def _of_fitness(self, fitness: Fitness) -> bool:
        self.fitness = fitness
        standing = {f"{one.code} {one.about}".strip() for one in fitness.reasons if one.code != "starting"}
        new, self._stood = standing - self._stood, standing
        return any([_count(self.tally.alarms, name) for name in sorted(new)])

    def _of_hardware(self, hardware: Hardware) -> bool:
        hottest = self.tally.celsius
        for one in hardware.readings:
            if one.unit == "celsius" and (one.name in hottest or len(hottest) < MOST_NAMES):
                hottest[one.name] = max(one.value, hottest.get(one.name, one.value))
        return False


def _count(into: dict[str, int], name: str, times: int = 1) -> bool:
    if name not in into and len(into) >= MOST_NAMES:
        return False
    into[name] = into.get(name, 0) + times
    return True


def record(watch: Watch, now: float, quarters: Mapping[str, Iterable[Bin]], disk: tuple[int, int],
           calls: tuple[int, int] | None, late: bool) -> DayRecord:
    """Of all since the tally began; of lines whole quarters, each in one record. disk: total and free;
    calls: in all, and of them answered; None: not known."""
    tally, clock = watch.tally, watch.clock
    return DayRecord(
        since=tally.since, late=late,
        daemons={one.daemon: one.state for one in watch.health.daemons} if watch.health else {},
        restarts=dict(tally.restarts), box_starts=tally.box_starts,
        spans={span: _span([one for one in bins if _quarter(tally.since) <= one.at < _quarter(now)],
                           tally.failures.get(span, 0), watch.up.get(span, False))
               for span, bins in quarters.items()},
        celsius=dict(tally.celsius), disk_total=disk[0], disk_free=disk[1],
        clock_source=clock.source if clock else "",
        clock_offset_s=-clock.line_offset_s if clock and clock.line_offset_s is not None else None,
        calls=calls[0] if calls else None, answered=calls[1] if calls else None, alarms=dict(tally.alarms),
        fitness=watch.fitness.state if watch.fitness else "")


def _span(bins: Iterable[Bin], failures: int, up: bool) -> SpanDay:
    near = [one.near for one in bins]
    return SpanDay(measured_s=sum(end.measured_s for end in near), es=_sum(near, "es"),
                   ses=_sum(near, "ses"), uas=_sum(near, "uas"), failures=failures, up=up)


def _quarter(at: float) -> float:
    """When the one that runs then began."""
    return at // QUARTER_S * QUARTER_S


def _sum(ends: Iterable[End], figure: str) -> int | None:
    """None: the interface told it of no time at all."""
    known = [value for end in ends if (value := getattr(end, figure)) is not None]
    return sum(known) if known else None


def last_due(hour: str, now: float) -> float:
    """The last moment until `now` when it was that time of day, of the box's own time zone."""
    return max(at for at in _moments(hour, now) if at <= now)


def next_due(hour: str, now: float) -> float:
    return min(at for at in _moments(hour, now) if at > now)


def _moments(hour: str, now: float) -> list[float]:
    """That time of day around `now`. Where it is twice in a night, its first; where it is left out, as
    much later: one moment of each day."""
    hours, minutes = map(int, hour.split(":"))
    today = datetime.fromtimestamp(now).replace(hour=hours, minute=minutes, second=0, microsecond=0, fold=0)
    return [(today + timedelta(days=day)).timestamp() for day in (-1, 0, 1)]


def is_due(hour: str, last: float, now: float) -> bool:
    """`last`: when the last record was written, or the box was first watched; after `now` by far: the clock
    was wrong then, and what is counted does not wait until it is so late again."""
    return last < last_due(hour, now) or last > now + DAY_S


def is_late(hour: str, now: float) -> bool:
    return now - last_due(hour, now) > LATE_S
