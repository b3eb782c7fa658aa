"""What a board's EEPROM says of it: 64 octets, the last four a CRC-32. Octets in, octets out.

    "BLHW"  u8 version  u8 month  u16 year  board id[16]  revision[8]  serial number[28]  u32 CRC

Integers are big-endian, text is ASCII filled up with zeros. The CRC (zlib's) is of all before it.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from datetime import date

from appliance.errors import BranchlineError

OCTETS = 64
VERSION = 1

_MAGIC = b"BLHW"
_FORMAT = ">4sBBH16s8s28s"
_CRC = struct.Struct(">I")
_FIELDS = {"board": ("[a-z][a-z0-9-]{0,15}", "a board's id"),
           "revision": ("[A-Z0-9][A-Z0-9.-]{0,7}", "up to 8 capital letters, digits, dots and hyphens"),
           "serial": ("[A-Z0-9][A-Z0-9-]{3,27}", "4 to 28 capital letters, digits and hyphens")}


class IdentityError(BranchlineError):
    """No identity: says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Identity:
    board: str                                    # id of its description
    revision: str                                 # of the printed circuit
    serial: str
    made: date                                    # to the month

    def __post_init__(self) -> None:
        """IdentityError: a field has what it cannot."""
        for name, (pattern, words) in _FIELDS.items():
            if not re.fullmatch(pattern, value := getattr(self, name)):
                raise IdentityError(f"{name}: {value!r} is not {words}")


def pack(identity: Identity) -> bytes:
    body = struct.pack(_FORMAT, _MAGIC, VERSION, identity.made.month, identity.made.year,
                       identity.board.encode(), identity.revision.encode(), identity.serial.encode())
    return body + _CRC.pack(zlib.crc32(body))


def unpack(octets: bytes) -> Identity:
    """IdentityError: never written, damaged, or of a version that we do not know."""
    body, crc = octets[:-_CRC.size], octets[-_CRC.size:]
    if not body.startswith(_MAGIC):
        raise IdentityError("never written: `branchline board write-eeprom` does it")
    if len(octets) != OCTETS or _CRC.unpack(crc)[0] != zlib.crc32(body):
        raise IdentityError("damaged: its checksum is wrong")
    _, version, month, year, *texts = struct.unpack(_FORMAT, body)
    if version != VERSION:
        raise IdentityError(f"of version {version}, this box knows {VERSION}")
    try:
        board, revision, serial = (text.rstrip(b"\0").decode("ascii") for text in texts)
        return Identity(board, revision, serial, date(year, month, 1))
    except ValueError as error:
        raise IdentityError(f"nonsense with a good checksum: {error}") from None
