"""Sealed files written as a stream and read at any place.

Ref: Hoang, Reyhanitabar, Rogaway, Vizár, "Online authenticated-encryption and its nonce-reuse
misuse-resistance" (2015), STREAM: a chunk's nonce is its number and whether it is the last one.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.store.sealed.header import (
    CHUNK_OCTETS,
    EMPTY_SLOT,
    HEADER_OCTETS,
    SECTOR_OCTETS,
    Identity,
    Slot,
    newest,
)
from appliance.store.sealed.wrapping import KEY_OCTETS, KeyGone, Tampered, Wrapped, Wrapper

TAG_OCTETS = 16
_SEALED_CHUNK_OCTETS = CHUNK_OCTETS + TAG_OCTETS


class Sink(Protocol):
    def write(self, octets: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """What a finished file holds."""

    sha256: bytes                                 # of what was written, not of the file
    octets: int
    file_octets: int


class SealedWriter:
    """Seals a stream into `file`, which is neither sought in nor closed; memory of two chunks."""

    def __init__(self, file: Sink, wrapper: Wrapper, name: bytes,
                 about: dict[str, Any] | None = None) -> None:
        key = os.urandom(KEY_OCTETS)
        self._file, self._cipher = file, AESGCM(key)
        self._identity = Identity(name, about or {}).write()
        self._pending = bytearray()               # the last chunk is known to be it at the end only
        self._chunks = self._octets = 0
        self._sha256 = hashlib.sha256()
        file.write(self._identity + Slot(1, wrapper.wrap(key)).write() + EMPTY_SLOT)

    def write(self, octets: bytes | bytearray | memoryview) -> int:
        self._sha256.update(octets)
        self._octets += len(octets)
        rest = memoryview(octets)
        while len(self._pending) + len(rest) > CHUNK_OCTETS:
            taken = CHUNK_OCTETS - len(self._pending)
            self._pending += rest[:taken]
            rest = rest[taken:]
            self._seal(last=False)
        self._pending += rest
        return len(octets)

    def flush(self) -> None:
        """Nothing: a chunk is sealed when it is full."""

    def close(self) -> Seal:
        """Write the last chunk. Making the file durable and naming it is the caller's."""
        self._seal(last=True)
        return Seal(self._sha256.digest(), self._octets,
                    HEADER_OCTETS + self._octets + self._chunks * TAG_OCTETS)

    def _seal(self, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._chunks, last), self._pending, self._identity))
        self._chunks += 1
        self._pending = bytearray()


class SealedReader:
    """Octets of a sealed file. Opening it proves its length; every read proves what it gives.

    For one thread. Does not close `file`. Tampered, KeyGone: as their sentences say; Tampered, too, when it
    is whole and another file than `name`.
    """

    def __init__(self, file: BinaryIO, wrapper: Wrapper, name: bytes | None = None) -> None:
        self._file = file
        header = _read_header(file)
        self.identity = Identity.read(header)
        if name is not None and self.identity.name != name:
            raise Tampered(f"is the sealed file {self.identity.name.hex()}, put in the place of another")
        self._aad = header[:SECTOR_OCTETS]
        self._cipher = AESGCM(wrapper.unwrap(_wrapped(header)))
        sealed_octets = file.seek(0, os.SEEK_END) - HEADER_OCTETS
        self._chunks = max(1, -(-sealed_octets // _SEALED_CHUNK_OCTETS))
        self.octets = sealed_octets - self._chunks * TAG_OCTETS
        if self.octets < 0 or (self._chunks > 1 and self.octets <= (self._chunks - 1) * CHUNK_OCTETS):
            raise Tampered("a sealed file is cut off")
        self._held = (-1, b"")                    # the chunk that was read last
        self._chunk(self._chunks - 1)

    def read(self, at: int, most_octets: int) -> bytes:
        """From `at` on; shorter at the end only."""
        end = min(at + most_octets, self.octets)
        if at < 0 or at >= end:
            return b""
        first, last = at // CHUNK_OCTETS, (end - 1) // CHUNK_OCTETS
        start = first * CHUNK_OCTETS
        return b"".join(map(self._chunk, range(first, last + 1)))[at - start:end - start]

    def blocks(self) -> Iterator[bytes]:
        """All of it, in order."""
        return map(self._chunk, range(self._chunks))

    def sha256(self) -> bytes:
        """Of all of it, which proves every octet."""
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.digest()

    def stream(self) -> BinaryIO:
        """The same as a file that can be read and sought in."""
        return io.BufferedReader(_Raw(self))

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(HEADER_OCTETS + number * _SEALED_CHUNK_OCTETS)
            sealed = self._file.read(_SEALED_CHUNK_OCTETS)
            try:
                octets = self._cipher.decrypt(_nonce(number, number == self._chunks - 1), sealed, self._aad)
            except (InvalidTag, ValueError):
                raise Tampered(f"a sealed file is damaged, cut off or was changed: its chunk {number} is not "
                               "what was sealed") from None
            self._held = number, octets
        return self._held[1]


class _Raw(io.RawIOBase):
    def __init__(self, reader: SealedReader) -> None:
        self._reader, self._at = reader, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._reader.octets}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        octets = self._reader.read(self._at, len(buffer))
        buffer[:len(octets)] = octets
        self._at += len(octets)
        return len(octets)


def rewrapped(file: BinaryIO, wrapper: Wrapper, other: Wrapper) -> Iterator[bytes]:
    """The sealed file `file` as octets, its key wrapped by `other` alone: for a copy that goes elsewhere."""
    header = _read_header(file)
    Identity.read(header)
    yield header[:SECTOR_OCTETS] + Slot(1, other.wrap(wrapper.unwrap(_wrapped(header)))).write() + EMPTY_SLOT
    while block := file.read(CHUNK_OCTETS):
        yield block


def _read_header(file: BinaryIO) -> bytes:
    """Read again if no slot holds: somebody may have written one and cleared the other meanwhile."""
    header = b""
    for _ in range(2):
        file.seek(0)
        header = file.read(HEADER_OCTETS)
        if newest(header) is not None:
            break
    return header


def _wrapped(header: bytes) -> Wrapped:
    slot = newest(header)
    if slot is None:
        raise KeyGone("its key was erased: nobody can open it any more")
    return slot[1].wrapped


def _nonce(chunk: int, last: bool) -> bytes:
    return chunk.to_bytes(11, "big") + bytes([last])
