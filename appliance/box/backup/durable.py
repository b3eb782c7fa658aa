"""Files and folders that a power cut does not take back."""

import errno
import os
import stat
from pathlib import Path


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """With those above it."""
    if not folder.is_dir():
        make_folder(folder.parent, mode)
        folder.mkdir(mode=mode, exist_ok=True)
        sync_folder(folder.parent)


def write_file(path: Path, octets: bytes) -> None:
    """Whole or as it was, 0600. Through no link: root writes in folders of all daemons, too."""
    make_folder(path.parent)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)
    move(new, path)


def open_file(path: Path) -> int:
    """To read an ordinary file: a daemon could have put anything there. OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no file", str(path))
    return descriptor


def move(path: Path, to: Path) -> None:
    """On one file system."""
    path.rename(to)
    sync_folder(to.parent)
    if path.parent != to.parent:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
