"""A folder of sealed objects to be fetched. Who has one puts its checksum beside it, then it goes:

    sha256sum < ID.blr > ID.blr.receipt
"""

import contextlib
import os
import re
from pathlib import Path

from appliance.config.archive import OutboxConfig
from appliance.recording.archive.objects import ArchiveObject
from appliance.recording.folders import make_folder, sync_folder

RECEIPT = ".receipt"
_SHA256 = re.compile(rb"\s*([0-9a-f]{64})\b")
_MIB = 2 ** 20


class Outbox:
    """Below `folder`. OSError: its disk."""

    name = "outbox"

    def __init__(self, folder: Path, config: OutboxConfig) -> None:
        self._folder, self._most_octets = folder, config.mebibytes * _MIB

    def has_room(self, octets: int) -> bool:
        """An empty one has room for anything."""
        taken = sum(path.stat().st_size for path in self._folder.rglob("*.blr"))
        return taken == 0 or taken + octets <= self._most_octets

    def put(self, sent: ArchiveObject) -> None:
        """Durable under its name, or not there."""
        path = self._folder / sent.name
        make_folder(path.parent)
        new = path.with_name(f".{path.name}.new")
        with new.open("wb") as file:
            os.fchmod(file.fileno(), 0o640)
            for block in sent.blocks():
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        sync_folder(path.parent)

    def receipt(self, name: str) -> str | None:
        """The checksum in it, "" if it has none; None: there is no receipt."""
        # A stranger may have put anything there: a link, a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._receipt(name), flags)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            found = _SHA256.match(file.read(1024))
        return found[1].decode() if found else ""

    def refuse(self, name: str) -> None:
        """The receipt goes, the object stays."""
        self._receipt(name).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Both go, and folders that are empty then."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        self.refuse(name)
        with contextlib.suppress(OSError):        # not empty, or nothing was put there
            sync_folder(path.parent)
            for folder in (path.parent, *path.parent.parents):
                if folder == self._folder:
                    break
                folder.rmdir()

    def _receipt(self, name: str) -> Path:
        return (self._folder / name).with_name(Path(name).name + RECEIPT)
