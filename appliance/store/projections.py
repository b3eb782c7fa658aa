"""Contact records in the tables: what changed since the last write goes out, and nothing else."""

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, insert, select, true, update

from appliance.store.records import ContactRecord, SegmentRecord
from appliance.store.schema import contacts, segments

Row = dict[str, Any]

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
        rows = connection.execute(
            select(contacts).where(true() if which is None else which)
            .order_by(contacts.c.began_at.desc(), contacts.c.contact.desc())
            .offset(offset).limit(limit)).all()
        parts: dict[str, list[SegmentRecord]] = {row.contact: [] for row in rows}
        for row in connection.execute(
                select(segments).where(segments.c.contact.in_(parts)).order_by(segments.c.position)):
            values = dict(row._mapping)
            del values["position"]
            parts[values.pop("contact")].append(SegmentRecord(**values))
        return [ContactRecord(**row._mapping, segments=tuple(parts[row.contact])) for row in rows]

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
