"""A recording goes: first its row and the chain say so, then the file goes, then the note to do that.

A power cut between any two of these leaves a row that tells the truth; the next start does the rest.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from appliance.recording.catalogue.described import describe, tell_altered
from appliance.recording.catalogue.rows import erase as erase_row
from appliance.recording.catalogue.schema import recordings
from appliance.recording.lending import take_back
from appliance.recording.life.state import batches, reading
from appliance.recording.life.tables import archived, pushes, removals
from appliance.recording.parts import Parts
from appliance.store.sealed import erase as erase_file

BATCH = 50                                        # one transaction holds no other up for long

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reason:
    """`kind` is one word for programs: retention, room, asked, local."""

    kind: str
    why: str
    by: str


def erase(parts: Parts, numbers: Sequence[int], reason: Reason, now: float) -> list[int]:
    """The recordings are no more, except those that became held meanwhile; which went. Files may go later."""
    return _remove(parts, numbers, reason, now, local_only=False)


def drop_local(parts: Parts, numbers: Sequence[int], reason: Reason, now: float) -> list[int]:
    """Their audio is in the archive alone from now on, except of those that became held meanwhile."""
    return _remove(parts, numbers, reason, now, local_only=True)


def finish(parts: Parts) -> int:
    """Files whose rows say already that they are gone; how many could not go. Each time at first."""
    with parts.database.read() as connection:
        waiting = connection.execute(select(removals.c.number, removals.c.path)).all()
    gone, error = [], ""
    for number, path in waiting:
        try:
            _erase_file(parts.folder / path)
        except OSError as failed:
            error = f"{path}: cannot be deleted: {failed.strerror}: mend the disk; it is tried again"
        else:
            gone.append(number)
    if gone:
        with parts.database.write() as connection:
            connection.execute(delete(removals).where(removals.c.number.in_(gone)))
    parts.warn("erase", error)
    return len(waiting) - len(gone)


def _remove(parts: Parts, numbers: Sequence[int], reason: Reason, now: float, local_only: bool) -> list[int]:
    gone: list[int] = []
    for some in batches(numbers, BATCH):
        removed = _intend(parts, some, reason, now, local_only)
        for recording in () if local_only else removed.values():
            parts.tickets.forget(recording)
            take_back(parts, recording)
        gone += removed
        finish(parts)
    return gone


def _intend(parts: Parts, numbers: Sequence[int], reason: Reason, now: float,
            local_only: bool) -> dict[int, str]:
    gone = {}
    with parts.database.write() as connection:
        rows = connection.execute(reading(recordings.c.number.in_(numbers), recordings.c.holds == 0)).all()
        for row in rows:
            if local_only and not (row.archived and row.state == "kept"):
                continue
            data: dict[str, str | int] = {"reason": reason.kind, "why": reason.why, "octets": row.file_octets}
            copy = connection.execute(select(archived).where(archived.c.number == row.number)).one_or_none()
            if not local_only:
                # Its facts, that wait to be sent. By that of an outbox the object there is taken away first.
                connection.execute(delete(pushes).where(
                    pushes.c.number == row.number, ~pushes.c.place.startswith("outbox ")))
            if copy is not None:
                data |= {"archive": copy.place, "object": copy.object}
            if local_only:
                data["kept"] = "archive"
                connection.execute(update(recordings).where(recordings.c.number == row.number)
                                   .values(state="archived"))
            else:
                tell_altered(connection, parts.chain, now, row.number)
                erase_row(connection, row.recording, reason.why, now)
            if row.state == "kept":
                connection.execute(insert(removals).values(number=row.number, path=row.path))
            parts.chain.append(connection, now, "deleted", row.recording, reason.by, data)
            if not local_only:
                describe(connection, parts.chain, now, row.number)
            gone[row.number] = row.recording
    return gone


def _erase_file(path: Path) -> None:
    try:
        erase_file(path)
    except FileNotFoundError:
        log.info("%s: is gone already", path.name)
