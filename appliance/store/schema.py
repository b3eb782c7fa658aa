"""The tables, in SQLAlchemy Core: SQLite in the box, and the same on PostgreSQL at the centre.

`events` is the truth and only grows; `contacts` and `segments` are computed from it and may be so again.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    false,
    inspect,
    text,
)
from sqlalchemy.schema import CreateColumn, CreateIndex

from appliance.store.partial import partial_index
from appliance.store.sqlite import Schema

APPLICATION_ID = 0x424C4143                       # "BLAC", in the header of a SQLite file: it is ours
VERSION = 1                                       # of the tables; an event's own version is its column v

metadata = MetaData()

# Events that give a contact a leg.
GIVES_LEG = "kind IN ('Began', 'Offered', 'Dialled', 'ForwardDialled', 'PartyAdded')"

# That tell something besides.
TELLS = ("kind IN ('Routed', 'PartyKnown', 'Charged', 'TraceAsked', 'TraceOver', 'Tagged', 'Disposed', "
         "'MessageKept', 'Attached', 'CallbackBooked', 'RecordingPaused', 'RecordingResumed', "
         "'RecordingDecided', 'RecordingAsked', 'RecordingKept', 'RecordingStopped', 'RecordingHushed', "
         "'RecordingSilent', 'Pressed', 'SurveyAnswered', "
         "'VariablesSet')")

SURVEYS = "kind IN ('SurveyBegun', 'SurveyAsked', 'SurveyAnswered', 'SurveyOver')"

events = Table(
    "events", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("contact", String(64), nullable=False),                   # "": of no contact
    Column("kind", String(32), nullable=False),
    Column("data", Text, nullable=False),         # JSON
    Column("v", SmallInteger, nullable=False),
    sqlite_autoincrement=True,                    # a number is never given twice
)
events_legs = partial_index("events_legs", events.c.contact, where=GIVES_LEG)

events_told = partial_index("events_told", events.c.contact, where=TELLS)

events_surveys = partial_index("events_surveys", events.c.at, where=SURVEYS)

contacts = Table(
    "contacts", metadata,
    Column("contact", String(64), primary_key=True),
    Column("direction", String(3), nullable=False),
    Column("calling", String(64), nullable=False),
    Column("called", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("began_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False),
    Column("queue", String(32), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("ended_by", String(16), nullable=False),
    Column("cause", SmallInteger, nullable=False),
    Column("digits", Text, nullable=False),
    Column("withheld", Boolean, nullable=False, server_default=false()),
    Index("contacts_began", "began_at", "contact"),
)
contacts_ended = Index("contacts_ended", contacts.c.ended_at, contacts.c.contact)

# Of those that do not change any more, so that a contact comes into them once.
ENDED = "state = 'ended'"
contacts_of_queue = partial_index(
    "contacts_of_queue", contacts.c.queue, contacts.c.began_at, contacts.c.contact, contacts.c.agent,
    where=ENDED)
contacts_of_agent = partial_index(
    "contacts_of_agent", contacts.c.agent, contacts.c.began_at, contacts.c.contact, contacts.c.queue,
    where=ENDED)

segments = Table(
    "segments", metadata,
    Column("contact", String(64), ForeignKey("contacts.contact", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("began_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False),
    Column("detail", String(64), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("recording", String(32), nullable=False),
    Index("segments_recording", "recording"),
)

meta = Table(
    "meta", metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)


def create(connection: Connection) -> None:
    """All tables and the version they are of."""
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER events_no_{act.lower()} BEFORE {act} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events only grow'); END")
    connection.execute(meta.insert().values(key="version", value=str(VERSION)))


SCHEMA = Schema("acdd", APPLICATION_ID, create, version=VERSION)


def lacks_columns(connection: Connection) -> list[Column[Any]]:
    """Of a file from before there were these: each has a default."""
    there = {column["name"] for column in inspect(connection).get_columns(contacts.name)}
    return [column for column in contacts.columns if column.name not in there]


def add_columns(connection: Connection, columns: list[Column[Any]]) -> None:
    for column in columns:
        described = CreateColumn(column).compile(dialect=connection.dialect)
        connection.execute(text(f"ALTER TABLE {contacts.name} ADD COLUMN {described}"))


def renew(connection: Connection, index: Index) -> None:
    """As it is described here: an older file has none, or one for fewer kinds, which no query can use."""
    there = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (index.name,)).scalar()
    if there != str(CreateIndex(index).compile(dialect=connection.dialect)).strip():
        index.drop(connection, checkfirst=True)
        index.create(connection)
