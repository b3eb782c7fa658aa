"""Small secrets at rest: sealed with a key of webui's own, AES-256-GCM, each bound to whose it is.

The key lies beside the state, not in the database: who gets the database alone opens nothing.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import Unavailable
from appliance.store.private import make_private as make_private
from appliance.store.sealed import KEY_OCTETS, Tampered

CODE_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"    # none that is taken for another when read aloud
CODE_GROUPS, GROUP_SIGNS = 2, 5                   # 10 of 31 signs: 49 bits

_NONCE_OCTETS = 12
_HEX = re.compile(rf"[0-9a-f]{{{2 * KEY_OCTETS}}}")


class Sealer:
    """Seals and opens with the key of one file, which is made at the first start."""

    def __init__(self, path: Path) -> None:
        """Unavailable: the key cannot be read or made."""
        master = _key_in(path)
        self._cipher = AESGCM(_derived(master, b"sealing"))
        self._naming = _derived(master, b"naming")

    def seal(self, octets: bytes, of: str) -> bytes:
        """`of`: whose and what it is; it opens under the same only."""
        nonce = os.urandom(_NONCE_OCTETS)
        return nonce + self._cipher.encrypt(nonce, octets, of.encode())

    def open(self, sealed: bytes, of: str) -> bytes:
        """Tampered: damaged, somebody else's, or sealed with another box's key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], of.encode())
        except (InvalidTag, ValueError):
            raise Tampered(f"{of}: is damaged, or sealed with another key") from None

    def handle(self, name: str) -> bytes:
        """32 octets that stand for a person, always the same, and do not tell who."""
        return hmac.digest(self._naming, name.encode(), "sha256")


def recovery_codes(number: int) -> list[str]:
    """New ones, as people read them: ABCDE-FGHJK."""
    return ["-".join("".join(secrets.choice(CODE_SIGNS) for _ in range(GROUP_SIGNS))
                     for _ in range(CODE_GROUPS)) for _ in range(number)]


def plain(code: str) -> str:
    """A recovery code as it was typed -> its signs alone. "" when it cannot be one."""
    signs = "".join(sign for sign in code.upper() if sign not in "- ")
    fits = len(signs) == CODE_GROUPS * GROUP_SIGNS and set(signs) <= set(CODE_SIGNS)
    return signs if fits else ""


def slow_digest(code: str, salt: bytes) -> bytes:
    """Of a code: 16 MiB and some tens of milliseconds for each guess at a file that was stolen."""
    return hashlib.scrypt(code.encode(), salt=salt, n=2 ** 14, r=8, p=1, maxmem=32 * 2 ** 20, dklen=32)


def _derived(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, b"branchline web " + purpose, "sha256")


def _key_in(path: Path) -> bytes:
    try:
        with contextlib.suppress(FileNotFoundError):
            path.chmod(0o600)
            text = path.read_text("ascii").strip()
            if _HEX.fullmatch(text):
                return bytes.fromhex(text)
            raise Unavailable(_damaged(path))
        new, key = path.with_name(path.name + ".new"), os.urandom(KEY_OCTETS)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}: the state folder must be writable for webui") from None
    except UnicodeError:
        raise Unavailable(_damaged(path)) from None
    return key


def _damaged(path: Path) -> str:
    return (f"{path}: is damaged: put a backup in its place, or remove it: then people sign in with a "
            "security key or a recovery code and set their code app up again")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
