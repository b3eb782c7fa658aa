"""What people did, heard and took, on the pages or the console: a log that only grows, each entry chained.

An act is written before it is done, and what came of it afterwards as an entry of its own, so a cut leaves an
act without an outcome and never one that nobody knows of. digest = SHA-256 of the digest before and the entry
as JSON; whoever changes, removes or adds an entry breaks the chain from there on. What is older than the box
keeps goes from the front; what the chain begins with then is kept beside it.
"""

import csv
import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from io import StringIO
from pathlib import Path

from appliance.errors import Unavailable
from appliance.store.private import make_private

DAY_S = 86400.0
TEXT_MOST = 1000                                  # characters of each
FIRST = hashlib.sha256(b"branchline audit").hexdigest()
VERSION = 1

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, of INTEGER NOT NULL, by TEXT NOT NULL, role TEXT NOT NULL,
    address TEXT NOT NULL, act TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL, outcome TEXT,
    digest TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS entries_by ON entries (by, number) WHERE of = 0;
CREATE INDEX IF NOT EXISTS entries_act ON entries (act, number) WHERE of = 0;
CREATE INDEX IF NOT EXISTS entries_of ON entries (of) WHERE of != 0;
CREATE INDEX IF NOT EXISTS entries_at ON entries (at);
CREATE TABLE IF NOT EXISTS begins (
    one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
INSERT OR IGNORE INTO begins VALUES (1, 0, '{FIRST}');
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
    BEGIN SELECT raise(ABORT, 'the log only grows'); END;
"""


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody is about to do, or did. `act`: one of the words that its pages or console have."""

    by: str                                       # "": nobody has signed in
    role: str
    address: str
    act: str
    what: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act and what came of it. `outcome` None: nobody knows, "": it was done, else why it was not."""

    number: int
    at: float
    by: str
    role: str
    address: str
    act: str
    what: str
    why: str
    outcome: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries; "", () and 0 are any. `before`: older than this number."""

    by: str = ""
    acts: tuple[str, ...] = ()
    text: str = ""
    since: float = 0.0
    until: float = 0.0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """`broken_at`: the first entry that is not what it was; 0: all are. `digest` is the newest one's."""

    entries: int
    first: int
    last: int
    digest: str
    broken_at: int = 0


class Audit:
    """Written and read from any thread. sqlite3.Error: the disk refuses, and the act must not be done."""

    def __init__(self, path: Path, days: float = 730.0) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path, self._days = path, days
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None           # kept: one that closes last syncs it all
        self._file = (0, 0)                       # that it has open
        self._cut_at = 0.0
        try:
            make_private(path)
            with self._open() as base:
                base.execute("PRAGMA journal_mode = WAL")
                base.executescript(_SCHEMA)
                base.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{path}: cannot be used as the log of what people did ({error}): put a backup in its place, "
                "or move it away: another is begun") from None

    def close(self) -> None:
        """Nobody writes for now; who writes later opens it again."""
        with self._lock:
            self._leave()

    def begin(self, did: Did, at: float) -> int:
        """On the disk when this returns: its number, for end()."""
        return self._add(at, 0, did, None)

    def end(self, number: int, outcome: str, at: float) -> None:
        """What came of it; "": it was done."""
        self._add(at, number, Did("", "", "", ""), outcome)

    def note(self, did: Did, outcome: str, at: float) -> None:
        """Something that is over: a sign-in, a refusal."""
        self._add(at, 0, did, outcome)

    def take_over(self, old: Path) -> int:
        """The acts of the log that older versions kept go first into this one, once. How many they were.

        Unavailable: it cannot be read or moved.
        """
        if not old.exists():
            return 0
        try:
            with closing(sqlite3.connect(old)) as before:
                rows = before.execute(
                    "SELECT at, by, address, act, what, why, refused FROM acts ORDER BY number").fetchall()
            with self._lock, self._open() as base:
                if base.execute("SELECT 1 FROM entries").fetchone() is None:
                    for at, by, address, act, what, why, refused in rows:
                        number = _insert(base, at, 0, Did(by, "", address, act, what, why), None)
                        if refused is not None:
                            _insert(base, at, number, Did("", "", "", ""), refused)
            old.rename(old.with_name(old.name + ".old"))
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{old}: cannot be taken into the log of what people did ({error}): move it "
                              "away") from None
        return len(rows)

    def entries(self, asked: Asked, most: int) -> list[Entry]:
        """The newest first."""
        where, values = ["of = 0"], list[object]()
        if asked.by:
            where.append("by = ?")
            values.append(asked.by)
        if asked.acts:
            where.append(f"act IN ({', '.join('?' * len(asked.acts))})")
            values.extend(asked.acts)
        if asked.text:
            where.append("instr(lower(what || char(10) || why || char(10) || address), lower(?))")
            values.append(asked.text)
        for condition, value in (
                ("at >= ?", asked.since), ("at < ?", asked.until), ("number < ?", asked.before)):
            if value:
                where.append(condition)
                values.append(value)
        with self._open() as base:
            rows = base.execute(f"{_ENTRIES} WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?",
                                (*values, most))
            return [Entry(*row) for row in rows]

    def names(self) -> tuple[list[str], list[str]]:
        """Who and which acts are in it."""
        with self._open() as base:
            people, acts = ([row[0] for row in base.execute(
                f"SELECT DISTINCT {column} FROM entries WHERE of = 0 AND {column} != '' ORDER BY {column}")]
                for column in ("by", "act"))
        return people, acts

    def verify(self) -> Verified:
        """Reads all of it."""
        with self._open() as base:
            number, digest = base.execute("SELECT number, digest FROM begins").fetchone()
            first, count = number + 1, 0
            for row in base.execute(f"SELECT {_COLUMNS}, digest FROM entries ORDER BY number"):
                number, count = number + 1, count + 1
                digest = _digest(digest, row[:-1])
                if row[0] != number or row[-1] != digest:
                    return Verified(count - 1, first, number - 1, "", broken_at=number)
        return Verified(count, first, number, digest)

    def csv(self, asked: Asked) -> Iterator[str]:
        """A head and a line for each entry, the newest first; times are Unix seconds."""
        names = [field.name for field in fields(Entry)]
        yield _line(names)
        before = asked.before
        while found := self.entries(Asked(**asdict(asked) | {"before": before}), 500):
            yield "".join(_line([getattr(one, name) for name in names]) for one in found)
            before = found[-1].number

    def _add(self, at: float, of: int, did: Did, outcome: str | None) -> int:
        with self._lock, self._writing() as base:
            number = _insert(base, at, of, did, outcome)
            if at - self._cut_at >= DAY_S / 24:
                self._cut_at = at
                _cut(base, at, at - self._days * DAY_S)
        return number

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """By the connection that was there before, if its file still is; after a fault by another one."""
        try:
            there = self._path.stat()
        except OSError as error:
            self._leave()
            raise sqlite3.OperationalError(f"{self._path}: {error.strerror}") from None
        if self._writer is None or self._file != (there.st_dev, there.st_ino):
            self._leave()
            # Of any thread, one after another.
            self._writer = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
            self._file = there.st_dev, there.st_ino
        try:
            self._writer.execute("PRAGMA synchronous = FULL")
            with self._writer as base:
                yield base
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5.0)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            yield base


