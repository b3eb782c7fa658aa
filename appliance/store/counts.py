"""What figures are counted from: each thing that counts, its sum by quarter of an hour, and what goes on.

`counts` only grows, and `intervals` are its sums: a quarter's row has the lengths of all its counts, by what
they are. `ongoing` is what the fold remembers. All three follow from the events and may be computed again.
Days that are over are kept once more in a form that is read quickly: days.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import msgspec
import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    TextClause,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
    update,
)

from appliance.store import days
from appliance.store.days import Calls, Closed, Closing, Day, Numbers
from appliance.store.partial import partial_index
from appliance.store.schema import metadata

INTERVAL_S = 900                                  # from :00, :15, :30, :45
INTERVAL_MS = INTERVAL_S * 1000
KEPT_MS = 4 * INTERVAL_MS                         # so long a quarter stays in memory after it was changed

CALLERS = "number != ''"                          # only who joins a queue has one here

counts = Table(
    "counts", metadata,
    Column("id", Integer, primary_key=True),
    Column("of", String(8), nullable=False),
    Column("name", String(128), nullable=False),
    Column("what", String(64), nullable=False),
    Column("contact", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("for_ms", BigInteger, nullable=False),
    Column("other", String(128), nullable=False),
    Column("number", String(64), nullable=False),
    Index("counts_at", "of", "at_ms"),
    # All that is asked of callers, so that a month of them is read from here alone.
    partial_index("counts_callers", "at_ms", "name", "number", "contact", "what", "other", where=CALLERS),
)

intervals = Table(
    "intervals", metadata,
    Column("of", String(8), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("sums", Text, nullable=False),         # JSON: what -> list of for_ms
)

ongoing = Table(
    "ongoing", metadata,
    Column("name", String(72), primary_key=True),
    Column("data", Text, nullable=False),         # JSON of the fold
)

TABLES = (counts, intervals, ongoing)

Sums = dict[str, list[int]]                       # what -> lengths in ms
Quarter = tuple[str, int, str]                    # of, at_ms, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One thing that counts, in the quarter of an hour of `at_ms`. Times are Unix milliseconds, whole ones.

    of: queue (name "": all of them), agent, trunk, node. what: what it was, in words that narrow down:
    abandoned, abandoned/turned away.
    """

    of: str
    name: str
    what: str
    contact: str
    at_ms: int
    for_ms: int = 0                               # how long it was
    other: str = ""                               # a queue's: the agent; an agent's: the queue
    number: str = ""                              # who called; "": not known


class Counting(Protocol):
    """How counts follow from events: pure, and without errors, so that a rebuild gives the same."""

    @property
    def kinds(self) -> frozenset[str]:
        """Events that count, or matter to what counts later; the others are not shown to fold()."""

    def fold(self, ongoing: MutableMapping[str, str], at: float, contact: str, kind: str,
             data: str) -> Sequence[Count]:
        """What counts now. `ongoing` is its memory: name -> JSON."""


def quarter_ms(at_ms: int) -> int:
    """When the quarter of an hour began."""
    return at_ms - at_ms % INTERVAL_MS


def add(sums: Sums, what: str, for_ms: int) -> None:
    sums.setdefault(what, []).append(for_ms)


