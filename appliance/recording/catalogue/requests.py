"""The catalogue's answers. StateError: refused, with a sentence for people."""

from appliance.bus.client import BusError
from appliance.bus.messages import (
    ChainEntry,
    CheckRecordings,
    DescribeRecording,
    GetPeaks,
    GetRecording,
    GetRecordingChecks,
    OpenRecording,
    ReadRecording,
    RecordingChecks,
    RecordingDescribed,
    RecordingsFound,
    SearchRecordings,
)
from appliance.errors import StateError
from appliance.recording.audio import Silences
from appliance.recording.catalogue import checking, described, opening, rows
from appliance.recording.catalogue.acts import check_pauses
from appliance.recording.catalogue.presets import window
from appliance.recording.catalogue.search import listed, search
from appliance.recording.parts import Answers, Parts
from appliance.recording.vault.chain import of_recording
from appliance.recording.wav import TICKS_PER_S

MOST_DAYS = 7                                     # that are counted while somebody waits
MOST_DAYS_SHOWN = 92
MOST_ENTRIES = 1000                               # of one recording, the last; GetChain has all
DAY_S = 86400.0


def _search(parts: Parts, asked: SearchRecordings) -> RecordingsFound:
    since, until = asked.since, asked.until
    if asked.preset:
        since, until = window(asked.preset, parts.now(), None)
    with parts.database.read() as connection:
        return search(connection, asked, since, until)


def _describe(parts: Parts, asked: DescribeRecording) -> RecordingDescribed:
    with parts.database.read() as connection:
        row = rows.get(connection, asked.recording)
        if row is None:
            raise StateError(f"{asked.recording}: no such recording, or it is not finished yet")
        detail, wave = rows.detailed(connection, row.number), rows.wave(connection, row.number)
        entries = of_recording(connection, asked.recording)
        as_described = described.is_described(connection, row.number)
    silences = [] if wave is None else Silences.read(wave.silences)
    return RecordingDescribed(
        row=listed(row), sha256=row.sha256, marks=detail.marks, answers=detail.answers,
        rule=detail.rule, why=detail.why,
        silences=[(first / TICKS_PER_S, end / TICKS_PER_S) for first, end in silences],
        entries=[ChainEntry(at=one.at_ms / 1000, kind=one.kind, by=one.by, data=one.data)
                 for one in entries[-MOST_ENTRIES:]],
        pauses=check_pauses(parts, row, entries), as_described=as_described)


def _checks(parts: Parts, asked: GetRecordingChecks) -> RecordingChecks:
    if not 0 <= asked.until - asked.since <= MOST_DAYS_SHOWN * DAY_S:
        raise StateError(f"from, to: {MOST_DAYS_SHOWN} days at most, and the earlier one first")
    with parts.database.read() as connection:
        return RecordingChecks(checks=checking.kept_checks(connection, asked.since, asked.until))


def _check(parts: Parts, asked: CheckRecordings) -> RecordingChecks:
    now = parts.now()
    until = min(asked.until, now)
    if not 0 <= until - asked.since <= MOST_DAYS * DAY_S:
        raise StateError(f"from, to: {MOST_DAYS} days at most, the earlier one first, and not to come")
    hours = checking.hours_of(asked.since, until)
    try:
        found = [checking.check_hour(parts, hour, now) for hour in reversed(hours)]
    except BusError as error:
        raise StateError(f"acdd, which knows what was to be recorded, does not answer: {error}") from None
    checking.warn(parts, now)
    return RecordingChecks(checks=found)


ANSWERS: Answers = {
    CheckRecordings: _check,
    DescribeRecording: _describe,
    GetPeaks: opening.peaks,
    GetRecording: opening.get,
    GetRecordingChecks: _checks,
    OpenRecording: opening.open_recording,
    ReadRecording: opening.read,
    SearchRecordings: _search,
}
