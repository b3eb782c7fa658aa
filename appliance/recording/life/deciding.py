"""When each recording is due, kept up with its facts and the rules; later recordings of a case are held."""

from typing import Any

from sqlalchemy import Connection, Row, insert, update

from appliance.config.retention import RetentionConfig
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.rules import due_at
from appliance.recording.life.state import (
    UNDECIDED,
    cases_of,
    decided,
    following,
    kept,
    policies,
    reading,
    redo_from,
    redone,
    take_over,
)
from appliance.recording.life.tables import held
from appliance.recording.parts import Parts

BATCH = 500                                       # recordings in one transaction
MOST_BATCHES = 20                                 # at a time


def decide(parts: Parts, now: float) -> bool:
    """Some of what is not decided yet; True: all is."""
    with parts.database.write() as connection:
        counting = policies(connection, parts.config.retention, now)
        if take_over(connection, counting):
            parts.chain.append(connection, now, "policy-changed", "", "recordd", {
                "what": "retention", "rules": [_said(policy) for _, policy in counting]})
    in_force = [policy for _, policy in counting]
    return any(_batch(parts, in_force, now) for _ in range(MOST_BATCHES))


def _batch(parts: Parts, in_force: list[RetentionConfig], now: float) -> bool:
    with parts.database.write() as connection:
        new = connection.execute(reading(UNDECIDED).limit(BATCH)).all()
        cases = following(connection) if new else ()
        for row in new:
            for case in cases:
                if _follows(case, row):
                    _hold(parts, connection, case.case, row, now)
        decided(connection, {row.number: due_at(in_force, kept(row)) for row in new})
        start = redo_from(connection)
        if start is None:
            return len(new) < BATCH
        old = connection.execute(reading(recordings.c.number >= start).limit(BATCH)).all()
        decided(connection, {row.number: due for row in old
                             if (due := due_at(in_force, kept(row))) != row.delete_after})
        redone(connection, old[-1].number + 1 if len(old) == BATCH else None)
        return len(new) < BATCH and len(old) < BATCH


def _follows(case: Row[Any], row: Row[Any]) -> bool:
    return (row.began_at < case.until
            and ((case.caller != "" and case.caller in (row.calling, row.called))
                 or (case.contact != "" and case.contact == row.contact)))


def _hold(parts: Parts, connection: Connection, case: str, row: Row[Any], now: float) -> None:
    if case not in cases_of(connection, row.number):
        hold(connection, case, row.number)
        parts.chain.append(connection, now, "held", row.recording, "recordd", {"case": case})


def hold(connection: Connection, case: str, number: int) -> None:
    connection.execute(insert(held).values(case=case, number=number))
    connection.execute(update(recordings).where(recordings.c.number == number)
                       .values(holds=recordings.c.holds + 1))


def _said(policy: RetentionConfig) -> dict[str, Any]:
    return policy.model_dump(mode="json", include={"rules", "keep_days", "least_days"}, exclude_defaults=True)
