"""What makes the chain a chain, for who writes it and who checks it elsewhere. No I/O.

link = SHA-256(link before || SHA-256(payload)); a payload is its fields as netstrings, in UTF-8: there is
one way only to write it down.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = bytes(32)                               # the link before the first entry
_HEAD = "branchline chain head 1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `data` is its JSON as it was written, `link` holds all entries until it."""

    seq: int
    at_ms: int                                    # since 1970
    kind: str
    recording: str                                # "": of none
    by: str                                       # who: a person, or the daemon
    data: str
    link: bytes

    @property
    def payload_hash(self) -> bytes:
        texts = str(self.seq), str(self.at_ms), self.kind, self.recording, self.by, self.data
        return payload_hash(text.encode() for text in texts)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.data)
        return facts


@dataclass(frozen=True, slots=True)
class Head:
    """The box's word, signed, that the chain came to this link: whoever keeps it sees a tail cut off."""

    seq: int
    at_ms: int
    link: bytes
    public_key: bytes
    signature: bytes

    @property
    def good(self) -> bool:
        return signed(self.public_key, self.signature, head_text(self.seq, self.at_ms, self.link))


def canonical(data: Mapping[str, Any]) -> str:
    """JSON of one spelling. ValueError: NaN, or text that is no Unicode."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


def payload_hash(fields: Iterable[bytes]) -> bytes:
    """Of an entry's seq and at_ms in decimal, kind, recording, by and data."""
    return hashlib.sha256(b"".join([b"%d:%b," % (len(field), field) for field in fields])).digest()


def link(before: bytes, payload: bytes) -> bytes:
    """`payload` is its hash."""
    return hashlib.sha256(before + payload).digest()


def head_text(seq: int, at_ms: int, at_link: bytes) -> bytes:
    """What is signed."""
    return f"{_HEAD}\n{seq}\n{at_ms}\n{at_link.hex()}\n".encode()


def signed(public_key: bytes, signature: bytes, octets: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, octets)
    except (InvalidSignature, ValueError):
        return False
    return True
