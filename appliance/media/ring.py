"""Audio rings: what was said in the last seconds, from spand to whoever reads, in a file of shared memory.

The record ring holds 30 s of every recording; the listening ring 3 s of what somebody listens to now. One row
of a tick is one tap: its id and its two sides, uint8[2, BLOCK] A-law; it keeps its row while it runs. The
writer never waits: a reader copies first and asks then whether the tick was overwritten under it (a seqlock).

A tick's number is span time: it goes on rising over a restart of spand, and the numbers left out are the
gap. Its sequence number leaves out nothing: a reader that finds a jump in it knows how many ticks it lost.
The file outlives both daemons.

The writer writes audio with a system call into a file that it does not map: a full tmpfs refuses a tick
instead of ending the process, memory is used for the rows that are, and none of it is the writer's own.
"""

import mmap
import os
import struct
import weakref
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.media.plan import ID_OCTETS
from e1_driver import BLOCK

Octets = npt.NDArray[np.uint8]

TICKS = 3000                                      # 30 s of 10 ms
TICK_NS = 10_000_000
FREE = bytes(ID_OCTETS)                           # the id of a row that nothing uses

_MAGIC = b"BLRING02"
_HEADER = struct.Struct("<8sII")                  # magic, ticks, rows
_STATE_AT, _TABLE_AT, _PAGE = 64, 4096, 4096
_NEWEST, _NEWEST_NS, _COUNT, _REFUSED = range(4)  # the writer's state
_TICK, _SEQUENCE, _USED, _MONOTONIC, _WALL = range(5)                # a row of the table of ticks
_COLUMNS = 5
_STATE_WORD, _TABLE_WORD = _STATE_AT // 8, _TABLE_AT // 8
_ROW_OCTETS = ID_OCTETS + 2 * BLOCK
_NEVER = np.iinfo(np.int64).min


class Stamp(NamedTuple):
    """`sequence` counts ticks; the times are when spand began the tick, by its two clocks."""

    sequence: int
    monotonic_ns: int
    wall_ns: int


