"""A restore that somebody wishes, in the state folder's `restore`, and the start of the box that fulfils it.

What is restored lies there: the sealed file and the key that opens it, never a passphrase. Both are boxd's
alone, and go as soon as the wish is over. The wish goes last: after a cut the next start goes on. What went
wrong before anything was changed, of whatever kind, leaves the box as it was and lets it start.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from os.path import lexists
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from appliance.box.backup import passphrase, restoring
from appliance.box.backup.contents import REPLACED, RESTORE, RESTORED, RESTORING
from appliance.box.backup.durable import open_file, sync_folder, write_file
from appliance.box.backup.format import BackupError, Manifest
from appliance.box.backup.opening import opened
from appliance.box.backup.restoring import UNDO, UNDO_NEXT, Plan
from appliance.bus.messages import PreparedRestore, RestoreAct, RestoreOutcome
from appliance.errors import BranchlineError

WISH, PREPARED, COPY = "wish", "prepared.json", "backup"             # in RESTORE
BEGUN = "begun.json"
TRIAL = "trial"                                   # beginning of a folder's name
MOST_BEGUN = 3                                    # of one wish, each cut off: it is given up
MOST_OCTETS = 64 << 20                            # of what is read here
STAMP = "%Y%m%d-%H%M%S"

log = logging.getLogger(__name__)

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
    apart: bool = False                           # recordings had a disk of their own


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """How often a wish was begun, which has not been fulfilled yet."""

    id: str
    times: int


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What was done last, by which wish. A later one that is refused leaves it as it is. What has a value
    here was not kept by every version.
    """

    id: str
    plan: Plan
    done_at: float = 0.0                          # 0.0: not said, see _when_done
    box: str = ""
    version: str = ""
    backup_at: float = 0.0
    config: bool = True
    older: list[str] = []                         # folders that restores before it put aside


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
    if found is None or not any(path.is_dir() for path in restoring.asides(found.plan)):
        return None
    return _when_done(state_dir, found)


def aside_since(state_dir: Path) -> float:
    """When the last of what is still aside was put there; 0.0: nothing is."""
    found = _read(state_dir / RESTORE / UNDO, Undo)
    if found is None or not any(path.is_dir() for path in _put_aside(found)):
        return 0.0
    return _when_done(state_dir, found).done_at


def clear(state_dir: Path) -> None:
    """What was prepared goes, the key first. OSError."""
    folder = state_dir / RESTORE
    there = [folder / name for name in (passphrase.FILE, COPY, f"{COPY}.part", PREPARED, BEGUN, UNDO_NEXT)
             if lexists(folder / name)]
    for path in there:
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{TRIAL}*"):         # of a look that was ended in the midst of it
        shutil.rmtree(path, ignore_errors=True)
    if there:
        sync_folder(folder)


def forget(state_dir: Path) -> None:
    """What the last one put aside, and those before it, is removed for good. OSError."""
    if (last := _undo(state_dir)) is not None:
        for folder in _put_aside(last):
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
            restoring.finish(state_dir, lambda _: _given(give_back))
        elif (state_dir / RESTORING).is_symlink():
            (state_dir / RESTORING).unlink()
        else:
            shutil.rmtree(state_dir / RESTORING)
    if not wished(state_dir):
        return None
    wish = _read(state_dir / RESTORE / WISH, Wish)
    if wish is None:                              # of a version that knows other ones
        (state_dir / RESTORE / WISH).unlink()
        clear(state_dir)
        return None
    settled: list[RestoreOutcome] = []

    def settle(asides: list[str], error: str = "") -> None:
        """It is known what came of it: said, and everything is whose it is, before a plan is over."""
        found = RestoreOutcome(
            id=wish.id, act=wish.act, at=wish.at, done_at=_done(state_dir, wish), by=wish.by,
            address=wish.address, why=wish.why, box=wish.box, version=wish.version,
            backup_at=wish.backup_at, config=wish.config, error=error, asides=asides)
        settled.append(found)
        with suppress(OSError):                   # a full disk keeps no box from starting
            write_file(state_dir / RESTORED, msgspec.json.encode(found))
        _given(give_back)
    error, asides = "", list[str]()
    try:
        with restoring.idle(state_dir):
            asides = _act(state_dir, document, wish, note, lambda plan: settle(plan.aside))
    except BackupError as no:
        if restoring.pending(state_dir):
            raise
        error = str(no)
    except Exception as no:                       # whatever a file has that no trial found
        log.exception("a restore")
        text = (f"{no.filename or state_dir}: {no.strerror}" if isinstance(no, OSError) else
                f"{type(no).__name__}: {no}")
        if restoring.pending(state_dir):
            raise BackupError(f"{text}: the restore is not over") from None
        error = f"{text}: nothing was changed"
    if not settled:                               # refused, or done before a cut
        settle(asides, error)
    clear(state_dir)
    with suppress(OSError):                       # of a restore that was refused
        shutil.rmtree(state_dir / RESTORING)
    (state_dir / RESTORE / WISH).unlink()
    sync_folder(state_dir / RESTORE)
    return settled[-1]


