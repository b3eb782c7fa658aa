"""What is kept of flow files: versions with texts, a draft of each with its steps, what is being written.

Each method that writes is one transaction: on the disk, all of it or nothing, when it returns.
"""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.box.aside import connect, opened, writing
from appliance.bus.client import Refused
from appliance.bus.messages.flows import FlowDraft, FlowVersion

FILE = "flows.sqlite"
APPLICATION_ID = 0x424C464C                       # "BLFL"
MOST_VERSIONS = 500                               # of one file; the oldest go
MOST_DRAFTS = 50
MOST_STEPS = 200                                  # that can be taken back
MOST_STEPS_OCTETS = 4 * 1024 * 1024               # of one draft's steps, packed

_TABLES = """
CREATE TABLE texts (sha256 TEXT PRIMARY KEY, packed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE versions (                           -- as FlowVersion has them; applying: perhaps in the file
    file TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, by TEXT NOT NULL, comment TEXT NOT NULL,
    kind TEXT NOT NULL, of INTEGER NOT NULL, sha256 TEXT NOT NULL REFERENCES texts,
    applying INTEGER NOT NULL, PRIMARY KEY (file, number)) STRICT, WITHOUT ROWID;
CREATE TABLE drafts (
    file TEXT PRIMARY KEY, by TEXT NOT NULL, base INTEGER NOT NULL, at REAL NOT NULL,
    place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE steps (
    file TEXT NOT NULL REFERENCES drafts ON DELETE CASCADE, place INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES texts, PRIMARY KEY (file, place)) STRICT, WITHOUT ROWID;
CREATE TABLE untold (                             -- written, and nobody knows whether acdd goes through it
    file TEXT PRIMARY KEY, number INTEGER NOT NULL, back_to INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
_VERSION = "SELECT number, at, by, comment, kind, of, sha256 FROM versions WHERE file = ? AND applying = 0 "
_UNUSED = ("DELETE FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM versions) "
           "AND sha256 NOT IN (SELECT sha256 FROM steps)")


@dataclass(frozen=True, slots=True)
class Untold:
    file: str
    number: int
    back_to: int                                  # the version that comes back when acdd refuses; 0: none


class Book:
    """Of one thread at a time. sqlite3.Error: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Spoiled: it is another program's, or damaged. Unavailable: not now."""
        self._base = connect(path, APPLICATION_ID, _TABLES, "history")

    def close(self) -> None:
        self._base.close()

    # --- what is there

    def files(self) -> list[str]:
        """With a version or a draft."""
        return [file for file, in self._base.execute(
            "SELECT file FROM versions WHERE applying = 0 UNION SELECT file FROM drafts ORDER BY file")]

    def head(self, file: str) -> FlowVersion | None:
        return self._one(_VERSION + "ORDER BY number DESC LIMIT 1", file)

    def version(self, file: str, number: int) -> FlowVersion | None:
        return self._one(_VERSION + "AND number = ?", file, number)

    def history(self, file: str, most: int) -> list[FlowVersion]:
        """Newest first."""
        return [_version(row) for row in self._base.execute(_VERSION + "ORDER BY number DESC LIMIT ?",
                                                            (file, most))]

    def text(self, sha256: str) -> str:
        packed, = self._base.execute("SELECT packed FROM texts WHERE sha256 = ?", (sha256,)).fetchone()
        return zlib.decompress(packed).decode()

    def draft(self, file: str) -> tuple[FlowDraft, str] | None:
        row = self._base.execute(
            "SELECT by, base, at, sha256, "
            "(SELECT count(*) FROM steps WHERE file = d.file AND place < d.place), "
            "(SELECT count(*) FROM steps WHERE file = d.file AND place > d.place) "
            "FROM drafts d JOIN steps USING (file, place) WHERE file = ?", (file,)).fetchone()
        if row is None:
            return None
        by, base, at, sha256, undo, redo = row
        return FlowDraft(by=by, base=base, at=at, sha256=sha256, undo=undo, redo=redo), self.text(sha256)

    def applying(self) -> list[tuple[str, FlowVersion]]:
        """What was about to be written."""
        return [(file, _version(row)) for file, *row in self._base.execute(
            "SELECT file, number, at, by, comment, kind, of, sha256 FROM versions WHERE applying = 1")]

    def untold(self) -> list[Untold]:
        return [Untold(*row) for row in self._base.execute("SELECT file, number, back_to FROM untold")]

    # --- versions

    def add(self, file: str, version: FlowVersion, text: str, applying: bool) -> None:
        with writing(self._base):
            self._keep(text)
            self._base.execute(
                "INSERT INTO versions VALUES "
                "(:file, :number, :at, :by, :comment, :kind, :of, :sha256, :applying)",
                msgspec.structs.asdict(version) | {"file": file, "applying": int(applying)})
            if not applying:
                self._forget_oldest(file)

    def came_true(self, file: str, number: int, back_to: int | None = None) -> None:
        """It is the file now. `back_to`: acdd is still to be told; the version before."""
        with writing(self._base):
            row = self._base.execute("SELECT kind FROM versions WHERE file = ? AND number = ?",
                                     (file, number)).fetchone()
            self._base.execute("UPDATE versions SET applying = 0 WHERE file = ? AND number = ?",
                               (file, number))
            if row == ("published",):
                self._base.execute("DELETE FROM drafts WHERE file = ?", (file,))
            if back_to is not None:
                self._base.execute("INSERT OR REPLACE INTO untold VALUES (?, ?, ?)", (file, number, back_to))
            self._forget_oldest(file)

    def never_was(self, file: str, number: int) -> None:
        """It did not become the file: nothing of it stays."""
        with writing(self._base):
            self._base.execute("DELETE FROM versions WHERE file = ? AND number = ? AND applying = 1",
                               (file, number))
            self._base.execute(_UNUSED)

    def told(self, file: str) -> None:
        with writing(self._base):
            self._base.execute("DELETE FROM untold WHERE file = ?", (file,))

    # --- drafts

    def begin(self, file: str, by: str, base: int, at: float, text: str) -> None:
        """A draft that begins so. Refused: there are too many of other files."""
        if self._base.execute("SELECT count(*) FROM drafts").fetchone()[0] >= MOST_DRAFTS:
            raise Refused(f"there are {MOST_DRAFTS} drafts, that is enough: publish or discard one first")
        with writing(self._base):
            sha256 = self._keep(text)
            self._base.execute("INSERT INTO drafts VALUES (?, ?, ?, ?, 0)", (file, by, base, at))
            self._base.execute("INSERT INTO steps VALUES (?, 0, ?)", (file, sha256))

    def step(self, file: str, by: str, at: float, text: str) -> None:
        """The draft's next text; what was undone is gone."""
        with writing(self._base):
            sha256 = self._keep(text)
            self._base.execute("DELETE FROM steps WHERE file = ? AND place > "
                               "(SELECT place FROM drafts WHERE file = ?)", (file, file))
            self._base.execute("UPDATE drafts SET by = ?, at = ?, place = place + 1 WHERE file = ?",
                               (by, at, file))
            self._base.execute("INSERT INTO steps SELECT file, place, ? FROM drafts WHERE file = ?",
                               (sha256, file))
            self._forget_steps(file)
            self._base.execute(_UNUSED)

    def go(self, file: str, by: str, at: float, steps: int) -> None:
        """So many steps back, or on; who sees to it that they are there calls."""
        with writing(self._base):
            self._base.execute("UPDATE drafts SET by = ?, at = ?, place = place - ? WHERE file = ?",
                               (by, at, steps, file))

    def give(self, file: str, by: str) -> None:
        """The draft is another person's from now on."""
        with writing(self._base):
            self._base.execute("UPDATE drafts SET by = ? WHERE file = ?", (by, file))

    def drop(self, file: str) -> None:
        with writing(self._base):
            self._base.execute("DELETE FROM drafts WHERE file = ?", (file,))
            self._base.execute(_UNUSED)

    # ---

    def _keep(self, text: str) -> str:
        sha256 = digest(text)
        self._base.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)",
                           (sha256, zlib.compress(text.encode())))
        return sha256

    def _forget_oldest(self, file: str) -> None:
        self._base.execute(
            "DELETE FROM versions WHERE file = ? AND number <= "
            "(SELECT max(number) FROM versions WHERE file = ?) - ?",
            (file, file, MOST_VERSIONS))
        self._base.execute(_UNUSED)

    def _forget_steps(self, file: str) -> None:
        left, octets = 0, 0
        for place, packed in self._base.execute(
                "SELECT place, length(packed) FROM steps JOIN texts USING (sha256) WHERE file = ? "
                "ORDER BY place DESC", (file,)).fetchall():
            left, octets = left + 1, octets + packed
            if left > MOST_STEPS + 1 or (left > 2 and octets > MOST_STEPS_OCTETS):
                self._base.execute("DELETE FROM steps WHERE file = ? AND place <= ?", (file, place))
                break

    def _one(self, query: str, *values: str | int) -> FlowVersion | None:
        row = self._base.execute(query, values).fetchone()
        return None if row is None else _version(row)


def open_book(folder: Path) -> Book:
    """The book in the state folder. One that cannot be used is set aside: boxd does more than this.

    Unavailable: it cannot be opened at the moment, or no other can be made.
    """
    return opened(folder / FILE, Book)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(row: tuple[object, ...] | list[object]) -> FlowVersion:
    return msgspec.convert(dict(zip(
        ("number", "at", "by", "comment", "kind", "of", "sha256"), row, strict=True)), FlowVersion)
