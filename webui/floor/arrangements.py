"""What people have arranged, the floor and walls by name: a small file, since it outlives sessions."""

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.errors import Unavailable

LONGEST = 40                                      # characters of a wall's name
MOST = 20                                         # walls of one person
FLOOR = ""                                        # its name among them

_SCHEMA = """CREATE TABLE IF NOT EXISTS arrangements (
    person TEXT NOT NULL, name TEXT NOT NULL, asked TEXT NOT NULL, PRIMARY KEY (person, name)) STRICT"""


class Full(Exception):
    """There are MOST walls of this person."""


class Arrangements:
    """Arguments of addresses, as text. From any thread; sqlite3.Error when the disk refuses."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        try:
            with closing(sqlite3.connect(path)) as base, base:
                base.execute(_SCHEMA)
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): remove it, floors and walls are then as they came"
            ) from None

    def floor(self, person: str) -> str:
        """"": as it came."""
        with closing(sqlite3.connect(self._path)) as base:
            row = base.execute("SELECT asked FROM arrangements WHERE person = ? AND name = ?",
                               (person, FLOOR)).fetchone()
        return row[0] if row else ""

    def walls(self, person: str) -> dict[str, str]:
        """By name, in its order."""
        with closing(sqlite3.connect(self._path)) as base:
            return dict(base.execute("SELECT name, asked FROM arrangements WHERE person = ? AND name != ? "
                                     "ORDER BY name", (person, FLOOR)))

    def keep(self, person: str, name: str, asked: str) -> None:
        """In place of what has this name. Full."""
        with closing(sqlite3.connect(self._path)) as base, base:
            others, = base.execute(
                "SELECT count(*) FROM arrangements WHERE person = ? AND name NOT IN (?, ?)",
                (person, FLOOR, name)).fetchone()
            if name != FLOOR and others >= MOST:
                raise Full
            base.execute("INSERT OR REPLACE INTO arrangements VALUES (?, ?, ?)", (person, name, asked))

    def drop(self, person: str, name: str) -> bool:
        """False: there was none."""
        with closing(sqlite3.connect(self._path)) as base, base:
            return base.execute("DELETE FROM arrangements WHERE person = ? AND name = ?",
                                (person, name)).rowcount > 0
