"""What the first run knows of itself: when it began, what was agreed to or left out, the call that came.

Nothing else is kept: whether a step is done is seen of the box. A file, so that anybody goes on where it was.
"""

import contextlib
import logging
import os
import threading
from pathlib import Path

import msgspec
from msgspec.structs import replace

MOST_OCTETS = 64 * 1024

log = logging.getLogger(__name__)


class CameIn(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was answered."""

    at: float
    trunk: str
    called: str
    calling: str


class CalledOut(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the box placed. `error` "": it was answered and heard."""

    at: float
    trunk: str
    number: str
    error: str = ""
    cause: int = 0
    answer_s: float | None = None
    level_dbm0: float | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """`passed`: steps that somebody agreed to or left out ("agreed", "skipped")."""

    began_at: float = 0.0
    by: str = ""
    ended_at: float = 0.0
    passed: dict[str, str] = msgspec.field(default_factory=dict)
    came_in: CameIn | None = None
    called_out: CalledOut | None = None

    @property
    def open(self) -> bool:
        return bool(self.began_at) and not self.ended_at


class FirstRun:
    """One for all pages. OSError from what changes it: the disk refuses, and it is as it was."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._told = _read(path)
        self.calling: CalledOut | None = None     # that is placed just now

    @property
    def told(self) -> Told:
        return self._told

    def begin(self, now: float, by: str) -> None:
        """Anew, also after its end; nothing while it is open."""
        with self._lock:
            if not self._told.open:
                self._keep(Told(began_at=now, by=by))

    def passed(self, step: str, how: str) -> None:
        """`how` "": neither agreed to nor left out."""
        with self._lock:
            others = {name: word for name, word in self._told.passed.items() if name != step}
            self._keep(replace(self._told, passed=others | ({step: how} if how else {})))

    def came_in(self, call: CameIn) -> None:
        """Only the newest is kept."""
        with self._lock:
            if self._told.open and (self._told.came_in is None or self._told.came_in.at < call.at):
                self._keep(replace(self._told, came_in=call))

    def calls(self, call: CalledOut) -> bool:
        """One is placed now. False: another is."""
        with self._lock:
            if self.calling is not None:
                return False
            self.calling = call
        return True

    def called_out(self, call: CalledOut) -> None:
        """It is over."""
        with self._lock:
            self.calling = None
            self._keep(replace(self._told, called_out=call))

    def end(self, now: float) -> None:
        with self._lock:
            if self._told.open:
                self._keep(replace(self._told, ended_at=now))

    def _keep(self, told: Told) -> None:
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(told))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._told = told


def _read(path: Path) -> Told:
    """One that cannot be read is as good as none: whoever wants it begins it again."""
    with contextlib.suppress(FileNotFoundError):
        try:
            if path.stat().st_size <= MOST_OCTETS:
                return msgspec.json.decode(path.read_bytes(), type=Told)
            log.warning("%s: too large for what the first run keeps: passed over", path)
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            log.warning("%s: %s: passed over", path, error)
    return Told()
