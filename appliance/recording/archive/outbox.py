"""A folder of sealed objects to be fetched. Who has one puts its checksum beside it, then it goes:

    sha256sum < ID.blr > ID.blr.receipt
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.config.archive import OutboxConfig
from appliance.recording.archive.objects import ArchiveObject
from appliance.recording.folders import make_folder, sync_folder

RECEIPT = ".receipt"
_OF_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GIVEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # it may be a link, or a pipe
_SHA256 = re.compile(rb"\s*([0-9a-f]{64})\b")
_MIB = 2 ** 20


class Outbox:
    """Below `folder`. OSError: its disk."""

    name = "outbox"

    def __init__(self, folder: Path, config: OutboxConfig) -> None:
        self._folder, self._most_octets = folder, config.mebibytes * _MIB

    def has_room(self, octets: int) -> bool:
        """An empty one has room for anything."""
        taken = 0
        for path in self._folder.rglob("*.blr"):
            with contextlib.suppress(FileNotFoundError):             # fetched, and let go of
                taken += path.lstat().st_size
        return taken == 0 or taken + octets <= self._most_octets

    def put(self, sent: ArchiveObject) -> None:
        """Durable under its name, or not there."""
        make_folder(self._folder)
        with self._folder_of(sent.name, make=True) as (folder, name):
            new = f".{name}.new"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)
            with os.fdopen(os.open(new, _NEW, 0o640, dir_fd=folder), "wb") as file:
                os.fchmod(file.fileno(), 0o640)
                for block in sent.blocks():
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def receipt(self, name: str) -> str | None:
        """The checksum in it, "" if it has none; None: there is no receipt."""
        try:
            with self._folder_of(name) as (folder, base):
                descriptor = os.open(base + RECEIPT, _GIVEN, dir_fd=folder)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            found = _SHA256.match(file.read(1024))
        return found[1].decode() if found else ""

    def refuse(self, name: str) -> None:
        """The receipt goes, the object stays."""
        with contextlib.suppress(FileNotFoundError), self._folder_of(name) as (folder, base):
            os.unlink(base + RECEIPT, dir_fd=folder)

    def remove(self, name: str) -> None:
        """Both go, and folders that are empty then."""
        with contextlib.suppress(FileNotFoundError), self._folder_of(name) as (folder, base):
            os.unlink(base, dir_fd=folder)
        self.refuse(name)
        path = self._folder / name
        with contextlib.suppress(OSError):        # not empty, or nothing was put there
            sync_folder(path.parent)
            for empty in (path.parent, *path.parent.parents):
                if empty == self._folder:
                    break
                empty.rmdir()

    @contextlib.contextmanager
    def _folder_of(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The object's folder as a descriptor, and its name in there.

        Who may leave receipts may leave links, too: each part of the way is opened as what it is.
        """
        *parts, base = Path(name).parts
        descriptor = os.open(self._folder, _OF_FOLDER & ~os.O_NOFOLLOW)      # that one is the box's own
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o750, dir_fd=descriptor)
                        os.fsync(descriptor)
                within = os.open(part, _OF_FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = within
            yield descriptor, base
        finally:
            os.close(descriptor)
