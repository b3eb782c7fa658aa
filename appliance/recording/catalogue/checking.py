"""Is every call that was to be recorded here? Hour by hour, and what is not is named.

An hour is that in which contacts ended. What is missing stays so until its hour is counted again.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from appliance.bus.messages import (
    CheckFinding,
    GetToBeRecorded,
    RecordingCheck,
    ToBeRecorded,
    ToBeRecordedList,
)
from appliance.recording.catalogue import described, rows
from appliance.recording.catalogue.schema import checks, outages, recordings
from appliance.recording.parts import Parts
from appliance.recording.prompts.tables import takes
from appliance.recording.wav import TICKS_PER_S

HOUR_S = 3600
SETTLES_S = 300.0                                 # until the recordings of an hour are files
LOOKS_BACK_S = 7 * 86400.0                        # hours that were not counted, those with something amiss
TOLERANCE_S = 1.0
MOST_SHOWN = 5_000                                # findings in one answer
MOST_FINDINGS = 500                               # of an hour, that are named
WARNING = "recordings-missing"

_ASK_S = 20.0
_NEXT = "next_check"                              # the hour that is to be counted next
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What the catalogue has of one that was to be recorded."""

    duration_s: float
    contact: str
    began_at: float
    has_file: bool = True


@dataclass(frozen=True, slots=True)
class Outage:
    """The record ring was not written."""

    began_at: float
    ended_at: float
    why: str


def compare(expected: Iterable[ToBeRecorded], found: Mapping[str, Found], orphans: Mapping[str, Found],
            unfinished: Iterable[str], outages: Sequence[Outage]) -> list[CheckFinding]:
    """What is not as it should be, and why when that is known. Pure."""
    unfinished = set(unfinished)
    findings = []
    for one in expected:
        expected_s, here = one.ended_at - one.began_at, found.get(one.recording)
        outage = next((outage for outage in outages
                       if outage.began_at < one.ended_at and one.began_at < outage.ended_at), None)
        kind, why = "missing", ""
        if here is not None and not here.has_file:
            kind = "lost"
        elif here is not None:
            if abs(here.duration_s - expected_s) <= TOLERANCE_S:
                continue
            kind = "differs"
        elif one.recording in unfinished:
            why = "is being written"
        elif expected_s < 1 / TICKS_PER_S:
            why = "the talk was shorter than a tick"
        elif one.unwanted:
            why = "recorded on demand, and nobody kept it"
        if outage is not None and not why and kind != "lost" and (
                here is None or here.duration_s < expected_s):
            why = f"the record ring was away: {outage.why}"
        findings.append(CheckFinding(
            kind=kind, recording=one.recording, contact=one.contact, began_at=one.began_at,
            expected_s=expected_s, found_s=0.0 if here is None else here.duration_s, why=why))
    return [*findings, *(CheckFinding(
        kind="orphan", recording=name, contact="", began_at=here.began_at, expected_s=0.0,
        found_s=here.duration_s) for name, here in orphans.items())]


def due_hours(now: float, next_hour: int | None, amiss: Iterable[int]) -> list[int]:
    """Beginnings of the hours that are to be counted: those that are over since, and those with something
    missing, which may have come. None: it has never been done, so the last one over is the first. Pure."""
    last = _hour(now - SETTLES_S) - HOUR_S
    earliest = _hour(now - LOOKS_BACK_S)
    first = last if next_hour is None else max(next_hour, earliest)
    again = {hour for hour in amiss if earliest <= hour < first}
    return sorted(again | set(range(first, last + 1, HOUR_S))) if first <= last else []


def count_hours(parts: Parts, now: float) -> float:
    """Count those that are due; when to come again. BusError: acdd does not answer."""
    with parts.database.read() as connection:
        known = rows.remembered(connection, _NEXT)
        amiss = [hour for hour in connection.execute(
            select(checks.c.began_at).where(
                checks.c.missing + checks.c.explained + checks.c.altered > 0)).scalars()]
    hours = due_hours(now, int(known) if known else None, amiss)
    for hour in hours:
        check_hour(parts, hour, now)
    if hours:
        with parts.database.write() as connection:
            rows.remember(connection, _NEXT, str(hours[-1] + HOUR_S))
        warn(parts, now)
    return _hour(now - SETTLES_S) + HOUR_S + SETTLES_S


def check_hour(parts: Parts, hour: int, now: float) -> RecordingCheck:
    """Count it, and keep what came of it. BusError: acdd does not answer."""
    expected = _expected(parts, hour)
    with parts.database.write() as connection:
        found = _found(parts, connection, [one.recording for one in expected])
        findings = compare(expected, found, _orphans(parts, connection, hour),
                           [one.recording for one in expected if parts.taker.is_open(one.recording)],
                           _outages(connection, expected)) + _altered(connection, hour)
        check = _summed(hour, now, expected, findings)
        values = {name: getattr(check, name) for name in check.__struct_fields__}
        values["findings"] = msgspec.json.encode(check.findings).decode()
        connection.execute(delete(checks).where(checks.c.began_at == hour))
        connection.execute(insert(checks).values(values))
    return check


