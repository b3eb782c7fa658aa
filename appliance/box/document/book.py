"""What is kept of the document: versions with their texts, the candidate, what waits to be confirmed.

Each method that writes is one transaction: on the disk, all of it or nothing, when it returns.
"""

import hashlib
import zlib
from pathlib import Path

import msgspec

from appliance.box.aside import connect, opened, writing
from appliance.box.document.moment import Deadline
from appliance.bus.messages import DocumentCandidate, DocumentVersion

FILE = "configuration.sqlite"
APPLICATION_ID = 0x424C4346                       # "BLCF"

_TABLES = """
CREATE TABLE texts (sha256 TEXT PRIMARY KEY, packed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE versions (                           -- as DocumentVersion has them
    number INTEGER PRIMARY KEY, at REAL NOT NULL, by TEXT NOT NULL, comment TEXT NOT NULL, kind TEXT NOT NULL,
    of INTEGER NOT NULL, keys TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES texts, parent INTEGER NOT NULL,
    state TEXT NOT NULL, in_force INTEGER NOT NULL, why_not TEXT NOT NULL) STRICT;
CREATE TABLE candidate (
    one INTEGER PRIMARY KEY CHECK (one = 1), by TEXT NOT NULL, base INTEGER NOT NULL, at REAL NOT NULL,
    sha256 TEXT NOT NULL, packed BLOB NOT NULL) STRICT;
CREATE TABLE waiting (
    one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, back_to INTEGER NOT NULL,
    within_s REAL NOT NULL, at REAL NOT NULL, boot TEXT NOT NULL, up_s REAL NOT NULL) STRICT;
"""
_NEWEST = "SELECT * FROM versions WHERE state <> 'applying' ORDER BY number DESC LIMIT 1"
_APPLYING = "SELECT * FROM versions WHERE state = 'applying'"
_NUMBERED = "SELECT * FROM versions WHERE number = ? AND state <> 'applying'"
_HISTORY = ("SELECT * FROM versions WHERE state <> 'applying' AND (? = 0 OR number < ?) "
            "ORDER BY number DESC LIMIT ?")
_ADD = ("INSERT INTO versions VALUES (:number, :at, :by, :comment, :kind, :of, :keys, :sha256, :parent, "
        ":state, :in_force, :why_not)")


class Waiting(msgspec.Struct, frozen=True):
    """A version that goes back to the text of `back_to` unless somebody confirms it before `deadline`."""

    number: int
    back_to: int
    deadline: Deadline


