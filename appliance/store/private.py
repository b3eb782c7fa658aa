"""Files for one user alone."""

import os
import stat
from pathlib import Path


def open_to_all(mode: int) -> bool:
    """Others may read or write the file of this mode, or a group may write it: it keeps no secret."""
    return bool(mode & (stat.S_IRWXO | stat.S_IWGRP))


def make_private(path: Path) -> None:
    """The file, there if it was not, for us alone: a backup may have come back readable for others."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
