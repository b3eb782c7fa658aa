"""Messages of osmo-e1d's control socket: one per packet, packed, in the machine's byte order.

A request's answer has the request's type with bit 7 set; most refusals are an answer without payload. Events
come at any time, on every connection. Pure: no socket here.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

MAGIC = 0x01E1
ANY = 0xFF                                        # interface, line or timeslot left open
MAX_MESSAGE_OCTETS = 4096
MAX_FRAME_OCTETS = 262                            # the daemon's buffer of 264 holds the FCS too

_HEADER = struct.Struct("=HHBBBB")
_TS_OPEN = struct.Struct("=BBH")


class Request(IntEnum):
    INTF_QUERY = 0x00
    LINE_QUERY = 0x01
    TS_QUERY = 0x02
    LINE_CONFIG = 0x03
    TS_OPEN = 0x04
    SABITS = 0x05


class LineMode(IntEnum):
    CHANNELIZED = 0x20
    SUPERCHANNEL = 0x21
    E1OIP = 0x22


class TimeslotMode(IntEnum):
    OFF = 0x00
    RAW = 0x10
    HDLC_FCS = 0x11


class Event(IntEnum):
    LOS_ON = 0x40
    LOS_OFF = 0x41
    AIS_ON = 0x42
    AIS_OFF = 0x43
    RAI_ON = 0x44
    RAI_OFF = 0x45
    LOF_ON = 0x46
    LOF_OFF = 0x47
    SABITS = 0x7F


@dataclass(frozen=True, slots=True)
class Message:
    type: int
    intf: int = ANY
    line: int = ANY
    timeslot: int = ANY
    payload: bytes = b""

    @property
    def is_error(self) -> bool:
        return self.type & 0xC0 == 0xC0

    def answers(self, request: int) -> bool:
        return self.type == request | 0x80


def encode(message: Message) -> bytes:
    length = _HEADER.size + len(message.payload)
    head = _HEADER.pack(MAGIC, length, message.type, message.intf, message.line, message.timeslot)
    return head + message.payload


def decode(packet: bytes) -> Message:
    """ValueError when `packet` is not one whole message."""
    if len(packet) < _HEADER.size:
        raise ValueError(f"osmo-e1d message of {len(packet)} octets, its header has {_HEADER.size}")
    magic, length, *fields = _HEADER.unpack_from(packet)
    if magic != MAGIC or length != len(packet):
        raise ValueError(f"osmo-e1d message: magic {magic:#06x}, length {length} in {len(packet)} octets")
    kind, intf, line, timeslot = fields
    return Message(kind, intf, line, timeslot, packet[_HEADER.size:])


def timeslot_open(mode: TimeslotMode, read_octets: int) -> bytes:
    """Payload of TS_OPEN: RAW octets come `read_octets` at a time; a timeslot in use stays its owner's."""
    return _TS_OPEN.pack(mode, 0, read_octets)


def read_interfaces(payload: bytes) -> dict[int, int]:
    """Answer of INTF_QUERY: interface -> how many lines it has."""
    return {intf: lines for intf, lines in _rows(payload, "=BB")}


def read_lines(payload: bytes) -> dict[int, int]:
    """Answer of LINE_QUERY: line -> its mode."""
    return {line: mode for line, mode, _ in _rows(payload, "=BBB")}


def _rows(payload: bytes, row: str) -> list[tuple[int, ...]]:
    if len(payload) % struct.calcsize(row):
        raise ValueError(f"osmo-e1d answer of {len(payload)} octets, rows have {struct.calcsize(row)}")
    return list(struct.iter_unpack(row, payload))