class Book:
    """Of one thread at a time. sqlite3.Error: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Spoiled: it is another program's, or damaged. Unavailable: not now."""
        self._base = connect(path, APPLICATION_ID, _TABLES, "history")

    def close(self) -> None:
        self._base.close()

    # --- what is there

    def head(self) -> DocumentVersion | None:
        """The newest that is, or was at least, in the file as a whole."""
        return self._one(_NEWEST)

    def applying(self) -> DocumentVersion | None:
        return self._one(_APPLYING)

    def version(self, number: int) -> DocumentVersion | None:
        return self._one(_NUMBERED, number)

    def history(self, before: int, most: int) -> list[DocumentVersion]:
        """Newest first; `before` 0: from the newest on."""
        rows = self._base.execute(_HISTORY, (before, before, most))
        return [_version(row) for row in rows]

    def text(self, sha256: str) -> str:
        packed, = self._base.execute("SELECT packed FROM texts WHERE sha256 = ?", (sha256,)).fetchone()
        return zlib.decompress(packed).decode()

    def candidate(self) -> tuple[DocumentCandidate, str] | None:
        row = self._base.execute("SELECT by, base, at, sha256, packed FROM candidate").fetchone()
        if row is None:
            return None
        by, base, at, sha256, packed = row
        return DocumentCandidate(by=by, base=base, at=at, sha256=sha256), zlib.decompress(packed).decode()

    def waiting(self) -> Waiting | None:
        row = self._base.execute(
            "SELECT number, back_to, within_s, at, boot, up_s FROM waiting").fetchone()
        return None if row is None else Waiting(row[0], row[1], Deadline(*row[2:]))

    # --- what changes

    def put_candidate(self, by: str, base: int, at: float, text: str) -> None:
        with writing(self._base):
            self._base.execute("INSERT OR REPLACE INTO candidate VALUES (1, ?, ?, ?, ?, ?)",
                               (by, base, at, digest(text), zlib.compress(text.encode())))

    def drop_candidate(self) -> None:
        with writing(self._base):
            self._base.execute("DELETE FROM candidate")

    def add(self, version: DocumentVersion, text: str, waiting: Waiting | None = None) -> None:
        """The version, in whatever state; what it waits for, too, when it is to be confirmed."""
        with writing(self._base):
            self._base.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)",
                               (version.sha256, zlib.compress(text.encode())))
            values = msgspec.structs.asdict(version) | {
                "keys": msgspec.json.encode(version.keys).decode(), "in_force": int(version.in_force)}
            self._base.execute(_ADD, values)
            if waiting is not None:
                self._wait(waiting)

    def came_true(self, number: int, in_force: bool, why_not: str) -> None:
        """The version that was `applying` is the document now."""
        with writing(self._base):
            waiting = self.waiting()
            waits = waiting is not None and waiting.number == number
            version = self.applying()
            self._base.execute("UPDATE versions SET state = ?, in_force = ?, why_not = ? WHERE number = ?",
                               ("waiting" if waits else "committed", int(in_force), why_not, number))
            if version is not None and version.kind in ("expired", "reverted"):
                self._base.execute("UPDATE versions SET state = 'rolled-back' WHERE number = ?",
                                   (waiting.number if waiting else 0,))
                self._base.execute("DELETE FROM waiting")
            if version is not None and version.kind == "commit":     # of keys alone: a candidate stays
                self._base.execute("DELETE FROM candidate WHERE sha256 = ?", (version.sha256,))

    def never_was(self, number: int) -> None:
        """The version that was `applying` did not become the document: nothing of it stays."""
        with writing(self._base):
            self._base.execute("DELETE FROM versions WHERE number = ? AND state = 'applying'", (number,))
            self._base.execute("DELETE FROM waiting WHERE number = ?", (number,))
            self._base.execute("DELETE FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM versions)")

    def confirm(self, number: int) -> None:
        with writing(self._base):
            self._base.execute("UPDATE versions SET state = 'confirmed' WHERE number = ?", (number,))
            self._base.execute("DELETE FROM waiting WHERE number = ?", (number,))

    def wait(self, waiting: Waiting) -> None:
        with writing(self._base):
            self._wait(waiting)

    def force(self, number: int, in_force: bool, why_not: str) -> None:
        with writing(self._base):
            self._base.execute("UPDATE versions SET in_force = ?, why_not = ? WHERE number = ?",
                               (int(in_force), why_not, number))

    def _wait(self, waiting: Waiting) -> None:
        until = waiting.deadline
        self._base.execute("INSERT OR REPLACE INTO waiting VALUES (1, ?, ?, ?, ?, ?, ?)", (
            waiting.number, waiting.back_to, until.within_s, until.at, until.boot, until.up_s))

    def _one(self, query: str, *values: int) -> DocumentVersion | None:
        row = self._base.execute(query, values).fetchone()
        return None if row is None else _version(row)


def open_book(folder: Path) -> Book:
    """The book in the state folder. One that cannot be used is set aside: boxd does more than this.

    Unavailable: it cannot be opened at the moment, or no other can be made.
    """
    return opened(folder / FILE, Book)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(row: tuple[object, ...]) -> DocumentVersion:
    values = dict(zip(DocumentVersion.__struct_fields__, row, strict=True))
    return msgspec.convert(values | {"keys": msgspec.json.decode(str(values["keys"])),
                                     "in_force": bool(values["in_force"])}, DocumentVersion)
