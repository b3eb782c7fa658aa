"""What rows say, held against the chain: who changes them in the database alone is found.

The chain has a hash only, of all facts at once, keyed with a salt that the row has: it is a new one after
every change and erasure, and without it no number of anybody's can be guessed from the hash.
"""

import hmac
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    cast,
    exists,
    func,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType

from appliance.recording.catalogue.schema import details, recordings
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.tables import chain as entries

KIND = "described"
FOUND = "altered"
SALT_OCTETS = 16

# In this order, which documents for auditors name: docs/recording-security.md.
_NUMBERS = ("number", "began_at", "ended_at", "duration_ticks", "gap_ticks", "missed", "withheld")
_TEXTS = ("recording", "format", "sha256", "erased_why", "contact", "direction", "kind", "calling", "called",
          "trunk", "queue", "agent", "node", "grade", "outcome", "disposition", "note", "tags")
# As they lie in the file, whatever somebody may have put there.
_FACTS = (*(type_coerce(recordings.c[name], NullType) for name in _NUMBERS),
          type_coerce(recordings.c.state == "erased", NullType),
          *(cast(recordings.c[name], LargeBinary) for name in _TEXTS), cast(details.c.data, LargeBinary))
_NOT_YET = text("salt = '' AND facts_final")      # in the words of its partial index

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Altered:
    """A row that is not as the chain says."""

    number: int
    recording: str


def describe(connection: Connection, chain: Chain, at: float, number: int, *, first: bool = False) -> None:
    """An entry of the row as it is, unless the last one tells the same; in the caller's transaction.

    `first`: also when there is none yet.
    """
    [row] = _read(connection, recordings.c.number == number)
    if not (first or row.salt):
        return
    name = row.name.decode(errors="replace")
    if row.salt and _last(connection, [name]).get(name) == _hash(row, row.salt):
        return
    salt = secrets.token_hex(SALT_OCTETS)
    connection.execute(update(recordings).where(recordings.c.number == number).values(salt=salt))
    chain.append(connection, at, KIND, name, "", {"facts": _hash(row, salt.encode())})


def tell_altered(connection: Connection, chain: Chain, at: float, number: int) -> None:
    """An entry, if the row was altered: before it is changed and described anew, which would hide that."""
    for one in altered(connection, recordings.c.number == number):
        log.error("%s: its facts were altered in the database", one.recording)
        chain.append(connection, at, FOUND, one.recording, "recordd", {})


def not_described(connection: Connection, most: int) -> list[int]:
    """Rows with final facts of which the chain has none: they are from before it was told."""
    told = exists().where(entries.c.recording == recordings.c.recording, entries.c.kind == KIND)
    return list(connection.execute(select(recordings.c.number).where(_NOT_YET, ~told).limit(most)).scalars())


def is_described(connection: Connection, number: int) -> bool | None:
    """None: the chain has nothing of it yet."""
    if altered(connection, recordings.c.number == number):
        return False
    return True if connection.execute(
        select(recordings.c.salt).where(recordings.c.number == number)).scalar() else None


def altered(connection: Connection, *which: ColumnElement[bool]) -> list[Altered]:
    """Of these rows those that the chain tells otherwise of. One that was never described is none."""
    rows = {row.name.decode(errors="replace"): row for row in _read(connection, *which)}
    last = _last(connection, list(rows))
    return [Altered(row.key, name) for name, row in rows.items()
            if (row.salt or name in last) and last.get(name) != _hash(row, row.salt)]


def some_altered(connection: Connection, after: int, most: int) -> tuple[int | None, list[Altered]]:
    """Of `most` rows behind that number; the number of the last of them, None: there are no more."""
    numbers = connection.execute(select(recordings.c.number).where(recordings.c.number > after)
                                 .order_by(recordings.c.number).limit(most)).scalars().all()
    if not numbers:
        return None, []
    return numbers[-1], altered(connection, recordings.c.number.between(numbers[0], numbers[-1]))


def _read(connection: Connection, *which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    return connection.execute(
        select(recordings.c.number.label("key"), cast(recordings.c.recording, LargeBinary).label("name"),
               cast(recordings.c.salt, LargeBinary).label("salt"), *_FACTS)
        .select_from(recordings.outerjoin(details, details.c.number == recordings.c.number))
        .where(*which)).all()


def _last(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """What the chain said last of each."""
    latest = (select(func.max(entries.c.seq)).where(entries.c.recording.in_(names), entries.c.kind == KIND)
              .group_by(entries.c.recording))
    return {name: facts for name, facts in connection.execute(
        select(entries.c.recording, func.json_extract(entries.c.data, "$.facts"))
        .where(entries.c.seq.in_(latest)))}


def _hash(row: Row[Any], salt: bytes) -> str:
    """HMAC-SHA-256 of the facts as netstrings: numbers in decimal, what is not there as nothing."""
    facts = [_octets(fact) for fact in tuple(row)[3:]]
    return hmac.digest(salt, b"".join([b"%d:%b," % (len(fact), fact) for fact in facts]), "sha256").hex()


def _octets(fact: object) -> bytes:
    if fact is None:
        return b""
    return fact if isinstance(fact, bytes) else str(fact).encode()
