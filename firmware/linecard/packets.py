"""Packets of wire.py on the card: octets both ways in buffers made once. They allocate nothing.

wire.Writer and wire.Reader do the same with slices, which is fast on CPython and costs memory here.
"""

try:
    from collections.abc import Callable
except ImportError:                               # MicroPython: annotations are not looked at
    pass

from firmware import wire
from firmware.linecard import octets

HEAD_OCTETS, CRC_OCTETS = 4, 4
PACKET_OCTETS = HEAD_OCTETS + wire.TDM_OCTETS + CRC_OCTETS
STUFFED_OCTETS = PACKET_OCTETS + PACKET_OCTETS // 254 + 2         # its zero octet too

_ZERO = b"\0"
_SOUND = b"\x1c\xdf\x44\x21"                      # CRC-32 of anything with its own CRC-32 behind it
_TABLE = octets.crc_table()


class Writer:
    """Packets that wait for the host: those that do not fit are left out, so their sequence has a gap.

    The body is put into `packet` from HEAD_OCTETS on, then comes add(). `out[start:end]` is to be written.
    """

    def __init__(self, packets: int) -> None:
        """`packets`: so many of the longest have room."""
        self.packet = bytearray(PACKET_OCTETS)
        self.out = bytearray(packets * STUFFED_OCTETS)
        self.start = self.end = 0

    def add(self, kind: int, span: int, sequence: int, length: int) -> bool:
        """`length` octets of body. False: there was no room."""
        if self.start == self.end:
            self.start = self.end = 0
        elif self.end + STUFFED_OCTETS > len(self.out):
            octets.copy(self.out, self.start, self.end - self.start, self.out, 0)
            self.end -= self.start
            self.start = 0
        if self.end + STUFFED_OCTETS > len(self.out):
            return False
        packet = self.packet
        packet[0], packet[1] = kind, span         # two at once: three or more would make a tuple
        packet[2], packet[3] = sequence & 0xFF, sequence >> 8 & 0xFF
        length += HEAD_OCTETS
        octets.crc(packet, length, _TABLE, packet, length)
        self.end = octets.stuff(packet, length + CRC_OCTETS, self.out, self.end)
        self.out[self.end] = 0
        self.end += 1
        return True

    def clear(self) -> None:
        self.start = self.end = 0


class Reader:
    """Octets, cut anywhere, to packets. `bad` counts what was no packet.

    `take` gets kind, span, sequence and length of each body, which is in `packet` from HEAD_OCTETS on, until
    take() returns. It may keep the buffer if it puts another in its place.
    """

    def __init__(self, take: "Callable[[int, int, int, int], None]") -> None:
        self.bad = 0
        self.packet = bytearray(STUFFED_OCTETS)
        self._take = take
        self._stuffed = bytearray(STUFFED_OCTETS)
        self._length = 0                          # of what came since a zero octet; more than fits: no packet
        self._crc = bytearray(CRC_OCTETS)

    def feed(self, source: bytearray, length: int) -> None:
        at = 0
        while at < length:
            zero = source.find(_ZERO, at, length)
            end = length if zero < 0 else zero
            if self._length + end - at <= STUFFED_OCTETS:
                octets.copy(source, at, end - at, self._stuffed, self._length)
                self._length += end - at
            else:
                self._length = STUFFED_OCTETS + 1
            if zero >= 0:
                self._end()
            at = end + 1

    def clear(self) -> None:
        self._length = 0

    def _end(self) -> None:
        stuffed, self._length = self._length, 0
        if not stuffed:                           # zero octets in a row are nothing
            return
        packet = self.packet
        length = octets.unstuff(self._stuffed, stuffed, packet) if stuffed <= STUFFED_OCTETS else 0
        body = length - HEAD_OCTETS - CRC_OCTETS
        if body >= 0:
            octets.crc(packet, length, _TABLE, self._crc, 0)
        if body < 0 or self._crc != _SOUND:
            self.bad += 1
            return
        self._take(packet[0], packet[1], packet[2] | packet[3] << 8, body)
