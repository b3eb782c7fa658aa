"""What the line card and its host say to each other over USB serial. Runs on MicroPython and on CPython.

A packet, all integers little-endian:

    u8 kind   u8 span   u16 sequence   body   u32 CRC-32 (binascii.crc32) of all before it

is sent stuffed by COBS, so that it holds no zero octet, and ends with one. What is damaged is thrown away up
to the next zero octet and counted; nothing is sent again, but a SET that no STATUS names in time. The
sequence runs for each kind, span and direction by itself: a gap in TDM is a block that was lost.

| kind | from | body |
|---|---|---|
| HELLO | host | u8 lowest, u8 highest version that the host speaks |
| HELLO_ANSWER | card | u8 version that both speak from now on (0: none), u8 spans, name in ASCII |
| SET | host | u8 loop, u8 clock, u8 CRC-4, u8 line code, u8 haul, u8 ohms: how the span is to be |
| RUN | host | u8 1: blocks flow; 0: no more |
| STATUS | card | the span's state ten times a second and on change: STATUS_FORMAT, then LIU_FORMAT |
| TDM | both | 10 ms of the span: 32 rows of 80 octets, timeslot 0 first |

The host begins with HELLO; whatever came before it is void, and every span is at rest: no loop, not running,
AIS to the line. A SET stands until the next, its clock and its last three even over HELLO; the last three
left out are the first of each.
While a span runs the card sends a TDM packet for each 10 ms of the line, whether it has a signal or not, and
the host sends one for each that it received; timeslot 0 to the line is the card's. What the card does not get
in time it fills with idle, what is too much it throws away, both are slips. When the host closes the port all
spans rest.

Version 1 is the first. A higher one may add kinds, which the other side ignores, and append to bodies. So
came, without another number, the end of SET and LIU_FORMAT: older cards take no notice of the one and do not
send the other, by which a host knows them.
"""

import struct
from binascii import crc32

try:
    from collections.abc import Callable
except ImportError:                               # MicroPython: annotations are not looked at
    pass

VERSION = 1

HELLO, SET, RUN, TDM = 0x01, 0x02, 0x03, 0x10
HELLO_ANSWER, STATUS = 0x81, 0x82

LOOPS = ("none", "local", "line", "payload")      # a code is a place in its row
CLOCKS = ("line", "own")
CRC4 = ("off", "on", "auto")                      # in STATUS, of the far end: not there, there, not known yet
LINE_CODES = ("hdb3", "ami")
HAULS = ("short", "long")
OHMS = (120, 75)
LIU_FAULTS = ("open", "short")                    # of the pair on which we send; fault n is bit n
ALARMS = ("los", "lof", "lomf", "ais", "rai")     # alarm n is bit n

TDM_OCTETS = 2560
STATUS_FORMAT = "<HBBBBIIIII"                     # sequence of the SET in force, alarms, loop, clock, CRC-4,
STATUS_OCTETS = 26                                # code violations, FAS errors, CRC errors, E bits, slips
LIU_FORMAT = "<bBBI"                              # received level in dB, LIU faults, Sa4 to Sa8, repairs
LIU_OCTETS = 7                                    # of the framer's registers
LEVEL_UNKNOWN, FAULTS_UNKNOWN, SA_UNKNOWN = -128, 0xFF, 0xFF

_HEAD_OCTETS = 4
_CRC_OCTETS = 4
_PACKET_OCTETS = _HEAD_OCTETS + TDM_OCTETS + _CRC_OCTETS
_RUN_OCTETS = 254                                 # the longest stretch that one COBS code covers
_STUFFED_OCTETS = _PACKET_OCTETS + _PACKET_OCTETS // _RUN_OCTETS + 1
_ZERO, _ONE = b"\0", b"\x01"
_ZEROS, _ONES = memoryview(bytes(_STUFFED_OCTETS)), memoryview(_ONE * _STUFFED_OCTETS)


class Writer:
    """Packets to octets, in buffers made once."""

    def __init__(self) -> None:
        self._packet = bytearray(_PACKET_OCTETS)
        self._stuffed = bytearray(_STUFFED_OCTETS + 1)
        self._view = memoryview(self._stuffed)

    def pack(self, kind: int, span: int, sequence: int, body: bytes | bytearray | memoryview) -> memoryview:
        """What goes out, its zero octet too. Good until the next call. `body`: at most TDM_OCTETS."""
        packet = self._packet
        end = _HEAD_OCTETS + len(body)
        struct.pack_into("<BBH", packet, 0, kind, span, sequence & 0xFFFF)
        packet[_HEAD_OCTETS:end] = body
        struct.pack_into("<I", packet, end, crc32(memoryview(packet)[:end]))
        length = stuff(packet, end + _CRC_OCTETS, self._stuffed)
        self._stuffed[length] = 0
        return self._view[:length + 1]


