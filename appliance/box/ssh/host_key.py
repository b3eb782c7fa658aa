"""The key by which who comes knows the box: Ed25519, made at the first start, shown by its fingerprint only.

Ref: RFC 8709; the file as OpenSSH writes it.
"""

import base64
import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from appliance.box.backup.durable import make_folder, open_file, write_file
from appliance.errors import Unavailable

FOLDER, NAME = "ssh", "host_key"                  # in the state folder
MOST_OCTETS = 16384

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostKey:
    private: bytes                                # as OpenSSH writes it
    public: str                                   # ssh-ed25519 AAAA...

    @property
    def fingerprint(self) -> str:
        """As ssh shows it to who comes first: SHA256:..."""
        return fingerprint(self.public)


def fingerprint(public: str) -> str:
    """Of the line of a public key."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def new_key() -> tuple[bytes, str]:
    """A private key as OpenSSH writes it, and its public line."""
    key = Ed25519PrivateKey.generate()
    return (key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
            key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def host_key(state_dir: Path) -> HostKey:
    """The box's, made now if there is none. A damaged one is made anew, or nobody could come.

    Unavailable: the disk refuses.
    """
    path = state_dir / FOLDER / NAME
    public_file = path.with_suffix(".pub")
    try:
        if (found := _read(path)) is not None:
            if not public_file.is_file() or public_file.read_bytes() != f"{found.public}\n".encode():
                write_file(public_file, f"{found.public}\n".encode())
            return found
        if path.exists():
            log.error("%s: is no Ed25519 key: another is made, and who knows the box is warned of it", path)
        make_folder(path.parent, 0o700)
        private, public = new_key()
        write_file(public_file, f"{public}\n".encode())
        write_file(path, private)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None
    return HostKey(private, public)


def _read(path: Path) -> HostKey | None:
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)          # a backup that was put in its place by hand
        octets = file.read(MOST_OCTETS)
    try:
        key = load_ssh_private_key(octets, None)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PrivateKey):
        return None
    return HostKey(octets, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
