"""Contacts of some queues and agents, newest first: those that have ended from an index of each, the others,
which are few, from memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select, text, true, tuple_

from appliance.store.projections import Projections
from appliance.store.records import ContactRecord
from appliance.store.schema import ENDED, contacts

Limits = Mapping[str, Sequence[str]]              # "queue", "agent" -> names

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of the list of contacts, newest first: those that began in [since, until), Unix seconds, until 0: no
    limit; and after the one with this began_at and name."""

    since: float = 0.0
    until: float = 0.0
    after: tuple[float, str] | None = None

    def times(self) -> ColumnElement[bool]:
        since = contacts.c.began_at >= self.since if self.since else true()
        return and_(since, contacts.c.began_at < self.until if self.until else true())

    def rows(self) -> ColumnElement[bool]:
        if self.after is None:
            return self.times()
        return and_(self.times(), tuple_(contacts.c.began_at, contacts.c.contact) < self.after)

    def in_time(self, record: ContactRecord) -> bool:
        return self.since <= record.began_at and (not self.until or record.began_at < self.until)

    def holds(self, record: ContactRecord) -> bool:
        return self.in_time(record) and (
            self.after is None or (record.began_at, record.contact) < self.after)


EVERYTHING = Stretch()


def holds(record: ContactRecord, limits: Limits) -> bool:
    """Of what is limited nothing is another's, and something is one of these."""
    there = [(getattr(record, name), names) for name, names in limits.items()]
    return all(not value or value in names for value, names in there) and any(value for value, _ in there)


def newest(connection: Connection, limits: Limits, live: Iterable[ContactRecord], offset: int,
           limit: int, of: Stretch = EVERYTHING) -> tuple[list[ContactRecord], int]:
    """So many, and how many there are in all of its times, to MOST_COUNTED. `live`: who had not ended before
    `connection` began to read."""
    there = [one for one in live if holds(one, limits) and of.in_time(one)]
    found: dict[str, float] = {one.contact: one.began_at for one in there if of.holds(one)}
    total = len(there)
    for which in _pieces(limits):
        total += (_count(connection, and_(which, of.times()), MOST_COUNTED - total)
                  if total < MOST_COUNTED else 0)
        found |= {row.contact: row.began_at for row in connection.execute(
            select(contacts.c.contact, contacts.c.began_at).where(which, of.rows())
            .order_by(contacts.c.began_at.desc(), contacts.c.contact.desc()).limit(offset + limit))}
    chosen = sorted(found, key=lambda one: (found[one], one), reverse=True)[offset:offset + limit]
    return Projections.select(connection, contacts.c.contact.in_(chosen)), min(total, MOST_COUNTED)


def _count(connection: Connection, which: ColumnElement[bool], most: int) -> int:
    some = select(contacts.c.contact).where(which).limit(most).subquery()
    count: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return count


def _pieces(limits: Limits) -> Iterator[ColumnElement[bool]]:
    """Each a part of one index, no contact in two of them."""
    queues, agents = limits.get("queue"), limits.get("agent")
    for queue in filter(None, dict.fromkeys(queues or ())):
        of_agents = () if agents is None else (contacts.c.agent.in_(["", *agents]),)
        yield and_(text(ENDED), contacts.c.queue == queue, *of_agents)
    for agent in filter(None, dict.fromkeys(agents or ())):
        of_none = () if queues is None else (contacts.c.queue == "",)
        yield and_(text(ENDED), contacts.c.agent == agent, *of_none)
