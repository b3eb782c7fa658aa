"""The folder that backups are written to: a USB stick, a share of the network, a disk of its own.

It is held by a descriptor from the check on: a stick that is pulled out takes no write to the box's own disk.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from appliance.box.backup.format import BackupError, kind_of

_PART = ".part"


class Place:
    """Use as opened by `opened`. OSErrors are the caller's, who knows which backup it was."""

    def __init__(self, path: Path, box: str, folder: int) -> None:
        self.path, self._box, self._folder = path, box, folder

    def tidy(self) -> None:
        """Remove what backups of this box left that were cut off."""
        for name in os.listdir(self._folder):
            if name.endswith(_PART) and kind_of(name.removesuffix(_PART), self._box):
                os.unlink(name, dir_fd=self._folder)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """The file gets its name, durably, when the block ends well; else nothing is left of it."""
        part = name + _PART
        try:
            with os.fdopen(self._open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.rename(part, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except BaseException:
            self._remove(part)
            raise
        os.fsync(self._folder)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """As the medium has it, not as memory remembers it."""
        with os.fdopen(self._open(name, os.O_RDONLY), "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            yield file

    def put_out(self, name: str) -> None:
        """A backup that did not hold goes."""
        self._remove(name)

    def prune(self, keep: dict[str, int], but: str) -> list[str]:
        """Remove all but the newest of each kind; those that people asked for stay. Names, `but` never."""
        gone: list[str] = []
        for kind, most in keep.items():
            names = sorted(name for name in os.listdir(self._folder) if kind_of(name, self._box) == kind)
            gone += [name for name in names[:-most] if name != but]
        for name in gone:
            os.unlink(name, dir_fd=self._folder)
        os.fsync(self._folder)
        return gone

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=self._folder)

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder)
        except OSError:
            pass                                  # the medium is gone: tidy() when it is back


@contextmanager
def opened(path: Path, box: str, mounted: bool, state_dir: Path) -> Iterator[Place]:
    """BackupError: the folder is not there, or lies on the box's own disk though `mounted`."""
    if mounted and nearest(path).stat().st_dev == state_dir.stat().st_dev:
        raise BackupError(f"{path}: is on the box's own disk: nothing is mounted there now. Plug the stick "
                          "in, mount the share, or set backup.mounted: false")
    try:
        if mounted:
            path.mkdir(mode=0o700, exist_ok=True)
        else:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}: backups are written there: mend it, or change "
                          "backup.path") from None
    try:
        if mounted and os.fstat(folder).st_dev == state_dir.stat().st_dev:
            raise BackupError(f"{path}: is on the box's own disk: it was unmounted just now")
        yield Place(path, box, folder)
    finally:
        os.close(folder)


def nearest(path: Path) -> Path:
    """The path, or what there is of it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
