"""Databases of boxd's own subjects: one that is damaged is set aside and begun anew, as boxd does more.

An error that passes (locked, out of space, the disk does not answer) sets nothing aside.
"""

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from appliance.errors import Unavailable

MOST_ASIDE = 20                                   # of one database

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CODE = re.compile(r"error code[= ]([0-9]+)")     # of quick_check, in words

log = logging.getLogger(__name__)

_B = TypeVar("_B")


class Spoiled(Unavailable):
    """The file is damaged or another program's: it does not become better by itself."""


def connect(path: Path, application_id: int, tables: str, kept: str) -> sqlite3.Connection:
    """Open or make the file, of any thread. `kept`: what it holds, in a word.

    Spoiled: it is another program's, or damaged. Unavailable: it cannot be opened or written at the moment.
    """
    base = None
    try:
        there = path.exists()
        base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if not there:
            os.chmod(path, 0o640)
        _set_up(base, application_id, tables)
        return base
    except (sqlite3.Error, OSError, Spoiled) as error:
        if base is not None:
            base.close()
        if isinstance(error, Spoiled) or _code(error) in _DAMAGED:
            raise Spoiled(f"{path}: cannot be used ({error}): restore it from a backup, or move it away to "
                          f"begin with an empty {kept}") from None
        raise Unavailable(f"{path}: cannot be opened: {error}") from None


def _set_up(base: sqlite3.Connection, application_id: int, tables: str) -> None:
    base.execute("PRAGMA synchronous = FULL")
    base.execute("PRAGMA foreign_keys = ON")
    found = base.execute("PRAGMA application_id").fetchone()[0]
    others = found == 0 and base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if others or found not in (0, application_id):
        raise Spoiled("it is another program's database")
    if found == 0:
        base.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA application_id = {application_id}; COMMIT;")
    if (wrong := str(base.execute("PRAGMA quick_check(1)").fetchone()[0])) != "ok":
        code = _CODE.search(wrong)
        if code is not None and int(code[1]) & 0xFF not in _DAMAGED:
            raise OSError(f"it could not be looked through ({wrong})")
        raise Spoiled(f"it is damaged: {wrong}")


@contextlib.contextmanager
def writing(base: sqlite3.Connection) -> Iterator[None]:
    """One transaction: when it is left all of it is on the disk, or nothing."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
        base.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            base.execute("ROLLBACK")
        raise


def _code(error: Exception) -> int:
    """SQLite's, without what it says more exactly; 0: it is none of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def opened(path: Path, make: Callable[[Path], _B]) -> _B:
    """What `make` makes of the file; one that is spoiled goes aside first, under a name that is free.

    Unavailable: it cannot be opened at the moment, or no other can be made.
    """
    try:
        return make(path)
    except Spoiled as error:
        try:
            aside = next(one for one in _names(path) if not one.exists())
            log.error("%s; it is %s now, and a new one begins", error, aside.name)
            path.rename(aside)
            for rest in ("-journal", "-wal"):     # without which it cannot be mended
                with contextlib.suppress(FileNotFoundError):
                    path.with_name(path.name + rest).rename(aside.with_name(aside.name + rest))
            path.with_name(path.name + "-shm").unlink(missing_ok=True)
        except (StopIteration, OSError):
            raise error from None
    return make(path)


def _names(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}.damaged{f'-{number}' if number > 1 else ''}")
            for number in range(1, MOST_ASIDE + 1)]
