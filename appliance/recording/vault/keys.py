"""The box's keys: a ring that wraps keys of files and segments, and one that signs.

KeyStore is all that others may use of them, so that a TPM or a PKCS#11 token can stand in for the files here.
"""

import hashlib
import logging
import os
import re
import threading
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.errors import Unavailable
from appliance.recording.folders import sync_folder
from appliance.store.sealed import KEY_OCTETS, KeyGone, Tampered, Wrapped
from appliance.store.sealed.wrapping import unwrap_with, wrap_with

_RING = re.compile(r"[0-9]{6}-([0-9a-f]{32})\.key")
_SIGNING = "signing.key"

log = logging.getLogger(__name__)


class KeyStore(Protocol):
    """Keys that never leave their place. As a Wrapper it wraps with `current` and unwraps with all."""

    @property
    def current(self) -> str:
        """Id of the key that wraps from now on."""
        ...

    @property
    def ids(self) -> list[str]:
        """Of the ring, oldest first; the last is `current`."""
        ...

    @property
    def public_key(self) -> bytes:
        """Ed25519, 32 octets; its SHA-256 is what people compare."""
        ...

    def wrap(self, key: bytes) -> Wrapped: ...

    def unwrap(self, wrapped: Wrapped) -> bytes: ...

    def sign(self, octets: bytes) -> bytes:
        """64 octets."""
        ...

    def rotate(self) -> str:
        """A new key wraps from now on; the older ones still unwrap. Its id. OSError: all is as before."""
        ...

    def forget(self, key_id: str) -> None:
        """Destroy an older key; what it alone wraps is lost. ValueError: it is current or unknown."""
        ...


class Keys:
    """KeyStore in files: a folder 0700 of its own with files 0600, made at the first start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = threading.Lock()
        try:
            _make_private(folder)
            for left in folder.glob(".*.new"):    # a power cut took its name: nothing uses it
                left.unlink()
            self._ring = self._read_ring()        # replaced as a whole: read without the lock
            if not self._ring:
                self.rotate()
            self._signing = Ed25519PrivateKey.from_private_bytes(self._signing_key())
        except OSError as error:
            # Not a mistake in the configuration: that would end the whole box, its calls included.
            raise Unavailable(f"{folder}: the keys of recordings cannot be read or made: {error.strerror}: "
                              "mend the disk, or its owner and mode") from None

    @property
    def current(self) -> str:
        return self.ids[-1]

    @property
    def ids(self) -> list[str]:
        return list(self._ring)

    @property
    def public_key(self) -> bytes:
        return self._signing.public_key().public_bytes_raw()

    def wrap(self, key: bytes) -> Wrapped:
        by, wrapping_key = list(self._ring.items())[-1]
        return Wrapped(by, wrap_with(wrapping_key, key))

    def unwrap(self, wrapped: Wrapped) -> bytes:
        wrapping_key = self._ring.get(wrapped.by)
        if wrapping_key is None:
            raise KeyGone(f"this box has no key {wrapped.by}: it was destroyed, or is another box's")
        try:
            return unwrap_with(wrapping_key, wrapped.octets)
        except ValueError:
            raise Tampered("a wrapped key is damaged or was changed") from None

    def sign(self, octets: bytes) -> bytes:
        return self._signing.sign(octets)

    def rotate(self) -> str:
        key = os.urandom(KEY_OCTETS)
        with self._changing:
            numbers = [int(path.name[:6]) for path in self._folder.glob("[0-9]*.key*")]
            _write(self._folder / f"{max(numbers, default=0) + 1:06}-{_id(key)}.key", key)
            self._ring = {**self._ring, _id(key): key}
        return _id(key)

    def forget(self, key_id: str) -> None:
        with self._changing:
            if key_id not in self._ring or key_id == self.current:
                raise ValueError(f"{key_id} is not an older key of this box")
            for path in self._folder.glob(f"*-{key_id}.key"):
                _destroy(path)
            self._ring = {by: key for by, key in self._ring.items() if by != key_id}

    def _read_ring(self) -> dict[str, bytes]:
        ring = {}
        for path in sorted(self._folder.iterdir()):
            if (named := _RING.fullmatch(path.name)) is not None:
                key = _read(path)
                if key is not None and _id(key) == named[1]:
                    ring[named[1]] = key
        return ring

    def _signing_key(self) -> bytes:
        path = self._folder / _SIGNING
        key = _read(path) if path.exists() else None
        if key is None:
            _write(path, key := os.urandom(KEY_OCTETS))
        return key


def fingerprint(public_key: bytes) -> str:
    """What people compare: 64 hex digits."""
    return hashlib.sha256(public_key).hexdigest()


def pem(public_key: bytes) -> bytes:
    """As OpenSSL reads it."""
    return Ed25519PublicKey.from_public_bytes(public_key).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _id(key: bytes) -> str:
    """Tells a key from others and proves that it is whole; says nothing else about it."""
    return hashlib.sha256(b"branchline key\n" + key).hexdigest()[:32]


def _read(path: Path) -> bytes | None:
    """None: damaged; it is put aside under another name, where a backup's can replace it."""
    if path.stat().st_mode & 0o077:
        log.warning("%s: others could read it: its mode is 0600 again; rotate the keys", path)
        path.chmod(0o600)
    octets = path.read_bytes()
    key = octets[:KEY_OCTETS]
    if octets == key + bytes.fromhex(_id(key)):
        return key
    log.error("%s: is damaged: what it sealed opens no more until it is restored from a backup", path)
    path.rename(path.with_name(path.name + ".damaged"))
    return None


def _write(path: Path, key: bytes) -> None:
    """Durable under its name, or not there."""
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(key + bytes.fromhex(_id(key)))
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
    sync_folder(path.parent)


def _destroy(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o777 != 0o700:    # a disk that is read-only now does not matter then
        folder.chmod(0o700)
    sync_folder(folder.parent)
