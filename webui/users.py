"""Who may sign in: one SQLite file, passwords as Argon2id; and the secrets that this web server keeps."""

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
import time
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

SESSION_S = 7 * 86400.0                           # then the password is asked for again, however busy it is
MOST_SESSIONS = 100                               # of one person; the oldest ends

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, generation TEXT NOT NULL, made_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, name TEXT NOT NULL, generation TEXT NOT NULL, ends_at REAL NOT NULL) STRICT;
"""


class Busy(BranchlineError):
    """Too many passwords to check at once."""


@dataclass(frozen=True, slots=True)
class User(UserMixin):                            # type: ignore[misc]  # flask-login has no types
    """Somebody who has signed in. `session` is a secret: only this browser has it, the file its digest."""

    name: str
    session: str

    def get_id(self) -> str:
        return self.session


class Users:
    """`generation` of a user changes with the password: sessions begun with the old one end."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        self._hasher = hasher or PasswordHasher()
        # One hash takes 64 MiB for a moment; the box has 400 for everything.
        self._one_hash = threading.Lock()
        try:
            _make_private(path)
            with self._open() as base:
                base.executescript(_SCHEMA)
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
        """The administrator, signed in. None: somebody is there already."""
        generation = secrets.token_urlsafe(9)
        with self._hashing():
            password = self._hasher.hash(password)
        with self._open() as base:
            made = base.execute(
                "INSERT INTO users SELECT ?, ?, ?, datetime('now') WHERE NOT EXISTS (SELECT 1 FROM users)",
                (name, password, generation)).rowcount
        self._some = True
        return self._begin(name, generation) if made else None

    def sign_in(self, name: str, password: str) -> User | None:
        """None: no such name, or not its password; both take the same time. Busy: try again later."""
        row = self._row(name)
        with self._hashing():
            try:
                self._hasher.verify(row[0] if row else self._nobody, password)
            except (VerificationError, InvalidHashError):
                return None
        return self._begin(name, row[1]) if row else None

    def get(self, session: str) -> User | None:
        """Whose session that is; None when it was never begun, or has ended."""
        with self._open() as base:
            row = base.execute(
                "SELECT name FROM sessions JOIN users USING (name, generation) "
                "WHERE digest = ? AND ends_at > ?", (_digest(session), time.time())).fetchone()
        return User(row[0], session) if row else None

    def sign_out(self, session: str) -> None:
        """End it, wherever a copy of its cookie may be."""
        with self._open() as base:
            base.execute("DELETE FROM sessions WHERE digest = ?", (_digest(session),))

    def _begin(self, name: str, generation: str) -> User:
        session, now = secrets.token_urlsafe(24), time.time()
        with self._open() as base:
            base.execute("DELETE FROM sessions WHERE ends_at <= ?", (now,))
            base.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)",
                         (_digest(session), name, generation, now + SESSION_S))
            base.execute(
                "DELETE FROM sessions WHERE name = ? AND digest NOT IN "
                "(SELECT digest FROM sessions WHERE name = ? ORDER BY ends_at DESC LIMIT ?)",
                (name, name, MOST_SESSIONS))
        return User(name, session)

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


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()


def _make_private(path: Path) -> None:
    """The file, there if it was not, for us alone: a backup may have come back readable for others."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _kept(path: Path, new: str) -> str:
    """The text of a private file; `new` becomes it when there is none. Unavailable when it cannot be kept."""
    try:
        _make_private(path)
        if text := path.read_text("ascii").strip():
            return text
        fresh = path.with_name(path.name + ".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(new + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}: the state folder must be writable for webui") from None
    except UnicodeError:
        raise Unavailable(f"{path}: is damaged: remove it, webui makes another") from None
    return new
