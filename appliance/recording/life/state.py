"""What life remembers and reads of recordings: each function works inside its caller's transaction."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    TextClause,
    bindparam,
    exists,
    select,
    text,
    update,
)

from appliance.config.retention import RetentionConfig
from appliance.recording.catalogue.rows import remember, remembered
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.rules import DAY_S, Kept
from appliance.recording.life.tables import archived, cases, held, purges

_POLICIES, _REDO = "retention.policies", "retention.redo"
_COUNTS = {"rules", "keep_days", "least_days"}    # of a policy: what decides when a recording is due
_FOR_EVER = RetentionConfig()

# In the words of their partial indexes, which are not found for a value that is bound.
UNDECIDED = text("delete_after = 0 AND state != 'erased'")
IN_THE_BOX = text("state = 'kept'")
IS_ARCHIVED = exists(select(archived.c.number).where(archived.c.number == recordings.c.number))
READ = (recordings.c.number, recordings.c.recording, recordings.c.began_at, recordings.c.ended_at,
        recordings.c.file_octets, recordings.c.path, recordings.c.state, recordings.c.holds,
        recordings.c.facts_seq, recordings.c.delete_after, recordings.c.kind, recordings.c.direction,
        recordings.c.trunk, recordings.c.queue, recordings.c.agent, recordings.c.tags, recordings.c.calling,
        recordings.c.called, recordings.c.contact, IS_ARCHIVED.label("archived"))


def reading(*conditions: ColumnElement[bool] | TextClause) -> Select[Any]:
    """Recordings that are there, oldest first."""
    return (select(*READ).where(recordings.c.state != "erased", *conditions).order_by(recordings.c.number))


def kept(row: Row[Any]) -> Kept:
    return Kept(number=row.number, ended_at=row.ended_at, octets=row.file_octets, known=row.facts_seq > 0,
                held=row.holds > 0, archived=bool(row.archived), kind=row.kind, direction=row.direction,
                trunk=row.trunk, queue=row.queue, agent=row.agent,
                tags=frozenset(row.tags.split("\n") if row.tags else ()))


def policies(connection: Connection, config: RetentionConfig,
             now: float) -> list[tuple[float, RetentionConfig]]:
    """Since when, what: those that still count, the last is in force. Before the first all was for ever."""
    written = remembered(connection, _POLICIES)
    known = ([(since, RetentionConfig.model_validate_json(json.dumps(policy)))
              for since, policy in json.loads(written)] if written else [(0.0, _FOR_EVER)])
    if _counts(known[-1][1]) != _counts(config):
        known.append((now, config))
    return [*(before for before, after in pairwise(known) if now < after[0] + config.grace_days * DAY_S),
            (known[-1][0], config)]


def take_over(connection: Connection, counting: Sequence[tuple[float, RetentionConfig]]) -> bool:
    """Remember which policies count. True: they are others than before, and everything is decided anew."""
    said = _said(counting)
    if said == (remembered(connection, _POLICIES) or _said([(0.0, _FOR_EVER)])):
        return False
    remember(connection, _POLICIES, said)
    remember(connection, _REDO, "0")
    return True


def redo_from(connection: Connection) -> int | None:
    """Recordings from this number on were decided by rules of before; None: none was."""
    known = remembered(connection, _REDO)
    return int(known) if known else None


def redone(connection: Connection, until: int | None) -> None:
    remember(connection, _REDO, "" if until is None else str(until))


def decided(connection: Connection, due: Mapping[int, float]) -> None:
    """By number, when each is due."""
    if due:
        connection.execute(
            update(recordings).where(recordings.c.number == bindparam("of"))
            .values(delete_after=bindparam("at")),
            [{"of": number, "at": at} for number, at in due.items()])


def cases_of(connection: Connection, number: int) -> list[str]:
    """That hold it."""
    return list(connection.execute(select(held.c.case).where(held.c.number == number)
                                   .order_by(held.c.case)).scalars())


def following(connection: Connection) -> Sequence[Row[Any]]:
    """Cases that take recordings which come later."""
    return connection.execute(select(cases).where(cases.c.released_at == 0, cases.c.until > 0)).all()


def ran(connection: Connection, cause: str) -> float:
    """When the last purge of that cause was; 0: never."""
    return connection.execute(select(purges.c.at).where(purges.c.cause == cause)
                              .order_by(purges.c.seq.desc()).limit(1)).scalar() or 0.0


def batches(numbers: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for at in range(0, len(numbers), size):
        yield numbers[at:at + size]


def _said(counting: Sequence[tuple[float, RetentionConfig]]) -> str:
    return json.dumps([(since, _counts(policy)) for since, policy in counting], sort_keys=True)


def _counts(policy: RetentionConfig) -> dict[str, Any]:
    return policy.model_dump(mode="json", include=_COUNTS)
