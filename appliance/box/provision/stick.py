"""USB sticks: found, mounted for as long as it takes to read them, and told what came of it. Needs root."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance.box.programs import run
from appliance.errors import Unavailable

MOST_STICKS = 16                                  # partitions that are looked at
HEAD_OCTETS = 2048
LOG = "branchline-provision.log"                  # on the stick
MOST_LOG_OCTETS = 256 * 1024


def partitions(sysfs: Path = Path("/sys")) -> list[str]:
    """Names of block devices on USB that may have a file system: partitions, and disks without any."""
    found = []
    for device in sorted((sysfs / "class/block").iterdir()):
        where = device.resolve()
        parted = any((inner / "partition").exists() for inner in where.iterdir() if inner.is_dir())
        if not parted and any(part.startswith("usb") for part in where.parts):
            found.append(device.name)
    return found[:MOST_STICKS]


def devices() -> list[Path]:
    """Those that may be mounted."""
    return [Path("/dev") / name for name in partitions()]


def file_system(head: bytes) -> str | None:
    """Of a device whose first HEAD_OCTETS these are: vfat, exfat or ext4; None: another, or none."""
    if head[3:11] == b"EXFAT   ":
        return "exfat"
    if head[510:512] == b"\x55\xaa" and (head[82:87] == b"FAT32" or head[54:57] == b"FAT"):
        return "vfat"
    return "ext4" if head[1080:1082] == b"\x53\xef" else None


@contextlib.contextmanager
def mounted(device: Path, write: bool = False) -> Iterator[Path]:
    """Its root folder, in which nothing is run, owned or led elsewhere. Unavailable: it has no file system of
    those that are read, or is damaged."""
    try:
        with device.open("rb") as file:
            kind = file_system(file.read(HEAD_OCTETS))
    except OSError as error:
        raise Unavailable(f"{device}: {error.strerror}") from None
    if kind is None:
        raise Unavailable(f"{device}: neither FAT, exFAT nor ext4: format it as FAT")
    options = ["nosuid", "nodev", "noexec", "nosymfollow", "sync" if write else "ro"]
    if kind == "ext4" and not write:
        options.append("noload")                  # to replay its journal would write
    with tempfile.TemporaryDirectory(prefix="branchline-stick-") as folder:
        run(["mount", "-t", kind, "-o", ",".join(options), str(device), folder])
        try:
            yield Path(folder)
        finally:
            run(["umount", folder])


def report(device: Path, line: str) -> None:
    """A line more in the stick's log. Unavailable: the stick is full, worn out or write-protected."""
    try:
        with mounted(device, write=True) as folder:
            path = folder / LOG
            if path.exists() and path.stat().st_size > MOST_LOG_OCTETS:
                path.rename(folder / f"{LOG}.1")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, 0o644), "w") as file:
                file.write(f"{line}\r\n")
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"{device}: {error.strerror}") from None
