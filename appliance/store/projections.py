"""Contact records in the tables: what changed since the last write goes out, and nothing else."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, insert, select, true, update

from appliance.store.records import ContactRecord, SegmentRecord
from appliance.store.schema import contacts, segments

Row = dict[str, Any]

_OF_CONTACT = [one.name for one in fields(ContactRecord) if one.name != "segments"]
_OF_SEGMENT = [one.name for one in fields(SegmentRecord)]
_CONTACT = [contacts.c[name] for name in _OF_CONTACT]
_SEGMENT = [segments.c.contact, *(segments.c[name] for name in _OF_SEGMENT)]

ENDED = "ended"                                   # the state after which a record does not change any more


@dataclass(slots=True)
class Projections:
    """`live` holds the records that have not ended; `put` changes one, `write` goes to the tables."""

    live: dict[str, ContactRecord] = field(default_factory=dict)
    _stored: dict[str, ContactRecord] = field(default_factory=dict)
    _changed: dict[str, ContactRecord] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection) -> "Projections":
        live = {record.contact: record for record in cls.select(connection, contacts.c.state != ENDED)}
        return cls(live, dict(live))

    @staticmethod
    def select(connection: Connection, which: ColumnElement[bool] | None = None,
               offset: int = 0, limit: int | None = None) -> list[ContactRecord]:
        """Records out of the tables, newest first: in the order of an index, which is read backwards."""
        order = contacts.c.began_at.desc(), contacts.c.contact.desc()
        return Projections._records(connection, connection.execute(
            select(*_CONTACT).where(true() if which is None else which)
            .order_by(*order).offset(offset).limit(limit)).all())

    @staticmethod
    def page(connection: Connection, total: int, offset: int, limit: int) -> list[ContactRecord]:
        """The same of all contacts, of which there are `total`: from the end that is nearer, as rows that are
        passed over take their time, too."""
        if 2 * offset < total:
            return Projections.select(connection, offset=offset, limit=limit)
        limit = min(limit, total - offset)
        if limit <= 0:
            return []
        rows = connection.execute(
            select(*_CONTACT).order_by(contacts.c.began_at, contacts.c.contact)
            .offset(total - offset - limit).limit(limit)).all()
        return Projections._records(connection, rows[::-1])

    @staticmethod
    def _records(connection: Connection, rows: Sequence[Any]) -> list[ContactRecord]:
        """Of rows of _CONTACT, with their segments."""
        parts: dict[str, list[SegmentRecord]] = {row[0]: [] for row in rows}
        for contact, *values in connection.execute(
                select(*_SEGMENT).where(segments.c.contact.in_(parts)).order_by(segments.c.position)).all():
            parts[contact].append(SegmentRecord(**dict(zip(_OF_SEGMENT, values, strict=True))))
        return [ContactRecord(**dict(zip(_OF_CONTACT, row, strict=True)), segments=tuple(parts[row[0]]))
                for row in rows]

    def copy(self) -> "Projections":
        return Projections(dict(self.live), dict(self._stored), dict(self._changed))

    def put(self, record: ContactRecord) -> None:
        self._changed[record.contact] = record
        if record.state == ENDED:
            self.live.pop(record.contact, None)
        else:
            self.live[record.contact] = record

    def write(self, connection: Connection) -> None:
        added: dict[Table, list[Row]] = {contacts: [], segments: []}
        updated: dict[Table, list[Row]] = {contacts: [], segments: []}
        for contact, record in self._changed.items():
            stored = self._stored.get(contact)
            row = asdict(record)
            del row["segments"]
            (added if stored is None else updated)[contacts].append(row)
            before = () if stored is None else stored.segments
            for position, segment in enumerate(record.segments):
                row = {"contact": contact, "position": position, **asdict(segment)}
                if position >= len(before):
                    added[segments].append(row)
                elif segment != before[position]:
                    updated[segments].append(row)
            if record.state == ENDED:
                self._stored.pop(contact, None)
            else:
                self._stored[contact] = record
        self._changed.clear()
        for table in (contacts, segments):        # in the order of the foreign key
            if added[table]:
                connection.execute(insert(table), added[table])
            if updated[table]:
                _update(connection, table, updated[table])


def _update(connection: Connection, table: Table, rows: list[Row]) -> None:
    """By primary key. Its parameters have names of their own: a column's name would be a value to set."""
    keys = [column.name for column in table.primary_key]
    which = and_(*(table.c[key] == bindparam(f"of_{key}") for key in keys))
    connection.execute(update(table).where(which), [
        {f"of_{name}" if name in keys else name: value for name, value in row.items()} for row in rows])
