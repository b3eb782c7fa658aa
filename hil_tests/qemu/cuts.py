"""Power cuts: the disk as a log of its writes says it was at any moment, less what no flush had kept.

Ref: QEMU block/blklogwrites.c and Linux Documentation/admin-guide/device-mapper/log-writes.rst: a super block
of a sector (magic, version, entries, sector size), then for each write an entry of a sector (sector, sectors,
flags, length) and its data.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC, VERSION = 0x6A736677736872, 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR_OCTETS = 512
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
KEPT_SHARE = 0.5                                  # of the writes that a disk had in its cache at the cut


@dataclass(frozen=True, slots=True)
class Write:
    offset: int                                   # octets, on the disk
    octets: int
    flags: int
    data: int                                     # octets, in the log


def read(log: Path) -> list[Write]:
    """ValueError: it is no such log."""
    return list(_entries(log))


def _entries(log: Path) -> Iterator[Write]:
    with log.open("rb") as file:
        magic, version, count, sector = _SUPER.unpack(file.read(_SUPER.size))
        if (magic, version) != (MAGIC, VERSION):
            raise ValueError(f"{log}: no log of writes: {magic:#x}, version {version}")
        at = sector
        for _ in range(count):
            file.seek(at)
            where, sectors, flags, _ = _ENTRY.unpack(file.read(_ENTRY.size))
            at += sector
            length = 0 if flags & DISCARD else sectors * sector
            yield Write(where * sector, sectors * sector, flags, at)
            at += length


def survivors(writes: list[Write], cut: int, chance: random.Random) -> list[Write]:
    """Of the first `cut` writes those that the disk has: all before the last flush, each of FUA, and some of
    the later ones, as a cache may have kept them."""
    flushed = max((place for place in range(cut) if writes[place].flags & FLUSH), default=0)
    cached = [write for write in writes[flushed:cut]
              if write.flags & FUA or chance.random() < KEPT_SHARE]
    return writes[:flushed] + cached


def replay(log: Path, writes: list[Write], disk: Path) -> None:
    """Onto a copy of the disk as it was when the log began."""
    with log.open("rb") as source, disk.open("r+b") as target:
        for write in writes:
            if write.flags & DISCARD or not write.octets:
                continue
            source.seek(write.data)
            target.seek(write.offset)
            target.write(source.read(write.octets))
