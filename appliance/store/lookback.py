"""Questions to the tables about what is over: who went without a talk, what was done about it since, what
customers answered. Each takes one consistent view."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select, text, true

from appliance.store.projections import Projections
from appliance.store.records import ContactRecord, Touch, reference
from appliance.store.schema import SURVEYS, TELLS, contacts, segments
from appliance.store.schema import events as table

MOST_LOST = 5000                                  # the newest
GOES_ON = 0.0                                     # ended_at of what does: an index finds it
_AT_ONCE = 500                                    # names in a query
_OF_TOUCH = ("contact", "direction", "calling", "called", "kind", "at", "detail", "agent")


def lost(connection: Connection, since: float) -> list[ContactRecord]:
    """Callers since then who abandoned or were failed, newest first."""
    which = (contacts.c.began_at >= since) & (contacts.c.direction == "in") & (
        contacts.c.outcome.in_(("abandoned", "failed")))
    return Projections.select(connection, which, limit=MOST_LOST)


def touches(connection: Connection, since: float) -> list[Touch]:
    """Talks and dialled calls of contacts since then, and of those that go on."""
    ongoing = (contacts.c.ended_at == GOES_ON) & (contacts.c.state != "ended")
    found = connection.execute(
        select(contacts.c.contact, contacts.c.direction, contacts.c.calling, contacts.c.called,
               segments.c.kind, segments.c.began_at, segments.c.detail, segments.c.agent)
        .join(segments, segments.c.contact == contacts.c.contact)
        .where((contacts.c.began_at >= since) | ongoing,
               segments.c.kind.in_(("talk", "dial")))).all()
    return [Touch(**dict(zip(_OF_TOUCH, row, strict=True))) for row in found]


def talks(connection: Connection, agent: str, named: str, since: float, most: int) -> list[str]:
    """Recordings of the agent's talks ("": of anybody's), newest first; `named`: of contacts with this
    reference that began since then."""
    which = (segments.c.recording != "") & ((segments.c.agent == agent) if agent else true())
    if named:
        began = connection.execute(select(contacts.c.contact).where(contacts.c.began_at >= since)).scalars()
        which &= segments.c.contact.in_([one for one in began if reference(one) == named])
    found = connection.execute(
        select(segments.c.recording).where(which).order_by(segments.c.began_at.desc()).limit(most))
    return list(dict.fromkeys(found.scalars()))


def disposed(connection: Connection, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Entries of the log that say what came of these contacts, in order."""
    for begin in range(0, len(names), _AT_ONCE):
        yield from _entries(connection, table.c.contact.in_(names[begin:begin + _AT_ONCE]), text(TELLS),
                            table.c.kind == "Disposed")


def kept(connection: Connection, contact: str) -> Iterator[dict[str, Any]]:
    """Entries of the log about a voice message of this contact."""
    yield from _entries(connection, table.c.contact == contact, text(TELLS), table.c.kind == "MessageKept")


def surveys(connection: Connection, since: float, until: float) -> Iterator[dict[str, Any]]:
    """Entries of the log about surveys in [since, until), in order."""
    yield from _entries(connection, table.c.at >= since, table.c.at < until, text(SURVEYS))


def _entries(connection: Connection, *which: Any) -> Iterator[dict[str, Any]]:
    for row in connection.execute(select(table).where(*which).order_by(table.c.seq)):
        yield dict(row._mapping)
