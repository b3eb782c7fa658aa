"""Tables of holds, removals, purges and the archive, in recordings.sqlite."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, String, Table, Text, text

from appliance.recording.catalogue.schema import metadata, never, none, recordings, zero


def _number() -> Column[int]:
    return Column("number", Integer, ForeignKey("recordings.number"), primary_key=True)


# What finished recordings take is summed up each minute.
Index("recordings_room", recordings.c.file_octets, sqlite_where=text("state = 'kept'"))
Index("recordings_undecided", recordings.c.number, sqlite_where=text(
    "delete_after = 0 AND state != 'erased'"))
Index("recordings_erased", recordings.c.erased_at, sqlite_where=text("state = 'erased' AND contact != ''"))

cases = Table(
    "cases", metadata,
    Column("case", String(64), primary_key=True),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    none("caller"), none("contact"),              # whose later recordings it takes, too
    never("until"),
    never("released_at"), none("released_by"), none("released_why"),
)

# What a case holds; a row goes when it is released, `recordings.holds` counts them.
held = Table(
    "held", metadata,
    Column("case", String(64), ForeignKey("cases.case"), primary_key=True), _number(),
    Index("held_number", "number"),
)

# Files that are to go: their recordings' rows say already that they are gone. Looked at when recordd starts.
removals = Table(
    "removals", metadata, _number(),
    Column("path", Text, nullable=False),
)

# Every run: what it deleted, or reported.
purges = Table(
    "purges", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("report", Text, nullable=False),       # PurgeReport, JSON
)

# What an archive has, verified.
archived = Table(
    "archived", metadata, _number(),
    Column("at", Double, nullable=False),
    Column("place", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# What is on its way there: a push goes on from here after a cut.
pushes = Table(
    "pushes", metadata, _number(),
    Column("place", Text, nullable=False),        # a push to another place begins anew
    Column("object", Text, nullable=False),
    Column("front", Text, nullable=False),        # base64: octets of the object before the audio's
    Column("state", Text, nullable=False),        # JSON: what the place needs to go on
    zero("tries"), never("next_at"), none("error"),
)
