"""Rules, what they raised, and who is yet to be told: one SQLite file, so that the process may end any time.

An alert and what is to be sent because of it are written at once, before anybody is told; what was sent is
written afterwards. Killed in between it is sent again, under the same name: at least once.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.errors import Unavailable
from webui.access import ranges
from webui.access.ranges import Range
from webui.alerts.rules import MEASURES, Rule

MOST_RULES = 200
MOST_OWN = 50                                     # rules of one person
MOST_ALERTS = 20_000                              # the oldest that are over go
SHOWN = 200
MOST_AN_HOUR = 20                                 # of one rule, by mail and webhook
TOO_MANY = "too many of this rule in an hour"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS box (id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS rules (
    number INTEGER PRIMARY KEY AUTOINCREMENT, by TEXT NOT NULL, language TEXT NOT NULL, within TEXT NOT NULL,
    rule TEXT NOT NULL, secret TEXT NOT NULL, "on" INTEGER NOT NULL DEFAULT 1,
    muted_until REAL NOT NULL DEFAULT 0, changed_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS alerts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, rule INTEGER NOT NULL, name TEXT NOT NULL,
    severity TEXT NOT NULL, text TEXT NOT NULL, value REAL NOT NULL, raised_at REAL NOT NULL,
    told INTEGER NOT NULL, cleared_at REAL, seen_at REAL, seen_by TEXT NOT NULL DEFAULT '',
    test INTEGER NOT NULL DEFAULT 0, within TEXT NOT NULL,
    definition TEXT NOT NULL, secret TEXT NOT NULL DEFAULT '', language TEXT NOT NULL DEFAULT 'zh') STRICT;
CREATE INDEX IF NOT EXISTS alerts_open ON alerts (cleared_at) WHERE cleared_at IS NULL;
CREATE TABLE IF NOT EXISTS sendings (
    alert INTEGER NOT NULL REFERENCES alerts ON DELETE CASCADE, phase TEXT NOT NULL, way TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, over INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', PRIMARY KEY (alert, phase, way)) STRICT;
CREATE INDEX IF NOT EXISTS sendings_open ON sendings (alert) WHERE NOT over;
"""
_COLUMNS = {                                      # of alerts, which a file of an older version has not
    "secret": "TEXT NOT NULL DEFAULT ''", "language": "TEXT NOT NULL DEFAULT 'zh'"}
_OF_RULE = "UPDATE alerts SET {0} = coalesce((SELECT {0} FROM rules WHERE rules.number = alerts.rule), {0})"
_ALERTS = ("SELECT number, rule, name, severity, text, value, raised_at, told, cleared_at, seen_at, seen_by,"
           " test, within, definition, secret, language FROM alerts ")
_SENDINGS = "SELECT alert, phase, way, tries, next_at, over, error FROM sendings "
_WAITING = """
    SELECT alert, phase, way, tries, next_at, over, error FROM sendings AS one
    WHERE NOT over AND way IN (SELECT value FROM json_each(?))
    AND NOT (phase = 'cleared' AND EXISTS (SELECT 1 FROM sendings AS first WHERE first.alert = one.alert
             AND first.way = one.way AND first.phase = 'raised' AND NOT first.over))
    ORDER BY alert, phase DESC"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule with whose it is. `within`: the owner's range when he wrote it. `secret`: of its webhook."""

    number: int
    by: str
    language: str
    within: Range
    rule: Rule
    secret: str
    on: bool
    muted_until: float
    changed_at: float