def kept_checks(connection: Connection, since: float, until: float) -> list[RecordingCheck]:
    """Of hours that began in [since, until), newest first. Of many findings the newest; counts are whole."""
    room, found = MOST_SHOWN, []
    for row in connection.execute(select(checks).where(checks.c.began_at >= since, checks.c.began_at < until)
                                  .order_by(checks.c.began_at.desc())):
        findings = msgspec.json.decode(row.findings, type=list[CheckFinding])[:room]
        room -= len(findings)
        found.append(RecordingCheck(**{**row._mapping, "findings": findings}))
    return found


def hours_of(since: float, until: float) -> list[int]:
    """That [since, until) touches."""
    return list(range(_hour(since), math.ceil(until), HOUR_S))


def warn(parts: Parts, now: float) -> None:
    """What is amiss in the hours that we look back at."""
    with parts.database.read() as connection:
        missing, orphans, differing, altered = connection.execute(
            select(func.sum(checks.c.missing), func.sum(checks.c.orphans), func.sum(checks.c.differing),
                   func.sum(checks.c.altered))
            .where(checks.c.began_at >= now - LOOKS_BACK_S)).one()
    said = ", ".join(f"{number} {what}" for number, what in (
        (missing, "missing"), (orphans, "of no contact"), (differing, "not as long as the talk"),
        (altered, "altered")) if number)
    parts.warn(WARNING, said and f"recordings of the last 7 days: {said}: see: branchline recordings check")


def _hour(at: float) -> int:
    return int(at // HOUR_S) * HOUR_S


def _expected(parts: Parts, hour: int) -> list[ToBeRecorded]:
    found: list[ToBeRecorded] = []
    after, more = "", True
    while more:
        told: ToBeRecordedList = parts.ask(
            GetToBeRecorded(since=hour, until=hour + HOUR_S, after=after), _ASK_S)
        found += told.recordings
        after, more = told.after, bool(told.after)
    return found


def _found(parts: Parts, connection: Connection, names: Sequence[str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for begin in range(0, len(names), _AT_ONCE):
        found |= _here(parts, connection, recordings.c.recording.in_(names[begin:begin + _AT_ONCE]))
    return found


def _orphans(parts: Parts, connection: Connection, hour: int) -> dict[str, Found]:
    return _here(parts, connection, recordings.c.number >= rows.number_at(hour),
                 recordings.c.number < rows.number_at(hour + HOUR_S),
                 recordings.c.facts_final, recordings.c.contact == "", recordings.c.state != "erased",
                 recordings.c.recording.not_in(select(takes.c.recording)))


def _altered(connection: Connection, hour: int) -> list[CheckFinding]:
    """By their numbers: their times may be what was altered."""
    first, end = rows.number_at(hour), rows.number_at(hour + HOUR_S)
    return [CheckFinding(kind="altered", recording=one.recording, contact="",
                         began_at=rows.began_at(one.number), expected_s=0.0, found_s=0.0)
            for one in described.altered(connection, recordings.c.number >= first, recordings.c.number < end)]


def _here(parts: Parts, connection: Connection, *which: Any) -> dict[str, Found]:
    return {row.recording: Found(row.duration_ticks / TICKS_PER_S, row.contact, row.began_at,
                                 has_file=row.state != "kept" or parts.store.has(row.path))
            for row in connection.execute(
                select(recordings.c.recording, recordings.c.duration_ticks, recordings.c.contact,
                       recordings.c.began_at, recordings.c.state, recordings.c.path).where(*which))}


def _outages(connection: Connection, expected: Sequence[ToBeRecorded]) -> list[Outage]:
    """That may have to do with these."""
    since = min((one.began_at for one in expected), default=math.inf)
    return [Outage(**row._mapping) for row in connection.execute(
        select(outages).where(outages.c.ended_at > since))]


def _summed(hour: int, now: float, expected: Sequence[ToBeRecorded],
            findings: Sequence[CheckFinding]) -> RecordingCheck:
    absent = [one for one in findings if one.kind in ("missing", "lost")]
    explained = sum(bool(one.why) for one in absent)
    return RecordingCheck(
        began_at=hour, checked_at=now, expected=len(expected), found=len(expected) - len(absent),
        missing=len(absent) - explained, explained=explained,
        orphans=sum(one.kind == "orphan" for one in findings),
        differing=sum(one.kind == "differs" and not one.why for one in findings),
        altered=sum(one.kind == "altered" for one in findings),
        findings=list(findings[:MOST_FINDINGS]))
