"""The tables of recordings.sqlite; rooms beside this one hang theirs on `metadata`.

A row's `number` is its beginning in time, so that every index is in the order of time within itself.
Ref: sqlite.org/fts5.html (contentless tables, trigram), sqlite.org/rowidtable.html.
"""

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateColumn

from appliance.errors import ConfigError
from appliance.store.sqlite import REPAIR, Database, Schema

FILE = "recordings.sqlite"
APPLICATION_ID = 0x424C5243                       # "BLRC", in the header of the file: it is ours
VERSION = 1                                       # of the tables

metadata = MetaData()


def none(name: str) -> Column[str]:
    """Text that may be "": not known, or there is none."""
    return Column(name, Text, nullable=False, server_default="")


def zero(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def never(name: str) -> Column[float]:
    """A time on the wall clock, seconds since 1970; 0: not so far."""
    return Column(name, Double, nullable=False, server_default="0")


recordings = Table(
    "recordings", metadata,
    Column("number", Integer, primary_key=True),                     # of rows.number_at(began_at) on
    Column("recording", String(32), nullable=False),
    Column("began_at", Double, nullable=False),                      # wall clock, of the first tick
    Column("ended_at", Double, nullable=False),
    Column("duration_ticks", Integer, nullable=False),
    Column("gap_ticks", Integer, nullable=False),                    # silence stands for what is missing
    Column("first_tick", BigInteger, nullable=False),
    Column("format", String(8), nullable=False),                     # opus, flac, wav
    Column("octets", BigInteger, nullable=False),                    # of the audio as it was encoded
    Column("file_octets", BigInteger, nullable=False),               # sealed, on the disk
    Column("sha256", String(64), nullable=False),                    # of the encoded audio
    Column("path", Text, nullable=False),                            # from the recordings' folder
    Column("state", String(16), nullable=False, server_default="kept"),      # kept, archived (only), erased
    none("erased_why"), never("erased_at"),
    Column("holds", Integer, nullable=False, server_default="0"),    # of the law: how many hold it
    never("delete_after"),                        # 0: not decided
    Column("score", Double),                      # of quality; None: not scored
    # What acdd's log says, from here on.
    zero("facts_seq"),                            # of the log they were read at; 0: not known yet
    never("facts_at"),
    Column("facts_final", Boolean, nullable=False, server_default=false()),  # asked again until then
    none("contact"),                              # "": no contact names it
    none("direction"),                            # of the contact: in, out, internal
    Column("missed", Boolean, nullable=False, server_default=false()),       # a voice message and no talk
    none("kind"),                                 # talk, conference, message: the first segment that names it
    none("calling"), none("called"),
    Column("withheld", Boolean, nullable=False, server_default=false()),
    none("trunk"), none("queue"), none("agent"), none("node"), none("grade"), none("outcome"),
    none("disposition"), none("note"),
    none("tags"),                                 # one a line
    none("salt"),                                 # of the hash that the chain has of all this; "": none yet
    Index("recordings_recording", "recording", unique=True),
    Index("recordings_contact", "contact"),
    Index("recordings_agent", "agent"),
    Index("recordings_queue", "queue"),
    Index("recordings_trunk", "trunk"),
    Index("recordings_duration", "duration_ticks"),
    Index("recordings_disposition", "disposition", sqlite_where=text("disposition != ''")),
    Index("recordings_score", "score", sqlite_where=text("score IS NOT NULL")),
    Index("recordings_missed", "missed", sqlite_where=text("missed")),
    Index("recordings_held", "holds", sqlite_where=text("holds > 0")),
    Index("recordings_state", "state", sqlite_where=text("state != 'kept'")),
    Index("recordings_due", "delete_after", sqlite_where=text("state != 'erased' AND holds = 0")),
    Index("recordings_unknown", "facts_at", sqlite_where=text("NOT facts_final")),
    Index("recordings_not_described", "number", sqlite_where=text("salt = '' AND facts_final")),
)


def _of_recording() -> Column[int]:
    return Column("number", Integer, ForeignKey("recordings.number", ondelete="CASCADE"), primary_key=True)


# Apart, so that a row above stays small.
waves = Table(
    "waves", metadata, _of_recording(),
    Column("peaks", LargeBinary, nullable=False),
    Column("silences", LargeBinary, nullable=False),
)

details = Table(
    "details", metadata, _of_recording(),
    Column("data", Text, nullable=False),         # JSON: what of RecordingFacts is not in the row
)

tags = Table(
    "tags", metadata,
    Column("tag", Text, primary_key=True), _of_recording(),
    sqlite_with_rowid=False,
)

# Hours of the count check: what was to be recorded in contacts that ended in them.
checks = Table(
    "checks", metadata,
    Column("began_at", Integer, primary_key=True),                   # of the hour
    Column("checked_at", Double, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("orphans", Integer, nullable=False),
    Column("differing", Integer, nullable=False),
    Column("explained", Integer, nullable=False),
    Column("findings", Text, nullable=False),     # JSON, the first of them
    zero("altered"),
)

# When the record ring was not written: spand was away.
outages = Table(
    "outages", metadata,
    Column("began_at", Double, primary_key=True),
    Column("ended_at", Double, nullable=False),
    Column("why", Text, nullable=False),
)

meta = Table(
    "meta", metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

_SEARCHED = (
    # Whose text is nowhere else: a row of it is taken out with the values it was put in with.
    "CREATE VIRTUAL TABLE texts USING fts5(calling, called, words, content='', columnsize=0, "
    "tokenize='trigram')",
    "CREATE VIRTUAL TABLE terms USING fts5vocab(texts, 'row')",
)


def create(connection: Connection) -> None:
    """All tables and the version they are of."""
    metadata.create_all(connection)
    for table in _SEARCHED:
        connection.exec_driver_sql(table)
    connection.execute(meta.insert().values(key="version", value=str(VERSION)))


# What is deleted is overwritten: it may be a number or a note of somebody's.
SCHEMA = Schema("recordd", APPLICATION_ID, create, ("secure_delete = ON",), version=VERSION)


def open_catalogue(folder: Path) -> Database:
    """The file in the folder of recordings, with every table that is imported by now.

    ConfigError: it cannot be opened, is not ours, or of another version.
    """
    path = folder / FILE
    database = Database(path, SCHEMA)
    try:
        with database.write() as connection:
            if connection.execute(select(meta.c.value).where(meta.c.key == "version")).scalar() is None:
                raise ConfigError(f"{path}: does not say which version its tables have: {REPAIR}")
            _renew(connection)
    except BaseException:
        database.close()
        raise
    return database


def _renew(connection: Connection) -> None:
    """Tables, columns (each has a default) and indexes that a file of before does not have."""
    metadata.create_all(connection)
    there = inspect(connection)
    for table in metadata.sorted_tables:
        names = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in names:
                described = CreateColumn(column).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {described}"))
        for index in table.indexes:
            index.create(connection, checkfirst=True)
