"""RTP headers of many packets at once: a row of a matrix is one packet, WIDTH octets of room.

Ref: RFC 3550 5.1; RFC 3551 (payload types 0, 8, 13).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import Octets

WIDTH = 1504                                      # an Ethernet packet's, in whole words
HEADER_OCTETS = 12
VERSION = 2 << 30                                 # in a header's first word
MARKER = 1 << 23
PAYLOAD_AT = 16                                   # bits, in the first word

PCMU, PCMA, COMFORT_NOISE = 0, 8, 13              # RFC 3551 table 4

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(slots=True)
class Headers:
    """Fields of n packets, each [n]. Where `valid` is False the others mean nothing."""

    valid: Marks
    payload_type: Numbers
    sequence: Numbers
    timestamp: Numbers
    ssrc: Numbers
    at: Numbers                                   # first octet of the payload
    octets: Numbers                               # of the payload; 0 is allowed

    def only(self, wanted: Marks) -> "Headers":
        return Headers(self.valid[wanted], self.payload_type[wanted], self.sequence[wanted],
                       self.timestamp[wanted], self.ssrc[wanted], self.at[wanted], self.octets[wanted])


def heads(packets: Octets, sizes: Numbers) -> Numbers:
    """Of uint8[n, WIDTH], of which `sizes` octets came: the header's three words and the size, [n, 4]."""
    found = np.empty((len(packets), 4), np.int64)
    found[:, :3] = packets.view(">u4")[:, :3]
    found[:, 3] = sizes
    return found


def parse(packets: Octets, found: Numbers) -> Headers:
    """The headers of uint8[n, WIDTH], of which heads() were `found`. Nothing in them raises."""
    first, sizes = found[:, 0], found[:, 3]
    valid = (first >> 30 == 2) & (sizes >= HEADER_OCTETS)
    headers = Headers(valid, first >> PAYLOAD_AT & 0x7F, first & 0xFFFF, found[:, 1], found[:, 2],
                      np.full(len(first), HEADER_OCTETS), sizes - HEADER_OCTETS)
    odd = (first & 0x3F000000).nonzero()[0]       # padding, extension, contributing sources
    if odd.size:
        _strip(headers, packets, sizes, first, odd)
    return headers


def _strip(headers: Headers, packets: Octets, sizes: Numbers, first: Numbers, odd: Rows) -> None:
    at = HEADER_OCTETS + 4 * (first[odd] >> 24 & 15)
    extended = (first[odd] >> 28 & 1).astype(bool)
    length_at = np.minimum(at + 2, WIDTH - 2)
    words = packets[odd, length_at].astype(np.int64) << 8 | packets[odd, length_at + 1]
    at += np.where(extended, 4 + 4 * words, 0)
    padded = (first[odd] >> 29 & 1).astype(bool)
    last = packets[odd, np.clip(sizes[odd] - 1, 0, WIDTH - 1)].astype(np.int64)
    padding = np.where(padded, last, 0)
    headers.at[odd] = at
    headers.octets[odd] = sizes[odd] - at - padding
    headers.valid[odd] &= (headers.octets[odd] >= 0) & (~padded | (padding > 0))
