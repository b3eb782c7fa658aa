"""The wrapped key of a file on the disk: wrapped anew, or destroyed; a power cut at any octet is survived."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.store.sealed.header import (
    EMPTY_SLOT,
    HEADER_OCTETS,
    SECTOR_OCTETS,
    SLOTS,
    Identity,
    Slot,
    newest,
    slot_at,
    slots,
)
from appliance.store.sealed.wrapping import KeyGone, Wrapper


def wrapped_by(path: Path) -> set[str]:
    """Ids of the keys that open it. OSError; Tampered: not a sealed file."""
    with path.open("rb") as file:
        header = file.read(HEADER_OCTETS)
    Identity.read(header)
    return {slot.wrapped.by for slot in slots(header) if slot is not None}


def rewrap(path: Path, wrapper: Wrapper, current: str) -> bool:
    """Have the key `current` of `wrapper` wrap the file's key, and no other. False: so it was already.

    At every moment one slot holds: the free one is written and durable before the other is cleared.
    """
    with _header_of(path) as (descriptor, header):
        Identity.read(header)
        found = newest(header)
        if found is None:
            raise KeyGone(f"{path}: its key was erased: nobody can open it any more")
        number, slot = found
        if slot.wrapped.by != current:
            anew = Slot(slot.generation + 1, wrapper.wrap(wrapper.unwrap(slot.wrapped)))
            number = (number + 1) % SLOTS
            _put(descriptor, number, anew.write())
        elif _sector(header, other := (number + 1) % SLOTS) == EMPTY_SLOT:
            return False
        other = (number + 1) % SLOTS
        _put(descriptor, other, EMPTY_SLOT)
        return True


def erase(path: Path) -> None:
    """Destroy the wrapped keys durably, then remove the file; what is left of it anywhere opens no more.

    FileNotFoundError: it is not there. Other OSErrors leave it to be erased again.
    """
    with _header_of(path) as (descriptor, _):
        for number in range(SLOTS):
            os.pwrite(descriptor, EMPTY_SLOT, slot_at(number))
        os.fdatasync(descriptor)
        path.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _header_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Open for writing, alone: who wraps anew must not write a key back into a file that is being erased."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor, os.pread(descriptor, HEADER_OCTETS, 0)
    finally:
        os.close(descriptor)


def _put(descriptor: int, number: int, sector: bytes) -> None:
    os.pwrite(descriptor, sector, slot_at(number))
    os.fdatasync(descriptor)


def _sector(header: bytes, number: int) -> bytes:
    return header[slot_at(number):][:SECTOR_OCTETS]
