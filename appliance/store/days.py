"""Days that are over, as columns: a year of figures is read in a hundredth of the rows.

A day (of UTC, of queues, agents, trunks or nodes) is closed when it has been over for GRACE_MS: what its
quarters hold goes into `days`, one row for each name, and `days_closed` says so. A count that comes later
opens it again. Both follow from `counts` and `intervals`; a day that is not closed is read from these.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    text,
)

from appliance.store.schema import metadata

Numbers = NDArray[Any]                            # of whole numbers

DAY_MS = 86_400_000
QUARTER_MS = 900_000
GRACE_MS = 20 * 3_600_000                         # work goes on for a while; and by night, where it is UTC+8
AGAIN_MS = 3_600_000                              # a day that was opened again is not closed sooner
CALLERS = "callers"                               # days.of of who called: one row, its name ""

days = Table(
    "days", metadata,
    Column("of", String(8), primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("data", LargeBinary, nullable=False),  # MessagePack of Day, or of Callers
)

days_closed = Table(
    "days_closed", metadata,
    Column("of", String(8), primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("upto_id", BigInteger, nullable=False),                   # the newest of `counts` at that time
)

TABLES = (days, days_closed)

OfDay = tuple[str, int]                           # of, day_ms


class Day(msgspec.Struct, array_like=True):
    """Of one name. Columns are octets of little-endian numbers."""

    sums: dict[str, tuple[bytes, bytes]]          # what -> quarters of the day (u1), lengths in ms (i4 or i8)
    busy: tuple[bytes, bytes] = (b"", b"")        # a trunk's: beginnings in ms of the day (u4), lengths (u4)

    def columns(self) -> Iterator[tuple[str, Numbers, Numbers]]:
        """what, quarters, lengths; by quarter, and within it as they were counted."""
        for what, (quarters, lengths) in self.sums.items():
            places = np.frombuffer(quarters, np.uint8)
            yield what, places, np.frombuffer(lengths, f"<i{len(lengths) // max(1, places.size)}")


class Callers(msgspec.Struct, array_like=True):
    """Who joined a queue and left a number, in the order in which it counted.

    kind: 0 any contact, 1 one that was answered, both of all queues together; 2 answered, of one queue.
    """

    at: bytes                                     # ms of the day, u4
    number: bytes                                 # u8, as key() has it
    contact: bytes                                # u8
    kind: bytes                                   # u1
    first: bytes                                  # i4: its contact's row of kind 0 or 1; -1: in another day
    owner: bytes                                  # u2: of owners: a queue, or the agent of kinds 0 and 1
    owners: list[str]


@dataclass(frozen=True, slots=True)
class Calls:
    """The same of a time, in arrays, in order of time. `owner`: places in `owners`; `first`: the row of the
    contact's kind 0 or 1, -1: there is none."""

    at_ms: Numbers
    number: Numbers
    kind: Numbers
    first: Numbers
    owner: Numbers
    owners: list[str]


_DAY = msgspec.msgpack.Decoder(Day)
_CALLERS = msgspec.msgpack.Decoder(Callers)
_SUMS = msgspec.json.Decoder(dict[str, list[int]])

# A scan of the index from day to day, whatever lies between.
_THERE = text("""
    WITH RECURSIVE there(day) AS (
        SELECT (SELECT min(at_ms) FROM intervals WHERE of = :of) / :length
        UNION ALL
        SELECT (SELECT min(at_ms) FROM intervals WHERE of = :of AND at_ms >= (day + 1) * :length) / :length
        FROM there WHERE day IS NOT NULL)
    SELECT day * :length FROM there WHERE day IS NOT NULL""")
_KINDS = ("queue", "agent", "trunk", "node")
_SINCE = text("SELECT DISTINCT of, at_ms / :length * :length FROM counts WHERE id > :upto")
_BUSY = text("""
    SELECT name, at_ms, for_ms FROM counts
    WHERE of = 'trunk' AND at_ms >= :since AND at_ms < :until AND (what = 'busy' OR what LIKE 'busy/%')
    ORDER BY at_ms, id""")
