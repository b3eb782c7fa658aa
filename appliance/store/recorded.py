"""Questions to the tables about what is recorded; all in the one consistent view that they are asked in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text, tuple_

from appliance.store.projections import ENDED, Projections
from appliance.store.records import ContactRecord
from appliance.store.schema import GIVES_LEG, TELLS, contacts, events, segments

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Of one connection."""

    _connection: Connection

    def seq(self) -> int:
        """Of the newest entry."""
        return self._connection.execute(select(func.max(events.c.seq))).scalar() or 0

    def naming(self, recordings: Sequence[str]) -> list[ContactRecord]:
        """The contacts that name them."""
        names = select(segments.c.contact).where(segments.c.recording.in_(recordings))
        return Projections.select(self._connection, contacts.c.contact.in_(names))

    def telling(self, names: Sequence[str]) -> list[Row]:
        """Entries of the log that tell something of these contacts, in order."""
        found: dict[int, Row] = {}
        for which in (GIVES_LEG, TELLS):          # each has an index of its own
            for row in self._connection.execute(
                    select(events).where(events.c.contact.in_(names), text(which))):
                found[row.seq] = dict(row._mapping)
        return [found[seq] for seq in sorted(found)]

    def changed(self, after_seq: int, kinds: Sequence[str], entries: int) -> tuple[list[str], int]:
        """Recordings of contacts of which such an event was logged after that entry, and as far as which
        entry was looked: at most so many."""
        to = min(self.seq(), after_seq + entries)
        of = (select(events.c.contact)
              .where(events.c.seq > after_seq, events.c.seq <= to, events.c.kind.in_(kinds)))
        found = self._connection.execute(
            select(segments.c.recording).distinct()
            .where(segments.c.contact.in_(of), segments.c.recording != "")).scalars()
        return list(found), to

    def ended(self, since: float, until: float, after: tuple[float, str], most: int) -> list[ContactRecord]:
        """Contacts that ended in [since, until) and were recorded, in the order of their end; those behind
        `after`: end and name."""
        recorded = (select(segments.c.contact)
                    .where(segments.c.contact == contacts.c.contact, segments.c.recording != "").exists())
        names = list(self._connection.execute(
            select(contacts.c.contact)
            .where(contacts.c.ended_at >= since, contacts.c.ended_at < until, contacts.c.state == ENDED,
                   tuple_(contacts.c.ended_at, contacts.c.contact) > after, recorded)
            .order_by(contacts.c.ended_at, contacts.c.contact).limit(most)).scalars())
        found = Projections.select(self._connection, contacts.c.contact.in_(names))
        return sorted(found, key=lambda one: (one.ended_at, one.contact))
