"""The head of a sealed file: octets <-> Identity and wrapped keys. No I/O.

Three sectors of 512 octets: the identity, which never changes and is bound to every chunk, and two slots for
the wrapped key. A slot is written while the other holds: a power cut spoils only the sector being written.
"""

import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from appliance.store.sealed.wrapping import Tampered, Wrapped

MAGIC = b"BLSEALED"
VERSION = 1
CHUNK_OCTETS = 64 * 1024
SECTOR_OCTETS = 512
SLOTS = 2
HEADER_OCTETS = (1 + SLOTS) * SECTOR_OCTETS
NAME_OCTETS = 16
EMPTY_SLOT = bytes(SECTOR_OCTETS)

_IDENTITY = struct.Struct(f">8sHHI{NAME_OCTETS}sH")   # magic, version, header, chunk, name, about
_SLOT = struct.Struct(">I")                       # generation; then Wrapped.write(); at the end CRC-32
MAX_ABOUT_OCTETS = SECTOR_OCTETS - _IDENTITY.size


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is: its name (16 octets) and plain facts, which anybody may read and nobody change."""

    name: bytes
    about: dict[str, Any] = field(default_factory=dict)

    def write(self) -> bytes:
        """One sector. ValueError: it does not fit."""
        about = json.dumps(self.about, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if len(self.name) != NAME_OCTETS or len(about) > MAX_ABOUT_OCTETS:
            raise ValueError(f"a name has {NAME_OCTETS} octets and is described in {MAX_ABOUT_OCTETS}: "
                             f"{len(self.name)} and {len(about)} were given")
        head = _IDENTITY.pack(MAGIC, VERSION, HEADER_OCTETS, CHUNK_OCTETS, self.name, len(about))
        return (head + about).ljust(SECTOR_OCTETS, b"\0")

    @classmethod
    def read(cls, header: bytes) -> "Identity":
        """Tampered: not the header of a sealed file that this version reads."""
        if len(header) < HEADER_OCTETS or not header.startswith(MAGIC):
            raise Tampered("not a sealed file, or its beginning is damaged")
        _, version, octets, chunk_octets, name, about_octets = _IDENTITY.unpack_from(header)
        if (version, octets, chunk_octets) != (VERSION, HEADER_OCTETS, CHUNK_OCTETS):
            raise Tampered(f"sealed in version {version}: this one reads version {VERSION}")
        try:
            about = json.loads(header[_IDENTITY.size:][:about_octets])
        except ValueError:
            about = None
        if not isinstance(about, dict) or about_octets > MAX_ABOUT_OCTETS:
            raise Tampered("the beginning of a sealed file is damaged")
        return cls(name, about)


@dataclass(frozen=True, slots=True)
class Slot:
    """One wrapping of the file's key; the valid slot of the highest generation counts."""

    generation: int
    wrapped: Wrapped

    def write(self) -> bytes:
        body = (_SLOT.pack(self.generation) + self.wrapped.write()).ljust(SECTOR_OCTETS - 4, b"\0")
        return body + zlib.crc32(body).to_bytes(4, "big")

    @classmethod
    def read(cls, sector: bytes) -> "Slot | None":
        """None: empty, cut off, or torn by a power cut."""
        whole = len(sector) == SECTOR_OCTETS
        if not whole or zlib.crc32(sector[:-4]) != int.from_bytes(sector[-4:], "big"):
            return None
        try:
            return cls(_SLOT.unpack_from(sector)[0], Wrapped.read(sector[_SLOT.size:-4]))
        except Tampered:
            return None


def slot_at(number: int) -> int:
    """Where slot 0 or 1 begins."""
    return (1 + number) * SECTOR_OCTETS


def slots(header: bytes) -> list[Slot | None]:
    return [Slot.read(header[slot_at(number):][:SECTOR_OCTETS]) for number in range(SLOTS)]


def newest(header: bytes) -> tuple[int, Slot] | None:
    """The slot that counts and its number; None: the key was erased."""
    found = [(number, slot) for number, slot in enumerate(slots(header)) if slot is not None]
    return max(found, key=lambda one: one[1].generation, default=None)
