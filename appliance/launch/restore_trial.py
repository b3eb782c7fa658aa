"""What a restore from the page would mean: `python -m appliance.launch.restore_trial`, a process of boxd's.

It takes its memory along when it ends. Its order is JSON on its standard input, so that a passphrase is in no
process list; what comes of it lies in the state folder's `restore`.
"""

import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import msgspec

from appliance.box.backup import passphrase, wishing
from appliance.box.backup.contents import RESTORE
from appliance.box.backup.durable import make_folder, write_file
from appliance.box.backup.format import CONFIG, ELSEWHERE, STATE, BackupError, Manifest
from appliance.box.backup.opening import Backup, opened
from appliance.box.backup.restoring import SPARE_OCTETS
from appliance.box.backup.snapshot import read_only
from appliance.box.backup.tending import FOLDER
from appliance.box.backup.wishing import COPY, PREPARED, TRIAL
from appliance.bus.messages import PreparedRestore, RestoreCount
from appliance.bus.runner import UMASK
from appliance.config.changes import changes
from appliance.config.load import load
from appliance.errors import BranchlineError, ConfigError
from appliance.launch.backup_trial import trial
from appliance.store.sealed import DerivedWrapper, PassphraseWrapper, Wrapped

COPY_OCTETS = 1 << 20
MOST_OCTETS = 16 << 30                            # of a backup
_COUNTED = (                                      # what, database, table, all, those of after a time
    ("contacts", "acd.sqlite", "contacts",
     "SELECT count(*) FROM contacts", "SELECT count(*) FROM contacts WHERE began_at > ?"),
    ("recordings", "recordings/recordings.sqlite", "recordings",
     "SELECT count(*) FROM recordings", "SELECT count(*) FROM recordings WHERE began_at > ?"),
    ("people", "users.sqlite", "users", "SELECT count(*) FROM users", ""),
    ("versions", "configuration.sqlite", "versions",
     "SELECT count(*) FROM versions", "SELECT count(*) FROM versions WHERE at > ?"),
    ("acts", "audit.sqlite", "entries",
     "SELECT count(*) FROM entries", "SELECT count(*) FROM entries WHERE at > ?"))


class Order(msgspec.Struct, frozen=True, kw_only=True):
    source: str                                   # as it is shown
    path: str
    document: str
    state_dir: str
    box: str                                      # the name of this one's backups
    passphrase: str = ""


def prepare(order: Order) -> PreparedRestore:
    """Copied, opened, proven and tried out. BackupError: it cannot be opened; nothing of it is kept."""
    state_dir = Path(order.state_dir)
    folder = state_dir / RESTORE
    make_folder(folder)
    wishing.clear(state_dir)
    try:
        _copy(Path(order.path), folder, Path(order.source.removeprefix("upload:")).name)
        key = _Remembering(order.passphrase) if order.passphrase else _own(state_dir)
        with (folder / COPY).open("rb") as file, opened(file, key, "the backup") as backup:
            found = _prepared(order, backup, folder)
        if found.refused:
            wishing.clear(state_dir)
        else:
            derived = key.found if isinstance(key, _Remembering) else key
            passphrase.store(folder, derived)
        write_file(folder / PREPARED, msgspec.json.encode(found))
    except OSError as error:
        wishing.clear(state_dir)
        raise BackupError(f"{error.filename or folder}: {error.strerror}: nothing was changed") from None
    except BaseException:
        wishing.clear(state_dir)
        raise
    return found


class _Remembering:
    """Opens with a passphrase, and keeps what opened it."""

    def __init__(self, words: str) -> None:
        self._words, self.found = words, DerivedWrapper(b"", b"")

    def wrap(self, key: bytes) -> Wrapped:
        raise NotImplementedError                 # it only opens

    def unwrap(self, wrapped: Wrapped) -> bytes:
        self.found = PassphraseWrapper(self._words).derived(wrapped)
        return self.found.unwrap(wrapped)


def _own(state_dir: Path) -> DerivedWrapper:
    if (key := passphrase.kept(state_dir / FOLDER)) is None:
        raise BackupError("this box has no key of its own backups: give the passphrase")
    return key


