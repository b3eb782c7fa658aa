"""Octets that lie on the disk for one purpose: a deletion is written down first, also on a full disk."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import OperationalError

OCTETS = 4 * 2 ** 20                              # some thousand deletions, with their chain entries
T = TypeVar("T")


def with_ballast(folder: Path, act: Callable[[], T]) -> T:
    """What `act` gives; on a full disk once more, without the ballast, which comes back later."""
    path = folder / "ballast"
    try:
        result = act()
    except (OSError, OperationalError) as error:
        if not _full(error) or not path.exists():
            raise
        path.unlink()
        return act()
    if not path.exists():
        with contextlib.suppress(OSError):        # no room yet
            _make(path)
    return result


def _make(path: Path) -> None:
    new = path.with_name(".ballast.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, OCTETS)
        os.fsync(descriptor)
        new.rename(path)
    except OSError:
        new.unlink()
        raise
    finally:
        os.close(descriptor)


def _full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = getattr(error, "orig", None)
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL
