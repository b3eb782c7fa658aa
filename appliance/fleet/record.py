"""One run on the disk, a file each: what was asked, how each box stands. One that is open is at work.

A state is on the disk before anything is done or said on the strength of it, and stays until there is another
one: of a box that is to be done again, too. Many that come at once are one transaction.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from appliance.errors import BranchlineError, ConfigError
from appliance.fleet.course import End, State
from appliance.store.sqlite import Database, Schema, reason

APPLICATION_ID = 0x424C4652                       # "BLFR"
VERSION = 1
_NAME = re.compile(r"[0-9]{8}-[0-9]{6}(-[0-9]+)?-[a-z-]+")

metadata = MetaData()

meta = Table(
    "meta", metadata,
    Column("key", String(32), primary_key=True), Column("value", Text, nullable=False))
run = Table(
    "run", metadata,
    Column("number", Integer, primary_key=True),  # 1
    Column("kind", String(16), nullable=False),
    Column("began_at", Double, nullable=False),   # wall clock
    Column("by", String(64), nullable=False),
    Column("asked", Text, nullable=False),        # JSON: all that is needed to go on
    Column("ended_at", Double, nullable=False, server_default="0"),  # 0: it did not come to its end
    Column("stopped", Text, nullable=False, server_default=""))      # why its last waves were not begun
steps = Table(
    "steps", metadata,
    Column("box", String(63), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("wave", Integer, nullable=False),      # from 0
    Column("state", String(16), nullable=False),
    Column("phase", Text, nullable=False, server_default=""),        # of one that goes on
    Column("why", Text, nullable=False, server_default=""),
    Column("facts", Text, nullable=False, server_default="{}"),      # JSON
    Column("at", Double, nullable=False, server_default="0"))        # of the last change


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(meta).values(key="version", value=str(VERSION)))


SCHEMA = Schema("the run that goes on", APPLICATION_ID, _create, version=VERSION)


class NotKept(BranchlineError):
    """The disk does not take what became of a box."""


@dataclass(frozen=True, slots=True)
class Step:
    box: str
    wave: int
    state: State
    phase: str
    why: str
    facts: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """A run as it stands."""

    name: str
    kind: str
    began_at: float
    by: str
    asked: Mapping[str, Any]
    ended_at: float
    stopped: str
    steps: Sequence[Step]

    @property
    def good(self) -> bool:
        return bool(self.ended_at) and not self.stopped and all(one.state is State.DONE for one in self.steps)


class Record:
    """ConfigError at opening: it is another program's, damaged, or at work. NotKept: the disk refuses."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise ConfigError(f"there is no run {path.stem}")
        self.name = path.stem
        self._database = Database(path, SCHEMA)
        self._pending: list[tuple[Mapping[str, Any], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def begin(cls, folder: Path, kind: str, by: str, asked: Mapping[str, Any],
              waves: Sequence[Sequence[str]], now: float) -> "Record":
        """On the disk, with all boxes waiting. ConfigError: it cannot be."""
        path = _new(folder, kind, now)
        record = cls(path)
        try:
            with record._written() as connection:
                connection.execute(insert(run).values(
                    number=1, kind=kind, began_at=now, by=by, asked=json.dumps(asked)))
                boxes = [(box, wave) for wave, names in enumerate(waves) for box in names]
                connection.execute(insert(steps), [
                    {"box": box, "place": place, "wave": wave, "state": State.WAITING}
                    for place, (box, wave) in enumerate(boxes)])
        except BaseException:
            record.close()
            raise
        return record

    def told(self) -> Told:
        """Of boxes that were begun and not ended nobody knows: nobody is at work on them while this is asked.

        ConfigError: there is nothing in it, or it is damaged.
        """
        try:
            with self._database.read() as connection:
                one = connection.execute(select(run)).one_or_none()
                rows = connection.execute(select(steps).order_by(steps.c.place)).all()
        except DBAPIError as error:
            raise ConfigError(f"{self.name}: cannot be read: {reason(error)}") from None
        if one is None:
            raise ConfigError(f"{self.name}: was cut off before it began: nothing was done")
        found = [Step(row.box, row.wave, State.UNKNOWN if row.state == State.GOING else State(row.state),
                      row.phase, f"was cut off: {row.phase}" if row.state == State.GOING else row.why,
                      json.loads(row.facts), row.at) for row in rows]
        return Told(self.name, one.kind, one.began_at, one.by, json.loads(one.asked), one.ended_at,
                    one.stopped, found)

    def again(self) -> None:
        """It goes on."""
        with self._written() as connection:
            connection.execute(update(run).values(ended_at=0.0, stopped=""))

    async def going(self, box: str, phase: str, facts: Mapping[str, object], now: float) -> None:
        """Returns when it is on the disk."""
        await self._put({"box": box, "state": State.GOING, "phase": phase, "why": "",
                         "facts": json.dumps(facts), "at": now})

    async def ended(self, box: str, end: End, now: float) -> None:
        await self._put({"box": box, "state": end.state, "phase": "", "why": end.why,
                         "facts": json.dumps(end.facts), "at": now})

    def over(self, stopped: str, now: float) -> None:
        with self._written() as connection:
            connection.execute(update(run).values(ended_at=now, stopped=stopped))

    def close(self) -> None:
        self._database.close()

    @contextlib.contextmanager
    def _written(self) -> Iterator[Connection]:
        try:
            with self._database.write() as connection:
                yield connection
        except DBAPIError as error:
            raise NotKept(f"{self.name}: cannot be written: {reason(error)}: free space on its disk, then "
                          f"branchline fleet resume {self.name}") from None

    async def _put(self, row: Mapping[str, Any]) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((row, written))
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        await asyncio.shield(written)

    async def _write(self) -> None:
        while self._pending:
            pending, self._pending = self._pending, []
            error: Exception | None = None
            try:
                await asyncio.to_thread(self._write_now, [row for row, _ in pending])
            except Exception as failed:           # whatever it is, those who wait are told
                error = failed
            for _, written in pending:
                if written.done():                # nobody waits for it any more
                    continue
                if error is None:
                    written.set_result(None)
                else:
                    written.set_exception(error)
        self._writing = None

    def _write_now(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._written() as connection:
            for row in rows:
                connection.execute(update(steps).where(steps.c.box == row["box"]).values(
                    **{key: value for key, value in row.items() if key != "box"}))


def _new(folder: Path, kind: str, now: float) -> Path:
    """An empty file that nobody else has taken."""
    stamp, number = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)), 1
    path = folder / f"{stamp}-{kind}.sqlite"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)        # configurations with passwords are in it
        while True:
            try:
                path.touch(mode=0o600, exist_ok=False)
                return path
            except FileExistsError:
                number += 1
                path = folder / f"{stamp}-{number}-{kind}.sqlite"
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def runs(folder: Path) -> list[str]:
    """Names, the newest first."""
    return sorted((path.stem for path in folder.glob("*.sqlite") if _NAME.fullmatch(path.stem)), reverse=True)


def look(folder: Path, name: str) -> Record:
    """ConfigError: there is none of that name; "": the newest, or there is none at all."""
    if not name:
        names = runs(folder)
        if not names:
            raise ConfigError(f"{folder}: there are no runs")
        name = names[0]
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r}: is no run: branchline fleet runs lists them")
    return Record(folder / f"{name}.sqlite")
