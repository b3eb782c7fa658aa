"""Who may sign in: one SQLite file, passwords as Argon2id; and the secrets that this web server keeps."""

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_login import UserMixin

from appliance.errors import BranchlineError, StateError, Unavailable
from webui.access import ranges
from webui.access.ranges import UNLIMITED, Range

NAME = re.compile(r"[a-z][a-z0-9.-]{0,31}")       # of a person
PASSWORD_LEAST = 10                               # characters
HASH_WAIT_S = 5.0
CODE_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"    # none that is taken for another when read aloud

SESSION_S = 7 * 86400.0                           # then the password is asked for again, however busy it is
MOST_SESSIONS = 100                               # of one person; the oldest ends
MOST_PEOPLE = 2000
SEEN_EVERY_S = 60.0                               # how exactly it is kept when a session was last used
BROWSER_MOST = 200                                # characters that are kept of what a browser says it is
HANDLE_SIGNS = 32

VERSION = 2                                       # of the tables; a file without one is of version 1
FIRST_ROLE = "admin"                              # of the first, and of all whom version 1 had

_SHUT = "!"                                       # before a hash: no password fits, for older versions, too

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, generation TEXT NOT NULL, made_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, name TEXT NOT NULL, generation TEXT NOT NULL, ends_at REAL NOT NULL) STRICT;
"""

_COLUMNS = {                                      # that came with version 2
    "users": {
        "role": f"TEXT NOT NULL DEFAULT '{FIRST_ROLE}'", "within": "TEXT NOT NULL DEFAULT '{}'",
        "disabled": "INTEGER NOT NULL DEFAULT 0", "made_by": "TEXT NOT NULL DEFAULT ''",
        "must_change": "INTEGER NOT NULL DEFAULT 0", "language": "TEXT NOT NULL DEFAULT ''"},
    "sessions": {
        "began_at": "REAL NOT NULL DEFAULT 0", "seen_at": "REAL NOT NULL DEFAULT 0",
        "address": "TEXT NOT NULL DEFAULT ''", "browser": "TEXT NOT NULL DEFAULT ''"},
}


class Busy(BranchlineError):
    """Too many passwords to check at once."""


@dataclass(frozen=True, slots=True)
class User(UserMixin):                            # type: ignore[misc]  # flask-login has no types
    """Somebody who has signed in. `session` is a secret: only this browser has it, the file its digest; "":
    the password was right, and nothing has begun yet. `within` as it was given: groups are not resolved."""

    name: str
    session: str = field(default="", repr=False)
    generation: str = field(default="", repr=False)
    role: str = FIRST_ROLE
    within: Range = UNLIMITED
    must_change: bool = False                     # the password is one that somebody else knows
    language: str = ""                            # "": the browser's choice

    def get_id(self) -> str:
        return self.session

    @property
    def session_id(self) -> str:
        """Names the session to its owner's page; it opens nothing."""
        return _digest(self.session)[:HANDLE_SIGNS]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the file has him. Nobody is erased: a name in the log stays one person's."""

    name: str
    role: str
    within: Range
    disabled: bool
    made_at: str                                  # UTC, as SQLite writes it
    made_by: str                                  # "": the set-up
    must_change: bool
    language: str
    sessions: int                                 # that go on


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """`id`: as User.session_id."""

    id: str
    began_at: float                               # 0: begun under an older version
    seen_at: float                                # to SEEN_EVERY_S
    ends_at: float
    address: str
    browser: str


