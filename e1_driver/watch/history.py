"""Histories that outlive the process, on the disk.

One SQLite file, because a save then writes the two running bins of each span and not the month. What came
since is beside it in a file that nobody waits for: the kernel has it when the process is killed, and flash
sees it once in a while. So a kill loses nothing, and a power cut what came after the last save.
"""

import contextlib
import fcntl
import glob
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

import msgspec

from e1_driver.watch.bins import QUARTER_S, Bin, Changes, History, Standing
from e1_driver.watch.performance import Second

SAVE_EVERY_S = 30.0
RETRY = 10                                        # times longer after a failed save
SECONDS_OCTETS = 8 << 20                          # written while saving fails; hours of seconds

VERSION = 1                                       # of the tables and what is in them: PRAGMA user_version
TABLES = """
CREATE TABLE saves (number INTEGER NOT NULL);
INSERT INTO saves VALUES (0);
CREATE TABLE spans (span TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE bins (span TEXT, length_s INTEGER, at INTEGER, data BLOB NOT NULL,
    PRIMARY KEY (span, length_s, at));
"""


class HistoryError(Exception):
    """The store cannot be opened. Says which file, why and what to do."""


_Line = tuple[str, str | None, Second]            # of a file of seconds: span, clock source, second
_line = msgspec.json.Decoder(_Line)
_bin = msgspec.json.Decoder(Bin)
_standing = msgspec.json.Decoder(Standing)
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


class _Damaged(Exception):
    """What is wrong with a file."""


class Store:
    """The histories of a box's spans on disk. HistoryError: it cannot be opened, or another process has it.

    A file that is damaged or of another version is put aside as *.damaged and a new one begun: see `notice`.
    observe() and due() are for one thread; save() may run in another, for it waits for the disk.
    """

    def __init__(self, path: Path, save_every_s: float = SAVE_EVERY_S) -> None:
        self.notice: str | None = None            # what was wrong with the file when it was opened
        self.trouble: str | None = None           # why it could not be written to
        self._path, self._save_every_s = path, save_every_s
        self._memory, self._saving = threading.RLock(), threading.Lock()
        self._forgotten: set[str] = set()
        self._due_from: float | None = None
        self._bin_ended = False
        self._lock = _lock(path)
        try:
            try:
                self._db, number, self._histories = _open(path)
            except _Damaged as damage:
                self.notice = (f"{path}: {damage}: it is now {_set_aside(path).name}, and the histories "
                               "begin anew")
                self._db, number, self._histories = _open(path)
        except BaseException:
            os.close(self._lock)
            raise
        replayed = _replay(path, number, self._histories)
        self._number = max(number, *replayed) + 1 if replayed else number + 1
        self._seconds: int | None = None          # the file of seconds with that number, when there is one
        self._seconds_octets = 0

    def spans(self) -> list[str]:
        """Those with a history."""
        return sorted(self._histories)

    def history(self, span: str) -> History:
        """Of one span; an empty one when it is new."""
        with self._memory:
            return self._histories.setdefault(span, History())

    def observe(self, span: str, second: Second, source: str | None) -> None:
        """Count a second in. Never raises nor waits for the disk; a kill from now on does not lose it."""
        with self._memory:
            history = self.history(span)
            self._bin_ended |= history.newest // QUARTER_S != second.at // QUARTER_S
            history.observe(second, source)
            self._write(msgspec.json.encode((span, source, second)) + b"\n")

    def forget(self, span: str) -> None:
        """The span is no more; its history goes with the next save."""
        with self._memory:
            if self._histories.pop(span, None) is not None:
                self._forgotten.add(span)

    def due(self, now: float) -> bool:
        """Is it time for save()? At a bin's end, or some time after the last. `now`: any steady clock."""
        if not self._forgotten and not any(history.unsaved() for history in self._histories.values()):
            return False
        if self._due_from is None:
            self._due_from = now
        wait_s = self._save_every_s * (RETRY if self.trouble else 1)
        return self._bin_ended or now >= self._due_from + wait_s

    def save(self) -> bool:
        """To the disk in one commit, with fsync. False: `trouble` says why; it is kept, try again later."""
        with self._saving:
            with self._memory:
                self._due_from, self._bin_ended = None, False
                self._next_file()
                number, forgotten, self._forgotten = self._number, self._forgotten, set()
                batch = {span: history.changes() for span, history in self._histories.items()
                         if history.unsaved()}
            try:
                with self._db:
                    _save(self._db, number, forgotten, batch)
            except sqlite3.Error as error:
                self.trouble = f"{self._path}: not saved ({error}): is the disk full or worn out?"
                with self._memory:
                    self._forgotten |= forgotten - set(self._histories)
                    for span in batch.keys() & self._histories.keys():
                        self._histories[span].not_saved(batch[span])
                return False
            self.trouble, self._seconds_octets = None, 0
            for older in _numbers(self._path):
                if older < number:
                    with contextlib.suppress(OSError):
                        _beside(self._path, f"seconds-{older}").unlink()
            return True

    def close(self) -> None:
        """Save and let go."""
        self.save()
        self._next_file()
        self._db.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        if self._seconds_octets > SECONDS_OCTETS:
            return
        try:
            if self._seconds is None:
                self._seconds = os.open(_beside(self._path, f"seconds-{self._number}"),
                                        os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_TRUNC, 0o600)
            self._seconds_octets += os.write(self._seconds, line)
        except OSError as error:
            self.trouble = f"{self._path}: not written ({error.strerror}): is the disk full or worn out?"

    def _next_file(self) -> None:
        if self._seconds is not None:
            os.close(self._seconds)
            self._seconds = None
            self._number += 1


