"""A signed image of the firmware: a head, and after it a ROMFS of compiled modules that runs where it lies.

The head, little-endian, 446 octets:

    4s "BLC1"   16s hardware   u16 u16 u16 version   u32 octets of the payload   32s SHA-256 of it
    384s signature of all before it: RSASSA-PKCS1-v1_5 with SHA-256 and a 3072-bit key, exponent 65537

so that the head alone says whether the card takes the image, before any of it is written.
Ref: RFC 8017, 8.2.2 and 9.2.
"""

import struct
from hashlib import sha256

KEY_OCTETS = 384
EXPONENT = 65537
HARDWARE_OCTETS = 16
_SIGNED = "<4s16sHHHI32s"
SIGNED_OCTETS = 62
HEAD_OCTETS = SIGNED_OCTETS + KEY_OCTETS
_MAGIC = b"BLC1"
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")          # SHA-256; 9.2, note 1
_PIECE_OCTETS = 4096


class ImageError(Exception):
    """What is wrong with an image, in words."""


class Head:
    """What an image says of itself."""

    def __init__(self, hardware: str, version: "tuple[int, int, int]", octets: int, digest: bytes) -> None:
        self.hardware, self.version, self.octets, self.digest = hardware, version, octets, digest

    @property
    def version_text(self) -> str:
        return ".".join([str(part) for part in self.version])


def pack_signed(head: Head) -> bytes:
    """What is to be signed."""
    return struct.pack(_SIGNED, _MAGIC, head.hardware.encode(), *head.version, head.octets, head.digest)


def read_head(octets: bytes | memoryview) -> Head:
    """Without a look at the signature. ImageError: no head of an image."""
    if len(octets) < HEAD_OCTETS or bytes(octets[:len(_MAGIC)]) != _MAGIC:
        raise ImageError("this is no image of a line card's firmware")
    _, hardware, major, minor, patch, length, digest = struct.unpack_from(_SIGNED, octets)
    name = "".join([chr(octet) for octet in hardware if octet])
    return Head(name, (major, minor, patch), length, digest)


def verified(octets: bytes | memoryview, modulus: int) -> Head:
    """The head when it is signed by the key of `modulus`. ImageError: no head, or not signed so."""
    head = read_head(octets)
    signed, signature = bytes(octets[:SIGNED_OCTETS]), bytes(octets[SIGNED_OCTETS:HEAD_OCTETS])
    number = int.from_bytes(signature, "big")
    if not modulus:
        raise ImageError("this card was made without a release key: it takes no images")
    if number >= modulus or pow(number, EXPONENT, modulus).to_bytes(KEY_OCTETS, "big") != _encoded(signed):
        raise ImageError("the signature is not of the key that this card trusts")
    return head


def matches(head: Head, payload: memoryview) -> bool:
    """The payload is the one that the head was signed for."""
    digest = sha256()
    for at in range(0, head.octets, _PIECE_OCTETS):
        digest.update(payload[at:min(at + _PIECE_OCTETS, head.octets)])
    return len(payload) >= head.octets and digest.digest() == head.digest


def _encoded(message: bytes) -> bytes:
    """EMSA-PKCS1-v1_5, whole: comparing all of it leaves a forger no octets to choose."""
    end = b"\0" + _DIGEST_INFO + sha256(message).digest()
    return b"\0\x01" + b"\xff" * (KEY_OCTETS - 2 - len(end)) + end
