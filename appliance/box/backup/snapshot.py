"""A database of a running box as one consistent file, without holding up who writes into it.

Ref: sqlite.org/backup.html, sqlite.org/wal.html (a reader keeps its view while writers go on).
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import func, select, table
from sqlalchemy.dialects.sqlite import dialect

from appliance.box.backup.format import BackupError

PAGES = 64                                        # between two breaths
BUSY_S = 10.0
_DIALECT = dialect()                             # quotes names


def snapshot(path: Path, to: Path, breathe: Callable[[int], None]) -> dict[str, int]:
    """Copy it as it is now to the new file `to`; rows of each table of the copy.

    `breathe`: called with octets that were copied; it may wait, or raise to give up.
    """
    try:
        with closing(_read_only(path)) as source, closing(sqlite3.connect(to)) as copy:
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
        with closing(_read_only(path)) as base:
            pages, octets = (base.execute(f"PRAGMA {what}").fetchone()[0]
                             for what in ("page_count", "page_size"))
    except sqlite3.Error as error:
        raise BackupError(f"{path}: cannot be read ({error}): restore it from an earlier backup") from None
    return int(pages * octets)


def rows(path: Path) -> dict[str, int]:
    """Of each table of a copy; virtual ones are what other tables hold."""
    with closing(_of_copy(path)) as base:
        names = [name for name, in base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")]
        counts = {name: str(select(func.count()).select_from(table(name)).compile(dialect=_DIALECT))
                  for name in names}
        return {name: base.execute(count).fetchone()[0] for name, count in counts.items()}


def integrity(path: Path) -> str:
    """Of a copy. "": whole; else what is wrong. sqlite3.Error: as wrong."""
    with closing(_of_copy(path)) as base:
        found: str = base.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return "" if found == "ok" else " ".join(found.split())


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None)


def _of_copy(path: Path) -> sqlite3.Connection:
    """Nobody else has it open: SQLite makes no files beside it, and leaves none."""
    return sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)