@dataclass(slots=True)
class Counts:
    """What the next commit adds; `write` puts it into the tables."""

    ongoing: dict[str, str] = field(default_factory=dict)
    _stored: dict[str, str] = field(default_factory=dict)
    _new: list[Count] = field(default_factory=list)
    _quarters: dict[Quarter, Sums] = field(default_factory=dict)     # as in the table
    _closing: Closing = field(default_factory=Closing)
    _newest_ms: int = -1                          # quarter of the newest count
    _closed_in_ms: int = -1                       # quarter in which a day was closed last

    @classmethod
    def load(cls, connection: Connection) -> "Counts":
        there = {row.name: row.data for row in connection.execute(select(ongoing))}
        return cls(there, dict(there), _closing=Closing.load(connection))

    def copy(self) -> "Counts":
        return Counts(dict(self.ongoing), dict(self._stored), list(self._new), dict(self._quarters),
                      self._closing, self._newest_ms, self._closed_in_ms)

    def put(self, new: Iterable[Count]) -> None:
        self._new += new

    def write(self, connection: Connection) -> None:
        self._write_ongoing(connection)
        if not self._new:
            return
        connection.execute(_COUNT, [{name: getattr(count, name) for name in _FIELDS} for count in self._new])
        grown: dict[Quarter, list[Count]] = defaultdict(list)
        for count in self._new:
            grown[count.of, quarter_ms(count.at_ms), count.name].append(count)
        self._new.clear()
        fresh: list[Quarter] = []
        changed: list[Quarter] = []
        for quarter, grows in grown.items():
            sums = self._quarters.get(quarter) or _read(connection, quarter)
            (fresh if not sums else changed).append(quarter)
            self._quarters[quarter] = _grown(sums, grows)
        if fresh:
            connection.execute(_INTERVAL, [self._row(quarter) for quarter in fresh])
        if changed:
            connection.execute(_UPDATE, [self._row(quarter, "of_") for quarter in changed])
        newest = max(quarter[1] for quarter in grown)
        self._tend_days(connection, grown, newest)
        self._quarters = {quarter: sums for quarter, sums in self._quarters.items()
                          if quarter[1] >= newest - KEPT_MS}

    def _tend_days(self, connection: Connection, grown: Iterable[Quarter], now_ms: int) -> None:
        """Open again those that have grown; close one in a quarter of an hour at most: what acdd decides
        waits for it, and a day that is open is read as well."""
        now_ms = self._newest_ms = max(self._newest_ms, now_ms)      # a late count is of a time before
        before = self._closing
        self._closing = before.counted({(of, days.day_ms(at_ms)) for of, at_ms, _ in grown}, now_ms)
        if self._closing is not before:
            days.open_again(connection, before.closed - self._closing.closed)
        if now_ms > self._closed_in_ms and self.close_day(connection, now_ms):
            self._closed_in_ms = now_ms

    def close_day(self, connection: Connection, now_ms: int) -> bool:
        """The first that may be closed; False: there is none."""
        if (one := self._closing.due(now_ms)) is None:
            return False
        days.close(connection, *one)
        self._closing = self._closing.close(one)
        return True

    def _row(self, quarter: Quarter, prefix: str = "") -> dict[str, Any]:
        of, at_ms, name = quarter
        sums = msgspec.json.encode(self._quarters[quarter]).decode()
        return {f"{prefix}of": of, f"{prefix}at_ms": at_ms, f"{prefix}name": name, "sums": sums}

    def _write_ongoing(self, connection: Connection) -> None:
        if gone := self._stored.keys() - self.ongoing.keys():
            connection.execute(delete(ongoing).where(ongoing.c.name.in_(sorted(gone))))
        changed = [name for name, data in self.ongoing.items() if self._stored.get(name) != data]
        added = [{"name": name, "data": self.ongoing[name]} for name in changed if name not in self._stored]
        if added:
            connection.execute(_BEGIN, added)
        again = [{"of_name": name, "data": self.ongoing[name]} for name in changed if name in self._stored]
        if again:
            connection.execute(_REMEMBER, again)
        if gone or changed:
            self._stored = dict(self.ongoing)


_COUNT, _INTERVAL, _BEGIN = insert(counts), insert(intervals), insert(ongoing)
_FIELDS = tuple(one.name for one in fields(Count))
_UPDATE = update(intervals).where(and_(
    intervals.c.of == bindparam("of_of"), intervals.c.at_ms == bindparam("of_at_ms"),
    intervals.c.name == bindparam("of_name")))
_SUMS = select(intervals.c.sums).where(
    intervals.c.of == bindparam("of"), intervals.c.at_ms == bindparam("at_ms"),
    intervals.c.name == bindparam("name"))
_REMEMBER = update(ongoing).where(ongoing.c.name == bindparam("of_name"))


def _read(connection: Connection, quarter: Quarter) -> Sums:
    of, at_ms, name = quarter
    data = connection.execute(_SUMS, {"of": of, "at_ms": at_ms, "name": name}).scalar()
    return {} if data is None else sums_of(data)


def _grown(sums: Sums, grows: Sequence[Count]) -> Sums:
    new = {what: list(lengths) for what, lengths in sums.items()}
    for count in grows:
        add(new, count.what, count.for_ms)
    return new


_DECODER = msgspec.json.Decoder(Sums)


def sums_of(data: str) -> Sums:
    return _DECODER.decode(data)


def lacks_tables(connection: Connection) -> bool:
    """Of a file from before figures were kept."""
    return not inspect(connection).has_table(intervals.name)


def fit_days(connection: Connection) -> None:
    """In a file from before days were kept, or of a box that knew none of them since."""
    for table in days.TABLES:
        table.create(connection, checkfirst=True)
    days.open_again(connection, days.stale(connection))


