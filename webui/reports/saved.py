"""Saved reports and what became of them: one SQLite file, so that the process may end at any moment.

A run is one due time of one report. It is planned, then its file is there, then it is sent, and each step is
written down when it is done: one that was broken off is taken again. A file has its name by report and due
time, so it is made twice at most and there once; a mail may come twice, with the same Message-ID.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.errors import StateError, Unavailable
from webui.reports.timing import Every, Schedule

MOST_SAVED = 200
MOST_KEPT = 400                                   # files of one report
_SCHEMA = """
CREATE TABLE IF NOT EXISTS saved (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, by TEXT NOT NULL, language TEXT NOT NULL,
    query TEXT NOT NULL, form TEXT NOT NULL, every TEXT NOT NULL, day INTEGER NOT NULL, at TEXT NOT NULL,
    mail TEXT NOT NULL, keep INTEGER NOT NULL, planned_to REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS runs (
    saved INTEGER NOT NULL REFERENCES saved ON DELETE CASCADE, due INTEGER NOT NULL,
    file TEXT NOT NULL DEFAULT '', sent_at REAL NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (saved, due)) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedReport:
    """`query`: of choice.Choice. `mail`: addresses with commas. `planned_to`: runs are planned up to then."""

    id: int = 0
    name: str
    by: str
    language: str
    query: str
    form: str
    every: Every
    day: int
    at: str
    mail: str
    keep: int
    planned_to: float

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.every, self.day, self.at)

    @property
    def addresses(self) -> list[str]:
        return [one for one in self.mail.split(",") if one]


@dataclass(frozen=True, slots=True)
class Run:
    """`file` "": it is not made yet. `over`: nothing more is done; with an error: given up."""

    saved: int
    due: int
    file: str
    sent_at: float
    over: bool
    tries: int
    next_at: float
    error: str


class SavedReports:
    """Read and written from any thread; every change is on the disk when the call returns. sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        """Files are in folders of `folder`. Unavailable: the database cannot be used."""
        self.folder = folder
        self._path = folder / "reports.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._open() as base:
                base.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{self._path}: cannot be used ({error}): move it away, webui makes another") from None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0)) as base:
            base.row_factory = sqlite3.Row
            base.execute("PRAGMA foreign_keys = ON")
            base.execute("PRAGMA synchronous = FULL")
            with base:
                yield base

    def add(self, one: SavedReport) -> int:
        """Its id. StateError: there are too many."""
        with self._open() as base:
            base.execute("BEGIN IMMEDIATE")
            if base.execute("SELECT count(*) FROM saved").fetchone()[0] >= MOST_SAVED:
                raise StateError(f"there are {MOST_SAVED} saved reports: remove one first")
            done = base.execute(
                "INSERT INTO saved (name, by, language, query, form, every, day, at, mail, keep, planned_to) "
                "VALUES (:name, :by, :language, :query, :form, :every, :day, :at, :mail, :keep, :planned_to)",
                asdict(one))
            return int(done.lastrowid or 0)

    def all(self) -> list[SavedReport]:
        """By name."""
        with self._open() as base:
            return [_saved(row) for row in base.execute("SELECT * FROM saved ORDER BY name, id")]

    def get(self, number: int) -> SavedReport | None:
        with self._open() as base:
            row = base.execute("SELECT * FROM saved WHERE id = ?", (number,)).fetchone()
        return _saved(row) if row else None

    def remove(self, number: int) -> None:
        """With its files; the entry goes last, so that none is left behind."""
        folder = self.folder_of(number)
        if folder.is_dir():
            for path in folder.iterdir():
                path.unlink(missing_ok=True)
            folder.rmdir()
        with self._open() as base:
            base.execute("DELETE FROM saved WHERE id = ?", (number,))

    def folder_of(self, number: int) -> Path:
        return self.folder / str(number)

    def runs(self, number: int) -> list[Run]:
        """Newest first."""
        with self._open() as base:
            return [_run(row) for row in base.execute(
                "SELECT * FROM runs WHERE saved = ? ORDER BY due DESC", (number,))]

    def run(self, number: int, due: int) -> Run | None:
        with self._open() as base:
            row = base.execute("SELECT * FROM runs WHERE saved = ? AND due = ?",
                               (number, due)).fetchone()
        return _run(row) if row else None

    def plan(self, number: int, dues: list[float], planned_to: float) -> None:
        """What is planned already stays as it is."""
        with self._open() as base:
            base.executemany("INSERT OR IGNORE INTO runs (saved, due, next_at) VALUES (?, ?, ?)",
                             [(number, int(due), due) for due in dues])
            base.execute("UPDATE saved SET planned_to = ? WHERE id = ?", (planned_to, number))

    def plan_now(self, number: int, now: float) -> None:
        """One more, whatever the schedule says."""
        with self._open() as base:
            base.execute("INSERT OR IGNORE INTO runs (saved, due, next_at) VALUES (?, ?, ?)",
                         (number, int(now), now))

    def waiting(self) -> list[Run]:
        """Runs that are not over, the oldest first."""
        with self._open() as base:
            return [_run(row) for row in base.execute("SELECT * FROM runs WHERE NOT over ORDER BY due")]

    def keep_file(self, run: Run, name: str, octets: bytes) -> Path:
        """Whole under its name, or not there."""
        folder = self.folder_of(run.saved)
        folder.mkdir(mode=0o700, exist_ok=True)
        new = folder / f"{name}.new"
        with new.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        new.rename(folder / name)
        for durable in (folder, self.folder):
            descriptor = os.open(durable, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return folder / name

    def made(self, run: Run, name: str, over: bool) -> None:
        with self._open() as base:
            base.execute("UPDATE runs SET file = ?, over = ?, tries = 0, error = '' "
                         "WHERE saved = ? AND due = ?", (name, over, run.saved, run.due))

    def sent(self, run: Run, now: float) -> None:
        with self._open() as base:
            base.execute("UPDATE runs SET sent_at = ?, over = 1, error = '' WHERE saved = ? AND due = ?",
                         (now, run.saved, run.due))

    def failed(self, run: Run, error: str, next_at: float, over: bool) -> None:
        with self._open() as base:
            base.execute("UPDATE runs SET tries = tries + 1, error = ?, next_at = ?, over = ? "
                         "WHERE saved = ? AND due = ?", (error[:500], next_at, over, run.saved, run.due))

    def let_go(self, one: SavedReport) -> None:
        """Of files that are over only the newest `keep` stay."""
        for run in [run for run in self.runs(one.id) if run.over][one.keep:]:
            if run.file:
                (self.folder_of(one.id) / run.file).unlink(missing_ok=True)
            with self._open() as base:
                base.execute("DELETE FROM runs WHERE saved = ? AND due = ?", (run.saved, run.due))


def _saved(row: sqlite3.Row) -> SavedReport:
    return SavedReport(**row)


def _run(row: sqlite3.Row) -> Run:
    return Run(**{**row, "over": bool(row["over"])})
