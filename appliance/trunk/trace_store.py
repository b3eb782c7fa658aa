"""The traces of calls that ended, on the disk: kept for so many days, and never more than so many octets.

A power cut loses those of the last seconds, and leaves the file whole.
"""
import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from appliance.bus.messages import CallTrace

KEPT_DAYS = 90.0
KEPT_OCTETS = 256 << 20                           # of compressed traces: half a million calls
DELETED_AT_ONCE = 1000                            # a clock that is wrong for a moment does not delete all
VERSION = 1                                       # of the tables: PRAGMA user_version
SCHEMA = """
CREATE TABLE trace (leg TEXT NOT NULL, part INTEGER NOT NULL, ended_at REAL NOT NULL, octets INTEGER NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (leg, part));
CREATE INDEX trace_ended ON trace (ended_at, octets);
"""
TOTAL = "SELECT coalesce(sum(octets), 0) FROM trace"              # out of the index: a start waits for it
FORGET = "DELETE FROM trace WHERE leg = ? AND part = ? RETURNING octets"
FORGET_OLD = """DELETE FROM trace WHERE rowid IN (
    SELECT rowid FROM trace WHERE ended_at < ? ORDER BY ended_at LIMIT ?) RETURNING octets"""
FORGET_OLDEST = """DELETE FROM trace WHERE rowid IN (
    SELECT rowid FROM trace ORDER BY ended_at LIMIT ?) RETURNING octets"""

log = logging.getLogger(__name__)
_decoder = msgspec.msgpack.Decoder(CallTrace)


class TraceStore:
    """Nothing here raises for what is on the disk: it is logged, and calls go on without their traces.

    Any thread may call it. `path` None: in memory, for who keeps nothing.
    """

    def __init__(self, path: Path | None, kept_days: float = KEPT_DAYS,
                 kept_octets: int = KEPT_OCTETS) -> None:
        self._path, self._kept_s, self._kept_octets = path, kept_days * 86_400.0, kept_octets
        self._lock, self._octets = threading.Lock(), 0
        self._file: sqlite3.Connection | None = None             # None: it could not be opened yet
        with self._lock:
            try:
                self._database()
            except (sqlite3.Error, OSError) as error:
                self._complain(error)

    def save(self, traces: Iterable[CallTrace], now_unix_s: float) -> bool:
        """In one commit, in place of earlier ones of the same leg and part; what is too old or too much goes.

        False: nothing was written.
        """
        rows = [(trace.call.leg, trace.part, trace.call.since, len(data), data) for trace in traces
                for data in (zlib.compress(msgspec.msgpack.encode(trace)),)]
        with self._lock:
            try:
                try:
                    self._write(rows, now_unix_s - self._kept_s)
                except sqlite3.OperationalError:
                    raise
                except sqlite3.DatabaseError as error:           # what is in it cannot be right
                    if self._path is None:
                        raise
                    self._set_aside(self._path, error)
                    self._write(rows, now_unix_s - self._kept_s)
            except (sqlite3.Error, OSError) as error:
                self._complain(error)
                return False
            return True

    def _complain(self, error: Exception) -> None:
        log.error("%s: cannot be written (%s): is the disk full or worn out?", self._path, error)

    def _database(self) -> sqlite3.Connection:
        """sqlite3.OperationalError, OSError: the disk does not let us, now. One that is damaged or of another
        version is set aside, and a new one begun."""
        if self._file is None:
            try:
                self._file = _open(self._path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                if self._path is None:
                    raise
                self._set_aside(self._path, error)
                self._file = _open(self._path)
            [(self._octets,)] = self._file.execute(TOTAL)
        return self._file

    def _set_aside(self, path: Path, error: sqlite3.DatabaseError) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        bad = path.with_suffix(".bad")
        log.error("%s: %s: set aside as %s, the traces begin anew", path, error, bad.name)
        for suffix in ("", "-wal", "-shm"):
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(bad.with_name(bad.name + suffix))

    def _write(self, rows: list[tuple[str, int, float, int, bytes]], oldest_unix_s: float) -> None:
        database = self._database()
        octets = self._octets
        with database:
            for leg, part, *_ in rows:
                octets -= _delete(database, FORGET, leg, part)
            database.executemany("INSERT INTO trace VALUES (?, ?, ?, ?, ?)", rows)
            octets += sum(row[3] for row in rows)
            octets -= _delete(database, FORGET_OLD, oldest_unix_s, DELETED_AT_ONCE)
            while octets > self._kept_octets:
                octets -= _delete(database, FORGET_OLDEST, max(1, len(rows)))
        self._octets = octets

    def keep(self, days: float, octets: int) -> None:
        """Other limits, from the next save on."""
        self._kept_s, self._kept_octets = days * 86_400.0, octets

    def find(self, leg: str) -> list[CallTrace]:
        """Those of a leg, in order."""
        with self._lock:
            try:
                rows = self._database().execute(
                    "SELECT data FROM trace WHERE leg = ? ORDER BY part", (leg,)).fetchall()
                return [_decoder.decode(zlib.decompress(data)) for data, in rows]
            except (sqlite3.Error, OSError, zlib.error, msgspec.MsgspecError) as error:
                log.error("%s: leg %s cannot be read: %s", self._path, leg, error)
                return []

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def _delete(database: sqlite3.Connection, statement: str, *values: object) -> int:
    """How many octets went."""
    return sum(octets for octets, in database.execute(statement, values))


def _open(path: Path | None) -> sqlite3.Connection:
    database = sqlite3.connect(path or ":memory:", check_same_thread=False)
    try:
        [(version,)] = database.execute("PRAGMA user_version")
        if (version >> 16 or version) > VERSION:  # the oldest that can read it, if it says
            raise sqlite3.DatabaseError(f"has tables of version {version}, this box knows {VERSION}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        if not version:
            database.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        database.execute(TOTAL)
    except BaseException:
        database.close()
        raise
    return database
