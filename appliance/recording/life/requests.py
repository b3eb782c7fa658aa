"""What people ask about how long recordings live."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import select

from appliance.bus.messages import (
    Erased,
    EraseRecording,
    GetPurgeForecast,
    GetPurgeReports,
    GetRetention,
    GetSpace,
    Purge,
    PurgeReport,
    PurgeReports,
    RetentionInfo,
    RuleInfo,
    SpaceInfo,
)
from appliance.errors import StateError
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life import holds
from appliance.recording.life.deciding import decide
from appliance.recording.life.purging import purge, reports
from appliance.recording.life.removing import Reason, erase
from appliance.recording.life.room import space
from appliance.recording.life.rules import DAY_S, EVER, OTHERS, Obstacle, due_at, in_words, obstacle, rule_of
from appliance.recording.life.state import cases_of, kept, policies, reading
from appliance.recording.life.tables import archived, pushes
from appliance.recording.life.tending import scheduled
from appliance.recording.parts import Answers, Parts

MOST_REPORTS = 400


def purge_now(parts: Parts, request: Purge) -> PurgeReport:
    now = parts.now()
    if not request.by.strip():
        raise StateError("by: who purges? Give a name")
    while not decide(parts, now):
        pass
    return purge(parts, now, "asked", request.by, dry=request.dry)


def forecast(parts: Parts, request: GetPurgeForecast) -> PurgeReport:
    return purge_now(parts, Purge(by=request.by, dry=True))


def get_reports(parts: Parts, request: GetPurgeReports) -> PurgeReports:
    return PurgeReports(reports=reports(parts, max(0, min(request.most, MOST_REPORTS))))


def erase_recording(parts: Parts, request: EraseRecording) -> Erased:
    now, config = parts.now(), parts.config.retention
    if not request.by.strip() or not request.why.strip():
        raise StateError("who erases it, and why? Give by and why")
    with parts.database.read() as connection:
        row = connection.execute(reading(recordings.c.recording == request.recording)).one_or_none()
        if row is None:
            raise StateError(f"{request.recording}: no such recording, or it is erased already")
        # Of one on its way there may be all of it by now.
        copies = [connection.execute(select(table.c.object).where(table.c.number == row.number)).scalar()
                  for table in (archived, pushes)]
        hindered = obstacle(config, kept(row), now, needs_archive=False)
        cases = cases_of(connection, row.number)
    if hindered is Obstacle.HELD:
        raise StateError(f"{request.recording}: is held by {', '.join(cases)}: release it there first")
    if hindered is Obstacle.YOUNG:
        until = _day(row.ended_at + config.least_days * DAY_S)
        raise StateError(f"{request.recording}: must be kept until {until} (retention.least_days)")
    if not erase(parts, [row.number], Reason("asked", request.why, request.by), now):
        raise StateError(f"{request.recording}: was held at this moment: ask `branchline recordings holds`")
    return Erased(archive_object=next(filter(None, copies), ""))


def get_retention(parts: Parts, request: GetRetention) -> RetentionInfo:
    now, config = parts.now(), parts.config.retention
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    with parts.database.read() as connection:
        counting = policies(connection, config, now)
        for row in connection.execute(reading().execution_options(yield_per=1000)):
            one = counts[rule_of(config, kept(row))[0]]
            one[0] += 1
            one[1] += row.file_octets
        says = _explained(parts, request.recording, now) if request.recording else ""
    return RetentionInfo(
        rules=[RuleInfo(rule=name, takes=takes, keep_days=days, recordings=counts[name][0],
                        octets=counts[name][1])
               for name, takes, days in (
                   *((rule.name, in_words(rule), rule.keep_days) for rule in config.rules),
                   (OTHERS, "the others", config.keep_days))],
        least_days=config.least_days, says=says,
        next_run_at=(datetime.fromtimestamp(scheduled(config.at, now)) + timedelta(days=1)).timestamp(),
        grace_until=counting[-1][0] + config.grace_days * DAY_S if len(counting) > 1 else 0.0)


def _explained(parts: Parts, recording: str, now: float) -> str:
    with parts.database.read() as connection:
        row = connection.execute(reading(recordings.c.recording == recording)).one_or_none()
        if row is None:
            raise StateError(f"{recording}: no such recording, or it is erased")
        in_force = [policy for _, policy in policies(connection, parts.config.retention, now)]
        cases = cases_of(connection, row.number)
    one = kept(row)
    rule = rule_of(in_force[-1], one)[0]
    due = due_at(in_force, one)
    said = "is kept for ever" if due >= EVER else f"is due on {_day(due)}"
    by = f"rule {rule}" if rule != OTHERS else "retention.keep_days, as no rule takes it"
    if cases:
        said += f"; held by {', '.join(cases)}, and not deleted before they let it go"
    if parts.config.archive.configured:
        said += "; is archived" if one.archived else "; is not archived yet"
    return f"{recording}: {said} ({by})"


def get_space(parts: Parts, _: GetSpace) -> SpaceInfo:
    return space(parts)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"


ANSWERS: Answers = {
    **holds.ANSWERS,
    Purge: purge_now, GetPurgeForecast: forecast, GetPurgeReports: get_reports,
    EraseRecording: erase_recording, GetRetention: get_retention, GetSpace: get_space,
}