def _copy(path: Path, folder: Path, name: str) -> None:
    """On the box's own disk, where it is at the next start, too."""
    part = folder / f"{COPY}.part"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BackupError(f"{name}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as source, part.open("xb") as to:
        octets = os.fstat(descriptor).st_size
        if octets > MOST_OCTETS:
            raise BackupError(f"{name}: has {octets >> 20} MiB: more than {MOST_OCTETS >> 20} are "
                              "restored at the console only")
        _room(folder, octets, "to look at it")
        os.fchmod(to.fileno(), 0o600)
        shutil.copyfileobj(source, to, COPY_OCTETS)
        to.flush()
        os.fsync(to.fileno())
    part.replace(folder / COPY)


def _room(folder: Path, octets: int, what: str) -> None:
    if (free := shutil.disk_usage(folder).free) < octets + SPARE_OCTETS:
        raise BackupError(f"{free >> 20} MiB of the disk are free, {octets + SPARE_OCTETS >> 20} are needed "
                          f"{what}: free space")


def _prepared(order: Order, backup: Backup, folder: Path) -> PreparedRestore:
    manifest, document = backup.manifest, Path(order.document)
    _room(folder, manifest.octets, "to restore it")
    with tempfile.TemporaryDirectory(prefix=TRIAL, dir=folder) as name:
        wrong = [f"{one.subject}: {one.text}" for one in trial(backup, Path(name)) if not one.good]
        keys, unknown = _keys(document, Path(name) / CONFIG / manifest.document)
    return PreparedRestore(
        token=uuid.uuid4().hex, prepared_at=time.time(), source=order.source, box=manifest.box,
        version=manifest.version, at=manifest.at, octets=manifest.octets, own=manifest.box == order.box,
        trial=wrong, refused=_refused(manifest, document, wrong),
        counts=[*_counts(manifest, Path(order.state_dir), manifest.box == order.box)], keys=keys,
        keys_unknown=unknown, audio=manifest.audio.count,
        elsewhere=sum(one.name.startswith(f"{ELSEWHERE}/") for one in manifest.files),
        left_out=manifest.left_out)


def _refused(manifest: Manifest, document: Path, wrong: list[str]) -> str:
    ours, theirs = _number(version("branchline")), _number(manifest.version)
    if not theirs or theirs > ours:
        return (f"it was made by Branchline {manifest.version}, this box has {version('branchline')}: update "
                "the box first")
    if wrong:
        return "its trial was not good: restore an earlier one"
    if manifest.document != document.name:
        return f"its configuration is called {manifest.document}, this box's {document.name}"
    return ""


def _number(text: str) -> tuple[int, ...]:
    """(): it is no version that anybody knows."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", text)
    return tuple(int(one) for one in found[0].split(".")) if found else ()


def _counts(manifest: Manifest, state_dir: Path, own: bool) -> Iterator[RestoreCount]:
    held = {one.name: one.rows for one in manifest.files}
    for what, file, table, every, later in _COUNTED:
        there = held.get(f"{STATE}/{file}", {}).get(table, 0)
        now, since = _rows(state_dir / file, every, later if own else "", manifest.at)
        yield RestoreCount(what, now, there, since)


def _rows(path: Path, every: str, later: str, at: float) -> tuple[int, int]:
    """All, and those of after `at`; -1: nobody can say."""
    if not path.exists():
        return 0, 0
    try:
        with closing(read_only(path)) as base:
            total = int(base.execute(every).fetchone()[0])
            return total, int(base.execute(later, (at,)).fetchone()[0]) if later else -1
    except sqlite3.Error:                         # it has no such table yet
        return 0, -1


def _keys(ours: Path, theirs: Path) -> tuple[list[str], str]:
    """Names of what differs; no values, which may be secret. Files are looked for in the same folder."""
    try:
        return changes(load(ours), load(ours, theirs.read_text(encoding="utf-8"))), ""
    except (ConfigError, OSError, UnicodeDecodeError) as error:
        return [], str(error).splitlines()[0]


def main() -> int:
    os.umask(UMASK)
    try:
        prepare(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))
    except BranchlineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
