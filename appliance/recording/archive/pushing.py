"""Recordings on their way to the archive, the oldest first: what is sent of each, and what became of it."""

import base64
import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from appliance.config.archive import ArchiveConfig
from appliance.recording.archive.key import SharedKey
from appliance.recording.archive.objects import ArchiveObject, front, object_name
from appliance.recording.catalogue.rows import detailed, get
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.rules import UNKNOWN_S
from appliance.recording.life.state import IS_ARCHIVED
from appliance.recording.life.tables import archived, pushes
from appliance.recording.parts import Parts
from appliance.store.sealed import KeyGone, SealedReader, Tampered

DAMAGED_S = 86400.0                               # until one that cannot be read is looked at again
WARNING = "unarchived"
_NOT_TOLD = {"number", "path", "state", "erased_why", "erased_at", "holds", "delete_after",
             "facts_seq", "facts_at", "facts_final"}     # of a row: what counts in this box alone

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Push:
    number: int
    recording: str
    sent: ArchiveObject
    state: dict[str, Any]
    tries: int


def next_push(parts: Parts, place: str, shared: SharedKey, now: float) -> Push | None:
    """The oldest that waits, begun if it was not: what is sent of it is the same after a cut.

    While a place does not answer the oldest waits with all others; one that cannot be read waits alone.
    """
    place = f"{place} key {shared.id}"
    with parts.database.read() as connection:
        row = _waiting(connection, parts.config.archive, place, now)
        known = None if row is None else connection.execute(
            select(pushes).where(pushes.c.number == row.number, pushes.c.place == place)).one_or_none()
    while row is not None:
        if known is not None and known.front:
            sent = ArchiveObject(known.object, base64.b64decode(known.front), parts.folder / row.path)
            return Push(row.number, row.recording, sent, json.loads(known.state), known.tries)
        try:
            return _begin(parts, row, place, shared)
        except (OSError, Tampered, KeyGone) as error:
            log.error("%s: cannot be archived: %s", row.path, error)
            failed(parts, row.number, f"{row.recording}: cannot be read: {error}", now + DAMAGED_S, place)
        with parts.database.read() as connection:
            row, known = _waiting(connection, parts.config.archive, place, now), None
    return None


def _waiting(connection: Connection, config: ArchiveConfig, place: str,
             now: float) -> Row[Any, Any, Any, Any, Any] | None:
    return connection.execute(
        select(recordings.c.number, recordings.c.recording, recordings.c.path, recordings.c.began_at,
               recordings.c.sha256)
        .outerjoin(pushes, pushes.c.number == recordings.c.number)
        .where(recordings.c.state == "kept", ~IS_ARCHIVED, recordings.c.ended_at <= now - config.after_s,
               or_(recordings.c.facts_seq > 0, recordings.c.ended_at <= now - UNKNOWN_S),
               or_(pushes.c.number.is_(None), pushes.c.next_at <= now, pushes.c.place != place))
        .order_by(recordings.c.number).limit(1)).one_or_none()


def _begin(parts: Parts, row: Row[Any, Any, Any, Any, Any], place: str, shared: SharedKey) -> Push:
    """The local file is proved first: what is damaged must not become the archive's copy."""
    path = parts.folder / row.path
    with path.open("rb") as file:
        if SealedReader(file, parts.keys).sha256().hex() != row.sha256:
            raise Tampered("its audio is not what was recorded")
    name = object_name(parts.config.archive.site, row.recording, row.began_at)
    with parts.database.read() as connection:
        octets = front(_metadata(parts, connection, row), row.recording, path, parts.keys, shared)
    with parts.database.write() as connection:
        connection.execute(delete(pushes).where(pushes.c.number == row.number))
        connection.execute(insert(pushes).values(
            number=row.number, place=place, object=name, front=base64.b64encode(octets).decode(), state="{}"))
    return Push(row.number, row.recording, ArchiveObject(name, octets, path), {}, 0)


def _metadata(parts: Parts, connection: Connection, row: Row[Any, Any, Any, Any, Any]) -> dict[str, Any]:
    known = get(connection, row.recording)
    facts = {} if known is None else asdict(known)
    details = detailed(connection, row.number)
    return {"v": 1, "site": parts.config.archive.site,
            **{key: value for key, value in facts.items() if key not in _NOT_TOLD},
            **msgspec.to_builtins(details)}


def arrived(parts: Parts, push: Push, place: str, digest: str, now: float) -> None:
    """The place has it, proved: the row says so, with its chain entry."""
    with parts.database.write() as connection:
        connection.execute(delete(pushes).where(pushes.c.number == push.number))
        connection.execute(insert(archived).values(
            number=push.number, at=now, place=place, object=push.sent.name, octets=push.sent.octets,
            sha256=digest))
        parts.chain.append(connection, now, "archived", push.recording, "recordd", {
            "place": place, "object": push.sent.name, "octets": push.sent.octets, "sha256": digest})
    parts.warn(WARNING, "")


def keep_state(parts: Parts, push: Push, state: dict[str, Any]) -> None:
    with parts.database.write() as connection:
        connection.execute(update(pushes).where(pushes.c.number == push.number)
                           .values(state=json.dumps(state)))


def failed(parts: Parts, number: int, error: str, next_at: float, place: str = "") -> None:
    """Noted, and tried again then; one that was never begun (`place`) has an empty front."""
    with parts.database.write() as connection:
        begun = connection.execute(select(pushes.c.number).where(pushes.c.number == number)).first()
        if begun is None:
            connection.execute(insert(pushes).values(
                number=number, place=place, object="", front="", state="{}"))
        connection.execute(update(pushes).where(pushes.c.number == number).values(
            tries=pushes.c.tries + 1, error=error, **({"next_at": next_at} if place else {})))
    if not place:
        parts.warn(WARNING, f"{error}. It is tried again at {datetime.fromtimestamp(next_at):%H:%M:%S}")


def unreadable(parts: Parts) -> str:
    """What is said of recordings whose own files are damaged; "": there is none."""
    with parts.database.read() as connection:
        errors = connection.execute(select(pushes.c.error).where(pushes.c.front == "")
                                    .order_by(pushes.c.number)).scalars().all()
    if not errors:
        return ""
    return f"{len(errors)} recordings cannot be archived: {errors[0]}: restore their files from a backup"


def in_flight(parts: Parts, place: str, shared: SharedKey) -> list[tuple[Push, bool]]:
    """Begun pushes to the place; True: the recording was erased since."""
    with parts.database.read() as connection:
        rows = connection.execute(
            select(pushes, recordings.c.recording, recordings.c.path, recordings.c.state.label("now"))
            .join(recordings, recordings.c.number == pushes.c.number)
            .where(pushes.c.place == f"{place} key {shared.id}", pushes.c.front != "")
            .order_by(pushes.c.number)).all()
    return [(Push(row.number, row.recording,
                  ArchiveObject(row.object, base64.b64decode(row.front), parts.folder / row.path),
                  json.loads(row.state), row.tries), row.now == "erased") for row in rows]
