"""Notices, who has read them, what each urgency looks like, who else may write some: one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Unavailable
from webui.notices import audience
from webui.notices.audience import Audience, Reader

URGENCIES = ("normal", "important", "urgent")     # scrolls by; stands until read; stands in mid-screen
COLOURS = ("grey", "blue", "green", "amber", "red", "violet")
LOOKS = {"normal": "blue", "important": "amber", "urgent": "red"}
TEXT_MOST = 500                                   # characters
LONGEST_S = 366 * 86400.0
KEPT_S = 2 * 366 * 86400.0                        # after the end
MOST_VALID = 100                                  # at a time; those of alerts are not counted
LIST_MOST = 200
OF_FLOWS = "flow:"                                # what the source of a flow's notice begins with

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL,
    urgency TEXT NOT NULL, colour TEXT NOT NULL, audience TEXT NOT NULL, since REAL NOT NULL,
    until REAL NOT NULL, withdrawn_at REAL, withdrawn_by TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER NOT NULL, name TEXT NOT NULL, shown_at REAL NOT NULL, read_at REAL,
    PRIMARY KEY (number, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (urgency TEXT PRIMARY KEY, colour TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS writers (name TEXT PRIMARY KEY, by TEXT NOT NULL, at REAL NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """Times in Unix seconds. `colour`: of COLOURS, as it was chosen when it was written. `source`: what it is
    of, an alert or what a flow said; "" when somebody wrote it."""

    number: int
    at: float
    by: str
    text: str
    urgency: str
    colour: str
    audience: Audience
    since: float
    until: float
    withdrawn_at: float | None = None
    withdrawn_by: str = ""
    source: str = ""

    def state(self, now: float) -> str:
        """waiting, valid, over or withdrawn."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if now < self.since:
            return "waiting"
        return "valid" if now < self.until else "over"


@dataclass(frozen=True, slots=True)
class Receipt:
    name: str
    shown_at: float
    read_at: float | None


