"""What people have put away: how far a daemon's counter had come when it was seen. Kept over restarts."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from appliance.errors import Unavailable

Reached = tuple[float, float]                     # when the daemon that counts began, and the count

_SCHEMA = ("CREATE TABLE IF NOT EXISTS seen "
           "(figure TEXT PRIMARY KEY, since REAL NOT NULL, count REAL NOT NULL) STRICT")


class Seen:
    """Read and written from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        try:
            with closing(sqlite3.connect(path)) as base, base:
                base.execute(_SCHEMA)
                self._reached: dict[str, Reached] = {
                    figure: (since, count) for figure, since, count in base.execute("SELECT * FROM seen")}
        except sqlite3.Error as error:
            raise Unavailable(f"{path}: cannot be used ({error}): remove it, webui makes another") from None

    @property
    def reached(self) -> Mapping[str, Reached]:
        """By the figure's name."""
        return self._reached

    def remember(self, figure: str, reached: Reached) -> None:
        """On the disk when this returns. sqlite3.Error when it cannot be."""
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            base.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (figure, *reached))
        self._reached[figure] = reached
