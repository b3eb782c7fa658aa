"""DAHDI's ioctls, structures and codes. Pure: no device here.

Ref: include/dahdi/user.h of DAHDI 2.11 and 3; names are the header's without DAHDI_. Numbers are those of the
kernel's generic ioctl encoding (x86, ARM), structures in the machine's byte order.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

MAX_SPANS = 128
MAX_CHANNELS = 1024
ELAST = 500                                       # errno of read() and write() while an event waits

_CODE = 0xDA
_READ, _WRITE = 2, 1                              # the process reads, writes

_INT = struct.Struct("=i")
_BUFFERINFO = struct.Struct("=6i")
_MAINTINFO = struct.Struct("=2i")
_PARAMS = struct.Struct("=12i40s11iI")
_SPANINFO = struct.Struct("=i20s40s7i5I7i40s40s40s40s2i6s")       # packed


def _number(direction: int, number: int, layout: struct.Struct) -> int:
    return direction << 30 | layout.size << 16 | _CODE << 8 | number


FLUSH = _number(_WRITE, 3, _INT)
GET_PARAMS = _number(_READ | _WRITE, 5, _PARAMS)
GETEVENT = _number(_READ, 8, _INT)
SPANSTAT = _number(_READ | _WRITE, 10, _SPANINFO)
MAINT = _number(_WRITE, 11, _MAINTINFO)
SET_BUFINFO = _number(_WRITE, 27, _BUFFERINFO)
AUDIOMODE = _number(_WRITE, 32, _INT)
HDLCFCSMODE = _number(_WRITE, 37, _INT)
SPECIFY = _number(_WRITE, 38, _INT)
SETLAW = _number(_WRITE, 39, _INT)
LOOPBACK = _number(_WRITE, 58, _INT)
BUFFER_EVENTS = _number(_WRITE, 105, _INT)

FLUSH_READ, FLUSH_WRITE = 1, 2
LAW_ALAW = 2
POLICY_IMMEDIATE = 0


class Alarms(IntFlag):
    RECOVER = 1 << 0
    LOOPBACK = 1 << 1
    YELLOW = 1 << 2
    RED = 1 << 3
    BLUE = 1 << 4
    NOTOPEN = 1 << 5
    LOS = 1 << 8
    LFA = 1 << 9
    LMFA = 1 << 10


class Event(IntEnum):
    NONE = 0
    ALARM = 4
    NOALARM = 5
    ABORT = 6
    OVERRUN = 7                                   # a frame longer than the buffer
    BADFCS = 8
    REMOVED = 20
    READ_OVERRUN = 29
    WRITE_UNDERRUN = 30


class Maint(IntEnum):
    NONE = 0
    LOCALLOOP = 1
    NETWORKLINELOOP = 2


class Sig(IntEnum):
    """What a channel is configured as."""

    NONE = 0
    CLEAR = 0x80
    HDLCFCS = 0x380
    HARDHDLC = 0x80080


LINECONFIG_CRC4 = 1 << 10


def integer(value: int) -> bytes:
    return _INT.pack(value)


def read_integer(octets: bytes) -> int:
    value: int = _INT.unpack(octets)[0]
    return value


def buffers(count: int, octets: int) -> bytes:
    """dahdi_bufferinfo: so many buffers of so many octets each way, sent as soon as written."""
    return _BUFFERINFO.pack(POLICY_IMMEDIATE, POLICY_IMMEDIATE, count, octets, 0, 0)


def maintenance(span: int, command: Maint) -> bytes:
    return _MAINTINFO.pack(span, command)


@dataclass(frozen=True, slots=True)
class Params:
    """dahdi_params: which channel this is."""

    channel: int
    span: int
    position: int                                 # in its span, from 1: on an E1 the timeslot
    sig: int

    @staticmethod
    def ask(channel: int) -> bytearray:
        return bytearray(_INT.pack(channel).ljust(_PARAMS.size, b"\0"))

    @classmethod
    def read(cls, octets: bytes) -> "Params":
        return cls(*_PARAMS.unpack(octets)[:4])


@dataclass(frozen=True, slots=True)
class SpanInfo:
    """dahdi_spaninfo: a span's alarms, the totals of its framer, what it is."""

    span: int
    name: str
    description: str
    alarms: int
    bpv: int                                      # HDB3 code violations
    crc4: int
    ebit: int
    fas: int
    sync_source: int                              # the span whose clock is taken, 0: none's
    channels: int
    line_config: int
    kind: str                                     # "E1", "T1", ...; "DYNAM" has no framer

    @staticmethod
    def ask(span: int) -> bytearray:
        return bytearray(_INT.pack(span).ljust(_SPANINFO.size, b"\0"))

    @classmethod
    def read(cls, octets: bytes) -> "SpanInfo":
        (span, name, description, alarms, _txlevel, _rxlevel, bpv, crc4, ebit, fas, _fe, _cv, _be, _prbs,
         _errsec, _irqmisses, sync_source, _channels, channels, _spans, _lbo, line_config, *_place, _irq,
         _linecompat, kind) = _SPANINFO.unpack(octets)
        return cls(span, _text(name), _text(description), alarms, bpv, crc4, ebit, fas, sync_source, channels,
                   line_config, _text(kind))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("latin-1")
