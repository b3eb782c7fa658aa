"""Folders that a power cut does not take back."""

import contextlib
import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o750)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """What was named, renamed or removed in it is durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
