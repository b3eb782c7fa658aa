"""What quality takes of the catalogue: whose call a recording is, and its score there."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from appliance.bus.messages import QualityCall
from appliance.errors import StateError
from appliance.recording.catalogue.rows import number_at
from appliance.recording.catalogue.schema import recordings
from appliance.recording.quality.sampling import Candidate
from appliance.recording.quality.tables import evaluations
from appliance.recording.wav import TICKS_PER_S

AUDIBLE = recordings.c.state != "erased"


def find(connection: Connection, recording: str) -> QualityCall:
    """StateError: there is none that can be judged."""
    row = connection.execute(select(recordings).where(recordings.c.recording == recording)).one_or_none()
    if row is None:
        raise StateError(f"{recording}: no such recording, or it is not finished yet")
    if row.state == "erased":
        raise StateError(f"{recording}: its audio was erased ({row.erased_why or 'no reason is known'}): "
                         "it cannot be judged")
    if not row.agent:
        raise StateError(f"{recording}: no agent is known of it: there is nobody to judge")
    return _call(row)


def of_agent(connection: Connection, agent: str, offset: int, limit: int) -> tuple[list[QualityCall], int]:
    """Newest first, and how many there are."""
    his = select(recordings).where(recordings.c.agent == agent, AUDIBLE)
    total = connection.execute(select(func.count()).select_from(his.subquery())).scalar_one()
    rows = connection.execute(his.order_by(recordings.c.number.desc()).offset(offset).limit(limit))
    return [_call(row) for row in rows], total


def candidates(connection: Connection, since: float, until: float) -> Iterator[Candidate]:
    """Recordings of that time with an agent, that nobody has judged yet."""
    of = recordings.c
    rows = connection.execute(
        select(of.recording, of.agent, of.queue, of.direction, of.disposition, of.duration_ticks).where(
            of.number >= number_at(since), of.number < number_at(until), of.agent != "", AUDIBLE,
            of.recording.not_in(select(evaluations.c.recording))))
    for row in rows:
        yield Candidate(row.recording, row.agent, row.queue, row.direction, row.disposition,
                        row.duration_ticks / TICKS_PER_S)


def first_at(connection: Connection, agent: str) -> float | None:
    """When the earliest of the agent's recordings began; None: there is none."""
    at: float | None = connection.execute(select(recordings.c.began_at).where(recordings.c.agent == agent)
                                          .order_by(recordings.c.number).limit(1)).scalar()
    return at


def rate(connection: Connection, recording: str) -> None:
    """The recording's score in the catalogue: the mean of its results that are not calibrations."""
    mean = connection.execute(select(func.avg(evaluations.c.score)).where(
        evaluations.c.recording == recording, evaluations.c.calibration.is_(None))).scalar()
    connection.execute(update(recordings).where(recordings.c.recording == recording).values(score=mean))


def _call(row: Row[Any]) -> QualityCall:
    return QualityCall(recording=row.recording, contact=row.contact, agent=row.agent, queue=row.queue,
                       began_at=row.began_at, duration_s=row.duration_ticks / TICKS_PER_S)
