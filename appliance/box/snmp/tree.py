"""What an agent answers from: rows in the order of their names. Pure.

Ref: RFC 3416 4.2.2, the next name; RFC 2578 7.1, counters that begin again from 0 past their largest value.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Oid = tuple[int, ...]
Kind = Literal["integer", "string", "oid", "counter32", "counter64", "gauge", "ticks"]


class Value(NamedTuple):
    kind: Kind
    value: int | bytes | Oid


Row = tuple[Oid, Value]


def integer(value: int) -> Value:
    return Value("integer", value)


def truth(value: bool) -> Value:
    """TruthValue of RFC 2579."""
    return Value("integer", 1 if value else 2)


def text(value: str, most: int = 255) -> Value:
    """DisplayString: what is not ASCII is written as a question mark."""
    return Value("string", value.encode("ascii", "replace")[:most])


def octets(value: bytes) -> Value:
    return Value("string", value)


def oid(value: Oid) -> Value:
    return Value("oid", value)


def gauge(value: float) -> Value:
    """It stays at its largest value."""
    return Value("gauge", min(max(0, int(value)), 0xFFFFFFFF))


def counter32(value: float) -> Value:
    return Value("counter32", int(value) % (1 << 32))


def counter64(value: float) -> Value:
    return Value("counter64", int(value) % (1 << 64))


def ticks(seconds: float) -> Value:
    """Hundredths, which begin again after 497 days."""
    return Value("ticks", int(max(0.0, seconds) * 100) % (1 << 32))


def named(name: str) -> Oid:
    """A string as an index that has its length before it (RFC 2578 7.7)."""
    as_octets = name.encode("ascii", "replace")
    return (len(as_octets), *as_octets)


class Rising:
    """A counter whose source begins again from 0 now and then; this one goes on."""

    def __init__(self) -> None:
        self.total = 0
        self._last = 0

    def see(self, value: int) -> int:
        self.total += value - self._last if value >= self._last else value
        self._last = value
        return self.total


@dataclass(frozen=True, slots=True)
class Section:
    """All rows below `below`, made again when somebody asks and they are `lasts_s` old.

    `rows` may give the very object that it gave before: nothing has changed. `deep`: numbers behind `below`
    until an object of its tables is named (table, entry, column: 3); a scalar has fewer.
    """

    below: Oid
    lasts_s: float
    rows: Callable[[], Iterable[Row]]
    deep: int = 3


class _Made:
    def __init__(self, section: Section) -> None:
        self.section, self.at = section, float("-inf")
        self.names: list[Oid] = []
        self.values: dict[Oid, Value] = {}
        self._given: Iterable[Row] | None = None

    def fresh(self, now: float) -> "_Made":
        if now >= self.at + self.section.lasts_s:
            given, self.at = self.section.rows(), now
            if given is not self._given:
                self._given, self.values = given, dict(given)
                beyond = len(self.section.below)  # what all have in common takes its time
                self.names = sorted(self.values, key=lambda name: name[beyond:])
        return self


class Tree:
    """Sections that do not overlap. `now` is any steady clock, seconds."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self._made = [_Made(section) for section in sorted(sections, key=lambda section: section.below)]

    def get(self, name: Oid, now: float) -> Value | None:
        made = self._of(name)
        return None if made is None else made.fresh(now).values.get(name)

    def next(self, name: Oid, now: float) -> Row | None:
        """The first row behind `name`; None: that was the last."""
        for made in self._made:
            below = made.section.below
            if name[:len(below)] > below:
                continue
            names = made.fresh(now).names
            if (at := bisect_right(names, name)) < len(names):
                return names[at], made.values[names[at]]
        return None

    def forget(self) -> None:
        """Whatever is asked next is made anew."""
        for made in self._made:
            made.at = float("-inf")

    def is_object(self, name: Oid, now: float) -> bool:
        """Is there another instance of what `name` is an instance of (RFC 3416 4.2.1)?"""
        made = self._of(name)
        if made is None or len(name) < len(made.section.below) + 2:
            return False
        object_ = name[:min(len(name) - 1, len(made.section.below) + made.section.deep)]
        names = made.fresh(now).names
        at = bisect_right(names, object_)
        return at < len(names) and names[at][:len(object_)] == object_

    def _of(self, name: Oid) -> _Made | None:
        return next((made for made in self._made
                     if name[:len(made.section.below)] == made.section.below), None)
