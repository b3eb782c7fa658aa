"""Contacts of some queues and agents, newest first: those that have ended from an index of each, the others,
which are few, from memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, select, text

from appliance.store.projections import Projections
from appliance.store.records import ContactRecord
from appliance.store.schema import ENDED, contacts

Limits = Mapping[str, Sequence[str]]              # "queue", "agent" -> names

MOST_COUNTED = 10_000


def holds(record: ContactRecord, limits: Limits) -> bool:
    """Of what is limited nothing is another's, and something is one of these."""
    there = [(getattr(record, name), names) for name, names in limits.items()]
    return all(not value or value in names for value, names in there) and any(value for value, _ in there)


def newest(connection: Connection, limits: Limits, live: Iterable[ContactRecord], offset: int,
           limit: int) -> tuple[list[ContactRecord], int]:
    """So many, and how many there are in all, to MOST_COUNTED. `live`: who had not ended before `connection`
    began to read."""
    found: dict[str, float] = {one.contact: one.began_at for one in live if holds(one, limits)}
    total = len(found)
    for which in _pieces(limits):
        total += _count(connection, which, MOST_COUNTED - total) if total < MOST_COUNTED else 0
        found |= {row.contact: row.began_at for row in connection.execute(
            select(contacts.c.contact, contacts.c.began_at).where(which)
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
