"""Recordings found: newest first, a page at a time, within milliseconds among a million.

A number grows with time, so every index is in the order of time within itself. Of what was asked, the
condition with the fewest rows leads: its index is walked from the newest on, the others are looked at in each
row. How many rows a condition has is counted to MOST_TOTAL only.
Ref: sqlite.org/fts5.html (3: query syntax), sqlite.org/lang_indexedby.html.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from appliance.bus.messages import RecordingRow, RecordingsFound, SearchRecordings, Within
from appliance.bus.messages.catalogue import MOST_ROWS, MOST_TOTAL
from appliance.bus.messages.within import MOST_WITHIN
from appliance.errors import StateError
from appliance.recording.catalogue.rows import Recording, number_at
from appliance.recording.catalogue.schema import recordings
from appliance.recording.wav import TICKS_PER_S

MOST_CHARACTERS = 100                             # of a text
MOST_WORDS = 8
MOST_TERMS = 400                                  # of three characters, that a shorter word may begin
TRIGRAM = 3

_LEAST_DIGITS, _MOST_DIGITS = TRIGRAM, 32
_NUMBER = re.compile(r"\^?[0-9+*#]+")
_WORDS = "r.tags || char(10) || r.disposition || char(10) || r.note"
_SPECIAL, _ESCAPED = re.compile(r"([%_|])"), r"|\1"
_NOTHING = "\x01" * TRIGRAM
_JOINED = "CROSS JOIN recordings r ON r.number = {}"
_MOST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Lead:
    """A way to rows: `where` is looked up in `source`, and `number` is its column of that name."""

    source: str
    where: str
    values: tuple[Any, ...]
    number: str = "r.number"
    sorts: bool = False                           # its rows are not in the order of number
    joined: str = ""                              # recordings, when `source` is another table


@dataclass(frozen=True, slots=True)
class Part:
    """One condition: on a row `r` of recordings, and the way to its rows if there is a short one."""

    where: str
    values: tuple[Any, ...] = ()
    lead: Lead | None = None


@dataclass(frozen=True, slots=True)
class Query:
    sql: str
    values: tuple[Any, ...]


_BY_TIME = Lead("recordings r NOT INDEXED", "1", ())


def search(connection: Connection, asked: SearchRecordings, since: float, until: float) -> RecordingsFound:
    """Within [since, until), 0: no limit. StateError: what was asked for is no search."""
    if not 1 <= asked.limit <= MOST_ROWS:
        raise StateError(f"limit: from 1 to {MOST_ROWS}, not {asked.limit}")
    rows, count = plan(connection, asked, since, until)
    total: int = connection.exec_driver_sql(count.sql, count.values).scalar_one()
    numbers = list(connection.exec_driver_sql(rows.sql, rows.values).scalars())
    page, more = numbers[:asked.limit], len(numbers) > asked.limit
    found = connection.execute(
        select(recordings).where(recordings.c.number.in_(page)).order_by(recordings.c.number.desc()))
    return RecordingsFound(rows=[listed(Recording(**row._mapping)) for row in found],
                           after=page[-1] if more else 0, total=total, since=since, until=until)


def plan(connection: Connection, asked: SearchRecordings, since: float, until: float) -> tuple[Query, Query]:
    """The shortest way there is: to the numbers of a page and one more, and to how many there are in all."""
    least = _kept(number_at(since)) if since else 0
    beyond = _kept(number_at(until)) if until else _MOST_NUMBER
    before = min(beyond, _kept(asked.after) or _MOST_NUMBER)
    parts = list(_parts(connection, asked))
    lead = _lead(connection, parts, least, beyond)
    others = [part for part in parts if part.lead is not lead]
    where = " AND ".join((lead.where, *(part.where for part in others),
                          f"{lead.number} >= ? AND {lead.number} < ?"))
    values = (*lead.values, *(value for part in others for value in part.values), least)
    source = f"{lead.source} {lead.joined}"
    return (Query(_select(lead.number, source, where, f"ORDER BY {lead.number} DESC LIMIT ?"),
                  (*values, before, asked.limit + 1)),
            Query(_count(source, where), (*values, beyond, MOST_TOTAL + 1)))


def _lead(connection: Connection, parts: list[Part], least: int, beyond: int) -> Lead:
    """The one with the fewest rows in this time; of many, one in the order of number."""
    best, fewest = _BY_TIME, MOST_TOTAL + 2
    for lead in (*(part.lead for part in parts if part.lead is not None), _BY_TIME):
        rows: int = connection.exec_driver_sql(
            _count(lead.source, f"{lead.where} AND {lead.number} >= ? AND {lead.number} < ?"),
            (*lead.values, least, beyond, MOST_TOTAL + 1)).scalar_one()
        if rows < fewest and not (lead.sorts and rows > MOST_TOTAL):
            best, fewest = lead, rows
    return best


def _select(what: str, source: str, where: str, rest: str) -> str:
    return " ".join(("SELECT", what, "FROM", source, "WHERE", where, rest))


def _count(source: str, where: str) -> str:
    """How many there are, as far as a limit."""
    return _select("count(*)", f"({_select('1', source, where, 'LIMIT ?')})", "1", "")


def _indexed(name: str, where: str, *values: Any, sorts: bool = False) -> Part:
    """By recordings_NAME, whose condition, when it has one, has to stand in `where` word for word."""
    return Part(where, values, Lead(f"recordings r INDEXED BY recordings_{name}", where, values, sorts=sorts))


def _parts(connection: Connection, asked: SearchRecordings) -> Iterator[Part]:
    """What was asked; first those that leave fewer rows as a rule."""
    if asked.number:
        yield _number(asked.number)
    yield from _text(connection, asked.text)
    if asked.tag:
        yield Part(
            "EXISTS (SELECT 1 FROM tags WHERE tag = ? AND tags.number = r.number)", (asked.tag,),
            Lead("tags", "tags.tag = ?", (asked.tag,), "tags.number", joined=_JOINED.format("tags.number")))
    if asked.within is not None:
        yield _within(asked.within)
    for name in ("contact", "agent", "queue", "trunk"):
        if value := getattr(asked, name):
            yield _indexed(name, f"r.{name} = ?", value)
    if asked.disposition:
        yield _indexed("disposition", "r.disposition = ? AND r.disposition != ''", asked.disposition)
    if asked.way == "missed":
        yield _indexed("missed", "r.missed = 1 AND r.missed")
    elif asked.way:
        yield Part("r.direction = ?", (asked.way,))
    if asked.held:
        yield _indexed("held", "r.holds > 0", sorts=True)
    elif asked.held is not None:
        yield Part("r.holds = 0")
    if asked.state == "kept":
        yield Part("r.state = 'kept'")
    elif asked.state:
        yield _indexed("state", "r.state = ? AND r.state != 'kept'", asked.state)
    if asked.least_s > 0 or asked.most_s > 0:
        least, most = (_kept(int(seconds * TICKS_PER_S)) for seconds in (asked.least_s, asked.most_s))
        yield _indexed("duration", "r.duration_ticks BETWEEN ? AND ?", least, most or _MOST_NUMBER,
                       sorts=True)
    if asked.least_score is not None or asked.most_score is not None:
        yield _indexed("score", "r.score BETWEEN ? AND ? AND r.score IS NOT NULL",
                       -math.inf if asked.least_score is None else asked.least_score,
                       math.inf if asked.most_score is None else asked.most_score, sorts=True)


def _within(within: Within) -> Part:
    """No limit leaves out what is known of the row, and one limit names it."""
    limits = within.limits()
    if any(len(names) > MOST_WITHIN for names in limits.values()):
        raise StateError(f"within: at most {MOST_WITHIN} names of a kind")
    marks = {name: ", ".join("?" * len(names)) for name, names in limits.items()}
    known = [f"(r.{name} = '' OR r.{name} IN ({marks[name]}))" for name in limits]
    named = [f"(r.{name} != '' AND r.{name} IN ({marks[name]}))" for name in limits]
    values = tuple(value for names in limits.values() for value in names)
    if not any(limits.values()):
        return Part("0" if limits else "1")
    lead = None
    if len(limits) == 1:                          # else rows come by either of two ways
        [(name, names)] = limits.items()
        lead = Lead(f"recordings r INDEXED BY recordings_{name}", named[0], values, sorts=len(names) != 1)
    return Part(" AND ".join((*known, f"({' OR '.join(named)})")), (*values, *values), lead)


def _number(number: str) -> Part:
    digits = re.sub(r"[\s()/.-]", "", number)
    begins = digits.removeprefix("^")
    if not _NUMBER.fullmatch(digits) or not _LEAST_DIGITS <= len(begins) <= _MOST_DIGITS:
        raise StateError(f"number: {number!r} is no part of a number: give {_LEAST_DIGITS} to "
                         f"{_MOST_DIGITS} digits, ^ in front when it begins with them")
    like = f"{begins}%" if begins != digits else f"%{begins}%"
    first = "^" if begins != digits else ""
    return Part("(r.calling LIKE ? OR r.called LIKE ?)", (like, like),
                _texts(f"{{calling called}} : {first}{_quoted(begins)}"))


def _text(connection: Connection, text: str) -> Iterator[Part]:
    """All words of it, anywhere."""
    words = text.replace("\0", " ").split()       # which no query can hold
    if len(text) > MOST_CHARACTERS or len(words) > MOST_WORDS:
        raise StateError(f"text: at most {MOST_WORDS} words and {MOST_CHARACTERS} characters")
    for word in words:
        like = f"%{_SPECIAL.sub(_ESCAPED, word)}%"
        terms = [word] if len(word) >= TRIGRAM else _terms(connection, word)
        lead = None
        if terms is not None:                     # no terms: nobody has written anything that begins so
            lead = _texts(f"words : ({' OR '.join(map(_quoted, terms or [_NOTHING]))})")
        yield Part(f"({_WORDS}) LIKE ? ESCAPE '|'", (like,), lead)


def _texts(query: str) -> Lead:
    return Lead("texts", "texts MATCH ?", (query,), "texts.rowid", joined=_JOINED.format("texts.rowid"))


def _terms(connection: Connection, word: str) -> list[str] | None:
    """The trigrams that begin with a word that is shorter; None: too many of them."""
    begin = word.lower()
    found = list(connection.exec_driver_sql(
        "SELECT term FROM terms WHERE term >= ? AND term < ? LIMIT ?",
        (begin, begin + "\U0010FFFF", MOST_TERMS + 1)).scalars())
    return None if len(found) > MOST_TERMS else found


def _kept(number: int) -> int:
    """As far as a column can have it."""
    return max(0, min(number, _MOST_NUMBER))


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def listed(row: Recording) -> RecordingRow:
    """As it goes over the bus."""
    return RecordingRow(
        recording=row.recording, began_at=row.began_at, ended_at=row.ended_at,
        duration_s=row.duration_ticks / TICKS_PER_S, gap_s=row.gap_ticks / TICKS_PER_S, format=row.format,
        file_octets=row.file_octets, state=row.state, erased_why=row.erased_why, held=row.holds > 0,
        delete_after=row.delete_after, score=row.score, contact=row.contact, direction=row.direction,
        missed=row.missed, kind=row.kind, calling=row.calling, called=row.called, withheld=row.withheld,
        trunk=row.trunk, queue=row.queue, agent=row.agent, node=row.node, grade=row.grade,
        outcome=row.outcome, disposition=row.disposition, note=row.note,
        tags=row.tags.split("\n") if row.tags else [])
