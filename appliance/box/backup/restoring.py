"""A backup becomes a box again: all of it or nothing, over a power cut at any point.

Everything is unpacked beside its place and proven first. Then a plan is written, which is the decision: what
is there goes aside, what was unpacked takes its place, move by move; a second start goes on with the plan.
"""

import contextlib
import fcntl
import os
import re
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import lexists
from pathlib import Path

import msgspec

from appliance.box.backup.contents import REPLACED, RESTORE, RESTORING, STAMPED, strange
from appliance.box.backup.durable import make_folder, move, open_file, sync_folder, write_file
from appliance.box.backup.format import CONFIG, ELSEWHERE, STATE, BackupError, Manifest
from appliance.box.backup.opening import Backup
from appliance.box.backup.place import nearest

PLAN = "plan.json"
UNDO, UNDO_NEXT = "undo.json", "undo.next"        # in RESTORE: of the last one, of the one that is being done
SPARE_OCTETS = 64 * 1024 * 1024
_STAGED = ".branchline-restoring"                 # in the configuration's folder
_RECORDINGS, _KEYS = "recordings", "keys"
_DATABASE_ALSO = ("-wal", "-shm", "-journal")     # SQLite's, of a file that goes: they must not meet another
_NOT_OVER = ("the restore is not over, and no box starts before it is: mend that and run the same command "
             "again, which goes on")


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What is at `to` goes to `aside`, then `new` to `to`. new "": nothing takes its place."""

    new: str
    to: str
    aside: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    moves: list[Move]
    cleared: list[str]                            # folders that go at the end
    aside: list[str]                              # where things were put, that were there
    made: bool = True                             # what takes a place was unpacked: root's, when root did it


Settle = Callable[[Plan], None]


def _nothing(plan: Plan) -> None: ...


def pending(state_dir: Path) -> bool:
    """A restore was cut off there: no box may start before it was finished."""
    return (state_dir / RESTORING / PLAN).exists()


def finish(state_dir: Path, settle: Settle = _nothing) -> list[str]:
    """Carry a restore through that was cut off; folders with what was put aside."""
    try:
        plan = msgspec.json.decode((state_dir / RESTORING / PLAN).read_bytes(), type=Plan)
        _refuse_missing(plan)
        _carry_out(plan, state_dir, settle)
    except (OSError, msgspec.MsgspecError) as error:
        raise _cannot(state_dir, error) from None
    return plan.aside


def restore(backup: Backup, state_dir: Path, config_dir: Path | None, stamp: str, replace: bool,
            note: Callable[[Path], None] = lambda _: None,
            decide: Settle = _nothing, settle: Settle = _nothing) -> list[str]:
    """Put everything in its place; folders with what was put aside. BackupError: nothing was changed.

    Recordings that are in the state folder stay; keys that are there stay beside those of the backup. `note`
    is given the folder of the catalogue and the keys, before it takes its place; `decide` the plan, before it
    is one; `settle` the same when all has its place, before it is over.
    """
    tops = _tops(state_dir, config_dir, f"{REPLACED}{stamp}")
    try:
        make_folder(state_dir, 0o750)
        _refuse_links(top.scratch for top in tops.values())
        _refuse_existing(backup.manifest, tops, replace)
        _refuse_full(backup.manifest, tops)
        _clear(tops)
        for top in tops.values():
            make_folder(top.staged)
        backup.unpack(lambda name: None if strange(name) else _below(tops, name, staged=True))
        _keep_keys(state_dir, tops)
        if (catalogue := _below(tops, f"{STATE}/{_RECORDINGS}/x", staged=True)) is not None:
            note(catalogue.parent)
        moves = [one for top in tops.values() for one in _moves(top.staged, top.folder, top.aside)]
        _refuse_links(_paths(moves))
        _refuse_crossing(moves)
        plan = Plan(moves=moves, cleared=[str(top.scratch) for top in tops.values()],
                    aside=sorted({str(top.aside) for top in tops.values() for one in moves
                                  if Path(one.aside).is_relative_to(top.aside) and Path(one.to).exists()}))
        (state_dir / RESTORE / UNDO_NEXT).unlink(missing_ok=True)    # of a plan that came to nothing
        decide(plan)
        write_file(state_dir / RESTORING / PLAN, msgspec.json.encode(plan))
    except OSError as error:
        with contextlib.suppress(OSError):
            _clear(tops)
        raise BackupError(f"{error.filename or state_dir}: {error.strerror}: nothing was changed") from None
    except BaseException:
        _clear(tops)
        raise
    try:
        _carry_out(plan, state_dir, settle)
    except OSError as error:
        raise _cannot(state_dir, error) from None
    return plan.aside


def back(plan: Plan, stamp: str) -> Plan:
    """What undoes it: what it put aside takes its place again, and what is there goes aside. BackupError."""
    moves, asides = list[Move](), set[str]()
    for one in plan.moves:
        if (folder := _folder_of(one.aside, one.to)) is None:
            raise BackupError(f"{one.aside}: is no place of what was put aside: nothing was changed")
        now = folder.with_name(f"{REPLACED}{stamp}")
        moves.append(Move(new=one.aside if lexists(one.aside) else "", to=one.to,
                          aside=str(now / Path(one.aside).relative_to(folder))))
        if Path(one.to).exists():
            asides.add(str(now))
    return Plan(moves=moves, cleared=[], made=False, aside=sorted(asides))


def take_back(plan: Plan, state_dir: Path, settle: Settle = _nothing) -> list[str]:
    """Carry out what back() gave; keys that were made meanwhile stay. BackupError."""
    try:
        _refuse_links(_paths(plan.moves))
        for one in plan.moves:
            if one.new and Path(one.to).name == _KEYS and Path(one.to).parent.name == _RECORDINGS:
                for path in sorted(Path(one.to).glob("[0-9]*.key")):
                    _keep_key(path, Path(one.new) / path.name)
        write_file(state_dir / RESTORING / PLAN, msgspec.json.encode(plan))
    except OSError as error:
        raise BackupError(f"{error.filename or state_dir}: {error.strerror}: nothing was changed") from None
    try:
        _carry_out(plan, state_dir, settle)
    except OSError as error:
        raise _cannot(state_dir, error) from None
    return plan.aside


def apart(state_dir: Path) -> bool:
    """Recordings have a disk of their own, and it is there."""
    recordings = state_dir / _RECORDINGS
    return recordings.is_dir() and recordings.stat().st_dev != state_dir.stat().st_dev


def asides(plan: Plan) -> list[Path]:
    """The folders that everything which went aside lies in."""
    found = (_folder_of(one.aside, one.to) for one in plan.moves)
    return sorted({folder for folder in found if folder is not None})


def _folder_of(aside: str, to: str) -> Path | None:
    """What was put aside lies as it did, in one folder more: files may be called as that folder is."""
    parts, before = Path(aside).parts, Path(to).parts
    for at, name in enumerate(parts[:-1]):
        if re.fullmatch(STAMPED, name) and parts[:at] + parts[at + 1:] == before:
            return Path(*parts[:at + 1])
    return None


@contextmanager
def idle(state_dir: Path) -> Iterator[None]:
    """Nobody has one of the folder's databases open. BackupError names it."""
    with contextlib.ExitStack() as held:
        for path in [*state_dir.glob("*.sqlite.lock"), *state_dir.glob("recordings/*.sqlite.lock")]:
            if path.is_symlink() or not path.is_file():              # no lock of a database that we made
                continue
            file = held.enter_context(os.fdopen(open_file(path), "rb"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"{path.with_suffix('')}: a box has it open: stop it first") from None
        yield


@dataclass(frozen=True, slots=True)
class _Top:
    """Where one part of a backup goes. All four are on one file system."""

    folder: Path
    scratch: Path                                 # goes at the end
    staged: Path                                  # in it
    aside: Path


def _tops(state_dir: Path, config_dir: Path | None, aside: str) -> dict[str, _Top]:
    """By the beginning of names, the longest first."""
    found = {STATE: _top(state_dir, RESTORING, aside)}
    recordings = state_dir / _RECORDINGS
    if apart(state_dir):
        found = {f"{STATE}/{_RECORDINGS}": _top(recordings, RESTORING, aside), **found}
    if config_dir is not None:
        top = _top(config_dir, _STAGED, aside)
        found[CONFIG] = replace(top, staged=top.staged / CONFIG)
        found[ELSEWHERE] = _Top(config_dir / ELSEWHERE, top.scratch, top.staged / ELSEWHERE,
                                top.aside / ELSEWHERE)
    return found


def _top(folder: Path, scratch: str, aside: str) -> _Top:
    return _Top(folder, folder / scratch, folder / scratch / "new", folder / aside)


def _below(tops: dict[str, _Top], name: str, staged: bool = False) -> Path | None:
    for beginning, top in tops.items():
        if name.startswith(beginning + "/"):
            return (top.staged if staged else top.folder) / name.removeprefix(beginning + "/")
    return None


def _refuse_existing(manifest: Manifest, tops: dict[str, _Top], replace: bool) -> None:
    for one in manifest.files:
        path = _below(tops, one.name)
        if path is not None and path.exists() and not replace and not strange(one.name):
            raise BackupError(f"{path}: is there already: name an empty folder, or give --replace, which "
                              "puts it aside")


def _refuse_full(manifest: Manifest, tops: dict[str, _Top]) -> None:
    needed = Counter({top.folder: 0 for top in tops.values()})
    for name, octets in [*((one.name, one.octets) for one in manifest.files),
                         (f"{STATE}/{_RECORDINGS}/audio", manifest.audio.octets)]:
        if (path := _below(tops, name)) is not None:
            needed[next(top.folder for top in tops.values() if path.is_relative_to(top.folder))] += octets
    for folder, octets in needed.items():
        wanted, free = octets + SPARE_OCTETS, shutil.disk_usage(nearest(folder)).free
        if free < wanted:
            raise BackupError(f"{folder}: {free >> 20} MiB are free, {wanted >> 20} are needed: free space")


def _refuse_links(paths: Iterable[Path]) -> None:
    """Daemons may make links in their folders: root would follow them anywhere."""
    for path in sorted({above for one in paths for above in one.parents}):
        if path.is_symlink() and path.lstat().st_uid not in (0, os.geteuid()):
            raise BackupError(f"{path}: is a link that another user made: remove it: nothing was changed")


def _paths(moves: list[Move]) -> list[Path]:
    return [Path(name) for one in moves for name in (one.new, one.to, one.aside) if name]


def _refuse_missing(plan: Plan) -> None:
    """As long as a plan is pending, its folders are there and so is what it moves, before or after it was."""
    away = [*(name for name in plan.cleared if not lexists(name)),
            *(one.to for one in plan.moves if one.new and not lexists(one.new) and not lexists(one.to))]
    if away:
        raise BackupError(f"{away[0]}: is not there, its disk may be missing: {_NOT_OVER}")


def _refuse_crossing(moves: list[Move]) -> None:
    """What was unpacked takes its place by its name alone."""
    for one in moves:
        if one.new and Path(one.new).stat().st_dev != nearest(Path(one.to).parent).stat().st_dev:
            raise BackupError(f"{one.to}: is on another file system than the folder above it: unmount it, "
                              "restore, and copy what is there over")


def _keep_keys(state_dir: Path, tops: dict[str, _Top]) -> None:
    """The box may have made keys since the backup: what they sealed opens on."""
    for path in sorted((state_dir / _RECORDINGS / _KEYS).glob("[0-9]*.key")):
        to = _below(tops, f"{STATE}/{_RECORDINGS}/{_KEYS}/{path.name}", staged=True)
        if to is not None:
            _keep_key(path, to)


def _keep_key(path: Path, to: Path) -> None:
    """Unless it is there, or is no ordinary file."""
    if not to.exists() and not path.is_symlink() and path.is_file():
        with os.fdopen(open_file(path), "rb") as file:
            write_file(to, file.read())


def _moves(staged: Path, top: Path, aside: Path) -> Iterator[Move]:
    """Whole folders where nothing else may be in them; what stays in the state folder is left alone."""
    for path in sorted(staged.iterdir()):
        name = path.name
        if path.is_dir() and (top / name).is_dir() and name != _KEYS:
            yield from _moves(path, top / name, aside / name)
            continue
        yield Move(new=str(path), to=str(top / name), aside=str(aside / name))
        if path.suffix == ".sqlite":
            for also in _DATABASE_ALSO:
                yield Move(new="", to=str(top / (name + also)), aside=str(aside / (name + also)))


def _carry_out(plan: Plan, state_dir: Path, settle: Settle) -> None:
    """Each step may have been done already. First all go aside: no old journal meets a new database."""
    for one in plan.moves:
        to, aside = Path(one.to), Path(one.aside)
        if lexists(to) and (not one.new or lexists(one.new)) and not lexists(aside):
            make_folder(aside.parent)
            move(to, aside)
    for one in plan.moves:
        if one.new and lexists(one.new):
            make_folder(Path(one.to).parent, 0o750)
            move(Path(one.new), Path(one.to))
    if plan.made and os.geteuid() == 0:
        _give(plan, state_dir)
    if lexists(following := state_dir / RESTORE / UNDO_NEXT):
        move(following, state_dir / RESTORE / UNDO)
    settle(plan)
    if not plan.made:
        _remove_empty(plan)
    # The plan goes first: without it what is left is rubbish, with it a restore that is not over.
    (state_dir / RESTORING / PLAN).unlink()
    sync_folder(state_dir / RESTORING)
    for folder in plan.cleared:
        shutil.rmtree(folder, ignore_errors=True)


def _clear(tops: dict[str, _Top]) -> None:
    for top in tops.values():
        if top.scratch.exists():
            shutil.rmtree(top.scratch)


def _remove_empty(plan: Plan) -> None:
    """Folders that were put aside, and that nothing is left in."""
    for one in plan.moves:
        folder = _folder_of(one.new, one.to) if one.new else None
        for above in Path(one.new).parents if folder is not None else ():
            with contextlib.suppress(OSError):    # something is
                above.rmdir()
            if above == folder:
                break


def _give(plan: Plan, state_dir: Path) -> None:
    """What was unpacked belongs to whom that belonged which it takes the place of, else to whom the folder
    above does. New folders are as open as that; those of the state folder are their owner's.
    """
    for one in plan.moves:
        top = Path(one.to)
        if not one.new or top.is_symlink() or not top.exists():
            continue
        for path in [top, *sorted(top.rglob("*"))]:
            was = Path(one.aside) / path.relative_to(top)
            known = was.exists() and not was.is_symlink()
            like = (was if known else path.parent).stat()
            os.chown(path, like.st_uid, like.st_gid, follow_symlinks=False)
            if path.is_dir() and not path.is_symlink() and (known or not path.is_relative_to(state_dir)):
                path.chmod(stat.S_IMODE(like.st_mode))


def _cannot(state_dir: Path, error: Exception) -> BackupError:
    why = error.strerror if isinstance(error, OSError) else f"the plan cannot be read ({error})"
    where = error.filename if isinstance(error, OSError) and error.filename else state_dir
    return BackupError(f"{where}: {why}: {_NOT_OVER}")