@dataclass(frozen=True, slots=True)
class Alert:
    """`rule`: its number; `definition`, `secret`, `language`: as they were, for the rule may be removed.
    `told`: it was announced, or is about to be. `seen`: acknowledged. Times in Unix seconds."""

    number: int
    rule: int
    name: str
    severity: str
    text: str
    value: float
    raised_at: float
    told: bool
    cleared_at: float | None
    seen_at: float | None
    seen_by: str
    test: bool
    within: Range
    definition: Rule
    secret: str
    language: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One telling: `phase` raised or cleared, `way` banner, mail or webhook."""

    alert: int
    phase: str
    way: str
    tries: int
    next_at: float
    over: bool
    error: str


class Alerts:
    """Read and written from any thread; sqlite3.Error when the disk refuses, and then nothing is done.

    `rules` (those that this version can measure), `raised` and `tried`, the newest tests, are kept in memory:
    every live page looks at them."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Unavailable when it is no database or cannot be written."""
        self._path = path
        self._lock = threading.Lock()
        self.rules: tuple[Kept, ...] = ()
        self.raised: tuple[Alert, ...] = ()
        self.tried: tuple[Alert, ...] = ()
        try:
            with self._open() as base:
                base.executescript(_SCHEMA)
                _grow(base)
                if base.execute("SELECT id FROM box").fetchone() is None:
                    base.execute("INSERT INTO box VALUES (?)", (secrets.token_hex(6),))
                self.box = str(base.execute("SELECT id FROM box").fetchone()[0])
                self._load(base)
            path.chmod(0o600)                     # it has the secrets of webhooks
        except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
            raise Unavailable(
                f"{path}: cannot be used ({error}): move it away, webui makes another") from None

    # --- rules

    def add(self, rule: Rule, by: str, language: str, within: Range, now: float) -> int:
        """Its number. OverflowError: there are too many, of his or of all."""
        with self._change() as base:
            every, own = base.execute("SELECT count(*), count(*) FILTER (WHERE by = ?) FROM rules",
                                      (by,)).fetchone()
            if every >= MOST_RULES or own >= MOST_OWN:
                raise OverflowError
            return base.execute(
                "INSERT INTO rules (by, language, within, rule, secret, changed_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (by, language, within.written(), _written(rule), secrets.token_urlsafe(32),
                 now)).lastrowid or 0

    def change(self, number: int, rule: Rule, language: str, within: Range, now: float) -> None:
        """What it has raised is over: it is judged anew."""
        with self._change() as base:
            base.execute("UPDATE rules SET rule = ?, language = ?, within = ?, changed_at = ?"
                         " WHERE number = ?", (_written(rule), language, within.written(), now, number))
            self._clear(base, number, now)

    def remove(self, number: int, now: float) -> None:
        """What it raised stays in the history."""
        with self._change() as base:
            self._clear(base, number, now)
            base.execute("DELETE FROM rules WHERE number = ?", (number,))

    def switch(self, number: int, on: bool, now: float) -> None:
        with self._change() as base:
            base.execute('UPDATE rules SET "on" = ?, changed_at = ? WHERE number = ?', (on, now, number))
            if not on:
                self._clear(base, number, now)

    def mute(self, number: int, until: float) -> None:
        """Until then it is judged and nobody is told; what still stands then is told."""
        with self._change() as base:
            base.execute("UPDATE rules SET muted_until = ? WHERE number = ?", (until, number))

    def rule(self, number: int) -> Kept | None:
        return next((one for one in self.rules if one.number == number), None)

    # --- alerts

    def raised_of(self, rule: int) -> Alert | None:
        return next((one for one in self.raised if one.rule == rule), None)

    def rise(self, kept: Kept, text: str, value: float, now: float, told: bool, test: bool = False) -> None:
        """On the disk with all that is to be sent when this returns. Raised already: nothing. A test is over
        at once."""
        with self._change() as base:
            if not test and base.execute("SELECT 1 FROM alerts WHERE rule = ? AND cleared_at IS NULL",
                                         (kept.number,)).fetchone():
                return
            number = base.execute(
                "INSERT INTO alerts (rule, name, severity, text, value, raised_at, told, cleared_at, test,"
                " within, definition, secret, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (kept.number, kept.rule.name, kept.rule.severity, text, value, now, told,
                 now if test else None,
                 test, kept.within.written(), _written(kept.rule), kept.secret, kept.language)).lastrowid or 0
            if told:
                self._plan(base, number, kept.number, kept.rule, "raised", now)
            base.execute("DELETE FROM alerts WHERE number <= ? AND cleared_at IS NOT NULL",
                         (number - MOST_ALERTS,))

    def tell(self, alert: Alert, now: float) -> None:
        """Of one that was raised while its rule was muted."""
        with self._change() as base:
            if base.execute("UPDATE alerts SET told = 1 WHERE number = ? AND told = 0 AND cleared_at IS NULL",
                            (alert.number,)).rowcount:
                self._plan(base, alert.number, alert.rule, alert.definition, "raised", now)

    def clear(self, rule: int, now: float) -> None:
        with self._change() as base:
            self._clear(base, rule, now)

    def acknowledge(self, number: int, by: str, now: float) -> bool:
        """False: it is not raised, or somebody was first."""
        with self._change() as base:
            return bool(base.execute(
                "UPDATE alerts SET seen_at = ?, seen_by = ? WHERE number = ? AND seen_at IS NULL"
                " AND cleared_at IS NULL", (now, by, number)).rowcount)

    def alert(self, number: int) -> Alert | None:
        with self._open() as base:
            row = base.execute(_ALERTS + "WHERE number = ?", (number,)).fetchone()
        return _alert(row) if row else None

    def newest(self) -> list[Alert]:
        with self._open() as base:
            return [_alert(row) for row in base.execute(_ALERTS + "ORDER BY number DESC LIMIT ?", (SHOWN,))]

    # --- what is to be sent

    def waiting(self, *ways: str) -> list[Sending]:
        """The oldest first; that one is over not before it was told that it had begun."""
        with self._open() as base:
            rows = base.execute(_WAITING, (json.dumps(ways),)).fetchall()
        return [_sending(row) for row in rows]

    def sendings(self, alerts: Iterable[int]) -> dict[int, list[Sending]]:
        found: dict[int, list[Sending]] = {number: [] for number in alerts}
        with self._open() as base:
            for row in base.execute(_SENDINGS + "WHERE alert >= ? ORDER BY alert, phase DESC, way",
                                    (min(found, default=0),)):
                found.setdefault(row[0], []).append(_sending(row))
        return found

    def done(self, sending: Sending) -> None:
        self._came_of(sending, sending.tries, "", sending.next_at, over=True)

    def failed(self, sending: Sending, error: str, next_at: float, over: bool) -> None:
        """`over`: it is given up."""
        self._came_of(sending, sending.tries + 1, error[:300], next_at, over)

    def _came_of(self, sending: Sending, tries: int, error: str, next_at: float, over: bool) -> None:
        with self._lock, self._open() as base:
            base.execute("UPDATE sendings SET tries = ?, error = ?, next_at = ?, over = ?"
                         " WHERE alert = ? AND phase = ? AND way = ?",
                         (tries, error, next_at, over, sending.alert, sending.phase, sending.way))

    def _clear(self, base: sqlite3.Connection, rule: int, now: float) -> None:
        for row in base.execute(_ALERTS + "WHERE rule = ? AND cleared_at IS NULL", (rule,)).fetchall():
            alert = _alert(row)
            base.execute("UPDATE alerts SET cleared_at = ? WHERE number = ?", (now, alert.number))
            if alert.told:
                self._plan(base, alert.number, rule, alert.definition, "cleared", now)

    def _plan(self, base: sqlite3.Connection, alert: int, number: int, rule: Rule, phase: str,
              now: float) -> None:
        ways = [] if rule.audience.nobody else ["banner"]
        ways += ["mail"] * bool(rule.mail) + ["webhook"] * bool(rule.webhook)
        many, = base.execute("SELECT count(*) FROM alerts WHERE rule = ? AND told AND raised_at > ?"
                             " AND number < ?", (number, now - 3600.0, alert)).fetchone()
        for way in ways:
            over = way != "banner" and many >= MOST_AN_HOUR
            base.execute("INSERT OR IGNORE INTO sendings (alert, phase, way, next_at, over, error)"
                         " VALUES (?, ?, ?, ?, ?, ?)", (alert, phase, way, now, over,
                                                        TOO_MANY if over else ""))

    def _load(self, base: sqlite3.Connection) -> None:
        self.rules = tuple(one for row in base.execute(
            'SELECT number, by, language, within, rule, secret, "on", muted_until, changed_at FROM rules'
            " ORDER BY number") if (one := _kept(row)) and one.rule.what in MEASURES)
        self.raised = tuple(_alert(row) for row in base.execute(
            _ALERTS + "WHERE cleared_at IS NULL ORDER BY number DESC"))
        self.tried = tuple(_alert(row) for row in base.execute(
            _ALERTS + "WHERE test ORDER BY number DESC LIMIT 10"))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with self._open() as base:
                yield base
            with self._open() as base:            # only what is on the disk is believed
                self._load(base)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0)) as base, base:
            base.execute("PRAGMA synchronous = FULL")
            base.execute("PRAGMA foreign_keys = ON")
            yield base