class Reader:
    """Octets, cut anywhere, to packets, in buffers made once. `bad` counts what was no packet."""

    def __init__(self, take: "Callable[[int, int, int, memoryview], None]") -> None:
        """`take` gets kind, span, sequence and body of each packet; the body is good until it returns."""
        self.bad = 0
        self._take = take
        self._stuffed = bytearray(_STUFFED_OCTETS)
        self._length = 0                          # of what came since a zero octet; more than fits: no packet
        self._packet = bytearray(_STUFFED_OCTETS)

    def feed(self, octets: bytes) -> None:
        at = 0
        while at < len(octets):
            zero = octets.find(_ZERO, at)
            end = len(octets) if zero < 0 else zero
            self._append(octets, at, end)
            if zero >= 0:
                self._end()
            at = end + 1

    def _append(self, octets: bytes, at: int, end: int) -> None:
        length = self._length + end - at
        if length <= _STUFFED_OCTETS:
            self._stuffed[self._length:length] = memoryview(octets)[at:end]
            self._length = length
        else:
            self._length = _STUFFED_OCTETS + 1

    def _end(self) -> None:
        stuffed, self._length = self._length, 0
        if not stuffed:                           # zero octets in a row are nothing
            return
        length = unstuff(self._stuffed, stuffed, self._packet) if stuffed <= _STUFFED_OCTETS else 0
        end = length - _CRC_OCTETS
        if end < _HEAD_OCTETS:
            self.bad += 1
            return
        packet = memoryview(self._packet)
        if struct.unpack_from("<I", packet, end)[0] != crc32(packet[:end]):
            self.bad += 1
            return
        kind, span, sequence = struct.unpack_from("<BBH", packet, 0)
        self._take(kind, span, sequence, packet[_HEAD_OCTETS:end])


def stuff(source: bytearray, length: int, out: bytearray) -> int:
    """COBS: the first `length` octets of `source` into `out` without a zero octet; how many come out.

    `length` is at most that of a packet.
    """
    at = put = 0
    while True:
        zero = source.find(_ZERO, at, length)
        end = length if zero < 0 else zero
        while end - at > _RUN_OCTETS or (end - at == _RUN_OCTETS and zero >= 0):
            out[put] = _RUN_OCTETS + 1
            out[put + 1:put + 1 + _RUN_OCTETS] = memoryview(source)[at:at + _RUN_OCTETS]
            at += _RUN_OCTETS
            put += 1 + _RUN_OCTETS
        out[put] = end - at + 1
        out[put + 1:put + 1 + end - at] = memoryview(source)[at:end]
        put += 1 + end - at
        if zero < 0:
            return put
        at = zero + 1
        if at < length and source[at] == 0:       # many in a row: one by one would take too long
            zeros = length - at - len(bytes(memoryview(source)[at:length]).lstrip(_ZERO))
            out[put:put + zeros] = _ONES[:zeros]
            put += zeros
            at += zeros


def unstuff(source: bytearray, length: int, out: bytearray) -> int:
    """The inverse of stuff(); 0 when `source` is not COBS. `out` has room for `length` octets."""
    at = put = 0
    while at < length:
        code = source[at]
        end = at + code
        if code == 0 or end > length:
            return 0
        if code == 1 and end < length and source[end] == 1:           # zeros in a row
            ones = length - at - len(bytes(memoryview(source)[at:length]).lstrip(_ONE))
            at += ones
            zeros = ones if at < length else ones - 1
            out[put:put + zeros] = _ZEROS[:zeros]
            put += zeros
            continue
        out[put:put + code - 1] = memoryview(source)[at + 1:end]
        put += code - 1
        at = end
        if code <= _RUN_OCTETS and at < length:
            out[put] = 0
            put += 1
    return put


def pack_status(
    answers: int, alarms: int, loop: int, clock: int, crc4: int, code_violations: int, fas_errors: int,
    crc_errors: int, e_bits: int, slips: int,
) -> bytes:
    """Body of STATUS. `answers` is the sequence of the SET in force, counters are totals since HELLO."""
    return struct.pack(STATUS_FORMAT, answers, alarms, loop, clock, crc4, code_violations, fas_errors,
                       crc_errors, e_bits, slips)


def read_status(body: bytes | memoryview) -> tuple[int, ...]:
    """The figures of pack_status(). ValueError: too short, or a code that nobody knows."""
    if len(body) < STATUS_OCTETS:
        raise ValueError(f"line card: status of {len(body)} octets, it has {STATUS_OCTETS}")
    figures = struct.unpack_from(STATUS_FORMAT, body)
    loop, clock, crc4 = figures[2:5]
    if loop >= len(LOOPS) or clock >= len(CLOCKS) or crc4 >= len(CRC4):
        raise ValueError(f"line card: status with loop {loop}, clock {clock}, CRC-4 {crc4}")
    return figures


def pack_liu(level_db: int, liu_faults: int, sa_bits: int, repairs: int) -> bytes:
    """What follows pack_status() in STATUS. `repairs` is a total since HELLO."""
    return struct.pack(LIU_FORMAT, level_db, liu_faults, sa_bits, repairs)


def read_liu(body: bytes | memoryview) -> tuple[int, int, int, int] | None:
    """The figures of pack_liu() in a STATUS; None: a card that does not tell. ValueError: no such figures."""
    if len(body) < STATUS_OCTETS + LIU_OCTETS:
        return None
    level_db, liu_faults, sa_bits, repairs = struct.unpack_from(LIU_FORMAT, body, STATUS_OCTETS)
    if level_db > 0 or (sa_bits > 0x1F and sa_bits != SA_UNKNOWN):
        raise ValueError(f"line card: status with level {level_db} dB, Sa bits {sa_bits}")
    return level_db, liu_faults, sa_bits, repairs


def pack_hello_answer(version: int, spans: int, name: str) -> bytes:
    return bytes((version, spans)) + name.encode()


def read_hello_answer(body: bytes | memoryview) -> tuple[int, int, str]:
    """Version, spans, name. ValueError: too short."""
    if len(body) < 2:
        raise ValueError(f"line card: answer of {len(body)} octets to HELLO, it has 2 and a name")
    return body[0], body[1], "".join(chr(octet) if 32 <= octet < 127 else "?" for octet in bytes(body[2:]))