class Users:
    """`generation` of a user changes with the password, the role, the range: sessions of before end."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        """Open or make the file. Unavailable when it is no database, cannot be written, or is too new."""
        self._path = path
        self._hasher = hasher or PasswordHasher()
        # One hash takes 64 MiB for a moment; the box has 400 for everything.
        self._one_hash = threading.Lock()
        try:
            _make_private(path)
            with self._open() as base:
                self._migrate(base)
                self._some = bool(base.execute("SELECT 1 FROM users").fetchone())
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{path}: cannot be used as the file of users ({error}): put a backup in its place, or "
                "remove it and set the administrator up again") from None
        self._nobody = self._hasher.hash(secrets.token_hex())

    def some(self) -> bool:
        """True when there is anybody at all."""
        return self._some

    def create_first(self, name: str, password: str, address: str = "", browser: str = "") -> User | None:
        """The administrator, signed in. None: somebody is there already."""
        hashed, generation = self._hash(password), secrets.token_urlsafe(9)
        with self._open() as base:
            made = base.execute(
                "INSERT INTO users (name, password, generation, made_at, role) "
                "SELECT ?, ?, ?, datetime('now'), ? WHERE NOT EXISTS (SELECT 1 FROM users)",
                (name, hashed, generation, FIRST_ROLE)).rowcount
        self._some = True
        return self.begin(name, generation, address, browser) if made else None

    # --- signing in

    def check(self, name: str, password: str) -> User | None:
        """Whose name and password these are; no session has begun. None: no such name, not its password, or
        it is disabled; all take the same time. Busy: try again later."""
        with self._open() as base:
            row = base.execute(f"SELECT password, disabled, {_OF_USER} FROM users WHERE name = ?",
                               (name,)).fetchone()
        with self._hashing():
            try:
                self._hasher.verify(row[0] if row and not row[1] else self._nobody, password)
            except (VerificationError, InvalidHashError):
                return None
        return _user(row[2:], "") if row else None    # of the generation whose password that was

    def begin(self, name: str, generation: str, address: str = "", browser: str = "") -> User | None:
        """A session of who has shown all that he has to, since check() told the generation. None: it is
        another by now, as of who was disabled meanwhile."""
        session, now = secrets.token_urlsafe(24), time.time()
        with self._open() as base:
            base.execute("DELETE FROM sessions WHERE ends_at <= ?", (now,))
            begun = base.execute(
                "INSERT INTO sessions "
                "(digest, name, generation, ends_at, began_at, seen_at, address, browser) "
                "SELECT ?, name, generation, ?, ?, ?, ?, ? FROM users "
                "WHERE name = ? AND generation = ? AND NOT disabled",
                (_digest(session), now + SESSION_S, now, now, address, browser[:BROWSER_MOST], name,
                 generation)).rowcount
            base.execute(
                "DELETE FROM sessions WHERE name = ? AND digest NOT IN "
                "(SELECT digest FROM sessions WHERE name = ? ORDER BY ends_at DESC LIMIT ?)",
                (name, name, MOST_SESSIONS))
        return self._user(name, session) if begun else None

    def sign_in(self, name: str, password: str) -> User | None:
        """check() and begin() for who has nothing but a password."""
        found = self.check(name, password)
        return self.begin(name, found.generation) if found else None

    def get(self, session: str) -> User | None:
        """Whose session that is; None when it was never begun, or has ended."""
        now = time.time()
        with self._open() as base:
            row = base.execute(
                f"SELECT {_OF_USER}, seen_at FROM sessions JOIN users USING (name, generation) "
                "WHERE digest = ? AND ends_at > ? AND NOT disabled", (_digest(session), now)).fetchone()
            if row and not 0 <= now - row[-1] < SEEN_EVERY_S:
                with suppress(sqlite3.Error):     # a full disk shuts nobody out
                    base.execute("UPDATE sessions SET seen_at = ? WHERE digest = ?", (now, _digest(session)))
                    base.commit()
        return _user(row[:-1], session) if row else None

    # --- sessions

    def sign_out(self, session: str) -> None:
        """End it, wherever a copy of its cookie may be."""
        with self._open() as base:
            base.execute("DELETE FROM sessions WHERE digest = ?", (_digest(session),))

    def sessions(self, name: str) -> list[SessionInfo]:
        """Those that go on, the newest first."""
        with self._open() as base:
            return [SessionInfo(*row) for row in base.execute(
                f"SELECT substr(digest, 1, {HANDLE_SIGNS}), began_at, seen_at, ends_at, address, browser "
                "FROM sessions JOIN users USING (name, generation) WHERE name = ? AND ends_at > ? "
                "ORDER BY began_at DESC, ends_at DESC", (name, time.time()))]

    def end(self, name: str, session_id: str) -> bool:
        """False: this person has no such session."""
        with self._open() as base:
            return base.execute(
                f"DELETE FROM sessions WHERE name = ? AND substr(digest, 1, {HANDLE_SIGNS}) = ?",
                (name, session_id)).rowcount == 1

    def end_others(self, name: str, session_id: str = "") -> int:
        """How many ended: all of a person's but this one."""
        with self._open() as base:
            return base.execute(
                f"DELETE FROM sessions WHERE name = ? AND substr(digest, 1, {HANDLE_SIGNS}) != ?",
                (name, session_id)).rowcount

    # --- people

    def people(self) -> list[Person]:
        """By name."""
        with self._open() as base:
            return [_person(row) for row in base.execute(_PEOPLE.format("1") + " ORDER BY users.name",
                                                         (time.time(),))]

    def person(self, name: str) -> Person | None:
        with self._open() as base:
            row = base.execute(_PEOPLE.format("users.name = ?"), (time.time(), name)).fetchone()
        return _person(row) if row else None

    def add(self, name: str, password: str, role: str, within: Range, by: str) -> None:
        """With a password for once. StateError: the name is taken, for good, or there are MOST_PEOPLE."""
        hashed = self._hash(password)
        with self._open() as base:
            if base.execute("SELECT count(*) FROM users").fetchone()[0] >= MOST_PEOPLE:
                raise StateError("there are as many people as can be")
            made = base.execute(
                "INSERT OR IGNORE INTO users (name, password, generation, made_at, role, within, made_by, "
                "must_change) VALUES (?, ?, ?, datetime('now'), ?, ?, ?, 1)",
                (name, hashed, secrets.token_urlsafe(9), role, within.written(), by)).rowcount
        if not made:
            raise StateError("somebody has this name already, or had it")

    def change(self, name: str, role: str, within: Range) -> None:
        """Role and range, at once: sessions of before end. StateError: nobody could give rights any more."""
        with self._open() as base:
            base.execute("UPDATE users SET role = ?, within = ?, generation = ? WHERE name = ?",
                         (role, within.written(), secrets.token_urlsafe(9), name))
            _one_is_left(base)

    def disable(self, name: str, disabled: bool = True) -> None:
        """His sessions end; his password opens nothing until he is enabled again. StateError as change()."""
        with self._open() as base:
            base.execute(
                "UPDATE users SET disabled = ?1, generation = ?2, "
                "password = CASE WHEN ?1 THEN ?3 ELSE '' END || ltrim(password, ?3) WHERE name = ?4",
                (int(disabled), secrets.token_urlsafe(9), _SHUT, name))
            _one_is_left(base)

    def change_password(self, name: str, password: str, keep: str = "", once: bool = False) -> None:
        """His sessions end but `keep`. `once`: somebody else gave it, and he has to change it. Busy."""
        hashed, generation = self._hash(password), secrets.token_urlsafe(9)
        with self._open() as base:
            base.execute(
                "UPDATE sessions SET generation = ? WHERE digest = ? AND (name, generation) IN "
                "(SELECT name, generation FROM users WHERE name = ?)", (generation, _digest(keep), name))
            base.execute(
                "UPDATE users SET password = CASE WHEN disabled THEN ? ELSE '' END || ?, generation = ?, "
                "must_change = ? WHERE name = ?", (_SHUT, hashed, generation, int(once), name))

    def set_language(self, name: str, language: str) -> None:
        with self._open() as base:
            base.execute("UPDATE users SET language = ? WHERE name = ?", (language, name))

    def _user(self, name: str, session: str = "") -> User | None:
        with self._open() as base:
            row = base.execute(f"SELECT {_OF_USER} FROM users WHERE name = ?", (name,)).fetchone()
        return _user(row, session) if row else None

    def _hash(self, password: str) -> str:
        with self._hashing():
            return self._hasher.hash(password)

    def _migrate(self, base: sqlite3.Connection) -> None:
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise Unavailable(
                f"{self._path}: is of version {version}, and this is for {VERSION}: install the newer "
                "version again, or put a backup in its place")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            base.execute(statement)
        for table, columns in _COLUMNS.items():
            there = {row[1] for row in base.execute(f"PRAGMA table_info({table})")}
            for name, kind in columns.items():
                if name not in there:
                    base.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        base.execute(f"PRAGMA user_version = {VERSION}")

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