def _pages(octets: int) -> int:
    return -(-octets // _PAGE) * _PAGE


class Ring:
    """`newest` is the last complete tick, None before the first one."""

    def __init__(self, path: Path, file: BinaryIO, ticks: int, rows: int, access: int) -> None:
        self.path, self.ticks, self.rows = path, ticks, rows
        self._descriptor = os.dup(file.fileno())
        self.close = weakref.finalize(self, os.close, self._descriptor)
        self._inode = os.fstat(self._descriptor).st_ino
        self._data_at, self._slot_octets, self.octets = _shape(ticks, rows)
        memory = mmap.mmap(self._descriptor, self._data_at, access=access)
        self._words = memoryview(memory).cast("q")               # as below, cheaper for single ones
        self._state = np.frombuffer(memory, np.int64, 4, _STATE_AT)
        self._table = np.frombuffer(memory, np.int64, ticks * _COLUMNS, _TABLE_AT).reshape(ticks, _COLUMNS)

    @classmethod
    def create(cls, path: Path, rows: int, ticks: int = TICKS) -> "Ring":
        """The writer's: goes on with the file that is there if its shape fits, makes a new one otherwise."""
        if path.exists():
            try:
                ring = cls.open(path, mmap.ACCESS_WRITE)
            except (ValueError, OSError):
                pass
            else:
                if (ring.ticks, ring.rows) == (ticks, rows):
                    return ring
                ring.close()
        new = path.with_name(path.name + ".new")
        with new.open("w+b") as file:
            os.fchmod(file.fileno(), 0o640)
            file.truncate(_shape(ticks, rows)[2])
            file.write(_HEADER.pack(_MAGIC, ticks, rows))
            file.flush()
            ring = cls(path, file, ticks, rows, mmap.ACCESS_WRITE)
        ring._state[:] = _NEVER, 0, 0, 0
        ring._table[:, _TICK] = _NEVER
        new.rename(path)
        return ring

    @classmethod
    def open(cls, path: Path, access: int = mmap.ACCESS_READ) -> "Ring":
        """The reader's. FileNotFoundError before spand made it; ValueError when the file is no ring."""
        with path.open("rb" if access == mmap.ACCESS_READ else "r+b") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or not head.startswith(_MAGIC):
                raise ValueError(f"{path}: not an audio ring of this version")
            _, ticks, rows = _HEADER.unpack(head)
            if os.fstat(file.fileno()).st_size != _shape(ticks, rows)[2]:
                raise ValueError(f"{path}: {ticks} ticks of {rows} rows need {_shape(ticks, rows)[2]} octets")
            return cls(path, file, ticks, rows, access)

    @property
    def newest(self) -> int | None:
        newest = int(self._state[_NEWEST])
        return None if newest == _NEVER else newest

    @property
    def refused(self) -> int:
        """Ticks that found no memory, in the life of the file."""
        return int(self._state[_REFUSED])

    @property
    def lacks_octets(self) -> int:
        """What a full ring would find missing where it lies; 0: there is room."""
        room, held = os.statvfs(self.path.parent), os.fstat(self._descriptor).st_blocks * 512
        return max(0, self.octets - held - room.f_bavail * room.f_frsize)

    def replaced(self) -> bool:
        """True when the path now names another file, or none: open it anew."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except FileNotFoundError:
            return True

    def resume(self, now_ns: int) -> int:
        """The writer's first tick number, `now_ns` by its monotonic clock: what it missed is left out."""
        newest, written_ns = self.newest, int(self._state[_NEWEST_NS])
        if newest is None:
            return now_ns // TICK_NS
        last = self._table[:, _TICK] >= newest    # a writer that was killed in a tick: that one is no loss
        if last.any():
            self._state[_COUNT] = self._table[last, _SEQUENCE].max()
        missed = (now_ns - written_ns) // TICK_NS if written_ns else now_ns // TICK_NS - newest
        return newest + max(1, missed)

    def last_ticks(self) -> dict[bytes, int]:
        """Of every tap in the ring, its last tick there."""
        last: dict[bytes, int] = {}
        before = b""
        for row in np.argsort(self._table[:, _TICK])[::-1]:
            tick, used = int(self._table[row, _TICK]), int(self._table[row, _USED])
            if tick == _NEVER:
                break
            names = os.pread(self._descriptor, used * ID_OCTETS, self._at(tick))
            if names != before:                   # of the tick after it, mostly
                before = names
                for at in range(0, len(names), ID_OCTETS):
                    last.setdefault(names[at:at + ID_OCTETS], tick)
        last.pop(FREE, None)
        return last

    def write(self, tick: int, ids: Octets, audio: Octets, monotonic_ns: int = 0, wall_ns: int = 0) -> bool:
        """Publish one tick: ids uint8[n, 16], audio uint8[n, 2, BLOCK], zeros as id: a free row.

        The times are the writer's clocks. False: there is no memory for it; it is counted, and its sequence
        number is left out.
        """
        words, row, used = self._words, _TABLE_WORD + tick % self.ticks * _COLUMNS, len(ids)
        words[row + _TICK] = _NEVER
        words[_STATE_WORD + _COUNT] += 1
        try:
            written = os.pwritev(self._descriptor, (ids.data, audio.data), self._at(tick)) if used else 0
        except OSError:
            written = -1
        if written != used * _ROW_OCTETS:
            words[_STATE_WORD + _REFUSED] += 1
            return False
        words[row + _SEQUENCE], words[row + _USED] = words[_STATE_WORD + _COUNT], used
        words[row + _MONOTONIC], words[row + _WALL] = monotonic_ns, wall_ns
        words[row + _TICK] = tick
        words[_STATE_WORD + _NEWEST], words[_STATE_WORD + _NEWEST_NS] = tick, monotonic_ns
        return True

    def read(self, tick: int) -> tuple[Octets, Octets] | None:
        """(ids uint8[n, 16], audio uint8[n, 2, BLOCK]) of that tick; None: not there (any more)."""
        row = self._table[tick % self.ticks]
        if row[_TICK] != tick:
            return None
        used = int(row[_USED])
        octets = os.pread(self._descriptor, used * _ROW_OCTETS, self._at(tick))
        if row[_TICK] != tick or len(octets) != used * _ROW_OCTETS:
            return None
        return (np.frombuffer(octets, np.uint8, used * ID_OCTETS).reshape(used, ID_OCTETS),
                np.frombuffer(octets, np.uint8, offset=used * ID_OCTETS).reshape(used, 2, BLOCK))

    def read_many(self, first: int, end: int) -> tuple[list[int], Octets, Octets]:
        """Those of the ticks first to end - 1: ids uint8[ticks, n, 16], audio uint8[ticks, n, 2, BLOCK].

        `n` is that of the tick with most rows; the others have free rows more, with any audio.
        """
        wanted = np.arange(first, end)
        slots = wanted % self.ticks
        table = self._table[slots]
        there = table[:, _TICK] == wanted
        most = int(table[there, _USED].max(initial=0))
        ids = np.zeros((len(wanted), most, ID_OCTETS), np.uint8)
        audio = np.empty((len(wanted), most, 2, BLOCK), np.uint8)
        for index in np.flatnonzero(there).tolist():
            if used := int(table[index, _USED]):
                os.preadv(self._descriptor, (ids[index, :used].data, audio[index, :used].data),
                          self._at(first + index))
        there &= self._table[slots, _TICK] == wanted
        ticks = wanted[there].tolist()
        return (ticks, ids, audio) if len(ticks) == len(wanted) else (ticks, ids[there], audio[there])

    def stamp(self, tick: int) -> Stamp | None:
        """When that tick was, and its sequence number; None: not there (any more)."""
        row = self._table[tick % self.ticks].copy()
        if row[_TICK] != tick or self._table[tick % self.ticks, _TICK] != tick:
            return None
        return Stamp(int(row[_SEQUENCE]), int(row[_MONOTONIC]), int(row[_WALL]))

    def _at(self, tick: int) -> int:
        return self._data_at + tick % self.ticks * self._slot_octets


def _shape(ticks: int, rows: int) -> tuple[int, int, int]:
    """Where audio begins, the octets of one tick's place, the octets of the file."""
    data_at, slot_octets = _pages(_TABLE_AT + ticks * _COLUMNS * 8), _pages(rows * _ROW_OCTETS)
    return data_at, slot_octets, data_at + ticks * slot_octets
