"""Tables of prompts in recordings.sqlite: what each has been, and who spoke one."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, String, Table, Text

from appliance.recording.catalogue.schema import metadata, none, zero

# A row for each act. `sha256` is of the file, "": there was none from then on. One that is not `done` has
# been decided, and its file may be the old one still: the next look at it does it.
versions = Table(
    "prompt_versions", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String(100), nullable=False),
    Column("at", Double, nullable=False),
    none("by"),
    Column("act", String(16), nullable=False),
    Column("made", String(16), nullable=False),
    none("text"),
    Column("sha256", String(64), nullable=False),
    zero("length_ms"),
    Column("there", Boolean, nullable=False),     # its sound is kept
    Column("done", Boolean, nullable=False),
    Index("prompt_versions_name", "name", "number"),
    Index("prompt_versions_sha256", "sha256"),
    sqlite_autoincrement=True,
)

# Recordings of nobody's contact.
takes = Table(
    "prompt_takes", metadata,
    Column("recording", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
