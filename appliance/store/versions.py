"""One database, two versions of the box: the rule of expanding first and contracting later.

A version may add tables, and columns that have a default: then those before it use the file as well, and it
says so in `meta`: `version` of the tables, and `oldest_reader`, the oldest that can use them. One that takes
away or gives another meaning raises oldest_reader; then the file is copied aside before it is changed,
and the older version, when the box goes back to it, puts the copy in its place and the newer file aside.
"""

import contextlib
import logging
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ConfigError

COPY_S = 86_400.0                                 # then going back would lose more than it mends

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    version: int
    oldest_reader: int


def read(path: Path) -> Found | None:
    """What a file says of itself; None: it is damaged, or has no such table, which its owner finds."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            said = dict(connection.execute(
                "SELECT key, value FROM meta WHERE key IN ('version', 'oldest_reader')"))
        return Found(int(said["version"]), int(said.get("oldest_reader", said["version"])))
    except (sqlite3.Error, KeyError, ValueError):
        return None


def fit(path: Path, mine: int) -> None:
    """Before the file is used by version `mine`. ConfigError: it is of a newer one that does not let it."""
    found = read(path)
    if found is not None and found.oldest_reader > mine:
        copy = _copy(path, mine)
        if not copy.exists() or copy.stat().st_mtime < time.time() - COPY_S:
            raise ConfigError(f"{path}: has tables of version {found.version}, this box knows {mine}: "
                              "finish the update, or restore the file that fits")
        _put_back(path, copy, path.with_name(f"{path.name}.of-v{found.version}"))
    for old in path.parent.glob(f"{path.name}.v[0-9]*"):
        if old.stat().st_mtime < time.time() - COPY_S:
            old.unlink()


def keep(path: Path, version: int) -> None:
    """A copy for that version. ConfigError: there is no room for it; nothing is changed."""
    copy = _copy(path, version)
    new = copy.with_name(copy.name + ".new")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o640)
        with (contextlib.closing(sqlite3.connect(path)) as source,
              contextlib.closing(sqlite3.connect(new)) as to):
            source.backup(to)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(copy)
        _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be copied before it is changed ({error}): free space on its "
                          "disk") from None


def _put_back(path: Path, copy: Path, newer: Path) -> None:
    """At once: there is never no file, and never the log of one beside the other."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    if path.with_name(path.name + "-wal").exists():
        raise ConfigError(f"{path}: cannot be put aside: its write-ahead log is in use")
    newer.unlink(missing_ok=True)
    os.link(path, newer)
    copy.replace(path)
    _sync(path.parent)
    log.error("%s: is as it was before the newer version changed it, that one's is in %s", path, newer.name)


def _copy(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.v{version}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
