"""Cases of the law: what they hold is deleted by nothing until they let it go.

Many recordings are held in several transactions: after a cut between them, the same request does the rest.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from appliance.bus.messages import (
    CaseInfo,
    CaseList,
    CaseReply,
    GetHolds,
    HoldRecordings,
    ReleaseHold,
    Request,
)
from appliance.errors import StateError
from appliance.recording.catalogue.schema import recordings, tags
from appliance.recording.life.deciding import hold
from appliance.recording.life.state import batches, cases_of, reading
from appliance.recording.life.tables import cases, held
from appliance.recording.parts import Parts

MOST_NAMED = 1000                                 # recordings named in one request
BATCH = 200                                       # recordings in one transaction
LONGEST = 1000                                    # characters of a reason


def hold_recordings(parts: Parts, request: HoldRecordings) -> CaseReply:
    now = parts.now()
    _check(request.case, request.by, request.why, request.recordings)
    if request.until and not (request.number or request.contact):
        raise StateError("until: whose later recordings? Give a number or a contact, too")
    if request.until and request.until <= now:
        raise StateError("until: is past: give a time ahead, or leave it out")
    chosen = _chosen(request)
    if not (chosen or request.recordings or request.until):
        raise StateError("nothing is chosen: name recordings, a contact, a number, a queue, an agent, a tag, "
                         "or a time")
    with parts.database.write() as connection:
        known = _case(connection, request.case)
        if known is not None and known.released_at:
            raise StateError(f"{request.case}: this case was released: hold them for a case of another name")
        later = _later(request, now)
        if known is None:
            connection.execute(insert(cases).values(
                case=request.case, why=request.why, by=request.by, at=now, **later))
        elif request.until:
            connection.execute(update(cases).where(cases.c.case == request.case).values(**later))
        numbers = _found(connection, request.recordings)
        if chosen:
            # The numbers alone: of a million rows all else would keep every other writer out for seconds.
            numbers |= set(connection.execute(
                select(recordings.c.number).where(recordings.c.state != "erased", *chosen)).scalars())
        # Of a number or contact more may become known.
        if known is None and not numbers and not (request.until or request.number or request.contact):
            raise StateError("no recording is as you say: nothing was held")
        numbers -= set(connection.execute(select(held.c.number).where(held.c.case == request.case)).scalars())
        said: dict[str, Any] = {"case": request.case, "why": request.why}
        parts.chain.append(connection, now, "held", "", request.by, said | {
            "recordings": len(numbers), **({"until": request.until} if request.until else {})})
    changed = 0
    for some in batches(sorted(numbers), BATCH):
        with parts.database.write() as connection:
            # Read again: one of them may have been deleted, or held by the same case, meanwhile.
            for row in connection.execute(reading(recordings.c.number.in_(some))).all():
                if request.case not in cases_of(connection, row.number):
                    hold(connection, request.case, row.number)
                    parts.chain.append(connection, now, "held", row.recording, request.by, said)
                    changed += 1
    with parts.database.read() as connection:
        return CaseReply(case=_info(connection, request.case), changed=changed)


def release(parts: Parts, request: ReleaseHold) -> CaseReply:
    now = parts.now()
    _check(request.case, request.by, request.why, request.recordings)
    with parts.database.write() as connection:
        known = _case(connection, request.case)
        if known is None or known.released_at:
            raise StateError(f"{request.case}: no case of that name holds anything: see recordings holds")
        rows = connection.execute(
            select(recordings.c.number, recordings.c.recording)
            .join(held, held.c.number == recordings.c.number).where(held.c.case == request.case)).all()
        if request.recordings:
            wanted = set(request.recordings)
            if missing := wanted - {row.recording for row in rows}:
                raise StateError(f"{min(missing)}: {request.case} does not hold it: nothing was released")
            rows = [row for row in rows if row.recording in wanted]
        said = {"case": request.case, "why": request.why}
        parts.chain.append(connection, now, "released", "", request.by, said | {
            "recordings": len(rows), "all": not request.recordings})
    changed = 0
    for some in batches(rows, BATCH):
        with parts.database.write() as connection:
            for row in some:
                if connection.execute(delete(held).where(
                        held.c.case == request.case, held.c.number == row.number)).rowcount:
                    connection.execute(update(recordings).where(recordings.c.number == row.number)
                                       .values(holds=recordings.c.holds - 1))
                    parts.chain.append(connection, now, "released", row.recording, request.by, said)
                    changed += 1
    with parts.database.write() as connection:
        if not request.recordings:
            connection.execute(update(cases).where(cases.c.case == request.case).values(
                released_at=now, released_by=request.by, released_why=request.why))
        return CaseReply(case=_info(connection, request.case), changed=changed)


def get_holds(parts: Parts, request: GetHolds) -> CaseList:
    wanted = select(cases.c.case).order_by(cases.c.at)
    if request.recording:
        wanted = (wanted.join(held, held.c.case == cases.c.case)
                  .join(recordings, recordings.c.number == held.c.number)
                  .where(recordings.c.recording == request.recording))
    elif not request.every:
        wanted = wanted.where(cases.c.released_at == 0)
    with parts.database.read() as connection:
        names = connection.execute(wanted).scalars().all()
        return CaseList(cases=[_info(connection, case) for case in names])


def _later(request: HoldRecordings, now: float) -> dict[str, str | float]:
    """Recordings that come, or become known, after this: of a number or contact, at least till now."""
    narrower = request.queue or request.agent or request.tag or request.since or request.before
    if request.until or ((request.number or request.contact) and not narrower):
        return {"caller": request.number, "contact": request.contact, "until": request.until or now}
    return {}


def _chosen(request: HoldRecordings) -> list[ColumnElement[bool]]:
    given: list[ColumnElement[bool]] = []
    if request.contact:
        given.append(recordings.c.contact == request.contact)
    if request.number:
        given.append(or_(recordings.c.calling == request.number, recordings.c.called == request.number))
    if request.queue:
        given.append(recordings.c.queue == request.queue)
    if request.agent:
        given.append(recordings.c.agent == request.agent)
    if request.tag:
        given.append(recordings.c.number.in_(select(tags.c.number).where(tags.c.tag == request.tag)))
    if request.since:
        given.append(recordings.c.began_at >= request.since)
    if request.before:
        given.append(recordings.c.began_at < request.before)
    return given


def _found(connection: Connection, names: list[str]) -> set[int]:
    """StateError: one of them is not there, so that nobody believes it to be held."""
    rows = connection.execute(reading(recordings.c.recording.in_(names))).all()
    if missing := set(names) - {row.recording for row in rows}:
        raise StateError(f"{min(missing)}: no such recording, or it is erased: nothing was held")
    return {row.number for row in rows}


def _case(connection: Connection, case: str) -> Row[Any] | None:
    return connection.execute(select(cases).where(cases.c.case == case)).one_or_none()


def _info(connection: Connection, case: str) -> CaseInfo:
    row = connection.execute(select(cases).where(cases.c.case == case)).one()
    count, octets = connection.execute(
        select(func.count(), func.coalesce(func.sum(recordings.c.file_octets), 0))
        .join(held, held.c.number == recordings.c.number).where(held.c.case == case)).one()
    return CaseInfo(case=row.case, why=row.why, by=row.by, at=row.at, recordings=count, octets=octets,
                    number=row.caller, contact=row.contact, until=row.until if row.until > row.at else 0.0,
                    released_at=row.released_at,
                    released_by=row.released_by, released_why=row.released_why)


def _check(case: str, by: str, why: str, names: list[str]) -> None:
    for what, text, most in (("case", case, 64), ("by", by, 200), ("why", why, LONGEST)):
        if not 0 < len(text.strip()) <= most or not text.isprintable():
            raise StateError(f"{what}: give one line of 1 to {most} characters")
    if len(names) > MOST_NAMED:
        raise StateError(f"recordings: {len(names)} are named, {MOST_NAMED} at a time are taken")


ANSWERS: dict[type[Request[Any]], Any] = {
    HoldRecordings: hold_recordings, ReleaseHold: release, GetHolds: get_holds}
