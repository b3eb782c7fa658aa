"""Rows of finished recordings. Every function works inside its caller's transaction.

The chain entry that belongs to a change is written by the caller, in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, text, update

from appliance.bus.messages import RecordingFacts, RecordingMark, SurveyAnswer
from appliance.errors import StateError
from appliance.recording.catalogue.schema import details, meta, recordings, tags, waves

FORGETS = "forgets"                               # words were deleted: "1", being worked on: "2"

_PER_MS = 1000                                    # recordings that begin in one millisecond
_AT_ONCE = 500                                    # names in a query

# From RecordingFacts into the row of the same name.
_COPIED = ("contact", "direction", "missed", "kind", "calling", "called", "withheld", "trunk", "queue",
           "agent", "node", "grade", "outcome", "disposition", "note")


class Details(msgspec.Struct, frozen=True):
    """What of RecordingFacts is not in the row."""

    marks: list[RecordingMark] = []
    answers: list[SurveyAnswer] = []
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What is known of a recording when its file is in its place."""

    recording: str
    began_at: float
    ended_at: float
    duration_ticks: int
    gap_ticks: int
    first_tick: int
    format: str
    octets: int
    file_octets: int
    sha256: str
    path: str                                     # from the recordings' folder
    peaks: bytes
    silences: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A row; what each field means stands in schema.py."""

    number: int
    recording: str
    began_at: float
    ended_at: float
    duration_ticks: int
    gap_ticks: int
    first_tick: int
    format: str
    octets: int
    file_octets: int
    sha256: str
    path: str
    state: str
    erased_why: str
    erased_at: float
    holds: int
    delete_after: float
    score: float | None
    facts_seq: int
    facts_at: float
    facts_final: bool
    contact: str
    direction: str
    missed: bool
    kind: str
    calling: str
    called: str
    withheld: bool
    trunk: str
    queue: str
    agent: str
    node: str
    grade: str
    outcome: str
    disposition: str
    note: str
    tags: str                                     # one a line
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    peaks: bytes
    silences: bytes


def number_at(at: float) -> int:
    """The least number of a recording that begins then."""
    return int(at * 1000) * _PER_MS


def began_at(number: int) -> float:
    """Of the recording with that number, to the millisecond."""
    return number // _PER_MS / 1000


def add(connection: Connection, finished: Finished) -> int:
    """Its number. Facts are asked for afterwards."""
    least = number_at(finished.began_at)
    last = connection.execute(
        select(recordings.c.number).where(recordings.c.number.between(least, least + _PER_MS - 1))
        .order_by(recordings.c.number.desc()).limit(1)).scalar()
    number: int = least if last is None else last + 1
    row, wave = _split(finished)
    connection.execute(insert(recordings).values(number=number, **row))
    connection.execute(insert(waves).values(number=number, **wave))
    return number


def replace(connection: Connection, finished: Finished) -> None:
    """It came back after its end, and was written again as a whole. Its beginning is what it was."""
    row, wave = _split(finished)
    number = select(recordings.c.number).where(recordings.c.recording == finished.recording).scalar_subquery()
    connection.execute(update(waves).where(waves.c.number == number).values(**wave))
    connection.execute(update(recordings).where(recordings.c.recording == finished.recording).values(**row))


def _split(finished: Finished) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of recordings, of waves."""
    row = {name: getattr(finished, name) for name in Finished.__dataclass_fields__}
    return row, {name: row.pop(name) for name in ("peaks", "silences")}


def get(connection: Connection, recording: str) -> Recording | None:
    row = connection.execute(select(recordings).where(recordings.c.recording == recording)).one_or_none()
    return None if row is None else Recording(**row._mapping)


def wave(connection: Connection, number: int) -> Wave | None:
    """None: its audio is erased."""
    row = connection.execute(
        select(waves.c.peaks, waves.c.silences).where(waves.c.number == number)).one_or_none()
    return None if row is None else Wave(peaks=row.peaks, silences=row.silences)


def changed(connection: Connection, names: Sequence[str]) -> None:
    """acdd's log says something new of these: they are asked for again."""
    for begin in range(0, len(names), _AT_ONCE):
        connection.execute(
            update(recordings).where(recordings.c.recording.in_(names[begin:begin + _AT_ONCE]))
            .values(facts_final=False, facts_at=0.0))


