"""A boot erases the data partition: keys first, then all else, the wish last. After a cut the next goes on.

What is sealed is lost with its keys, so minutes of deleting are not what secrecy hangs on. Flash keeps old
copies of what is overwritten; discarding the freed blocks is what tells it to let them go.
"""

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.box.backup.durable import sync_folder, write_file
from appliance.box.programs import Run, run
from appliance.box.reset.wish import AUDIT, DATA, FLAG, asked
from appliance.errors import Unavailable

KEYS = (                                          # in this order; a name may be a file
    "branchline/state/recordings/keys", "branchline/state/backup", "branchline/config", "ssh", "provision",
    "branchline/state/session-key", "branchline/state/tls", "branchline/state/ssh")
STAYS = {FLAG, AUDIT, "lost+found"}
MOST_AUDIT_LINES = 100
OVERWRITE_OCTETS = 1 << 20                        # at a time
DISCARD_S = 600.0


def erase(data: Path, run: Run = run) -> bool:
    """False: nobody wishes it. OSError: a disk that refuses; the next boot tries again."""
    wish = asked(data)
    if wish is None:
        return False
    for name in KEYS:
        for path in list(_files(data / name)):
            _overwrite(path)
    for path in _everything(data):
        _remove(path)
    sync_folder(data)
    if wish.audit and wish.at not in _audited(data):
        lines = [*_lines(data), json.dumps({"at": wish.at, "source": wish.source, "erased_at": time.time()})]
        write_file(data / AUDIT, "".join(f"{line}\n" for line in lines[-MOST_AUDIT_LINES:]).encode())
    elif not wish.audit:
        (data / AUDIT).unlink(missing_ok=True)
    try:
        run(["fstrim", str(data)], DISCARD_S)
    except Unavailable as error:
        print(f"discard: {error}", file=sys.stderr)
    (data / FLAG).unlink()
    sync_folder(data)
    return True


def _files(path: Path) -> Iterator[Path]:
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISREG(kind):
        yield path
    elif stat.S_ISDIR(kind):
        for inner in sorted(path.iterdir()):
            yield from _files(inner)


def _overwrite(path: Path) -> None:
    """Its octets on the disk are noughts; then it is gone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        left = os.fstat(descriptor).st_size
        while left > 0:
            left -= os.write(descriptor, bytes(min(left, OVERWRITE_OCTETS)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(path.parent)


def _everything(data: Path) -> Iterator[Path]:
    """What goes, a folder after what is in it; never across to another file system."""
    for path in sorted(data.iterdir()):
        if path.name not in STAYS:
            yield from _below(path, data.stat().st_dev)


def _below(path: Path, device: int) -> Iterator[Path]:
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        if found.st_dev != device:
            return
        for inner in sorted(path.iterdir()):
            yield from _below(inner, device)
    yield path


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()


def _lines(data: Path) -> list[str]:
    try:
        return (data / AUDIT).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _audited(data: Path) -> set[float]:
    """The wishes that have their line: a cut after it adds none."""
    found = set()
    for line in _lines(data):
        try:
            found.add(float(json.loads(line)["at"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def main() -> int:
    """Of branchline-factory-reset.service."""
    print("the box is as it came from the factory" if erase(Path("/") / DATA) else "no reset is wished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
