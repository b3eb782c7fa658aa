"""What days played again came to, on the disk: a file of JSON for each. On it before said."""

import logging
import re
from pathlib import Path
from typing import Any

import msgspec

from appliance.box.backup.durable import write_file
from appliance.bus.messages import Rehearsal, RehearsalReply

FOLDER = "rehearsals"                             # in the state folder
MOST = 30
ENDED = ("done", "failed", "stopped", "broken-off")

_NAME = re.compile(r"[0-9]{10,12}-[0-9a-f]{8}")   # unix second, then at random
_MOST_OCTETS = 8 << 20

log = logging.getLogger(__name__)


class _File(msgspec.Struct, frozen=True):
    rehearsal: Rehearsal
    result: dict[str, Any]


class Kept:
    """OSError where the disk refuses; a file that cannot be read is passed over, and said once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Rehearsal] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                found = self._read(path)
            except (OSError, ValueError) as error:
                log.warning("%s: %s: passed over", path, error)
            else:
                self._known[found.rehearsal.rehearsal] = found.rehearsal

    def all(self) -> list[Rehearsal]:
        """Newest first."""
        return sorted(self._known.values(), key=lambda one: one.began_at, reverse=True)

    def unended(self) -> list[Rehearsal]:
        """Those that the last boxd could not end."""
        return [one for one in self._known.values() if one.phase not in ENDED]

    def get(self, name: str) -> RehearsalReply | None:
        """None: there is none of that name, or it cannot be read any more."""
        if name not in self._known:
            return None
        try:
            found = self._read(self._folder / f"{name}.json")
        except (OSError, ValueError) as error:
            log.warning("rehearsal %s: %s", name, error)
            return None
        return RehearsalReply(rehearsal=self._known.get(name, found.rehearsal), result=found.result)

    def keep(self, one: Rehearsal, result: dict[str, Any]) -> None:
        """On the disk when this returns; the oldest go."""
        octets = msgspec.json.encode(_File(one, result))
        if len(octets) > _MOST_OCTETS:
            raise OSError(0, "too large", str(self._folder))
        write_file(self._folder / f"{one.rehearsal}.json", octets)
        self._known[one.rehearsal] = one
        for old in self.all()[MOST:]:
            self.remove(old.rehearsal)

    def note(self, one: Rehearsal) -> None:
        """So it ended, though the disk did not take it: until boxd's end."""
        self._known[one.rehearsal] = one

    def remove(self, name: str) -> None:
        if self._known.pop(name, None) is not None:
            (self._folder / f"{name}.json").unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> _File:
        """ValueError: it is none of ours."""
        if path.stat().st_size > _MOST_OCTETS:
            raise ValueError("too large")
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        if found.rehearsal.rehearsal != path.stem or not _NAME.fullmatch(path.stem):
            raise ValueError("not the rehearsal of this name")
        return found
