"""The event log: append first, announce afterwards. Projections move in the same transaction.

One process at a time has it. A commit is on the disk when `append` returns (WAL, synchronous FULL); what a
kill or a power cut leaves half-written behind the last commit is dropped by SQLite at the next open.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Column, Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from appliance.errors import BranchlineError, ConfigError
from appliance.store import EVENTS_FILE, days, lookback, sqlite
from appliance.store.counts import (
    TABLES,
    Counting,
    Counts,
    Ledger,
    create_again,
    days_fit,
    fit_days,
    lacks_tables,
)
from appliance.store.projections import Projections
from appliance.store.recorded import Recorded
from appliance.store.records import ContactRecord, Touch
from appliance.store.schema import (
    GIVES_LEG,
    SCHEMA,
    TELLS,
    add_columns,
    contacts,
    contacts_ended,
    contacts_of_agent,
    contacts_of_queue,
    events,
    events_legs,
    events_surveys,
    events_told,
    lacks_columns,
    meta,
    renew,
    segments,
)
from appliance.store.within import EVERYTHING, Stretch, newest

FILE = EVENTS_FILE

_READ_ROWS = 1000


class StoreError(BranchlineError):
    """The log could not be written: nothing of the batch is in it. Says which file, why, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. `data` is JSON of `kind`, version `v`; seq 0: not in the log yet."""

    at: float
    contact: str
    kind: str
    data: str
    v: int = 1
    seq: int = 0


class Projector(Protocol):
    """How a contact's record follows from its events: pure, so that a rebuild gives the same."""

    @property
    def kinds(self) -> frozenset[str]:
        """Events that change a record; the others are not shown to fold()."""

    def fold(self, record: ContactRecord | None, entry: Entry) -> ContactRecord:
        """The record after `entry`; None before the first one."""