_OF_USER = "name, generation, role, within, must_change, language"

_PEOPLE = (
    "SELECT users.name, role, within, disabled, made_at, made_by, must_change, language, "
    "(SELECT count(*) FROM sessions WHERE sessions.name = users.name AND "
    "sessions.generation = users.generation AND ends_at > ?) FROM users WHERE {}")


def _user(row: tuple[str, str, str, str, int, str], session: str) -> User:
    name, generation, role, within, must_change, language = row
    return User(name, session, generation, role, ranges.read(within), bool(must_change), language)


def _person(row: tuple[str, str, str, int, str, str, int, str, int]) -> Person:
    name, role, within, disabled, made_at, made_by, must_change, language, sessions = row
    return Person(name, role, ranges.read(within), bool(disabled), made_at, made_by, bool(must_change),
                  language, sessions)


def _one_is_left(base: sqlite3.Connection) -> None:
    """StateError, and what was done in this transaction is undone: the last who may give all is kept."""
    if not base.execute("SELECT 1 FROM users WHERE role = ? AND within = ? AND NOT disabled",
                        (FIRST_ROLE, UNLIMITED.written())).fetchone():
        raise StateError("this is the last administrator without limits: make another first")


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


def one_time_password() -> str:
    """Three groups of four signs: 59 bits, to be read aloud or written down."""
    return "-".join("".join(secrets.choice(CODE_SIGNS) for _ in range(4)) for _ in range(3))


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