_CALLS = text("""
    SELECT at_ms, number, contact, name, what, other FROM counts
    WHERE number != '' AND at_ms >= :since AND at_ms < :until AND (name = '' OR what = 'answered')
    ORDER BY at_ms, id""")
_NEWEST_CALL = text("SELECT max(at_ms) FROM counts WHERE number != ''")


def day_ms(at_ms: int) -> int:
    return at_ms - at_ms % DAY_MS


def key(word: str) -> int:
    """Of a number or contact: two of a million have the same once in forty million years of them."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class Closing:
    """Which days are closed, and from when on the others may be. Immutable: a commit has its own."""

    closed: frozenset[OfDay] = frozenset()
    due_ms: Mapping[OfDay, int] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection) -> "Closing":
        closed = frozenset((row.of, row.day_ms) for row in connection.execute(select(days_closed)))
        there = {(of, day) for of in _KINDS
                 for [day] in connection.execute(_THERE, {"of": of, "length": DAY_MS})}
        return cls(closed, {one: one[1] + DAY_MS + GRACE_MS for one in there - closed})

    def counted(self, touched: Iterable[OfDay], now_ms: int) -> "Closing":
        """After counts in these days."""
        due_ms = {**self.due_ms, **{
            one: max(one[1] + DAY_MS + GRACE_MS, now_ms + AGAIN_MS) if one in self.closed else
            one[1] + DAY_MS + GRACE_MS for one in touched if one in self.closed or one not in self.due_ms}}
        return self if len(due_ms) == len(self.due_ms) else Closing(self.closed - due_ms.keys(), due_ms)

    def due(self, now_ms: int) -> OfDay | None:
        """The first that may be closed."""
        return min((one for one, at_ms in self.due_ms.items() if at_ms <= now_ms),
                   key=lambda one: one[1], default=None)

    def close(self, one: OfDay) -> "Closing":
        return Closing(self.closed | {one}, {other: at for other, at in self.due_ms.items() if other != one})


def stale(connection: Connection) -> list[OfDay]:
    """Closed days in which another version of the box, which knows none, has counted since."""
    closed = connection.execute(select(days_closed)).all()
    if not closed:
        return []
    upto = max(row.upto_id for row in closed)
    newest = connection.execute(text("SELECT max(id) FROM counts")).scalar() or 0
    if newest < upto:                             # it has counted all of them anew
        return [(row.of, row.day_ms) for row in closed]
    there = {(row.of, row.day_ms) for row in closed}
    later = connection.execute(_SINCE, {"length": DAY_MS, "upto": upto}).all()
    return sorted(there & {(of, day) for of, day in later})


def open_again(connection: Connection, some: Iterable[OfDay]) -> None:
    for of, day in some:
        ofs = (of, CALLERS) if of == "queue" else (of,)
        connection.execute(delete(days).where(days.c.of.in_(ofs), days.c.day_ms == day))
        connection.execute(delete(days_closed).where(days_closed.c.of == of, days_closed.c.day_ms == day))


def close(connection: Connection, of: str, day: int) -> None:
    """Put the day's quarters together."""
    open_again(connection, [(of, day)])
    span = {"since": day, "until": day + DAY_MS}
    sums: dict[str, dict[str, tuple[bytearray, list[int]]]] = defaultdict(dict)
    for at_ms, name, data in connection.execute(
            text("SELECT at_ms, name, sums FROM intervals WHERE of = :of AND at_ms >= :since "
                 "AND at_ms < :until ORDER BY at_ms, name"), {"of": of, **span}):
        place, there = (at_ms - day) // QUARTER_MS, sums[name]
        for what, lengths in _SUMS.decode(data).items():
            quarters, all_lengths = there.setdefault(what, (bytearray(), []))
            quarters += bytes((place,)) * len(lengths)
            all_lengths += lengths
    busy: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    if of == "trunk":
        for name, at_ms, for_ms in connection.execute(_BUSY, span):
            busy[name][0].append(at_ms - day)
            busy[name][1].append(for_ms)
    rows = [{"of": of, "day_ms": day, "name": name, "data": msgspec.msgpack.encode(Day(
        {what: (bytes(quarters), _packed(lengths)) for what, (quarters, lengths) in whats.items()},
        (_octets(busy[name][0], "<u4"), _octets(busy[name][1], "<u4"))))} for name, whats in sums.items()]
    if of == "queue":
        rows.append({"of": CALLERS, "day_ms": day, "name": "", "data": msgspec.msgpack.encode(
            _Part.of_counts(connection, day, day + DAY_MS).kept(day))})
    connection.execute(insert(days), rows)
    connection.execute(insert(days_closed), [{"of": of, "day_ms": day, "upto_id": connection.execute(
        text("SELECT max(id) FROM counts")).scalar() or 0}])


