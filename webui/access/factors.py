"""What people show besides their password: codes of an app, security keys, recovery codes. One SQLite file.

Ref: RFC 6238 (TOTP), W3C Web Authentication Level 2. The clock is an argument; nothing here knows of pages.
"""

import hmac
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp

from appliance.errors import Unavailable
from appliance.store.sealed import Tampered
from webui.access.secrets import Sealer, make_private, plain, recovery_codes, slow_digest

STEP_S = 30                                       # RFC 6238 5.2
DRIFT_STEPS = 1                                   # a telephone's clock may be so far off, either way
PENDING_S = 900.0                                 # in which an app shows its first code
CODES = 10
MOST_KEYS = 10                                    # of one person
LABEL_MOST = 40                                   # characters

_SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (
    name TEXT PRIMARY KEY, sealed BLOB NOT NULL, made_at REAL NOT NULL, last_step INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pending (
    name TEXT PRIMARY KEY, sealed BLOB NOT NULL, ends_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS keys (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, label TEXT NOT NULL, host TEXT NOT NULL, public BLOB NOT NULL,
    count INTEGER NOT NULL, made_at REAL NOT NULL, used_at REAL) STRICT;
CREATE TABLE IF NOT EXISTS codes (
    name TEXT NOT NULL, salt BLOB NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (name, digest)) STRICT;
"""

_FORGET = ("DELETE FROM apps WHERE name = ?", "DELETE FROM pending WHERE name = ?",
           "DELETE FROM keys WHERE name = ?", "DELETE FROM codes WHERE name = ?")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A security key or passkey. It is of use only where the pages are opened under the name `host`."""

    id: bytes
    label: str
    host: str
    public: bytes
    count: int                                    # of signatures, as the key said last; 0: it does not count
    made_at: float
    used_at: float | None


@dataclass(frozen=True, slots=True)
class Has:
    """A person's second factors; recovery codes only stand in for one."""

    app_since: float | None
    keys: tuple[Key, ...]
    codes_left: int

    @property
    def any(self) -> bool:
        return self.app_since is not None or bool(self.keys)


class Factors:
    """Read and written from any thread. sqlite3.Error when the disk refuses: then nothing has changed."""

    def __init__(self, path: Path, key: Path) -> None:
        """Open or make both files. Unavailable when one cannot be used."""
        self._path, self._sealer = path, Sealer(key)
        self._one_digest = threading.Lock()       # each takes 16 MiB for a moment
        try:
            make_private(path)
            with self._open() as base:
                base.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"{path}: cannot be used as the file of second factors ({error}): put a backup in its "
                "place, or remove it: then passwords alone open the pages until people set theirs up "
                "again") from None

    def of(self, name: str) -> Has:
        with self._open() as base:
            app = base.execute("SELECT made_at FROM apps WHERE name = ?", (name,)).fetchone()
            keys = base.execute("SELECT id, label, host, public, count, made_at, used_at FROM keys "
                                "WHERE name = ? ORDER BY made_at", (name,)).fetchall()
            codes = base.execute("SELECT count(*) FROM codes WHERE name = ?", (name,)).fetchone()[0]
        return Has(app[0] if app else None, tuple(Key(*row) for row in keys), codes)

    def handle(self, name: str) -> bytes:
        """What a key stores of the person: no name."""
        return self._sealer.handle(name)

    # --- an app's codes

    def begin_app(self, name: str, now: float) -> str:
        """The secret that an app is to take, Base32; the same until it is confirmed or PENDING_S has passed.

        ValueError: there is an app already.
        """
        with self._open() as base:
            base.execute("DELETE FROM pending WHERE ends_at <= ?", (now,))
            if base.execute("SELECT 1 FROM apps WHERE name = ?", (name,)).fetchone():
                raise ValueError(f"{name} has an app already")
            row = base.execute("SELECT sealed FROM pending WHERE name = ?", (name,)).fetchone()
            if row is not None:
                try:
                    return self._sealer.open(row[0], f"app of {name}").decode()
                except Tampered as error:
                    log.warning("%s: another secret takes its place", error)
            secret = pyotp.random_base32()
            base.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)",
                         (name, self._sealer.seal(secret.encode(), f"app of {name}"), now + PENDING_S))
        return secret

    def pending_app(self, name: str, now: float) -> str | None:
        """The secret of an app that has not shown its first code. None: none is being set up."""
        with self._open() as base:
            row = base.execute("SELECT sealed FROM pending WHERE name = ? AND ends_at > ?",
                               (name, now)).fetchone()
        return self._secret(row[0], name) if row else None

    def confirm_app(self, name: str, code: str, now: float) -> bool:
        """True: the app is a factor from now on, and this code is used up."""
        with self._open() as base:
            row = base.execute("SELECT sealed FROM pending WHERE name = ? AND ends_at > ?",
                               (name, now)).fetchone()
            secret = self._secret(row[0], name) if row else None
            step = _step(secret, code, now) if secret else None
            if step is None:
                return False
            made = base.execute("INSERT OR IGNORE INTO apps VALUES (?, ?, ?, ?)", (name, row[0], now, step))
            base.execute("DELETE FROM pending WHERE name = ?", (name,))
            return made.rowcount == 1

    def drop_pending_app(self, name: str) -> None:
        with self._open() as base:
            base.execute("DELETE FROM pending WHERE name = ?", (name,))

    def app_says(self, name: str, code: str, now: float) -> bool:
        """True once for each code of the app, and not for one older than the last that was used."""
        with self._open() as base:
            row = base.execute("SELECT sealed FROM apps WHERE name = ?", (name,)).fetchone()
            secret = self._secret(row[0], name) if row else None
            step = _step(secret, code, now) if secret else None
            # Of two who send the same code at the same time one changes the row.
            return step is not None and base.execute(
                "UPDATE apps SET last_step = ? WHERE name = ? AND last_step < ?",
                (step, name, step)).rowcount == 1

    def remove_app(self, name: str) -> bool:
        with self._open() as base:
            gone = base.execute("DELETE FROM apps WHERE name = ?", (name,)).rowcount == 1
            _drop_lonely_codes(base, name)
        return gone

    # --- security keys

    def add_key(self, name: str, key: Key) -> None:
        """ValueError: this key is known already, or these are MOST_KEYS."""
        with self._open() as base:
            if base.execute("SELECT count(*) FROM keys WHERE name = ?", (name,)).fetchone()[0] >= MOST_KEYS:
                raise ValueError(f"{name} has {MOST_KEYS} keys already")
            try:
                base.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (
                    key.id, name, key.label, key.host, key.public, key.count, key.made_at, key.used_at))
            except sqlite3.IntegrityError:
                raise ValueError("this key is known already") from None

    def key_signed(self, name: str, key: bytes, before: int, after: int, now: float) -> bool:
        """Note a signature. False: the key is not there any more, or signed elsewhere meanwhile.

        `before` and `after` are its counts: what was known when the signature was checked, what it says now.
        """
        with self._open() as base:
            return base.execute(
                "UPDATE keys SET count = ?, used_at = ? WHERE name = ? AND id = ? AND count = ?",
                (after, now, name, key, before)).rowcount == 1

    def remove_key(self, name: str, key: bytes) -> str:
        """Its label; "": there is no such key of this person."""
        with self._open() as base:
            row = base.execute("DELETE FROM keys WHERE name = ? AND id = ? RETURNING label",
                               (name, key)).fetchone()
            _drop_lonely_codes(base, name)
        return str(row[0]) if row else ""

    # --- recovery codes

    def new_codes(self, name: str) -> list[str]:
        """CODES of them, known to nobody else; those of before are worth nothing any more."""
        codes, salt = recovery_codes(CODES), os.urandom(16)
        with self._one_digest:
            digests = [slow_digest(plain(code), salt) for code in codes]
        with self._open() as base:
            base.execute("DELETE FROM codes WHERE name = ?", (name,))
            base.executemany("INSERT INTO codes VALUES (?, ?, ?)", [(name, salt, one) for one in digests])
        return codes

    def use_code(self, name: str, code: str) -> bool:
        """True once for each code, however its signs were typed."""
        signs = plain(code)
        with self._open() as base:
            rows = base.execute("SELECT salt, digest FROM codes WHERE name = ?", (name,)).fetchall()
        if not signs or not rows:
            return False
        with self._one_digest:
            digest = slow_digest(signs, rows[0][0])
        if not any([hmac.compare_digest(digest, known) for _, known in rows]):
            return False
        with self._open() as base:
            return base.execute("DELETE FROM codes WHERE name = ? AND digest = ?",
                                (name, digest)).rowcount == 1

    def clear(self, name: str, by: str) -> bool:
        """All of a person's factors and codes are gone; the password alone opens the pages. True: there were
        some. For a giver whose people lost their telephone, and when an account is removed."""
        with self._open() as base:
            gone = sum(base.execute(forget, (name,)).rowcount for forget in _FORGET)
        if gone:
            log.warning("second factors of %s removed by %s", name, by)
        return bool(gone)

    def _secret(self, sealed: bytes, name: str) -> str | None:
        try:
            return self._sealer.open(sealed, f"app of {name}").decode()
        except Tampered as error:
            log.error("%s: the app's codes cannot be checked: a recovery code opens, or who gives rights "
                      "removes the factor", error)
            return None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, isolation_level="IMMEDIATE")) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            base.execute("PRAGMA secure_delete = ON")                 # used codes do not lie on
            yield base


def address_for_app(secret: str, name: str, box: str) -> str:
    """What the picture says to an app: otpauth://totp/..."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=box)


def _step(secret: str, code: str, now: float) -> int | None:
    """The step that `code` belongs to, of those around `now`."""
    digits = code.replace(" ", "")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    app, here = pyotp.TOTP(secret), int(now // STEP_S)
    fitting = [step for step in range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1)
               if hmac.compare_digest(app.generate_otp(step), digits)]
    return max(fitting, default=None)


def _drop_lonely_codes(base: sqlite3.Connection, name: str) -> None:
    """Without a factor there is nothing that a recovery code could stand in for."""
    base.execute("DELETE FROM codes WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM apps WHERE name = ?1) "
                 "AND NOT EXISTS (SELECT 1 FROM keys WHERE name = ?1)", (name,))
