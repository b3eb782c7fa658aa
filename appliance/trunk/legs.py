"""trunkd's calls as a durable table: what a new trunkd must know to go on with the calls that talk.

It lies in the run folder and is written without waiting for the disk: it must live through kill -9, which
leaves what was written to the kernel; a power cut ends the calls as well.
"""
import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.bus.messages import CallInfo
from appliance.isdn.call.call import Snapshot

RELEASED_KEPT = 1000
SCHEMA = """
CREATE TABLE IF NOT EXISTS call (leg TEXT PRIMARY KEY, info BLOB NOT NULL, snapshot BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS released (number INTEGER PRIMARY KEY, info BLOB NOT NULL);
"""

log = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()
_info = msgspec.json.Decoder(CallInfo)
_snapshot = msgspec.json.Decoder(Snapshot | None)


@dataclass(slots=True, eq=False)
class Leg:
    """One call; `snapshot` is the signalling's, None until there is a call reference."""

    info: CallInfo
    snapshot: Snapshot | None = None
    claimed: bool = False                         # somebody looks after the offered call
    dialled: str = ""                             # the trunk that was asked for, of an outgoing call
    attempts: int = 1                             # to place it, on its trunk
    in_band: bool = False                         # the far end said something in the channel
    spare: int = 0                                # a test: so many more channels stay free

    @property
    def call_ref(self) -> int:
        """0: none yet."""
        return self.snapshot.call_ref if self.snapshot is not None else 0

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
        rows = self._database.execute("SELECT info, snapshot FROM call ORDER BY rowid").fetchall()
        return [Leg(_info.decode(info), _snapshot.decode(snapshot), claimed=True) for info, snapshot in rows]

    def released(self) -> list[CallInfo]:
        """The last thousand that ended, oldest first."""
        rows = self._database.execute("SELECT info FROM released ORDER BY number").fetchall()
        return [_info.decode(info) for info, in rows]

    def write(self, changed: Iterable[Leg], released: Iterable[CallInfo]) -> None:
        """What became of calls since the last time, in one transaction; `released` are over."""
        kept = [(leg.info.leg, _encoder.encode(leg.info), _encoder.encode(leg.snapshot)) for leg in changed]
        with self._logged(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO call VALUES (?, ?, ?)", kept)
            for info in released:
                self._database.execute("DELETE FROM call WHERE leg = ?", (info.leg,))
                number = self._database.execute(
                    "INSERT INTO released (info) VALUES (?)", (_encoder.encode(info),)).lastrowid or 0
                self._database.execute("DELETE FROM released WHERE number <= ?", (number - RELEASED_KEPT,))

    @contextlib.contextmanager
    def _logged(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            log.error("the table of calls cannot be written (%s): a restart would lose them", error)

    def close(self) -> None:
        self._database.close()