def read(path: Path) -> dict[str, History]:
    """What a store has, by span; another process may be keeping it. HistoryError: none there, or damaged."""
    with contextlib.closing(_connect(f"file:{quote(str(path))}?mode=ro", path)) as db:
        try:
            db.execute("BEGIN")                   # no save ends meanwhile: its seconds are still there
            number, histories = _load(db, path)
        except _Damaged as damage:
            raise HistoryError(f"{path}: {damage}") from None
        _replay(path, number, histories)
    return histories


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}")


def _lock(path: Path) -> int:
    try:
        lock = os.open(_beside(path, "lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise HistoryError(f"{path}: cannot be opened ({error.strerror}): look at its folder") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HistoryError(f"{path}: another process keeps histories there: stop it, or name another file"
                           ) from None
    return lock


def _set_aside(path: Path) -> Path:
    aside = _beside(path, "damaged")
    os.replace(path, aside)
    Path(f"{path}-journal").unlink(missing_ok=True)               # SQLite's, of the file that is no more here
    return aside


def _connect(name: str, path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(name, uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise HistoryError(f"{path}: cannot be opened ({error}): look at its folder") from None


def _open(path: Path) -> tuple[sqlite3.Connection, int, dict[str, History]]:
    db = _connect(f"file:{quote(str(path))}", path)
    try:
        with _reading(path):
            if not db.execute("PRAGMA user_version").fetchone()[0] and not db.execute(
                    "SELECT count(*) FROM sqlite_master").fetchone()[0]:
                db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        return db, *_load(db, path)
    except BaseException:
        db.close()
        raise


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """_Damaged when the file is to blame, HistoryError when its surroundings are."""
    try:
        yield
    except (msgspec.MsgspecError, KeyError) as error:
        raise _Damaged(f"is damaged ({error})") from None
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
            raise _Damaged(f"is damaged ({error})") from None
        raise HistoryError(f"{path}: cannot be read ({error}): look at the file and its folder") from None


def _load(db: sqlite3.Connection, path: Path) -> tuple[int, dict[str, History]]:
    """The number of the first file of seconds that is not in it yet, and the histories."""
    with _reading(path):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < (version >> 16 or version) <= VERSION:            # the oldest that can read it, if it says
            raise _Damaged(f"is of version {version}, this program knows {VERSION}")
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise _Damaged(f"is damaged ({found})")
        number = db.execute("SELECT number FROM saves").fetchone()
        if number is None:
            raise _Damaged("is damaged (it does not say how often it was saved)")
        bins: dict[str, list[Bin]] = {}
        for span, data in db.execute("SELECT span, data FROM bins ORDER BY rowid"):
            bins.setdefault(span, []).append(_bin.decode(data))
        return number[0], {span: History(_standing.decode(data), bins.get(span, ()))
                           for span, data in db.execute("SELECT span, data FROM spans")}


def _save(db: sqlite3.Connection, number: int, forgotten: Iterable[str],
          batch: Mapping[str, Changes]) -> None:
    gone = [(span,) for span in forgotten]
    db.executemany("DELETE FROM spans WHERE span = ?", gone)
    db.executemany("DELETE FROM bins WHERE span = ?", gone)
    for span, changes in batch.items():
        db.execute("INSERT INTO spans VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
                   (span, changes.standing))
        db.executemany("DELETE FROM bins WHERE span = ? AND length_s = ? AND at = ?",
                       [(span, *dropped) for dropped in changes.dropped])
        db.executemany("INSERT INTO bins VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
                       [(span, *each) for each in changes.bins])
    db.execute("UPDATE saves SET number = ?", (number,))


def _numbers(path: Path) -> list[int]:
    """Of the files of seconds that are there."""
    names = (each.name.removeprefix(f"{path.name}.seconds-") for each in path.parent.glob(
        f"{glob.escape(path.name)}.seconds-*"))
    return sorted(int(name) for name in names if name.isdecimal())


def _replay(path: Path, number: int, histories: dict[str, History]) -> list[int]:
    """Count in what was not saved, each file as far as it is whole; their numbers."""
    numbers = [each for each in _numbers(path) if each >= number]
    for each in numbers:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            for line in _beside(path, f"seconds-{each}").read_bytes().splitlines():
                span, source, second = _line.decode(line)
                histories.setdefault(span, History()).observe(second, source)
    return numbers
