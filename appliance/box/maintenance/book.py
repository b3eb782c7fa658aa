"""The entries in a file that only grows: SQLite itself refuses to change one. On the disk on return."""

import logging
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import msgspec

from appliance.box.aside import connect, opened, writing
from appliance.box.maintenance.packets import Packets
from appliance.box.maintenance.record import Tally
from appliance.box.maintenance.routine import Round
from appliance.bus.messages import EntryKind, MaintenanceEntry, RoutineKind, Signature
from appliance.bus.messages.maintenance import CHECKS
from appliance.errors import Unavailable

FILE = "maintenance.sqlite"
APPLICATION_ID = 0x424C4D4C                       # "BLML"
_NEW = ("weekly-check", "monthly-check", "signature")

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
_LATER = (                                        # older boxes' files have none of these
    "CREATE TABLE IF NOT EXISTS rounds (kind TEXT PRIMARY KEY, round TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS packets (kind TEXT PRIMARY KEY, counted TEXT NOT NULL) STRICT")


class Book:
    """Of any thread. sqlite3.Error: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Spoiled: it is another program's, or damaged. Unavailable: not now."""
        self._one = threading.Lock()              # boxd's threads share the connection
        self._users = 1
        self._base = connect(path, APPLICATION_ID, _TABLES, "log")
        try:
            for table in _LATER:
                self._base.execute(table)
        except sqlite3.Error as error:
            self._base.close()
            raise Unavailable(f"{path}: cannot be written: {error}") from None

    def close(self) -> None:
        with self._one:
            self._base.close()

    def share(self) -> "Book":
        """For one more of boxd's subjects: it is closed when the last one leaves it. Of the loop alone."""
        self._users += 1
        return self

    def leave(self) -> None:
        self._users -= 1
        if not self._users:
            self.close()

    def add(self, entry: MaintenanceEntry, tally: Tally | None = None,
            over: Round | None = None) -> MaintenanceEntry:
        """With its number; in the same act the tally that begins after it, or the round that is over."""
        # The column has the kind; an older version, gone back to, reads one that it knows.
        kept = msgspec.structs.replace(entry, kind="record") if entry.kind in _NEW else entry
        with self._one, writing(self._base):
            number = self._base.execute(
                "INSERT INTO entries (at, kind, entry) VALUES (?, ?, ?)",
                (entry.at, entry.kind, msgspec.json.encode(kept).decode())).lastrowid
            if tally is not None:
                self._put(tally)
            if over is not None:
                self._base.execute("DELETE FROM rounds WHERE kind = ?", (over.kind,))
                if over.packets is not None:
                    self._base.execute("INSERT OR REPLACE INTO packets VALUES (?, ?)",
                                       (over.kind, msgspec.json.encode(over.packets).decode()))
        return msgspec.structs.replace(entry, number=number or 0)

    def entries(self, since: float, until: float, most: int) -> list[MaintenanceEntry]:
        """Newest first; 0: no limit."""
        return self._entries(
            "SELECT number, kind, entry FROM entries WHERE at >= ? AND (? = 0 OR at < ?) "
            "ORDER BY at DESC, number DESC LIMIT ?", since, until, until, most)

    def last(self, kind: str, most: int = 1) -> list[MaintenanceEntry]:
        """Newest first, whatever the clock said."""
        return self._entries(
            "SELECT number, kind, entry FROM entries WHERE number IN (SELECT number FROM entries "
            "WHERE kind = ? ORDER BY number DESC LIMIT ?) ORDER BY number DESC", kind, most)

    def entry(self, number: int) -> MaintenanceEntry | None:
        found = self._entries("SELECT number, kind, entry FROM entries WHERE number = ?", number)
        return found[0] if found else None

    def signatures(self, of: Iterable[MaintenanceEntry]) -> dict[str, list[Signature]]:
        """By the numbers of these entries, oldest first."""
        wanted, found = {one.number for one in of}, dict[str, list[Signature]]()
        if not wanted:
            return found
        # Nobody signs what is still to come. By numbers: the clock may have been ahead.
        for one in self._entries("SELECT number, kind, entry FROM entries WHERE kind = 'signature' "
                                 "AND number > ? ORDER BY number", min(wanted)):
            if one.signs in wanted:
                found.setdefault(str(one.signs), []).append(
                    Signature(number=one.number, at=one.at, by=one.by))
        return found

    def since(self) -> float:
        """When the first entry was written; 0: there is none."""
        with self._one:
            return float(self._base.execute("SELECT min(at) FROM entries").fetchone()[0] or 0.0)

    # --- the box's own rounds

    def done(self, kind: RoutineKind) -> float:
        """Of which moment the round was done last that was planned; 0: none was."""
        with self._one:
            row = self._base.execute(
                "SELECT json_extract(entry, '$.check.due') FROM entries WHERE kind = ? "
                "AND json_extract(entry, '$.check.due') > 0 ORDER BY number DESC LIMIT 1",
                (CHECKS[kind],)).fetchone()
        return 0.0 if row is None else float(row[0])

    def rounds(self) -> list[Round]:
        """That go on, or went on when the box was stopped."""
        with self._one:
            rows = self._base.execute("SELECT round FROM rounds").fetchall()
        found = []
        for (text,) in rows:
            try:
                found.append(msgspec.json.decode(text, type=Round))
            except msgspec.MsgspecError as error:
                log.error("maintenance: a round that went on cannot be read (%s): it begins anew", error)
        return found

    def keep_round(self, one: Round) -> None:
        with self._one, writing(self._base):
            self._base.execute("INSERT OR REPLACE INTO rounds VALUES (?, ?)",
                               (one.kind, msgspec.json.encode(one).decode()))

    def packets(self, kind: RoutineKind) -> Packets | None:
        """What network cards had counted when the last round of this kind looked at them."""
        with self._one:
            row = self._base.execute("SELECT counted FROM packets WHERE kind = ?", (kind,)).fetchone()
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Packets)
        except msgspec.MsgspecError as error:
            log.error("maintenance: packets counted before cannot be read (%s)", error)
            return None

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


def _entry(number: int, kind: str, text: str) -> MaintenanceEntry:
    entry = msgspec.json.decode(text, type=MaintenanceEntry)
    return msgspec.structs.replace(entry, number=number, kind=cast(EntryKind, kind))


def open_book(folder: Path) -> Book:
    """The book in the state folder. One that cannot be used is set aside: boxd does more than this.

    Unavailable: it cannot be opened at the moment, or no other can be made.
    """
    return opened(folder / FILE, Book)