def days_fit(connection: Connection) -> bool:
    """Nothing of that is to be done."""
    there = inspect(connection)
    return all(there.has_table(table.name) for table in days.TABLES) and not days.stale(connection)


def create_again(connection: Connection) -> None:
    """Empty."""
    for table in (*TABLES, *days.TABLES):
        table.drop(connection, checkfirst=True)
        table.create(connection)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One consistent view of the tables."""

    connection: Connection

    def quarters(self, of: str, since_ms: int, until_ms: int) -> Iterator[tuple[str, int, Sums]]:
        """name, beginning and sums of those that begin from `since_ms` on and before `until_ms`; those of
        closed days are not among them."""
        for from_ms, to_ms in Closed.find(self.connection, of, since_ms, until_ms).open():
            for row in self.connection.execute(
                    select(intervals.c.name, intervals.c.at_ms, intervals.c.sums)
                    .where(intervals.c.of == of, intervals.c.at_ms >= from_ms, intervals.c.at_ms < to_ms)
                    .order_by(intervals.c.at_ms, intervals.c.name)):
                yield row.name, row.at_ms, sums_of(row.sums)

    def days(self, of: str, since_ms: int, until_ms: int,
             names: Sequence[str] = ()) -> Iterator[tuple[str, int, Day]]:
        """name, beginning and columns of closed days that have a part in this time; names (): all."""
        return Closed.find(self.connection, of, since_ms, until_ms).read(names)

    def counts(self, of: str, since_ms: int, until_ms: int, name: str | None = None,
               whats: Sequence[str] = ()) -> Iterator[Count]:
        """Those whose `at_ms` is from `since_ms` on and before `until_ms`, in order of time.

        `name`: of one; `whats`: of these kinds and what narrows them down.
        """
        which = select(counts).where(counts.c.of == of, counts.c.at_ms >= since_ms, counts.c.at_ms < until_ms)
        if name is not None:
            which = which.where(counts.c.name == name)
        if whats:
            which = which.where(or_(*(_is(what) for what in whats)))
        for row in self.connection.execute(which.order_by(counts.c.at_ms, counts.c.id)).mappings():
            yield _count(row)

    def busy(self, since_ms: int, until_ms: int) -> Iterator[tuple[str, Numbers, Numbers]]:
        """Trunk, and of what calls took of it the beginnings and, in the same order, lengths; in pieces."""
        def all_of(column: Column[int]) -> ColumnElement[str]:
            return func.aggregate_strings(cast(column, Text), ",")
        closed = Closed.find(self.connection, "trunk", since_ms, until_ms)
        yield from closed.busy()
        for from_ms, to_ms in closed.open():
            for name, at_ms, for_ms in self.connection.execute(
                    select(counts.c.name, all_of(counts.c.at_ms), all_of(counts.c.for_ms))
                    .where(counts.c.of == "trunk", counts.c.at_ms >= from_ms, counts.c.at_ms < to_ms,
                           _is("busy"))
                    .group_by(counts.c.name)).all():
                yield name, np.fromstring(at_ms, np.int64, sep=","), np.fromstring(for_ms, np.int64, sep=",")

    def calls(self, since_ms: int, until_ms: int) -> Calls:
        """Whose number is known: all who joined a queue in this time, and who was answered by which."""
        return Closed.find(self.connection, "queue", since_ms, until_ms).calls()

    def callers(self, since_ms: int, until_ms: int) -> Iterator[tuple[str, int, str]]:
        """Number, time and contact of all who joined a queue in this time, each once, the last one first."""
        yield from self.connection.execute(
            select(counts.c.number, counts.c.at_ms, counts.c.contact)
            .where(*_in_queues(since_ms, until_ms), counts.c.name == "")
            .order_by(counts.c.at_ms.desc(), counts.c.id.desc())).all()

    def ongoing(self) -> dict[str, str]:
        return {row.name: row.data for row in self.connection.execute(select(ongoing))}


def _in_queues(since_ms: int, until_ms: int) -> tuple[TextClause | ColumnElement[bool], ...]:
    return text(CALLERS), counts.c.at_ms >= since_ms, counts.c.at_ms < until_ms


def _is(what: str) -> ColumnElement[bool]:
    return or_(counts.c.what == what, counts.c.what.startswith(what + "/", autoescape=True))


def _count(row: RowMapping) -> Count:
    values = dict(row)
    del values["id"]
    return Count(**values)