class EventLog:
    """Open, append, read. ConfigError at opening: it is damaged, not ours, or in use; it is left as it is.

    Without `counting` no figures are kept: for who only reads.
    """

    def __init__(self, path: Path, projector: Projector, counting: Counting | None = None) -> None:
        self.path = path
        self._projector, self._counting = projector, counting
        self._file = sqlite.Database(path, SCHEMA)
        try:
            with self._file.read() as connection:
                sqlite.quick_check(connection, path)
                if connection.execute(select(meta.c.value).where(meta.c.key == "version")).scalar() is None:
                    raise ConfigError(f"{path}: does not say which version its tables have: {sqlite.REPAIR}")
                missing, uncounted = lacks_columns(connection), lacks_tables(connection)
            if missing:
                self._add(missing)
            if uncounted:
                self._count_again()
            self._fit_days()
            with self._file.read() as connection:
                self._projections, self._counts = Projections.load(connection), Counts.load(connection)
                self.seq: int = connection.execute(select(func.max(events.c.seq))).scalar() or 0
        except (DBAPIError, sqlite3.Error) as error:
            self._file.close()
            raise ConfigError(f"{path}: is damaged ({sqlite.reason(error)}): {sqlite.REPAIR}") from None
        except BaseException:
            self._file.close()
            raise
        with contextlib.suppress(DBAPIError), self._file.write() as connection:      # a full disk: do without
            for index in (events_legs, events_told, events_surveys, contacts_ended, contacts_of_queue,
                          contacts_of_agent):
                renew(connection, index)

    def append(self, batch: Sequence[Entry]) -> int:
        """Everything of one turn in one commit; the last seq. StoreError: nothing of it is in the log."""
        if not batch:
            return self.seq
        projections, counts = self._projections.copy(), self._counts.copy()
        for one in batch:
            self._project(projections, one)
            self._count(counts, one)
        try:
            with self._file.write() as connection:
                connection.execute(insert(events), [
                    {"at": one.at, "contact": one.contact, "kind": one.kind, "data": one.data, "v": one.v}
                    for one in batch])
                projections.write(connection)
                counts.write(connection)
                seq: int = connection.execute(select(func.max(events.c.seq))).scalar_one()
        except DBAPIError as error:
            raise StoreError(f"{self.path}: cannot be written ({sqlite.reason(error)}): "
                             "free space on its disk; nothing is decided until then") from None
        self._projections, self._counts, self.seq = projections, counts, seq
        return seq

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """Entries from `from_seq` on, in order; what is appended while reading comes too."""
        while True:
            with self._file.read() as connection:
                rows = connection.execute(
                    select(events).where(events.c.seq >= from_seq)
                    .order_by(events.c.seq).limit(_READ_ROWS)).all()
            for row in rows:
                yield Entry(**row._mapping)
            if len(rows) < _READ_ROWS:
                return
            from_seq = rows[-1].seq + 1

    def legs(self, contact: str) -> list[Entry]:
        """The events that gave this contact a leg, in order."""
        with self._file.read() as connection:
            rows = connection.execute(
                select(events).where(events.c.contact == contact, text(GIVES_LEG))
                .order_by(events.c.seq)).all()
        return [Entry(**row._mapping) for row in rows]

    def told(self, contact: str) -> list[Entry]:
        """The events of this contact that tell something beside its course, in order."""
        with self._file.read() as connection:
            rows = connection.execute(
                select(events).where(events.c.contact == contact, text(TELLS)).order_by(events.c.seq)).all()
        return [Entry(**row._mapping) for row in rows]

    def lost(self, since: float) -> list[ContactRecord]:
        """Callers since then who abandoned or were failed, newest first."""
        with self._file.read() as connection:
            return lookback.lost(connection, since)

    def touches(self, since: float) -> list[Touch]:
        """Talks with customers and calls to them, of contacts since then."""
        with self._file.read() as connection:
            return lookback.touches(connection, since)

    def talks(self, agent: str, named: str, since: float, most: int) -> list[str]:
        """Recordings, newest first: of the agent's talks, or of the contact with this reference."""
        with self._file.read() as connection:
            return lookback.talks(connection, agent, named, since, most)

    def disposed(self, names: Sequence[str]) -> list[Entry]:
        """What came of these contacts, as people wrote it, in order."""
        with self._file.read() as connection:
            return [Entry(**one) for one in lookback.disposed(connection, names)]

    def kept(self, contact: str) -> list[Entry]:
        """The voice messages of this contact."""
        with self._file.read() as connection:
            return [Entry(**one) for one in lookback.kept(connection, contact)]

    def surveys(self, since: float, until: float) -> list[Entry]:
        """The events of surveys in [since, until), in order."""
        with self._file.read() as connection:
            return [Entry(**one) for one in lookback.surveys(connection, since, until)]

    def last(self, kind: str) -> int:
        """seq of the newest event of this kind, 0 when there is none."""
        with self._file.read() as connection:
            return connection.execute(
                select(events.c.seq).where(events.c.kind == kind)
                .order_by(events.c.seq.desc()).limit(1)).scalar() or 0

    def rebuild(self) -> None:
        """Drop the projections and compute them again from the first event, in one transaction."""
        projections, counts = Projections(), Counts()
        with self._file.write() as connection:
            segments.drop(connection)
            contacts.drop(connection)
            contacts.create(connection)
            segments.create(connection)
            create_again(connection)
            for batch in _batches(connection):
                for entry in batch:
                    self._project(projections, entry)
                    self._count(counts, entry)
                projections.write(connection)
                counts.write(connection)
            _close_days(connection, counts)
        self._projections, self._counts = projections, counts

    def close_days(self) -> None:
        """All at once that may be closed: what commits do one by one."""
        counts = self._counts.copy()
        with self._file.write() as connection:
            _close_days(connection, counts)
        self._counts = counts

    def contact(self, contact: str) -> ContactRecord | None:
        with self._file.read() as connection:
            return next(iter(Projections.select(connection, contacts.c.contact == contact)), None)

    def contacts(self, offset: int, limit: int, within: Mapping[str, Sequence[str]] | None = None,
                 of: Stretch = EVERYTHING) -> tuple[list[ContactRecord], int]:
        """Newest first, and how many there are in all of its times; of those within a range, to MOST_COUNTED.

        `within`: limits by column. A column that the table has not names nobody.
        """
        if not within:
            counted = select(func.count()).select_from(contacts)
            with self._file.read() as connection:
                if of != EVERYTHING:
                    total: int = connection.execute(counted.where(of.times())).scalar_one()
                    return Projections.select(connection, of.rows(), offset, limit), total
                total = connection.execute(counted).scalar_one()
                return Projections.page(connection, total, offset, limit), total
        limits = {name: names for name, names in within.items() if name in contacts.c}
        live = self._projections.live.values()
        with self._file.read() as connection:
            return newest(connection, limits, live, offset, limit, of)

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """What figures are counted from, as of one commit."""
        with self._file.read() as connection:
            yield Ledger(connection)

    @contextlib.contextmanager
    def recorded(self) -> Iterator[Recorded]:
        """What it says of recordings, as of one commit."""
        with self._file.read() as connection:
            yield Recorded(connection)

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        tables = (events, contacts, segments, *(TABLES if self._counting is not None else ()))
        with self._file.read() as connection:
            return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                    for table in tables}

    def close(self) -> None:
        self._file.close()

    def _add(self, columns: list[Column[Any]]) -> None:
        try:
            with self._file.write() as connection:
                add_columns(connection, columns)
        except DBAPIError as error:
            raise ConfigError(f"{self.path}: cannot get its new columns ({sqlite.reason(error)}): "
                              "free space on its disk") from None

    def _fit_days(self) -> None:
        with self._file.read() as connection:
            if days_fit(connection):
                return
        try:
            with self._file.write() as connection:
                fit_days(connection)
        except DBAPIError as error:
            raise ConfigError(f"{self.path}: cannot get its tables of days ({sqlite.reason(error)}): "
                              "free space on its disk") from None

    def _count_again(self) -> None:
        """In a file from before there were figures."""
        counts = Counts()
        try:
            with self._file.write() as connection:
                create_again(connection)
                for batch in _batches(connection):
                    for entry in batch:
                        self._count(counts, entry)
                    counts.write(connection)
        except DBAPIError as error:
            raise ConfigError(f"{self.path}: cannot get its figures ({sqlite.reason(error)}): "
                              "free space on its disk") from None

    def _count(self, counts: Counts, entry: Entry) -> None:
        if self._counting is not None and entry.kind in self._counting.kinds:
            counts.put(self._counting.fold(counts.ongoing, entry.at, entry.contact, entry.kind, entry.data))

    def _project(self, projections: Projections, entry: Entry) -> None:
        if entry.kind in self._projector.kinds:
            projections.put(self._projector.fold(projections.live.get(entry.contact), entry))


def _close_days(connection: Connection, counts: Counts) -> None:
    now_ms = days.newest_ms(connection)
    while counts.close_day(connection, now_ms):
        pass


def _batches(connection: Connection) -> Iterator[list[Entry]]:
    """All entries, in order."""
    seq = 0
    while rows := connection.execute(
            select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(_READ_ROWS)).all():
        yield [Entry(**row._mapping) for row in rows]
        seq = rows[-1].seq