def to_ask(connection: Connection, before: float, most: int) -> list[str]:
    """Recordings whose facts are not final and were not asked for since `before`; the longest ago first."""
    return list(connection.execute(
        select(recordings.c.recording)
        .where(text("NOT facts_final"), recordings.c.facts_at < before)
        .order_by(recordings.c.facts_at).limit(most)).scalars())


def update_facts(connection: Connection, facts: RecordingFacts, seq: int, at: float, final: bool) -> None:
    """As the log has them at entry `seq`. None are kept of a recording that is not here, or was erased."""
    row = get(connection, facts.recording)
    if row is None:
        return
    if row.state == "erased":
        connection.execute(update(recordings).where(recordings.c.number == row.number)
                           .values(facts_seq=seq, facts_at=at, facts_final=True))
        return
    given = [" ".join(tag.split()) for tag in facts.tags]
    put = (facts.calling, facts.called, words(given, facts.disposition, facts.note))
    if row.facts_seq and _text(row) != put:
        remember(connection, FORGETS, "1")
    _forget_text(connection, row)
    values = {name: getattr(facts, name) for name in _COPIED}
    values["tags"] = "\n".join(given)
    connection.execute(update(recordings).where(recordings.c.number == row.number)
                       .values(**values, facts_seq=seq, facts_at=at, facts_final=final, delete_after=0.0))
    connection.execute(delete(details).where(details.c.number == row.number))
    detail = Details(facts.marks, facts.answers, facts.rule, facts.why)
    connection.execute(insert(details).values(number=row.number, data=msgspec.json.encode(detail).decode()))
    if given:
        connection.execute(insert(tags), [{"tag": tag, "number": row.number} for tag in set(given)])
    connection.exec_driver_sql(
        "INSERT INTO texts(rowid, calling, called, words) VALUES (?, ?, ?, ?)", (row.number, *put))


def words(tags: Iterable[str], disposition: str, note: str) -> str:
    """What is searched by text. Its two last characters make a trigram of every two before them."""
    return "\n".join((*tags, disposition, note)) + "\n\n"


def detailed(connection: Connection, number: int) -> Details:
    data = connection.execute(select(details.c.data).where(details.c.number == number)).scalar()
    return Details() if data is None else msgspec.json.decode(data, type=Details)


def erase(connection: Connection, recording: str, why: str, at: float) -> None:
    """The row stays for the count and the chain; numbers, words and waveform of its people go.

    The caller has made its audio unreadable, or does so after this. StateError: not here, or held.
    """
    row = get(connection, recording)
    if row is None:
        raise StateError(f"{recording}: no such recording")
    if row.holds:
        raise StateError(f"{recording}: is held: release it before it may be erased")
    if row.state == "erased":
        return
    _forget_text(connection, row)
    for table in (waves, details):
        connection.execute(delete(table).where(table.c.number == row.number))
    connection.execute(update(recordings).where(recordings.c.number == row.number).values(
        state="erased", erased_why=why, erased_at=at, delete_after=0.0,
        calling="", called="", disposition="", note="", tags=""))
    remember(connection, FORGETS, "1")


def remember(connection: Connection, key: str, value: str) -> None:
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta).values(key=key, value=value))


def remembered(connection: Connection, key: str) -> str:
    """"": nothing is."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar() or ""


def forget(connection: Connection, pages: int) -> bool:
    """Some of the work of taking words that were deleted out of the search's own pages; True: all is done."""
    if not remembered(connection, FORGETS):
        return True
    # As sqlite.org/fts5.html#the_merge_command has it: the first negative, then until little is changed.
    first = remembered(connection, FORGETS) == "1"
    before = _changes(connection)
    connection.exec_driver_sql("INSERT INTO texts(texts, rank) VALUES ('merge', ?)",
                               (-pages if first else pages,))
    done = _changes(connection) - before < 2
    remember(connection, FORGETS, "" if done else "2")
    return done


def _changes(connection: Connection) -> int:
    count: int = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return count


def _forget_text(connection: Connection, row: Recording) -> None:
    if not row.facts_seq:
        return                                    # none was put in
    connection.execute(delete(tags).where(tags.c.number == row.number))
    connection.exec_driver_sql(
        "INSERT INTO texts(texts, rowid, calling, called, words) VALUES ('delete', ?, ?, ?, ?)",
        (row.number, *_text(row)))


def _text(row: Recording) -> tuple[str, str, str]:
    """What the search has of it."""
    return row.calling, row.called, words(row.tags.split("\n") if row.tags else (), row.disposition, row.note)