class Notices:
    """Read and written from any thread; sqlite3.Error when the disk refuses, and then nothing is done."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        self._lock = threading.Lock()
        try:
            with self._open() as base:
                base.executescript(_SCHEMA)
                if "source" not in {row[1] for row in base.execute("PRAGMA table_info(notices)")}:
                    base.execute("ALTER TABLE notices ADD COLUMN source TEXT NOT NULL DEFAULT ''")
                self._load(base)
        except sqlite3.Error as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): move it away, webui makes another") from None

    def add(self, by: str, text: str, urgency: str, colour: str, to: Audience, since: float, until: float,
            now: float, source: str = "") -> int:
        """Its number, on the disk when this returns. OverflowError: too many are valid already. Of one
        `source` there is one."""
        with self._change() as base:
            _forget(base, base.execute(
                "SELECT number FROM notices WHERE until < ?"
                " OR (source <> '' AND source NOT LIKE 'flow:%' AND until <= ?)",
                (now - KEPT_S, now)).fetchall())
            if source:
                there = base.execute("SELECT number FROM notices WHERE source = ?", (source,)).fetchone()
                if there is not None:
                    return int(there[0])
            valid, = base.execute(
                "SELECT count(*) FROM notices WHERE until > ? AND withdrawn_at IS NULL AND source = ''",
                (now,)).fetchone()
            if valid >= MOST_VALID and not source:
                raise OverflowError
            return base.execute(
                "INSERT INTO notices (at, by, text, urgency, colour, audience, since, until, source)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (now, by, text, urgency, colour, to.written(), since, until, source)).lastrowid or 0

    def drop(self, source: str) -> bool:
        """It is over: nothing of it is kept. False: there is none."""
        with self._change() as base:
            found = base.execute("SELECT number FROM notices WHERE source = ?", (source,)).fetchall()
            _forget(base, found)
            return bool(found)

    def withdraw(self, number: int, by: str, now: float) -> bool:
        """False: there is none that is valid or waits."""
        with self._change() as base:
            return bool(base.execute(
                "UPDATE notices SET withdrawn_at = ?, withdrawn_by = ?"
                " WHERE number = ? AND withdrawn_at IS NULL AND until > ?", (now, by, number, now)).rowcount)

    def for_reader(self, reader: Reader, now: float) -> list[Notice]:
        """Those that are shown to him now, the oldest first: valid, and not read yet."""
        return [one for one in self._alive if one.state(now) == "valid" and one.audience.holds(reader)
                and (reader.name, one.number) not in self._read]

    def valid(self, now: float) -> tuple[Notice, ...]:
        """Whoever they are for, the oldest first."""
        return tuple(one for one in self._alive if one.state(now) == "valid")

    def shown(self, reader: Reader, now: float) -> None:
        """He sees what for_reader() gives."""
        fresh = [one.number for one in self.for_reader(reader, now)
                 if (reader.name, one.number) not in self._shown]
        if not fresh:
            return
        with self._change() as base:              # but for one that was dropped in between
            base.executemany("INSERT OR IGNORE INTO receipts (number, name, shown_at)"
                             " SELECT number, ?, ? FROM notices WHERE number = ?",
                             [(reader.name, now, number) for number in fresh])

    def confirm(self, number: int, reader: Reader, now: float) -> bool:
        """He has read it; again is harmless. False: there is none that is for him."""
        found = self.get(number)
        if found is None or not found.audience.holds(reader) or now < found.since:
            return False
        with self._change() as base:
            base.execute("INSERT OR IGNORE INTO receipts (number, name, shown_at)"
                         " SELECT number, ?, ? FROM notices WHERE number = ?", (reader.name, now, number))
            base.execute("UPDATE receipts SET read_at = ? WHERE number = ? AND name = ? AND read_at IS NULL",
                         (now, number, reader.name))
        return True

    def get(self, number: int) -> Notice | None:
        with self._open() as base:
            row = base.execute("SELECT * FROM notices WHERE number = ?", (number,)).fetchone()
        return _notice(row) if row else None

    def newest(self) -> list[Notice]:
        with self._open() as base:
            return [_notice(row) for row in base.execute(
                "SELECT * FROM notices ORDER BY number DESC LIMIT ?", (LIST_MOST,))]

    def receipts(self, number: int) -> list[Receipt]:
        with self._open() as base:
            return [Receipt(*row) for row in base.execute(
                "SELECT name, shown_at, read_at FROM receipts WHERE number = ? ORDER BY name", (number,))]

    def counts(self) -> dict[int, tuple[int, int]]:
        """By number: to how many it was shown, how many have read it."""
        with self._open() as base:
            return {number: (shown, read) for number, shown, read in base.execute(
                "SELECT number, count(*), count(read_at) FROM receipts GROUP BY number")}

    def looks(self) -> dict[str, str]:
        """The colour of each urgency."""
        with self._open() as base:
            return LOOKS | dict(base.execute("SELECT urgency, colour FROM looks"))

    def look(self, urgency: str, colour: str) -> None:
        """From now on, of notices that are written then."""
        with self._lock, self._open() as base:
            base.execute("INSERT OR REPLACE INTO looks VALUES (?, ?)", (urgency, colour))

    def writers(self) -> list[str]:
        """People whom somebody lets write notices though their role does not."""
        with self._open() as base:
            return [name for name, in base.execute("SELECT name FROM writers ORDER BY name")]

    def let_write(self, name: str, may: bool, by: str, now: float) -> None:
        with self._lock, self._open() as base:
            if may:
                base.execute("INSERT OR IGNORE INTO writers VALUES (?, ?, ?)", (name, by, now))
            else:
                base.execute("DELETE FROM writers WHERE name = ?", (name,))

    def next_change(self, now: float) -> float | None:
        """When a notice begins or ends next."""
        return min((at for one in self._alive for at in (one.since, one.until) if at > now), default=None)

    def _load(self, base: sqlite3.Connection) -> None:
        """What every live page asks for all the time is kept here: those that end last, MOST_VALID or more,
        and those of alerts."""
        self._alive = [_notice(row) for row in base.execute(
            "SELECT * FROM notices WHERE withdrawn_at IS NULL"
            " AND ((source <> '' AND source NOT LIKE 'flow:%') OR number IN ("
            "SELECT number FROM notices WHERE withdrawn_at IS NULL"
            " AND (source = '' OR source LIKE 'flow:%')"
            " ORDER BY until DESC LIMIT ?)) ORDER BY number", (LIST_MOST,))]
        first = self._alive[0].number if self._alive else 0
        seen = base.execute(
            "SELECT name, number, read_at FROM receipts WHERE number >= ?", (first,)).fetchall()
        self._shown = {(name, number) for name, number, _ in seen}
        self._read = {(name, number) for name, number, read_at in seen if read_at is not None}

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with self._open() as base:
                yield base
            with self._open() as base:            # only what is on the disk is believed
                self._load(base)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            yield base


def _forget(base: sqlite3.Connection, numbers: list[tuple[int]]) -> None:
    base.executemany("DELETE FROM receipts WHERE number = ?", numbers)
    base.executemany("DELETE FROM notices WHERE number = ?", numbers)


def _notice(row: tuple[int, float, str, str, str, str, str, float, float, float | None, str, str]) -> Notice:
    number, at, by, text, urgency, colour, to, since, until, withdrawn_at, withdrawn_by, source = row
    return Notice(number, at, by, text, urgency, colour, audience.read(to), since, until, withdrawn_at,
                  withdrawn_by, source)
