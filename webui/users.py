"""Who may sign in: one SQLite file, passwords as Argon2id; and the secrets that this web server keeps."""

import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_login import UserMixin

from appliance.errors import BranchlineError, Unavailable

PASSWORD_LEAST = 10                               # characters
HASH_WAIT_S = 5.0
CODE_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"    # none that is taken for another when read aloud

_SCHEMA = """CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, generation TEXT NOT NULL, made_at TEXT NOT NULL) STRICT"""


class Busy(BranchlineError):
    """Too many passwords to check at once."""


@dataclass(frozen=True, slots=True)
class User(UserMixin):                            # type: ignore[misc]  # flask-login has no types
    """`generation` changes with the password: sessions begun with the old one end."""

    name: str
    generation: str

    def get_id(self) -> str:
        return f"{self.generation}:{self.name}"


class Users:
    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        self._hasher = hasher or PasswordHasher()
        # One hash takes 64 MiB for a moment; the box has 400 for everything.
        self._one_hash = threading.Lock()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            with self._open() as base:
                base.execute(_SCHEMA)
                self._some = bool(base.execute("SELECT 1 FROM users").fetchone())
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{path}: cannot be used as the file of users ({error}): put a backup in its place, or "
                "remove it and set the administrator up again") from None
        self._nobody = self._hasher.hash(secrets.token_hex())

    def some(self) -> bool:
        """True when there is anybody at all."""
        return self._some

    def create_first(self, name: str, password: str) -> User | None:
        """The administrator. None: somebody is there already."""
        user = User(name, secrets.token_urlsafe(9))
        with self._hashing():
            password = self._hasher.hash(password)
        with self._open() as base:
            made = base.execute(
                "INSERT INTO users SELECT ?, ?, ?, datetime('now') WHERE NOT EXISTS (SELECT 1 FROM users)",
                (name, password, user.generation)).rowcount
        self._some = True
        return user if made else None

    def get(self, user_id: str) -> User | None:
        """By User.get_id(), None when the user or its generation is gone."""
        generation, _, name = user_id.partition(":")
        row = self._row(name)
        return User(name, generation) if row and row[1] == generation else None

    def sign_in(self, name: str, password: str) -> User | None:
        """None: no such name, or not its password; both take the same time. Busy: try again later."""
        row = self._row(name)
        with self._hashing():
            try:
                self._hasher.verify(row[0] if row else self._nobody, password)
            except (VerificationError, InvalidHashError):
                return None
        return User(name, row[1]) if row else None

    def _row(self, name: str) -> tuple[str, str] | None:
        with self._open() as base:
            row: tuple[str, str] | None = base.execute(
                "SELECT password, generation FROM users WHERE name = ?", (name,)).fetchone()
            return row

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            yield base

    @contextmanager
    def _hashing(self) -> Iterator[None]:
        if not self._one_hash.acquire(timeout=HASH_WAIT_S):
            raise Busy("too many people sign in at this moment")
        try:
            yield
        finally:
            self._one_hash.release()


class SetupCode:
    """Lets only who can read the box's log or disk make the first administrator. Works once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """The code, made at the first call; the same until forget()."""
        code = "-".join("".join(secrets.choice(CODE_SIGNS) for _ in range(4)) for _ in range(2))
        return _kept(self._path, code)

    def matches(self, guess: str) -> bool:
        kept = self.read().replace("-", "")
        given = "".join(sign for sign in guess.upper() if sign.isalnum())
        return hmac.compare_digest(kept.encode(), given.encode())

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def session_key(path: Path) -> bytes:
    """What session cookies are signed with, made at the first call and kept over restarts."""
    return _kept(path, secrets.token_hex(32)).encode()


def _kept(path: Path, new: str) -> str:
    """The text of a private file; `new` becomes it when there is none. Unavailable when it cannot be kept."""
    try:
        if path.exists() and (text := path.read_text().strip()):
            return text
        fresh = path.with_name(path.name + ".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(new + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}: the state folder must be writable for webui") from None
    return new