def _packed(lengths: Sequence[int]) -> bytes:
    return _octets(lengths, "<i4" if max(lengths, default=0) < 2**31 else "<i8")


def _octets(values: Iterable[int], kind: str) -> bytes:
    return np.array(list(values), kind).tobytes()


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a day, or of a part of one, what Callers has; `at` is ms behind `begins`, Unix time."""

    begins: int
    at: Numbers
    number: Numbers
    contacts: Callable[[], Numbers]               # of few calls anybody asks
    kind: Numbers
    first: Numbers
    owner: Numbers
    owners: list[str]

    @classmethod
    def of_counts(cls, connection: Connection, since_ms: int, until_ms: int) -> "_Part":
        rows = connection.execute(_CALLS, {"since": since_ms, "until": until_ms}).all()
        at_ms, numbers, contacts, names, whats, others = zip(*rows, strict=True) if rows else ((),) * 6
        kinds = [2 if name else int(what == "answered") for name, what in zip(names, whats, strict=True)]
        of_one = {contact: place for place, (contact, kind) in enumerate(zip(contacts, kinds, strict=True))
                  if kind < 2}
        owners: dict[str, int] = {}
        owner = [owners.setdefault(name or other, len(owners))
                 for name, other in zip(names, others, strict=True)]
        return cls(since_ms, np.array(at_ms, np.int64) - since_ms, _keys(numbers), partial(_keys, contacts),
                   np.array(kinds, np.uint8), np.array([of_one.get(one, -1) for one in contacts], np.int64),
                   np.array(owner, np.int64), list(owners))

    @classmethod
    def of_day(cls, day: int, there: Callers) -> "_Part":
        return cls(day, np.frombuffer(there.at, "<u4"), np.frombuffer(there.number, "<u8"),
                   partial(np.frombuffer, there.contact, "<u8"), np.frombuffer(there.kind, np.uint8),
                   np.frombuffer(there.first, "<i4"), np.frombuffer(there.owner, "<u2"), there.owners)

    def kept(self, day: int) -> Callers:
        at = self.at + (self.begins - day)
        return Callers(_octets(at.tolist(), "<u4"), _octets(self.number.tolist(), "<u8"),
                       _octets(self.contacts().tolist(), "<u8"), _octets(self.kind.tolist(), "u1"),
                       _octets(self.first.tolist(), "<i4"), _octets(self.owner.tolist(), "<u2"), self.owners)


def _keys(words: Sequence[str]) -> Numbers:
    keys = {word: key(word) for word in set(words)}
    return np.array([keys[word] for word in words], np.uint64)


# --- reading


@dataclass(frozen=True, slots=True)
class Closed:
    """The closed days of a time, and what of it is not in one."""

    connection: Connection
    of: str
    since_ms: int
    until_ms: int
    days: tuple[int, ...]

    @classmethod
    def find(cls, connection: Connection, of: str, since_ms: int, until_ms: int) -> "Closed":
        found = connection.execute(
            select(days_closed.c.day_ms).where(
                days_closed.c.of == of, days_closed.c.day_ms > since_ms - DAY_MS,
                days_closed.c.day_ms < until_ms).order_by(days_closed.c.day_ms)).scalars().all()
        return cls(connection, of, since_ms, until_ms, tuple(found))

    def open(self) -> Iterator[tuple[int, int]]:
        """The times between them, from and to."""
        at_ms = self.since_ms
        for day in self.days:
            if at_ms < day:
                yield at_ms, day
            at_ms = day + DAY_MS
        if at_ms < self.until_ms:
            yield at_ms, self.until_ms

    def read(self, names: Sequence[str] = ()) -> Iterator[tuple[str, int, Day]]:
        """name, day and what is in it; names (): of all."""
        for row in self._rows(self.of, names):
            yield row.name, row.day_ms, _DAY.decode(row.data)

    def busy(self) -> Iterator[tuple[str, Numbers, Numbers]]:
        """Trunk, beginnings and lengths of a day, in ms; those that begin in this time."""
        for row in self._rows(self.of, ()):
            begins, lengths = (np.frombuffer(one, "<u4").astype(np.int64)
                               for one in _DAY.decode(row.data).busy)
            begins = begins + row.day_ms
            there = (begins >= self.since_ms) & (begins < self.until_ms)
            if there.any():
                yield row.name, begins[there], lengths[there]

    def calls(self) -> Calls:
        """Of all the time, open or closed."""
        parts = {row.day_ms: _Part.of_day(row.day_ms, _CALLERS.decode(row.data))
                 for row in self._rows(CALLERS, ())}
        newest_ms = self.connection.execute(_NEWEST_CALL).scalar() or 0
        for since, until in self.open():          # they reach into days that are to come
            for begins in range(since, min(until, newest_ms + 1), DAY_MS):
                parts[begins] = _Part.of_counts(self.connection, begins, min(begins + DAY_MS, until))
        in_order = [parts[begins] for begins in sorted(parts)]
        owners: dict[str, int] = {}
        rows = sum(part.at.size for part in in_order)
        at_ms, number, kind = np.empty(rows, np.int64), np.empty(rows, np.uint64), np.empty(rows, np.uint8)
        first, owner = np.empty(rows, np.int64), np.empty(rows, np.int64)
        before = 0
        for part in in_order:
            its = slice(before, before + part.at.size)
            np.add(part.at, part.begins, out=at_ms[its], dtype=np.int64)
            number[its], kind[its] = part.number, part.kind
            places = np.array([owners.setdefault(name, len(owners)) for name in part.owners], np.int64)
            owner[its] = places[part.owner]
            np.add(part.first, before, out=first[its], dtype=np.int64)
            first[its][part.first < 0] = -1
            before += part.at.size
        if (first < 0).any():
            first = _found(first, np.concatenate([part.contacts() for part in in_order]), kind)
        # Who has waited for more than a day has no first row here: as if that day was not read.
        first = np.where((first >= 0) & (at_ms[first] >= self.since_ms), first, -1)
        return Calls(at_ms, number, kind, first, owner, list(owners))

    def _rows(self, of: str, names: Sequence[str]) -> Iterator[Any]:
        if not self.days:
            return
        which = and_(days.c.of == of, days.c.day_ms >= self.days[0], days.c.day_ms <= self.days[-1])
        if names:
            which = and_(which, days.c.name.in_(names))
        there = frozenset(self.days)
        for row in self.connection.execute(
                select(days.c.name, days.c.day_ms, days.c.data).where(which).order_by(days.c.day_ms)):
            if row.day_ms in there:
                yield row


def _found(first: Numbers, contact: Numbers, kind: Numbers) -> Numbers:
    """With those that lie in another day, as far as that was read."""
    rows = np.flatnonzero(kind < 2)
    rows = rows[contact[rows].argsort(kind="stable")]
    lost = np.flatnonzero(first < 0)
    if not rows.size:
        return first
    place = rows[contact[rows].searchsorted(contact[lost]).clip(max=rows.size - 1)]
    found = first.copy()
    found[lost] = np.where(contact[place] == contact[lost], place, -1)
    return found


def newest_ms(connection: Connection) -> int:
    """When the last thing that counts began."""
    newest = text("SELECT max(at_ms) FROM intervals WHERE of = :of")
    return max(connection.execute(newest, {"of": of}).scalar() or 0 for of in _KINDS)
