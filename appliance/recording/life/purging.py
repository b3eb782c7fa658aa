"""What goes by the rules: looked at, reported, then deleted."""

import msgspec
from sqlalchemy import insert, select, update

from appliance.bus.messages import PurgeReport, PurgeRow
from appliance.recording.catalogue.described import describe
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.removing import BATCH, Reason, erase
from appliance.recording.life.rules import DAY_S, OTHERS, Kept, Obstacle, expired, rule_of
from appliance.recording.life.state import batches, kept, policies, reading
from appliance.recording.life.tables import purges
from appliance.recording.parts import Parts

DAILY = "daily"


def purge(parts: Parts, now: float, cause: str, by: str, *, dry: bool, remains: str = "") -> PurgeReport:
    """What goes, or would; kept for people to see before the first recording goes."""
    config = parts.config.retention
    needs_archive = parts.config.archive.configured and parts.config.archive.wait_for_archive
    rows: dict[str, PurgeRow] = {}
    going: dict[str, list[int]] = {}
    with parts.database.read() as connection:
        in_force = [policy for _, policy in policies(connection, config, now)]
        found = connection.execute(reading(recordings.c.delete_after > 0, recordings.c.delete_after <= now))
        began = {}
        facts: list[Kept] = []
        for row in found:
            facts.append(kept(row))
            began[row.number] = row.began_at
    for one, obstacle in expired(in_force, facts, now, needs_archive=needs_archive):
        rule = rule_of(config, one)[0]
        rows[rule] = _added(rows.get(rule, PurgeRow(rule=rule)), one, began[one.number], obstacle)
        if obstacle is None:
            going.setdefault(rule, []).append(one.number)
    report = PurgeReport(at=now, cause=cause, by=by, dry=dry, rows=list(rows.values()), remains=remains)
    if cause == DAILY or not dry:
        keep_report(parts, report)
    if not dry:
        for rule, numbers in going.items():
            said = f"its time is over: {'rule ' + rule if rule != OTHERS else 'retention.keep_days'}"
            erase(parts, numbers, Reason("retention", said, by), now)
    return report


def keep_report(parts: Parts, report: PurgeReport) -> None:
    with parts.database.write() as connection:
        connection.execute(insert(purges).values(
            at=report.at, cause=report.cause, report=msgspec.json.encode(report).decode()))


def reports(parts: Parts, most: int) -> list[PurgeReport]:
    """Newest first."""
    with parts.database.read() as connection:
        texts = connection.execute(
            select(purges.c.report).order_by(purges.c.seq.desc()).limit(most)).scalars()
        return [msgspec.json.decode(text, type=PurgeReport) for text in texts]


def forget_facts(parts: Parts, now: float) -> None:
    """Of erased recordings stay, after their time, only which they were, when, and why they are gone."""
    days = parts.config.retention.records_keep_days
    if days is None:
        return
    with parts.database.read() as connection:
        numbers = connection.execute(select(recordings.c.number).where(
            recordings.c.state == "erased", recordings.c.contact != "",
            recordings.c.erased_at <= now - days * DAY_S)).scalars().all()
    for some in batches(numbers, BATCH):
        with parts.database.write() as connection:
            connection.execute(
                update(recordings).where(recordings.c.number.in_(some)).values({name: "" for name in (
                    "contact", "direction", "kind", "trunk", "queue", "agent", "node", "grade", "outcome")}))
            for number in some:
                describe(connection, parts.chain, now, number)


def _added(row: PurgeRow, one: Kept, began_at: float, obstacle: Obstacle | None) -> PurgeRow:
    if obstacle is None:
        return msgspec.structs.replace(
            row, recordings=row.recordings + 1, octets=row.octets + one.octets,
            seconds=row.seconds + max(0.0, one.ended_at - began_at),
            oldest=min(row.oldest or began_at, began_at), newest=max(row.newest, began_at))
    name = {Obstacle.HELD: "held", Obstacle.YOUNG: "young", Obstacle.UNARCHIVED: "unarchived",
            Obstacle.UNKNOWN: "unknown"}[obstacle]
    return msgspec.structs.replace(row, **{name: getattr(row, name) + 1})
