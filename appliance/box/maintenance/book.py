"""The entries in a file that only grows: SQLite itself refuses to change one. On the disk on return."""

import logging
import threading
from pathlib import Path

import msgspec

from appliance.box.aside import connect, opened, writing
from appliance.box.maintenance.record import Tally
from appliance.bus.messages import MaintenanceEntry

FILE = "maintenance.sqlite"
APPLICATION_ID = 0x424C4D4C                       # "BLML"

log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE entries (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL,
                      entry TEXT NOT NULL) STRICT;
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_kind ON entries (kind, at);
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the maintenance log only grows'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the maintenance log only grows'); END;
CREATE TABLE tally (one INTEGER PRIMARY KEY CHECK (one = 1), tally TEXT NOT NULL) STRICT;
"""


class Book:
    """Of any thread. sqlite3.Error: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Spoiled: it is another program's, or damaged. Unavailable: not now."""
        self._one = threading.Lock()              # boxd's threads share the connection
        self._base = connect(path, APPLICATION_ID, _TABLES, "log")

    def close(self) -> None:
        with self._one:
            self._base.close()

    def add(self, entry: MaintenanceEntry, tally: Tally | None = None) -> MaintenanceEntry:
        """With its number; the tally that begins after it in the same act."""
        with self._one, writing(self._base):
            number = self._base.execute(
                "INSERT INTO entries (at, kind, entry) VALUES (?, ?, ?)",
                (entry.at, entry.kind, msgspec.json.encode(entry).decode())).lastrowid
            if tally is not None:
                self._put(tally)
        return msgspec.structs.replace(entry, number=number or 0)

    def entries(self, since: float, until: float, most: int) -> list[MaintenanceEntry]:
        """Newest first; 0: no limit."""
        return self._entries(
            "SELECT number, entry FROM entries WHERE at >= ? AND (? = 0 OR at < ?) "
            "ORDER BY at DESC, number DESC LIMIT ?", since, until, until, most)

    def last(self, kind: str, most: int = 1) -> list[MaintenanceEntry]:
        """Newest first."""
        return self._entries(
            "SELECT number, entry FROM entries WHERE kind = ? ORDER BY at DESC, number DESC LIMIT ?",
            kind, most)

    def has(self, number: int) -> bool:
        return bool(self._entries("SELECT number, entry FROM entries WHERE number = ?", number))

    def tally(self) -> Tally | None:
        with self._one:
            row = self._base.execute("SELECT tally FROM tally").fetchone()
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Tally)
        except msgspec.MsgspecError as error:
            log.error("maintenance: what was counted cannot be read (%s): the day begins anew", error)
            return None

    def keep(self, tally: Tally) -> None:
        with self._one, writing(self._base):
            self._put(tally)

    def _entries(self, query: str, *values: object) -> list[MaintenanceEntry]:
        with self._one:
            rows = self._base.execute(query, values).fetchall()
        return [_entry(*row) for row in rows]

    def _put(self, tally: Tally) -> None:
        self._base.execute("INSERT OR REPLACE INTO tally VALUES (1, ?)",
                           (msgspec.json.encode(tally).decode(),))


def _entry(number: int, text: str) -> MaintenanceEntry:
    return msgspec.structs.replace(msgspec.json.decode(text, type=MaintenanceEntry), number=number)


def open_book(folder: Path) -> Book:
    """The book in the state folder. One that cannot be used is set aside: boxd does more than this.

    Unavailable: it cannot be opened at the moment, or no other can be made.
    """
    return opened(folder / FILE, Book)