def _grow(base: sqlite3.Connection) -> None:
    there = {row[1] for row in base.execute("PRAGMA table_info(alerts)")}
    for name, kind in _COLUMNS.items():
        if name not in there:
            base.execute(f"ALTER TABLE alerts ADD COLUMN {name} {kind}")
            base.execute(_OF_RULE.format(name))


def _written(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _kept(row: tuple[int, str, str, str, str, str, int, float, float]) -> Kept:
    number, by, language, within, rule, secret, on, muted_until, changed_at = row
    return Kept(number, by, language, ranges.read(within), msgspec.json.decode(rule, type=Rule), secret,
                bool(on),
                muted_until, changed_at)


def _alert(row: tuple[int, int, str, str, str, float, float, int, float | None, float | None, str, int, str,
                      str, str, str],
           ) -> Alert:
    number, rule, name, severity, text, value, raised_at, told, cleared_at, seen_at, seen_by, *rest = row
    test, within, definition, secret, language = rest
    return Alert(number, rule, name, severity, text, value, raised_at, bool(told), cleared_at, seen_at,
                 seen_by,
                 bool(test), ranges.read(str(within)), msgspec.json.decode(str(definition), type=Rule),
                 str(secret), str(language))


def _sending(row: tuple[int, str, str, int, float, int, str]) -> Sending:
    alert, phase, way, tries, next_at, over, error = row
    return Sending(alert, phase, way, tries, next_at, bool(over), error)
