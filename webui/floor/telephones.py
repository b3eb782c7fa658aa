"""At which telephone each supervisor hears talks: a small file, since it outlives sessions and browsers."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Unavailable

LONGEST = 64                                      # characters of a name or number

_SCHEMA = """CREATE TABLE IF NOT EXISTS telephones (
    person TEXT PRIMARY KEY, asked TEXT NOT NULL, shown TEXT NOT NULL) STRICT"""


@dataclass(frozen=True, slots=True)
class Telephone:
    asked: str                                    # as the person wrote it, and as acdd is asked
    shown: str                                    # as the board has a supervisor who is there


class Telephones:
    """Read and written from any thread; sqlite3.Error when the disk refuses."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        try:
            with closing(sqlite3.connect(path)) as base, base:
                base.execute(_SCHEMA)
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): remove it, supervisors then name their telephones again"
            ) from None

    def of(self, person: str) -> Telephone | None:
        with closing(sqlite3.connect(self._path)) as base:
            row = base.execute("SELECT asked, shown FROM telephones WHERE person = ?", (person,)).fetchone()
        return Telephone(*row) if row else None

    def keep(self, person: str, telephone: Telephone) -> None:
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("INSERT OR REPLACE INTO telephones VALUES (?, ?, ?)",
                         (person, telephone.asked, telephone.shown))
