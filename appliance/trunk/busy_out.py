"""Channels that people took out of use, on the disk: they stay so over a restart and a power cut."""

import json
import logging
import os
from collections.abc import Collection
from pathlib import Path

FILE = "busy-out.json"                            # in the state folder: {span: [timeslot, ...]}

log = logging.getLogger(__name__)


class BusyOutFile:
    """One that cannot be read is set aside: then no channel is out of use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blocked: dict[str, set[int]] = {}
        try:
            document = json.loads(path.read_bytes())
            self._blocked = {str(span): {int(timeslot) for timeslot in timeslots}
                             for span, timeslots in document.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.error("%s: %s: set aside, all channels are in use: look which should not be", path, error)
            if path.exists():
                path.replace(path.with_suffix(".bad"))

    def timeslots(self, span: str) -> frozenset[int]:
        """Those of `span` that are out of use."""
        return frozenset(self._blocked.get(span, ()))

    def add(self, span: str, timeslots: Collection[int]) -> None:
        """OSError: it is not on the disk, nothing is changed."""
        self._replace(span, self._blocked.get(span, set()) | set(timeslots))

    def remove(self, span: str, timeslots: Collection[int]) -> None:
        """OSError: it is not on the disk, nothing is changed."""
        self._replace(span, self._blocked.get(span, set()) - set(timeslots))

    def _replace(self, span: str, timeslots: set[int]) -> None:
        changed = {**self._blocked, span: timeslots}
        document = {name: sorted(found) for name, found in sorted(changed.items()) if found}
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)                      # the new name, too
        finally:
            os.close(folder)
        self._blocked = changed
