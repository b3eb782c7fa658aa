"""Files that nobody reads or changes without their key. docs/recording-security.md has the format.

AES-256-GCM: a file of 64 KiB chunks (STREAM) under a key of its own, which is wrapped (RFC 3394) by a key of
the box or of a passphrase; so the box's key changes, and a file is destroyed, by some octets of its head.
"""

from appliance.store.sealed.erasing import erase, rewrap, wrapped_by
from appliance.store.sealed.files import Seal, SealedReader, SealedWriter, rewrapped
from appliance.store.sealed.header import CHUNK_OCTETS, HEADER_OCTETS, MAGIC
from appliance.store.sealed.wrapping import (
    KEY_OCTETS,
    DerivedWrapper,
    KeyGone,
    PassphraseWrapper,
    Tampered,
    Wrapped,
    Wrapper,
)

__all__ = [
    "CHUNK_OCTETS",
    "HEADER_OCTETS",
    "KEY_OCTETS",
    "MAGIC",
    "DerivedWrapper",
    "KeyGone",
    "PassphraseWrapper",
    "Seal",
    "SealedReader",
    "SealedWriter",
    "Tampered",
    "Wrapped",
    "Wrapper",
    "erase",
    "rewrap",
    "rewrapped",
    "wrapped_by",
]
