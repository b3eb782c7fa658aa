"""What a segment of the journal holds: octets <-> its head and its batches. No I/O.

A segment is a file of fixed size. Its first block is the head: its number and its own key, wrapped. Behind it
lie batches, each at the begin of a block: a head that names its entries, then the entries' audio, each sealed
by itself (AES-256-GCM, tag behind it), so that one recording is read without the others. A batch is written
with one call and made durable with one fdatasync.

An entry's nonce is the place of its audio in the segment: a place is written at most once under one key, for
a segment is left after any error, and at every start. What lies behind the last batch is of an earlier use,
under another number and another key.
Ref: NIST SP 800-38D (GCM), 8.2.1.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.recording.tap import Run
from appliance.recording.wav import TICK_OCTETS
from appliance.store.sealed import Wrapped

BLOCK_OCTETS = 4096                               # what is durable is never touched again
TAG_OCTETS = 16

_HEAD = struct.Struct("<8sQqI")                   # magic, number, made at (ns), octets of the wrapped key
_BATCH = struct.Struct("<8sQIIqqqI")              # magic, number, octets, entries, a Span, CRC
_ENTRY = struct.Struct("<16sqII")                 # recording, first tick, ticks, flags
_CRC = struct.Struct("<I")
_MAGIC, _BATCH_MAGIC = b"BLJRNL01", b"BLBATCH1"
_CARRIED = 1                                      # flags: it takes the place of the entry with this tick

MOST_ENTRIES = 4096


class Slice(NamedTuple):
    """Where the journal has a stretch of a recording."""

    segment: int
    at: int                                       # of its sealed audio
    tick: int
    ticks: int

    @property
    def sealed_octets(self) -> int:
        return self.ticks * TICK_OCTETS + TAG_OCTETS


class Span(NamedTuple):
    """Which of the ring's ticks a batch took."""

    first_tick: int
    end_tick: int                                 # the tick after the last
    wall_ns: int                                  # when the first was, since 1970


class Entry(NamedTuple):
    recording: str
    slice: Slice
    carried: bool


@dataclass(frozen=True, slots=True)
class Head:
    number: int
    made_ns: int
    wrapped: Wrapped                              # the segment's key

    def write(self) -> bytes:
        """One block."""
        wrapped = self.wrapped.write()
        head = _HEAD.pack(_MAGIC, self.number, self.made_ns, len(wrapped)) + wrapped
        return (head + _CRC.pack(zlib.crc32(head))).ljust(BLOCK_OCTETS, b"\0")

    @classmethod
    def read(cls, block: bytes) -> "Head":
        """ValueError, Tampered: this is no segment in use."""
        if len(block) < BLOCK_OCTETS or not block.startswith(_MAGIC):
            raise ValueError("not a segment of the journal")
        _, number, made_ns, octets = _HEAD.unpack_from(block)
        end = _HEAD.size + octets
        if end + _CRC.size > BLOCK_OCTETS or zlib.crc32(block[:end]) != _CRC.unpack_from(block, end)[0]:
            raise ValueError("the head of a segment, damaged")
        return cls(number, made_ns, Wrapped.read(block[_HEAD.size:end]))


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries as they were read, and where the next batch begins."""

    span: Span
    entries: list[Entry]
    end: int


class Sealer:
    """Audio <-> sealed audio of one segment."""

    def __init__(self, number: int, key: bytes) -> None:
        self.number = number
        self._cipher = AESGCM(key)

    def batch(self, at: int, span: Span, runs: Sequence[tuple[str, Run]],
              carried: Sequence[tuple[str, Run]]) -> tuple[bytes, list[Entry]]:
        """The octets of a batch that begins at `at`, whole blocks, and what lies where in it."""
        count = len(runs) + len(carried)
        place = at + _BATCH.size + count * _ENTRY.size
        heads, bodies, entries = [], [], []
        for flags, (recording, run) in [(0, one) for one in runs] + [(_CARRIED, one) for one in carried]:
            name, ticks = bytes.fromhex(recording), run.end - run.tick
            heads.append(_ENTRY.pack(name, run.tick, ticks, flags))
            bodies.append(self._cipher.encrypt(_nonce(place), run.octets, name))
            entries.append(Entry(recording, Slice(self.number, place, run.tick, ticks), bool(flags)))
            place += len(bodies[-1])
        octets = -(-(place - at) // BLOCK_OCTETS) * BLOCK_OCTETS
        names = b"".join(heads)
        fixed = _BATCH.pack(_BATCH_MAGIC, self.number, octets, count, *span, 0)
        head = fixed[:-_CRC.size] + _CRC.pack(zlib.crc32(names, zlib.crc32(fixed)))
        return b"".join((head, names, *bodies, bytes(octets - (place - at)))), entries

    def open(self, recording: str, at: int, sealed: bytes) -> bytes:
        """The audio. ValueError: it is not what was written there."""
        try:
            return self._cipher.decrypt(_nonce(at), sealed, bytes.fromhex(recording))
        except InvalidTag:
            raise ValueError(f"segment {self.number}, octet {at}: damaged") from None


def batch_octets(lengths: Sequence[int]) -> int:
    """What a batch of entries with so many ticks takes."""
    body = sum(_ENTRY.size + ticks * TICK_OCTETS + TAG_OCTETS for ticks in lengths)
    return -(-(_BATCH.size + body) // BLOCK_OCTETS) * BLOCK_OCTETS


def entries_in(block: bytes) -> int | None:
    """How many entries the batch that begins with these octets names; None: no batch begins here."""
    if len(block) < _BATCH.size or not block.startswith(_BATCH_MAGIC):
        return None
    count: int = _BATCH.unpack_from(block)[3]
    return count if count <= MOST_ENTRIES else None


def head_octets(entries: int) -> int:
    """Of a batch: what `read_batch` wants of it."""
    return _BATCH.size + entries * _ENTRY.size


def read_batch(number: int, at: int, octets: bytes) -> Batch | None:
    """The batch of that segment whose head and names these are; None: it is of an earlier use, or torn."""
    count = entries_in(octets)
    if count is None or len(octets) < head_octets(count):
        return None
    _, of_segment, whole, _, *span, crc = _BATCH.unpack_from(octets)
    fixed = octets[:_BATCH.size - _CRC.size] + bytes(_CRC.size)
    names = octets[_BATCH.size:head_octets(count)]
    if of_segment != number or crc != zlib.crc32(names, zlib.crc32(fixed)):
        return None
    entries, place = [], at + head_octets(count)
    for name, tick, ticks, flags in _ENTRY.iter_unpack(names):
        entries.append(Entry(name.hex(), Slice(number, place, tick, ticks), bool(flags & _CARRIED)))
        place += ticks * TICK_OCTETS + TAG_OCTETS
    return Batch(Span(*span), entries, at + whole) if place <= at + whole else None


def _nonce(at: int) -> bytes:
    return at.to_bytes(12, "big")
