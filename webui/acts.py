"""What people did with the box on its pages: who, from where, what, why, what came of it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Unavailable

KEPT = 5000                                       # the newest

_SCHEMA = """CREATE TABLE IF NOT EXISTS acts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, by TEXT NOT NULL, address TEXT NOT NULL,
    act TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL, refused TEXT) STRICT"""


@dataclass(frozen=True, slots=True)
class Act:
    """`act` is a word of WORDS["act"]. `refused` None: it is not known what came of it; "": it was done."""

    at: float
    by: str
    address: str
    act: str
    what: str
    why: str
    refused: str | None = None


class Acts:
    """Written and read from any thread; sqlite3.Error when the disk refuses, and then nothing is done."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        try:
            with closing(sqlite3.connect(path)) as base, base:
                base.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): move it away, webui makes another") from None

    def begin(self, act: Act) -> int:
        """On the disk when this returns: its number."""
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            number = base.execute(
                "INSERT INTO acts (at, by, address, act, what, why) VALUES (?, ?, ?, ?, ?, ?)",
                (act.at, act.by, act.address, act.act, act.what, act.why)).lastrowid or 0
            base.execute("DELETE FROM acts WHERE number <= ?", (number - KEPT,))
        return number

    def end(self, number: int, refused: str) -> None:
        """What came of it; "": it was done."""
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("UPDATE acts SET refused = ? WHERE number = ?", (refused, number))

    def newest(self, most: int) -> list[Act]:
        with closing(sqlite3.connect(self._path)) as base:
            return [Act(*row) for row in base.execute(
                "SELECT at, by, address, act, what, why, refused FROM acts ORDER BY number DESC LIMIT ?",
                (most,))]
