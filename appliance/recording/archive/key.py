"""The key that a site's objects are sealed with: a file of 32 octets or 64 hex digits that the hub has."""

import hashlib
import os
import stat
from pathlib import Path

from appliance.errors import ConfigError
from appliance.store.sealed import KEY_OCTETS, KeyGone, Tampered, Wrapped
from appliance.store.sealed.wrapping import unwrap_with, wrap_with


class SharedKey:
    """A Wrapper. Its id tells it from other keys and says nothing else about it."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id = hashlib.sha256(b"branchline key\n" + key).hexdigest()[:32]

    @classmethod
    def read(cls, path: Path) -> "SharedKey":
        """ConfigError: what is wrong with the file; never what is in it."""
        octets = read_secret(path, most_octets=4 * KEY_OCTETS)
        if len(octets) != KEY_OCTETS:
            try:
                octets = bytes.fromhex(octets.decode("ascii").strip())
            except ValueError:
                octets = b""
        if len(octets) != KEY_OCTETS:
            raise ConfigError(f"{path}: no key: it needs {KEY_OCTETS} octets or {2 * KEY_OCTETS} hex digits")
        return cls(octets)

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped(self.id, wrap_with(self._key, key))

    def unwrap(self, wrapped: Wrapped) -> bytes:
        if wrapped.by != self.id:
            raise KeyGone(f"it is sealed with the key {wrapped.by}, this one is {self.id}: take the site's")
        try:
            return unwrap_with(self._key, wrapped.octets)
        except ValueError:
            raise Tampered("its wrapped key is damaged or was changed") from None


def new_key(path: Path) -> SharedKey:
    """Make the file, which must not be there yet. ConfigError otherwise."""
    key = os.urandom(KEY_OCTETS)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made: {error.strerror}") from None
    return SharedKey(key)


def read_secret(path: Path, most_octets: int) -> bytes:
    """A file that only its owner may read. ConfigError: it is not there, or others may."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(f"{path}: others may read it: chmod 600 it, and make a new one if they did")
            return file.read(most_octets + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
