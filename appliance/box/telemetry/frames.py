"""The spool's files, octet by octet: a frame is one sample of the box, as it will be written. Pure.

A frame is a header and a gzip member (RFC 1952). It is there when all of it is: its CRC covers both.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"BTf1"
MOST_OCTETS = 4 << 20                             # of a member: more is no frame of ours

_HEADER = struct.Struct(">4sQqIII")               # magic, number, at_ns, points, octets of the member, CRC
HEADER_OCTETS = _HEADER.size


@dataclass(frozen=True, slots=True)
class Frame:
    number: int                                   # each one more than the one before, over all files
    at_ns: int                                    # Unix time of all its points
    points: int
    member: bytes

    @property
    def octets(self) -> int:
        return HEADER_OCTETS + len(self.member)


@dataclass(frozen=True, slots=True)
class Header:
    number: int
    at_ns: int
    points: int
    length: int                                   # of the member
    crc: int


def encode(frame: Frame) -> bytes:
    bare = _HEADER.pack(MAGIC, frame.number, frame.at_ns, frame.points, len(frame.member), 0)
    crc = zlib.crc32(frame.member, zlib.crc32(bare[:-4]))
    return bare[:-4] + crc.to_bytes(4, "big") + frame.member


def header(octets: bytes) -> Header | None:
    """Of the first HEADER_OCTETS of a frame; None: they are none."""
    if len(octets) < HEADER_OCTETS:
        return None
    magic, number, at_ns, points, length, crc = _HEADER.unpack_from(octets)
    if magic != MAGIC or length > MOST_OCTETS:
        return None
    return Header(number, at_ns, points, length, crc)


def frame_at(octets: bytes | memoryview, offset: int = 0) -> Frame | None:
    """The frame that begins there; None: it is not whole, or not as it was written."""
    head = header(bytes(octets[offset:offset + HEADER_OCTETS]))
    if head is None:
        return None
    begin = offset + HEADER_OCTETS
    member = bytes(octets[begin:begin + head.length])
    bare = bytes(octets[offset:begin - 4])
    if len(member) != head.length or zlib.crc32(member, zlib.crc32(bare)) != head.crc:
        return None
    return Frame(head.number, head.at_ns, head.points, member)


def frames(octets: bytes | memoryview) -> Iterator[Frame]:
    """As far as they are whole and follow one another."""
    offset, last = 0, -1
    while (found := frame_at(octets, offset)) is not None and (last < 0 or found.number == last + 1):
        yield found
        offset, last = offset + found.octets, found.number
