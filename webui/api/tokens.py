"""Tokens of other programs: one SQLite file. A token is shown once; the file has its digest."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask_login import UserMixin

from appliance.errors import Unavailable
from webui.access import ranges
from webui.access.ranges import Range

PREFIX = "blt_"                                   # scanners for secrets find one that was left somewhere
SCOPES = ("watch", "find", "line", "report", "notify")         # rights that a token may have
LONGEST_DAYS = 730
MOST_TOKENS = 200
NAME_MOST = 64
USED_EVERY_S = 60.0                               # how exactly it is kept when one was last used

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL, within TEXT NOT NULL, made_by TEXT NOT NULL, made_at REAL NOT NULL,
    ends_at REAL NOT NULL, used_at REAL NOT NULL DEFAULT 0, revoked_at REAL,
    revoked_by TEXT NOT NULL DEFAULT '') STRICT;
"""


@dataclass(frozen=True, slots=True)
class Client(UserMixin):                          # type: ignore[misc]  # flask-login has no types
    """A program that showed its token; in the log its name begins with api:."""

    number: int
    name: str
    scopes: frozenset[str]
    within: Range
    made_by: str
    role: str = "client"
    must_change: bool = False
    language: str = ""

    def get_id(self) -> str:
        return f"client {self.number}"


@dataclass(frozen=True, slots=True)
class Token:
    """As the page lists it. Times in Unix seconds; `used_at` 0: never."""

    number: int
    name: str
    scopes: tuple[str, ...]
    within: Range = field(repr=False)
    made_by: str
    made_at: float
    ends_at: float
    used_at: float
    revoked_at: float | None
    revoked_by: str

    def state(self, now: float) -> str:
        """valid, over or withdrawn."""
        if self.revoked_at is not None:
            return "withdrawn"
        return "valid" if now < self.ends_at else "over"


class Tokens:
    """Read and written from any thread; sqlite3.Error when the disk refuses, and then nothing is done."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        try:
            with self._open() as base:
                base.executescript(_SCHEMA)
            path.chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): move it away, webui makes another") from None

    def make(self, name: str, scopes: frozenset[str], within: Range, by: str, now: float, days: float) -> str:
        """The token, which nobody sees again. OverflowError: there are too many that are valid."""
        token = PREFIX + secrets.token_urlsafe(32)
        with self._open() as base:
            valid, = base.execute("SELECT count(*) FROM tokens WHERE revoked_at IS NULL AND ends_at > ?",
                                  (now,)).fetchone()
            if valid >= MOST_TOKENS:
                raise OverflowError
            base.execute(
                "INSERT INTO tokens (name, digest, scopes, within, made_by, made_at, ends_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, _digest(token), json.dumps(sorted(scopes)), within.written(), by, now,
                 now + days * 86400.0))
        return token

    def client(self, token: str, now: float) -> Client | None:
        """Whose it is; None: nobody's, over or withdrawn."""
        with self._open() as base:
            row = base.execute(
                "SELECT number, name, scopes, within, used_at, made_by FROM tokens"
                " WHERE digest = ? AND revoked_at IS NULL AND ends_at > ?", (_digest(token), now)).fetchone()
            if row is None:
                return None
            number, name, scopes, within, used_at, made_by = row
            if now - used_at > USED_EVERY_S:
                base.execute("UPDATE tokens SET used_at = ? WHERE number = ?", (now, number))
        return Client(number, f"api:{name}", frozenset(json.loads(scopes)), ranges.read(within), made_by)

    def revoke(self, number: int, by: str, now: float) -> bool:
        """False: there is none that is valid."""
        with self._open() as base:
            return bool(base.execute(
                "UPDATE tokens SET revoked_at = ?, revoked_by = ?"
                " WHERE number = ? AND revoked_at IS NULL AND ends_at > ?", (now, by, number, now)).rowcount)

    def all(self) -> list[Token]:
        """Newest first."""
        with self._open() as base:
            rows = base.execute(
                "SELECT number, name, scopes, within, made_by, made_at, ends_at, used_at, revoked_at,"
                " revoked_by FROM tokens ORDER BY number DESC LIMIT 500").fetchall()
        return [Token(number, name, tuple(json.loads(scopes)), ranges.read(within), *rest)
                for number, name, scopes, within, *rest in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            yield base


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
