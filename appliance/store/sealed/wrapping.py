"""Keys of files, wrapped by other keys: the box's, or one made from a passphrase.

Ref: RFC 3394 (AES key wrap), RFC 9106 (Argon2id; its second recommended parameters).
"""

import os
import struct
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from appliance.errors import BranchlineError

KEY_OCTETS = 32
KEY_ID_OCTETS = 16
MAX_WRAPPED_OCTETS = 400                          # a slot of a header holds so much

_ID_AND_LENGTH = struct.Struct(f">{KEY_ID_OCTETS}sH")


class Tampered(BranchlineError):
    """These octets are not what was sealed: damaged, cut, or changed by somebody."""


class KeyGone(BranchlineError):
    """The key that opens this is not there: destroyed, of another box, or a wrong passphrase."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped key and the id (32 hex digits) of what wraps it. No secret."""

    by: str
    octets: bytes

    def write(self) -> bytes:
        return _ID_AND_LENGTH.pack(bytes.fromhex(self.by), len(self.octets)) + self.octets

    @classmethod
    def read(cls, octets: bytes) -> "Wrapped":
        """What write() gave; what follows it is not looked at. Tampered: it is none."""
        if len(octets) < _ID_AND_LENGTH.size:
            raise Tampered("a wrapped key is cut off")
        by, length = _ID_AND_LENGTH.unpack_from(octets)
        wrapped = octets[_ID_AND_LENGTH.size:][:length]
        if len(wrapped) < length or not 0 < length <= MAX_WRAPPED_OCTETS:
            raise Tampered("a wrapped key is cut off")
        return cls(by.hex(), wrapped)


class Wrapper(Protocol):
    """What keys are wrapped with: the box's ring of keys, a passphrase, a key on another machine."""

    def wrap(self, key: bytes) -> Wrapped: ...

    def unwrap(self, wrapped: Wrapped) -> bytes:
        """KeyGone: not with what is here. Tampered: these octets were never wrapped by that key."""
        ...


def wrap_with(wrapping_key: bytes, key: bytes) -> bytes:
    return aes_key_wrap(wrapping_key, key)


def unwrap_with(wrapping_key: bytes, wrapped: bytes) -> bytes:
    """ValueError: it was not wrapped by that key."""
    try:
        key = aes_key_unwrap(wrapping_key, wrapped)
    except InvalidUnwrap:
        raise ValueError("not wrapped by this key") from None
    if len(key) != KEY_OCTETS:
        raise ValueError("not a key of a file")
    return key


@dataclass(frozen=True)
class PassphraseWrapper:
    """A key from a passphrase, with a salt and parameters that lie beside what it wraps."""

    passphrase: str = field(repr=False)

    ID = "00" * KEY_ID_OCTETS
    _MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4
    _MOST_MEMORY_KIB, _MOST_PASSES, _MOST_LANES = 1024 * 1024, 16, 16  # what a stranger's file may ask
    _HEAD = struct.Struct(">BIBB16s")             # version, memory, passes, lanes, salt

    def wrap(self, key: bytes) -> Wrapped:
        head, wrapping_key = self.derive()
        return Wrapped(self.ID, head + wrap_with(wrapping_key, key))

    def derive(self) -> tuple[bytes, bytes]:
        """A new salt with the parameters, and the key that they make."""
        head = self._HEAD.pack(1, self._MEMORY_KIB, self._PASSES, self._LANES, os.urandom(16))
        return head, self._key(head)

    def unwrap(self, wrapped: Wrapped) -> bytes:
        if wrapped.by != self.ID:
            raise KeyGone(f"it is sealed with the key {wrapped.by} of a box, not with a passphrase: "
                          "open it on that box")
        head = wrapped.octets[:self._HEAD.size]
        if len(head) < self._HEAD.size:
            raise Tampered("the wrapped key is cut off")
        try:
            return unwrap_with(self._key(head), wrapped.octets[self._HEAD.size:])
        except ValueError:
            raise KeyGone("the passphrase does not open it: give the one that it was made with") from None

    def derived(self, wrapped: Wrapped) -> "DerivedWrapper":
        """What alone opens what this opened, without the passphrase. KeyGone, Tampered: it does not."""
        self.unwrap(wrapped)
        head = wrapped.octets[:self._HEAD.size]
        return DerivedWrapper(head, self._key(head))

    def _key(self, head: bytes) -> bytes:
        version, memory_kib, passes, lanes, salt = self._HEAD.unpack(head)
        if (version != 1 or not 8 * lanes <= memory_kib <= self._MOST_MEMORY_KIB
                or not 1 <= passes <= self._MOST_PASSES or not 1 <= lanes <= self._MOST_LANES):
            raise Tampered("the parameters of its passphrase are not what this version makes or accepts")
        return Argon2id(salt=salt, length=KEY_OCTETS, iterations=passes, lanes=lanes,
                        memory_cost=memory_kib).derive(self.passphrase.encode())


@dataclass(frozen=True)
class DerivedWrapper:
    """A passphrase's key, made once: what it wraps, the passphrase unwraps on any machine.

    For who seals by himself and must not keep the passphrase, which may open other things, too.
    """

    head: bytes                                   # salt and parameters; no secret
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, passphrase: str) -> "DerivedWrapper":
        return cls(*PassphraseWrapper(passphrase).derive())

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped(PassphraseWrapper.ID, self.head + wrap_with(self.key, key))

    def unwrap(self, wrapped: Wrapped) -> bytes:
        head, octets = wrapped.octets[:len(self.head)], wrapped.octets[len(self.head):]
        try:
            if wrapped.by == PassphraseWrapper.ID and head == self.head:
                return unwrap_with(self.key, octets)
        except ValueError:
            pass
        raise KeyGone("it is sealed with another passphrase than the one that is kept here")
