"""What takes how much of the file system that the state folder is on. It blocks; it follows no link."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.bus.messages.storage import Use
from appliance.store import EVENTS_FILE, LOGS_FOLDER, TRACES_FILE

MOST_FILES = 500_000                              # that are looked at: then it is told as far as it was seen
BLOCK_OCTETS = 512                                # of st_blocks

PARTS: dict[Use, tuple[str, ...]] = {             # in the state folder; a name with * is a beginning
    "recordings": ("recordings",), "events": (f"{EVENTS_FILE}*",), "traces": (f"{TRACES_FILE}*",),
    "backup": ("backup", "replaced-*"), "updates": ("uploads",), "support": ("support", "saved"),
    "logs": (LOGS_FOLDER,)}
BUNDLES = Path("/data/update")                    # of an installed box


@dataclass(frozen=True, slots=True)
class Disk:
    total: int
    free: int                                     # for who is not root
    uses: dict[str, int]
    read_only: bool
    errors: int
    written_octets: int | None


def look(state_dir: Path, bundles: Path = BUNDLES, sys: Path = Path("/sys")) -> Disk:
    """OSError: the disk does not answer."""
    found = os.statvfs(state_dir)
    device, left = state_dir.stat().st_dev, [MOST_FILES]
    uses: dict[str, int] = {}
    for use, names in PARTS.items():
        uses[use] = sum(_octets(path, device, left) for name in names for path in _paths(state_dir, name))
    uses["updates"] += _octets(bundles, device, left)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    uses["others"] = max(0, used - sum(uses.values()))
    name = _name_of(device, sys)
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, uses,
                bool(found.f_flag & os.ST_RDONLY), _count(sys, name, "errors_count") or 0,
                _kib(_count(sys, name, "lifetime_write_kbytes")))


def _paths(folder: Path, name: str) -> Iterable[Path]:
    return folder.glob(name) if "*" in name else [folder / name]


def _octets(path: Path, device: int, left: list[int]) -> int:
    """Of a file, or of all that is below a folder; on another file system: none of it."""
    total, folders = 0, [path]
    while folders and left[0] > 0:
        left[0] -= 1
        here = folders.pop()
        try:
            status = here.lstat()
            if status.st_dev != device:
                continue
            total += status.st_blocks * BLOCK_OCTETS
            if os.path.isdir(here) and not here.is_symlink():
                folders += [Path(one.path) for one in os.scandir(here)]
        except OSError:                           # gone meanwhile, or not for us: it is among the others
            continue
    return total


def _name_of(device: int, sys: Path) -> str:
    """The kernel's name of a file system's disk; "": it has none, as a network's."""
    link = sys / "dev/block" / f"{os.major(device)}:{os.minor(device)}"
    return link.resolve().name if link.exists() else ""


def _count(sys: Path, name: str, what: str) -> int | None:
    """Ext4 counts in its superblock."""
    try:
        return int((sys / "fs/ext4" / name / what).read_text()) if name else None
    except (OSError, ValueError):
        return None


def _kib(value: int | None) -> int | None:
    return None if value is None else value << 10
