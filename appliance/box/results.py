"""What long work came to, on the disk: a file of JSON for each, by its name. On it before said."""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from appliance.box.backup.durable import write_file

_NAME = re.compile(r"[0-9]{10,12}-[0-9a-f]{8}")   # unix second, then at random

log = logging.getLogger(__name__)

_S = TypeVar("_S", bound=msgspec.Struct)


class Results(Generic[_S]):
    """OSError where the disk refuses; a file that cannot be read is passed over, and said."""

    def __init__(self, folder: Path, kind: type[_S], name: Callable[[_S], str], most_octets: int) -> None:
        self._folder, self._kind, self._name, self._most_octets = folder, kind, name, most_octets

    def all(self) -> Iterator[_S]:
        for path in sorted(self._folder.glob("*.json")):
            if (found := self._read(path)) is not None:
                yield found

    def get(self, name: str) -> _S | None:
        """None: it cannot be read any more. `name` is one that was kept."""
        return self._read(self._path(name))

    def keep(self, one: _S) -> None:
        """On the disk when this returns. OSError: it is too large, too."""
        octets = msgspec.json.encode(one)
        if len(octets) > self._most_octets:
            raise OSError(0, "too large", str(self._folder))
        write_file(self._path(self._name(one)), octets)

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, path: Path) -> _S | None:
        try:
            if path.stat().st_size > self._most_octets:
                raise ValueError("too large")
            found = msgspec.json.decode(path.read_bytes(), type=self._kind)
            if self._name(found) != path.stem or not _NAME.fullmatch(path.stem):
                raise ValueError("not the one of this name")
        except (OSError, ValueError) as error:
            log.warning("%s: %s: passed over", path, error)
            return None
        return found
