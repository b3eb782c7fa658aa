"""A restore that somebody wishes, in the state folder's `restore`, and the start of the box that fulfils it.

What is restored lies there: the sealed file and the key that opens it, never a passphrase. Both are boxd's
alone, and go as soon as the wish is over. The wish goes last: after a cut the next start goes on.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.box.backup import passphrase, restoring
from appliance.box.backup.contents import REPLACED, RESTORE, RESTORED, RESTORING
from appliance.box.backup.durable import sync_folder, write_file
from appliance.box.backup.format import BackupError, Manifest
from appliance.box.backup.opening import opened
from appliance.box.backup.restoring import Plan
from appliance.bus.messages import PreparedRestore, RestoreAct, RestoreOutcome

WISH, PREPARED, COPY, UNDO = "wish", "prepared.json", "backup", "undo.json"        # in RESTORE
STAMP = "%Y%m%d-%H%M%S"

T = TypeVar("T")
Note = Callable[[Manifest, Path, str], None]      # the backup's, the folder of the catalogue, by whom


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    act: RestoreAct
    at: float
    by: str
    address: str
    why: str
    box: str
    version: str
    backup_at: float
    config: bool = True


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What was done last, by which wish."""

    id: str
    plan: Plan


def ask(state_dir: Path, wish: Wish) -> None:
    """Durable on return: the box's next start fulfils it. OSError: the disk."""
    write_file(state_dir / RESTORE / WISH, msgspec.json.encode(wish))


def withdraw(state_dir: Path) -> None:
    """Nobody wishes it any more. OSError."""
    (state_dir / RESTORE / WISH).unlink(missing_ok=True)
    if (state_dir / RESTORE).is_dir():
        sync_folder(state_dir / RESTORE)


def wished(state_dir: Path) -> bool:
    return (state_dir / RESTORE / WISH).exists()


def prepared(state_dir: Path) -> PreparedRestore | None:
    return _read(state_dir / RESTORE / PREPARED, PreparedRestore)


def outcome(state_dir: Path) -> RestoreOutcome | None:
    """Of the last wish."""
    return _read(state_dir / RESTORED, RestoreOutcome)


def undo(state_dir: Path) -> Undo | None:
    """None: there is nothing that could be taken back."""
    found = _read(state_dir / RESTORE / UNDO, Undo)
    return found if found and any(path.is_dir() for path in restoring.asides(found.plan)) else None


def clear(state_dir: Path) -> None:
    """What was prepared goes, the key first. OSError."""
    folder = state_dir / RESTORE
    for name in (passphrase.FILE, COPY, f"{COPY}.part", PREPARED):
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir():
        shutil.rmtree(folder / "trial", ignore_errors=True)
        sync_folder(folder)


def forget(state_dir: Path) -> None:
    """What the last one put aside is removed for good. OSError."""
    if (last := _undo(state_dir)) is not None:
        for folder in restoring.asides(last.plan):
            if folder.name.startswith(REPLACED) and folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder)
    (state_dir / RESTORE / UNDO).unlink(missing_ok=True)


def fulfil(state_dir: Path, document: Path, note: Note, give_back: Callable[[], None]
           ) -> RestoreOutcome | None:
    """Before any daemon of the box is started; None: nobody wishes it. BackupError: a restore is not over,
    and no daemon may start. What went wrong before anything was changed is in the outcome.
    """
    if restoring.pending(state_dir):
        if _ours(state_dir / RESTORING) and _ours(state_dir / RESTORING / restoring.PLAN):
            restoring.finish(state_dir)
            give_back()
        else:
            shutil.rmtree(state_dir / RESTORING)
    if not wished(state_dir):
        return None
    wish = _read(state_dir / RESTORE / WISH, Wish)
    if wish is None:                              # of a version that knows other ones
        (state_dir / RESTORE / WISH).unlink()
        clear(state_dir)
        return None
    error, asides = "", list[str]()
    try:
        with restoring.idle(state_dir):
            asides = _act(state_dir, document, wish, note)
    except BackupError as no:
        if restoring.pending(state_dir):
            raise
        error = str(no)
    except OSError as no:
        if restoring.pending(state_dir):
            raise BackupError(f"{no.filename or state_dir}: {no.strerror}: the restore is not over") from None
        error = f"{no.filename or state_dir}: {no.strerror}: nothing was changed"
    if not error:
        _give_config(state_dir, document.parent)
    found = RestoreOutcome(
        id=wish.id, act=wish.act, at=wish.at, done_at=time.time(), by=wish.by, address=wish.address,
        why=wish.why, box=wish.box, version=wish.version, backup_at=wish.backup_at, config=wish.config,
        error=error, asides=asides)
    with suppress(OSError):                       # a full disk keeps no box from starting
        write_file(state_dir / RESTORED, msgspec.json.encode(found))
    give_back()
    clear(state_dir)
    with suppress(OSError):                       # of a restore that was refused
        shutil.rmtree(state_dir / RESTORING)
    (state_dir / RESTORE / WISH).unlink()
    sync_folder(state_dir / RESTORE)
    return found


def _act(state_dir: Path, document: Path, wish: Wish, note: Note) -> list[str]:
    """Each step may have been done before a cut."""
    folder = state_dir / RESTORE
    last, stamp = _undo(state_dir), time.strftime(STAMP, time.localtime(wish.at))

    def decide(plan: Plan) -> None:
        write_file(folder / UNDO, msgspec.json.encode(Undo(id=wish.id, plan=plan)))

    if last is not None and last.id == wish.id and restoring.done(last.plan):
        return last.plan.aside
    if wish.act == "take-back":
        if last is None:
            raise BackupError("what was there before is not kept any more: nothing was changed")
        plan = last.plan
        if last.id != wish.id:
            plan = restoring.back(last.plan, stamp)
            decide(plan)
        return restoring.take_back(plan, state_dir)
    if (key := passphrase.kept(folder)) is None:
        raise BackupError("the key of the backup is gone: nothing was changed")
    descriptor = os.open(folder / COPY, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file, opened(file, key, COPY) as backup:
        return restoring.restore(
            backup, state_dir, document.parent if wish.config else None, stamp, True,
            lambda catalogue: note(backup.manifest, catalogue, wish.by), decide)


def _give_config(state_dir: Path, folder: Path) -> None:
    """What root made in the configuration's folder belongs to whom the folder above it does."""
    last = _undo(state_dir)
    if last is None or os.geteuid() != 0:
        return
    for one in last.plan.moves:
        top = Path(one.to)
        if not top.is_relative_to(folder) or top.is_symlink() or not top.exists():
            continue
        for path in [top, *sorted(top.rglob("*"))]:
            above = path.parent.stat()
            os.chown(path, above.st_uid, above.st_gid, follow_symlinks=False)


def _undo(state_dir: Path) -> Undo | None:
    """What moves files as root must be root's own."""
    path = state_dir / RESTORE / UNDO
    return _read(path, Undo) if _ours(path) else None


def _ours(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False


def _read(path: Path, kind: type[T]) -> T | None:
    """None: it is not there, or of another version."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
