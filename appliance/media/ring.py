"""The record ring: what the recorded legs said in the last 30 s, in shared memory; spand to recordd.

One row of a tick is one recording: uint8[2, BLOCK] A-law, caller then agent. A recording keeps its row while
it runs. The writer never waits: a reader copies first and asks then whether the tick was overwritten under it
(a seqlock). The file outlives both daemons; its tick numbers go on rising over a restart of spand, and the
numbers left out are the gap.
"""

import errno
import mmap
import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from e1_driver import BLOCK

Octets = npt.NDArray[np.uint8]

TICKS = 3000                                      # 30 s of 10 ms
TICK_NS = 10_000_000
ID_OCTETS = 16
FREE = bytes(ID_OCTETS)                           # the id of a row that nothing uses

_MAGIC = b"BLRING01"
_HEADER = struct.Struct("<8sII")                  # magic, ticks, rows
_DATA_AT = 4096
_NEVER = np.iinfo(np.int64).min


def _size(ticks: int, rows: int) -> int:
    return _DATA_AT + ticks * (8 + rows * (ID_OCTETS + 2 * BLOCK))


class Ring:
    """`newest` is the last complete tick, None before the first one."""

    def __init__(self, path: Path, file: BinaryIO, ticks: int, rows: int) -> None:
        self.path, self.ticks, self.rows = path, ticks, rows
        self._inode = os.fstat(file.fileno()).st_ino
        memory = mmap.mmap(file.fileno(), _size(ticks, rows))
        seq_octets, id_octets = 8 * self.ticks, self.ticks * self.rows * ID_OCTETS
        self._newest = np.frombuffer(memory, np.int64, 1, 64)
        self._written_ns = np.frombuffer(memory, np.int64, 1, 72)    # when that was, by the writer's clock
        self._seq = np.frombuffer(memory, np.int64, self.ticks, _DATA_AT)
        self._ids = np.frombuffer(memory, np.uint8, id_octets, _DATA_AT + seq_octets).reshape(
            self.ticks, self.rows, ID_OCTETS)
        self._audio = np.frombuffer(
            memory, np.uint8, self.ticks * self.rows * 2 * BLOCK, _DATA_AT + seq_octets + id_octets,
        ).reshape(self.ticks, self.rows, 2, BLOCK)

    @classmethod
    def create(cls, path: Path, rows: int, ticks: int = TICKS) -> "Ring":
        """The writer's: goes on with the file that is there if its shape fits, makes a new one otherwise.

        OSError when a full ring would find no room: writing a page that has no memory ends the process.
        """
        if path.exists():
            try:
                ring = cls.open(path)
            except (ValueError, OSError):
                pass
            else:
                if (ring.ticks, ring.rows) == (ticks, rows):
                    return ring
        size_octets, free = _size(ticks, rows), os.statvfs(path.parent)
        if size_octets > free.f_bavail * free.f_frsize:
            raise OSError(errno.ENOSPC, f"no room for a record ring of {size_octets >> 20} MiB", str(path))
        new = path.with_name(path.name + ".new")
        with new.open("w+b") as file:
            os.fchmod(file.fileno(), 0o640)
            file.truncate(_size(ticks, rows))
            file.write(_HEADER.pack(_MAGIC, ticks, rows))
            file.flush()
            ring = cls(path, file, ticks, rows)
        ring._newest[0] = _NEVER
        ring._seq[:] = _NEVER
        new.rename(path)
        return ring

    @classmethod
    def open(cls, path: Path) -> "Ring":
        """The reader's. FileNotFoundError before spand made it; ValueError when the file is no ring."""
        with path.open("r+b") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or not head.startswith(_MAGIC):
                raise ValueError(f"{path}: not a record ring")
            _, ticks, rows = _HEADER.unpack(head)
            if os.fstat(file.fileno()).st_size != _size(ticks, rows):
                raise ValueError(f"{path}: {ticks} ticks of {rows} rows need {_size(ticks, rows)} octets")
            return cls(path, file, ticks, rows)

    @property
    def newest(self) -> int | None:
        newest = int(self._newest[0])
        return None if newest == _NEVER else newest

    def replaced(self) -> bool:
        """True when the path now names another file, or none: open it anew."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except FileNotFoundError:
            return True

    def resume(self, now_ns: int) -> int:
        """The writer's first tick number, `now_ns` by its monotonic clock: what it missed is left out."""
        newest, written_ns = self.newest, int(self._written_ns[0])
        if newest is None:
            return now_ns // TICK_NS
        missed = (now_ns - written_ns) // TICK_NS if written_ns else now_ns // TICK_NS - newest
        return newest + max(1, missed)

    def last_ticks(self) -> dict[bytes, int]:
        """Of every recording in the ring, its last tick there."""
        written = np.flatnonzero(self._seq != _NEVER)
        order = written[np.argsort(self._seq[written])]
        ids = self._ids[order]
        last: npt.NDArray[np.bool_] = np.any(ids, axis=2)
        last[:-1] &= (ids[1:] != ids[:-1]).any(axis=2)
        ticks = self._seq[order]
        return {ids[at, row].tobytes(): int(ticks[at]) for at, row in np.argwhere(last)}

    def write(self, tick: int, ids: Octets, audio: Octets, now_ns: int = 0) -> None:
        """Publish one tick: ids uint8[n, 16], audio uint8[n, 2, BLOCK], zeros as id: a free row.

        `now_ns` is the writer's monotonic clock, for resume().
        """
        slot, used = tick % self.ticks, len(ids)
        self._seq[slot] = _NEVER
        self._ids[slot, :used] = ids
        self._ids[slot, used:] = 0
        self._audio[slot, :used] = audio
        self._seq[slot] = tick
        self._newest[0], self._written_ns[0] = tick, now_ns

    def read(self, tick: int) -> tuple[Octets, Octets] | None:
        """(ids uint8[rows, 16], audio uint8[rows, 2, BLOCK]) of that tick; None: not there (any more)."""
        slot = tick % self.ticks
        if self._seq[slot] != tick:
            return None
        ids, audio = self._ids[slot].copy(), self._audio[slot].copy()
        return (ids, audio) if self._seq[slot] == tick else None