def _act(state_dir: Path, document: Path, wish: Wish, note: Note, settle: Callable[[Plan], None]
         ) -> list[str]:
    """Each step may have been done before a cut."""
    folder = state_dir / RESTORE
    last, stamp = _undo(state_dir), time.strftime(STAMP, time.localtime(wish.at))

    def decide(plan: Plan) -> None:
        write_file(folder / UNDO_NEXT, msgspec.json.encode(Undo(
            id=wish.id, plan=plan, box=wish.box, version=wish.version, backup_at=wish.backup_at,
            config=wish.config, older=[] if last is None else [str(path) for path in _put_aside(last)])))

    if last is not None and last.id == wish.id:   # it becomes the last one when all has its place
        return last.plan.aside
    _count(folder, wish)
    if wish.apart and not restoring.apart(state_dir):
        raise BackupError(f"{state_dir / 'recordings'}: its disk is not there: nothing was changed")
    if wish.act == "take-back":
        if last is None:
            raise BackupError("what was there before is not kept any more: nothing was changed")
        plan = restoring.back(last.plan, stamp)
        decide(plan)
        return restoring.take_back(plan, state_dir, settle)
    if (key := passphrase.kept(folder)) is None:
        raise BackupError("the key of the backup is gone: nothing was changed")
    with os.fdopen(open_file(folder / COPY), "rb") as file, opened(file, key, COPY) as backup:
        return restoring.restore(
            backup, state_dir, document.parent if wish.config else None, stamp, True,
            lambda catalogue: note(backup.manifest, catalogue, wish.by), decide, settle)


def _done(state_dir: Path, wish: Wish) -> float:
    """Now, when nothing was done; of what was done when all had its place, though a cut came after that."""
    last, now = _undo(state_dir), time.time()
    if last is None or last.id != wish.id:
        return now
    if not last.done_at:
        with suppress(OSError):                   # what came of the wish says it, too
            write_file(state_dir / RESTORE / UNDO, msgspec.json.encode(replace(last, done_at=now)))
    return last.done_at or now


def _when_done(state_dir: Path, last: Undo) -> Undo:
    """A version that kept less, or a full disk, left it to what came of the wish; else the file's time."""
    if last.done_at:
        return last
    said = outcome(state_dir)
    if said is not None and said.id == last.id and not said.error:
        return replace(last, done_at=said.done_at, box=said.box, version=said.version,
                       backup_at=said.backup_at, config=said.config)
    with suppress(OSError):
        return replace(last, done_at=(state_dir / RESTORE / UNDO).stat().st_mtime)
    return last


def _put_aside(last: Undo) -> list[Path]:
    """The folders of the last one, and of those before. What it took back went out of theirs."""
    return sorted({*restoring.asides(last.plan), *map(Path, last.older)})


def _count(folder: Path, wish: Wish) -> None:
    """A backup that brings the box down each time must not do so for ever."""
    begun = _read(folder / BEGUN, Begun) if _ours(folder / BEGUN) else None
    times = begun.times if begun is not None and begun.id == wish.id else 0
    if times >= MOST_BEGUN:
        raise BackupError(f"it was begun {times} times and cut off each time: nothing was changed")
    write_file(folder / BEGUN, msgspec.json.encode(Begun(id=wish.id, times=times + 1)))


def _given(give_back: Callable[[], None]) -> None:
    """A box with a file that is not its daemon's is better than none."""
    try:
        give_back()
    except BranchlineError as error:
        log.error("%s", error)


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
        with os.fdopen(open_file(path), "rb") as file:
            return msgspec.json.decode(file.read(MOST_OCTETS), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
