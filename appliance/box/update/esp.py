"""The boot loader's files on the EFI system partition, which is mounted for a read or a write and not longer.

A file is written in its place, never made anew: FAT has no rename that a power cut leaves whole.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box.programs import run
from appliance.box.update.slots import (
    BLOCK_OCTETS,
    FILES,
    FOLDER,
    TRIES_FILE,
    Slots,
    SlotsError,
    block,
    newest,
    read_block,
    slots_block,
)
from appliance.errors import Unavailable

MOUNTED_AT, LOCK = Path("/run/branchline-esp"), Path("/run/branchline-esp.lock")
COMMAND_LINE = Path("/proc/cmdline")
BY_UUID = Path("/dev/disk/by-partuuid")


class BootFiles:
    """In the folder `path` of the mounted partition."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def slots(self) -> Slots:
        """SlotsError: neither file can be read."""
        return self._newest()[2]

    def write(self, slots: Slots) -> None:
        """SlotsError: what counted before does so still."""
        number, seq, there = self._newest()
        if slots.trial:
            self._mend_tries()
        if slots != there:
            self._write(self._path / FILES[1 - number], slots_block(seq + 1, slots))

    def _mend_tries(self) -> None:
        """GRUB starts no trial that it cannot count, and a power cut may have torn what it counts in."""
        path = self._path / TRIES_FILE
        try:
            read_block(self._read(path) or b"")
        except SlotsError:
            self._write(path, block({}))

    def _newest(self) -> tuple[int, int, Slots]:
        return newest([self._read(self._path / name) for name in FILES])

    def _read(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                return file.read(BLOCK_OCTETS + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SlotsError(f"{path}: {error.strerror}") from None

    def _write(self, path: Path, octets: bytes) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if (written := os.pwrite(descriptor, octets, 0)) != len(octets):
                    raise SlotsError(f"{path}: {written} octets of {len(octets)} were written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SlotsError(f"{path}: cannot be written: {error.strerror}") from None


def booted_slot(command_line: str) -> str:
    """A, B, or "": the machine was not started from a slot."""
    found = re.search(r"(?:^|\s)rauc\.slot=([AB])(?:\s|$)", command_line)
    return found[1] if found else ""


def esp_device(command_line: str) -> Path:
    """SlotsError: the boot loader did not name it."""
    found = re.search(r"(?:^|\s)branchline\.esp=PARTUUID=([0-9a-fA-F-]{11,36})(?:\s|$)", command_line)
    if found is None:
        raise SlotsError("the kernel's command line names no EFI system partition: this machine has no slots")
    return BY_UUID / found[1].lower()


@contextlib.contextmanager
def boot_files(*, write: bool) -> Iterator[BootFiles]:
    """Root only. SlotsError: the partition cannot be mounted."""
    device = esp_device(COMMAND_LINE.read_text())
    options = f"nosuid,nodev,noexec,umask=0077,{'rw' if write else 'ro'}"
    MOUNTED_AT.mkdir(mode=0o700, exist_ok=True)
    with LOCK.open("w") as lock:                  # RAUC's words and our verbs: to read and to write exclude
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if MOUNTED_AT.is_mount():             # who did it was killed
                run(["umount", str(MOUNTED_AT)])
            run(["mount", "-t", "vfat", "-o", options, str(device), str(MOUNTED_AT)])
            try:
                yield BootFiles(MOUNTED_AT / FOLDER)
            finally:
                run(["umount", str(MOUNTED_AT)])  # writes what is left to write
        except Unavailable as error:
            raise SlotsError(str(error)) from None
