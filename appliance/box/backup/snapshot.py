"""A database of a running box as one consistent file, without holding up who writes into it.

Ref: sqlite.org/backup.html, sqlite.org/wal.html (a reader keeps its view while writers go on).
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from appliance.box.backup.format import BackupError

_WRITE_VERSION_AT, _WAL = 18, b"\2"                # of the header, sqlite.org/fileformat2.html
PAGES = 64                                        # between two breaths
BUSY_S = 10.0


def snapshot(path: Path, to: Path, breathe: Callable[[int], None]) -> dict[str, int]:
    """Copy it as it is now to the new file `to`; rows of each table of the copy.

    `breathe`: called with octets that were copied; it may wait, or raise to give up.
    """
    try:
        with closing(read_only(path)) as source, closing(sqlite3.connect(to)) as copy:
            copy.execute("PRAGMA synchronous = OFF")                 # a cut throws it away
            octets: int = source.execute("PRAGMA page_size").fetchone()[0]
            if source.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                # One view for all steps. Without it every commit of another process begins the copy anew.
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                source.backup(copy, pages=PAGES, progress=lambda *_: breathe(PAGES * octets))
            else:                                 # readers and writers wait for one another: be quick
                source.backup(copy)
        return rows(to)
    except sqlite3.Error as error:
        raise BackupError(f"{path}: cannot be copied ({error}): if it is damaged, restore it from an earlier "
                          "backup; if the disk is full, free space") from None


def octets_of(path: Path) -> int:
    """That a copy will have; what was written last may not be in the file itself yet. BackupError."""
    try:
        with closing(read_only(path)) as base:
            pages, octets = (base.execute(f"PRAGMA {what}").fetchone()[0]
                             for what in ("page_count", "page_size"))
    except sqlite3.Error as error:
        raise BackupError(f"{path}: cannot be read ({error}): restore it from an earlier backup") from None
    return int(pages * octets)


def rows(path: Path) -> dict[str, int]:
    """Of each table of a copy; virtual ones are what other tables hold."""
    with closing(_of_copy(path)) as base:
        counts = base.execute(                    # SQLite quotes the names: %w, sqlite.org/printf.html
            "SELECT name, printf('SELECT count(*) FROM \"%w\"', name) FROM sqlite_master "
            "WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%' "
            "ORDER BY name").fetchall()
        return {name: base.execute(count).fetchone()[0] for name, count in counts}


def integrity(path: Path) -> str:
    """Of a copy. "": whole; else what is wrong. sqlite3.Error: as wrong."""
    with closing(_of_copy(path)) as base:
        found: str = base.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return "" if found == "ok" else " ".join(found.split())


def read_only(path: Path) -> sqlite3.Connection:
    """Of another user's database that nobody has open as of one that does not change.

    SQLite would make files beside it, of ours: its own daemon could not open it any more.
    """
    how = "immutable=1" if path.stat().st_uid != os.geteuid() and _closed(path) else "mode=ro"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=BUSY_S, isolation_level=None)


def _closed(path: Path) -> bool:
    """Whether it has a write-ahead log when it is open, and has none now."""
    with path.open("rb") as file:
        file.seek(_WRITE_VERSION_AT)
        return file.read(1) == _WAL and not path.with_name(f"{path.name}-wal").exists()


def _of_copy(path: Path) -> sqlite3.Connection:
    """Nobody else has it open: SQLite makes no files beside it, and leaves none."""
    return sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)
