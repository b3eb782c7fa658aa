"""What days played again came to: the newest, on the disk."""

from pathlib import Path
from typing import Any

import msgspec

from appliance.box.results import Results
from appliance.bus.messages import Rehearsal, RehearsalReply

FOLDER = "rehearsals"                             # in the state folder
MOST = 30
ENDED = ("done", "failed", "stopped", "broken-off")

_MOST_OCTETS = 8 << 20


class _File(msgspec.Struct, frozen=True):
    rehearsal: Rehearsal
    result: dict[str, Any]


class Kept:
    """OSError where the disk refuses; a file that cannot be read is passed over, and said."""

    def __init__(self, folder: Path) -> None:
        self._files = Results(folder, _File, lambda one: one.rehearsal.rehearsal, _MOST_OCTETS)
        self._known = {one.rehearsal.rehearsal: one.rehearsal for one in self._files.all()}

    def all(self) -> list[Rehearsal]:
        """Newest first."""
        return sorted(self._known.values(), key=lambda one: one.began_at, reverse=True)

    def unended(self) -> list[Rehearsal]:
        """Those that the last boxd could not end."""
        return [one for one in self._known.values() if one.phase not in ENDED]

    def get(self, name: str) -> RehearsalReply | None:
        """None: there is none of that name, or it cannot be read any more."""
        if name not in self._known or (found := self._files.get(name)) is None:
            return None
        return RehearsalReply(rehearsal=self._known.get(name, found.rehearsal), result=found.result)

    def keep(self, one: Rehearsal, result: dict[str, Any]) -> None:
        """On the disk when this returns; the oldest go."""
        self._files.keep(_File(one, result))
        self._known[one.rehearsal] = one
        for old in self.all()[MOST:]:
            self.remove(old.rehearsal)

    def note(self, one: Rehearsal) -> None:
        """So it ended, though the disk did not take it: until boxd's end."""
        self._known[one.rehearsal] = one

    def remove(self, name: str) -> None:
        if self._known.pop(name, None) is not None:
            self._files.remove(name)
