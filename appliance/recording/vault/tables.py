"""The chain's tables in recordings.sqlite. They take entries at the end and give none back."""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, LargeBinary, String, Table, Text
from sqlalchemy.event import listen

from appliance.recording.catalogue.schema import metadata

chain = Table(
    "chain", metadata,
    Column("seq", Integer, primary_key=True),     # 1, 2, 3 ...
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("recording", String(32), nullable=False),                 # "": of none
    Column("by", Text, nullable=False),
    Column("data", Text, nullable=False),         # canonical JSON
    Column("link", LargeBinary(32), nullable=False),
    Index("chain_recording", "recording"),
    Index("chain_at", "at_ms"),
)

heads = Table(
    "chain_heads", metadata,
    Column("seq", Integer, primary_key=True),     # of the entry that was the last one
    Column("at_ms", BigInteger, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)


# Against mistakes; against those who edit the file the links are. The third: INSERT OR REPLACE asks no other.
_APPEND_ONLY = (
    "CREATE TRIGGER TABLE_no_update BEFORE UPDATE ON TABLE "
    "BEGIN SELECT RAISE(ABORT, 'TABLE is append-only'); END",
    "CREATE TRIGGER TABLE_no_delete BEFORE DELETE ON TABLE "
    "BEGIN SELECT RAISE(ABORT, 'TABLE is append-only'); END",
    "CREATE TRIGGER TABLE_in_order BEFORE INSERT ON TABLE "
    "WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM TABLE) "
    "BEGIN SELECT RAISE(ABORT, 'TABLE is append-only'); END",
)


def _append_only(table: Table, connection: Connection, **_: Any) -> None:
    for trigger in _APPEND_ONLY:
        connection.exec_driver_sql(trigger.replace("TABLE", table.name))


listen(chain, "after_create", _append_only)
listen(heads, "after_create", _append_only)
