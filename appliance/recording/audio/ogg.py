"""Ogg pages of one logical stream: packets <-> octets. No packet goes over the end of a page. No I/O.

Ref: RFC 3533, clause 6; its checksum is that of Ethernet, bits in the other order, from 0 and not inverted.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEAD_OCTETS = 27
MAX_OCTETS = HEAD_OCTETS + 255 + 255 * 255
MAX_SEGMENTS = 255

_LAYOUT = struct.Struct("<4sBBqIIIB")             # OggS, 0, flags, granule, serial, number, sum, segments
_CONTINUED, _FIRST, _LAST = 1, 2, 4               # flags
_CHECKSUM_AT = 22
_MIRRORED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """`granule`: the position of the stream after the last packet, in its codec's unit."""

    granule: int
    serial: int
    number: int
    packets: tuple[bytes, ...]
    first: bool = False
    last: bool = False

    def write(self) -> bytes:
        lacing = b"".join(map(_lacing, self.packets))
        flags = _FIRST * self.first | _LAST * self.last
        head = _LAYOUT.pack(b"OggS", 0, flags, self.granule, self.serial, self.number, 0, len(lacing))
        octets = bytearray(b"".join((head, lacing, *self.packets)))
        struct.pack_into("<I", octets, _CHECKSUM_AT, _checksum(octets))
        return bytes(octets)

    @classmethod
    def read(cls, octets: bytes) -> "Page":
        """ValueError: not one whole page of ours."""
        length, _ = measure(octets)
        if not length or length != len(octets):
            raise ValueError("an Ogg page is cut off")
        _, _, flags, granule, serial, number, checksum, segments = _LAYOUT.unpack_from(octets)
        bare = octets[:_CHECKSUM_AT] + bytes(4) + octets[_CHECKSUM_AT + 4:]
        if _checksum(bare) != checksum:
            raise ValueError(f"Ogg page {number}: its checksum is wrong")
        lacing = octets[HEAD_OCTETS:HEAD_OCTETS + segments]
        if flags & _CONTINUED or (lacing and lacing[-1] == 255):
            raise ValueError(f"Ogg page {number}: a packet goes over its end: none of ours does")
        packets = tuple(_packets(lacing, octets[HEAD_OCTETS + segments:]))
        return cls(granule, serial, number, packets, bool(flags & _FIRST), bool(flags & _LAST))


def measure(octets: bytes) -> tuple[int, int]:
    """Octets and granule of the page that begins here; octets 0: more of it is needed to tell.

    ValueError: none begins here.
    """
    if octets[:4] != b"OggS"[:len(octets)]:
        raise ValueError("no Ogg page where one should begin")
    if len(octets) < HEAD_OCTETS:
        return 0, 0
    _, version, _, granule, _, _, _, segments = _LAYOUT.unpack_from(octets)
    if version:
        raise ValueError(f"an Ogg page of version {version}")
    body = HEAD_OCTETS + segments
    return (body + sum(octets[HEAD_OCTETS:body]) if len(octets) >= body else 0), granule


def segments(packet: bytes) -> int:
    """How many of a page's MAX_SEGMENTS it takes."""
    return len(packet) // 255 + 1


def _lacing(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,))


def _packets(lacing: Sequence[int], body: bytes) -> Iterator[bytes]:
    begin = end = 0
    for octets in lacing:
        end += octets
        if octets < 255:
            yield body[begin:end]
            begin = end


def _checksum(octets: bytes | bytearray) -> int:
    reflected = zlib.crc32(octets.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_MIRRORED), "big")
