"""trunkd's calls as a durable table: what a new trunkd must know to go on with the calls that talk.

It lies in the run folder and is written without waiting for the disk: it must live through kill -9, which
leaves what was written to the kernel; a power cut ends the calls as well.
"""
import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.bus.messages import CallInfo

RELEASED_KEPT = 1000
SCHEMA = """
CREATE TABLE IF NOT EXISTS call (leg TEXT PRIMARY KEY, call_ref INTEGER NOT NULL, info BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS released (number INTEGER PRIMARY KEY, info BLOB NOT NULL);
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Leg:
    """One call; `call_ref` is 0 until there is one, chosen by us unless it is inbound."""

    info: CallInfo
    call_ref: int = 0
    claimed: bool = False                         # somebody looks after the offered call
    attempts: int = 1

    def change(self, **fields: object) -> None:
        self.info = msgspec.structs.replace(self.info, **fields)


class LegTable:
    """A write is in the kernel's hands when the method returns; one that fails is logged, calls go on."""

    def __init__(self, path: Path) -> None:
        self.fresh = not path.exists()            # nothing is known of earlier calls: first start since boot
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
            bad = path.with_suffix(".bad")
            log.error("%s: %s: set aside as %s, calls of before are lost", path, error, bad.name)
            self._database.close()
            for suffix in ("", "-wal", "-shm"):
                side = path.with_name(path.name + suffix)
                if side.exists():
                    side.rename(bad.with_name(bad.name + suffix))
            self.fresh = True
            self._database = sqlite3.connect(path, isolation_level=None)
            self._prepare()

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(SCHEMA)
        self.load()

    def load(self) -> list[Leg]:
        """The calls that were there when the last process ended."""
        rows = self._database.execute("SELECT info, call_ref FROM call ORDER BY rowid").fetchall()
        return [Leg(msgspec.json.decode(info, type=CallInfo), reference, claimed=True)
                for info, reference in rows]

    def released(self) -> list[CallInfo]:
        """The last thousand that ended, oldest first."""
        rows = self._database.execute("SELECT info FROM released ORDER BY number").fetchall()
        return [msgspec.json.decode(info, type=CallInfo) for info, in rows]

    def save(self, leg: Leg) -> None:
        with self._logged():
            self._database.execute("INSERT OR REPLACE INTO call VALUES (?, ?, ?)",
                                   (leg.info.leg, leg.call_ref, msgspec.json.encode(leg.info)))

    def release(self, info: CallInfo) -> None:
        """The call ended as `info` says."""
        with self._logged(), self._database:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM call WHERE leg = ?", (info.leg,))
            number = self._database.execute(
                "INSERT INTO released (info) VALUES (?)", (msgspec.json.encode(info),)).lastrowid
            self._database.execute("DELETE FROM released WHERE number <= ?", ((number or 0) - RELEASED_KEPT,))

    @contextlib.contextmanager
    def _logged(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            log.error("the table of calls cannot be written (%s): a restart would lose them", error)

    def close(self) -> None:
        self._database.close()