_ENTRIES = (
    "SELECT number, at, by, role, address, act, what, why, coalesce(outcome, (SELECT later.outcome "
    "FROM entries later WHERE later.of = entries.number AND later.of != 0)), digest FROM entries")
_COLUMNS = "number, at, of, by, role, address, act, what, why, outcome"


def _insert(base: sqlite3.Connection, at: float, of: int, did: Did, outcome: str | None) -> int:
    if not base.in_transaction:
        base.execute("BEGIN IMMEDIATE")
    last = (base.execute("SELECT number, digest FROM entries ORDER BY number DESC LIMIT 1").fetchone()
            or base.execute("SELECT number, digest FROM begins").fetchone())
    texts = [" ".join(text.split())[:TEXT_MOST] for text in
             (did.by, did.role, did.address, did.act, did.what, did.why)]
    row = (last[0] + 1, at, of, *texts, None if outcome is None else outcome[:TEXT_MOST])
    values = (*row, _digest(last[1], row))
    base.execute(f"INSERT INTO entries VALUES ({', '.join('?' * len(values))})", values)
    return int(row[0])


def _cut(base: sqlite3.Connection, now: float, before: float) -> None:
    """From the front, as far as all is older; the chain begins anew with the digest of the last that went.

    Not before the log has been a day in this time: a clock that jumped ahead for a moment erases nothing.
    """
    if base.execute("SELECT 1 FROM entries WHERE at >= ? AND at <= ? LIMIT 1",
                    (before, now - DAY_S)).fetchone() is None:
        return
    keep = base.execute("SELECT min(number) FROM entries WHERE at >= ?", (before,)).fetchone()[0]
    gone = base.execute("SELECT number, digest FROM entries WHERE number < ? ORDER BY number DESC LIMIT 1",
                        (keep,)).fetchone() if keep is not None else None
    if gone is not None:
        base.execute("DELETE FROM entries WHERE number <= ?", (gone[0],))
        base.execute("UPDATE begins SET number = ?, digest = ?", gone)


def _digest(before: str, row: tuple[object, ...]) -> str:
    return hashlib.sha256(f"{before}\n{json.dumps(row, ensure_ascii=False)}".encode()).hexdigest()


def _line(values: Sequence[object]) -> str:
    """A spreadsheet takes a cell that begins so for a formula: a sign in front keeps it text."""
    text = StringIO()
    csv.writer(text).writerow([
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
        for value in values])
    return text.getvalue()
