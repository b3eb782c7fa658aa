"""What the log says of recordings: which there should be, whose they are, what happened while they ran. Pure.

A recording begins with the first segment that names it. It goes on through hold and consultation, which name
none, and ends with another recording, with its contact's, or when the talk is no talk any more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.bus.messages import (
    GetRecordingFacts,
    GetToBeRecorded,
    RecordedFacts,
    RecordedFactsChanged,
    RecordingAct,
    RecordingFacts,
    RecordingMark,
    RecordingStory,
    Reply,
    Request,
    SurveyAnswer,
    ToBeRecorded,
    ToBeRecordedList,
)
from appliance.bus.messages.catalogue import MOST_FACTS
from appliance.centre import events
from appliance.centre.events import decode
from appliance.centre.story import story
from appliance.errors import StateError
from appliance.store.events import Entry, EventLog
from appliance.store.recorded import Recorded
from appliance.store.records import ContactRecord, SegmentRecord

LOOKED_ENTRIES = 20_000                           # of the log, in one answer about changes
MOST_CONTACTS = 1000                              # in one answer about what was to be recorded
FEW = 100                                         # contacts whose entries are read at once

_GOES_ON = ("talk", "hold", "consult", "conference")
_TALKS = ("talk", "conference")

# An entry of one of these changes what facts() says of a contact that may have ended.
CHANGES = tuple(kind.__name__ for kind in (
    events.Ended, events.Tagged, events.Disposed, events.SurveyAnswered, events.RecordingKept))


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something was recorded; ended_at 0: it goes on."""

    recording: str
    kind: str
    agent: str
    began_at: float
    ended_at: float


def spans(record: ContactRecord, entries: Iterable[Entry]) -> list[Span]:
    """In order. `entries`: those of store.schema.TELLS of this contact."""
    stopped = {event.recording: entry.at for entry in entries
               if isinstance(event := decode(entry), events.RecordingStopped)}
    found: list[Span] = []
    now: Span | None = None
    for segment in record.segments:
        if segment.recording and (now is None or segment.recording != now.recording):
            now = Span(segment.recording, segment.kind, segment.agent, segment.began_at, segment.ended_at)
            found.append(now)
        elif now is not None and (segment.recording or _goes_on(now, segment)):
            now = found[-1] = replace(now, ended_at=segment.ended_at)
        else:
            now = None
    return [replace(span, ended_at=stopped.get(span.recording, span.ended_at)) for span in found]


def _goes_on(span: Span, segment: SegmentRecord) -> bool:
    """Through a segment that names no recording: not after a gap, in which the contact was with nobody."""
    return (span.kind in _GOES_ON and segment.kind in _GOES_ON
            and segment.began_at == span.ended_at)


def facts(record: ContactRecord, entries: Iterable[Entry]) -> list[RecordingFacts]:
    """Of all recordings of a contact; `entries`: those of GIVES_LEG and TELLS, in order."""
    entries = list(entries)
    told = _Told(record.direction)
    for entry in entries:
        told.hear(entry.at, decode(entry))
    stories = _stories(entries)
    talked = any(segment.kind in _TALKS for segment in record.segments)
    return [RecordingFacts(
        **_of_policy(stories.get(span.recording)),
        recording=span.recording, final=record.state == "ended", contact=record.contact,
        direction=record.direction, missed=span.kind == "message" and record.direction == "in" and not talked,
        kind=span.kind, began_at=span.began_at, ended_at=span.ended_at,
        calling=record.calling, called=record.called, withheld=record.withheld, trunk=told.trunk,
        queue=_last("queue", record, span) or record.queue, agent=span.agent or record.agent,
        node=_last("flow", record, span), grade=told.grade, outcome=record.outcome,
        disposition=told.disposition, note=told.note, tags=told.tags, answers=told.answers,
        marks=sorted((*_marks(record, span), *(mark for mark in told.marks if _within(mark.at, span))),
                     key=lambda mark: mark.at)) for span in spans(record, entries)]


class _Told:
    """What the entries of a contact come to."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self.trunk = self.grade = self.disposition = self.note = ""
        self.tags: list[str] = []
        self.answers: list[SurveyAnswer] = []
        self.marks: list[RecordingMark] = []

    def hear(self, at: float, event: Any) -> None:
        match event:
            case events.Began(trunk=trunk):
                self.trunk = trunk
            case events.Dialled(trunk=trunk) if self._direction == "out":
                self.trunk = trunk
            case events.Routed(grade=grade) | events.CallbackBooked(grade=grade):
                self.grade = grade
            case events.Attached(grade=str(grade)):
                self.grade = grade
            case events.Disposed(code=code, note=note):
                self.disposition, self.note = code, note
            case events.SurveyAnswered():
                self.answers.append(SurveyAnswer(survey=event.survey, question=event.question,
                                                 answer=event.answer))
        match event:
            case events.Tagged(tags=tags, by=by):
                self._mark("tag", at, ", ".join(tag for tag in tags if tag not in self.tags), by)
                self.tags = tags
            case events.RecordingPaused(by=by):
                self._mark("paused", at, "", by)
            case events.RecordingHushed(on=on):
                self._mark("paused" if on else "resumed", at, "consultation")
            case events.RecordingResumed(by=by):
                self._mark("resumed", at, "", by)
            case events.RecordingAsked(by=by):
                self._mark("asked", at, "", by)
            case events.RecordingKept(by=by):
                self._mark("kept", at, "", by)
            case events.Pressed(digit=digit):
                self._mark("key", at, digit)

    def _mark(self, kind: str, at: float, detail: str, by: str = "") -> None:
        self.marks.append(RecordingMark(kind=kind, at=at, detail=detail, by=by))


def _stories(entries: Iterable[Entry]) -> dict[str, RecordingStory]:
    """Of each recording."""
    return {one.recording: one for one in story(entries)}


def _of_policy(told: RecordingStory | None) -> dict[str, Any]:
    """Fields of RecordingFacts; none when nothing was decided."""
    return {} if told is None else {
        "rule": told.rule, "why": told.why, "format": told.format, "unwanted": told.unwanted,
        "acts": sorted(_acts(told), key=lambda act: act.at)}


def _acts(told: RecordingStory) -> Iterator[RecordingAct]:
    for kind, by, at in (("on-demand", told.begun_by, told.begun_at), ("kept", told.kept_by, told.kept_at),
                         ("stopped", told.stopped_by, told.stopped_at)):
        if by is not None:
            yield RecordingAct(kind=kind, at=at, by=by)
    for pause in told.pauses:
        yield RecordingAct(kind="paused", at=pause.at, by=pause.by, tick=pause.tick)
        if pause.ended_at:
            yield RecordingAct(kind="resumed", at=pause.ended_at, by=pause.ended_by, tick=pause.end_tick)


def _last(kind: str, record: ContactRecord, span: Span) -> str:
    """What the last such segment before the recording, or in it, is of."""
    return next((segment.detail for segment in reversed(record.segments)
                 if segment.kind == kind and segment.began_at <= span.began_at), "")


def _marks(record: ContactRecord, span: Span) -> Iterable[RecordingMark]:
    """What the contact went through in it."""
    for segment in record.segments:
        if segment.began_at > span.began_at and _within(segment.began_at, span):
            yield RecordingMark(kind=segment.kind, at=segment.began_at, detail=segment.detail)


def _within(at: float, span: Span) -> bool:
    return span.began_at <= at and (not span.ended_at or at <= span.ended_at)


def to_be_recorded(record: ContactRecord, entries: Iterable[Entry]) -> list[ToBeRecorded]:
    """Of a contact that has ended."""
    entries = list(entries)
    stories = _stories(entries)
    return [ToBeRecorded(
        recording=span.recording, contact=record.contact, began_at=span.began_at, ended_at=span.ended_at,
        kind=span.kind, unwanted=span.recording in stories and stories[span.recording].unwanted)
        for span in spans(record, entries)]


def notice(entries: Iterable[Entry], seq: int) -> RecordedFactsChanged | None:
    """What is said on the bus when the log, now as far as `seq`, has these."""
    return RecordedFactsChanged(seq=seq) if any(entry.kind in CHANGES for entry in entries) else None


def _facts(log: Recorded, asked: GetRecordingFacts) -> RecordedFacts:
    if len(asked.recordings) > MOST_FACTS:
        raise StateError(f"recordings: {MOST_FACTS} at once, not {len(asked.recordings)}")
    wanted = set(asked.recordings)
    found = [one for record, entries in _read(log, log.naming(asked.recordings))
             for one in facts(record, entries) if one.recording in wanted]
    unnamed = wanted - {one.recording for one in found}
    seq = log.seq()
    changed: list[str] = []
    to = seq
    if asked.changed_after is not None and asked.changed_after < seq:
        changed, to = log.changed(asked.changed_after, CHANGES, LOOKED_ENTRIES)
    return RecordedFacts(facts=[*found, *(RecordingFacts(recording=name) for name in sorted(unnamed))],
                         seq=seq, changed=changed, changed_to=to)


def _to_be_recorded(log: Recorded, asked: GetToBeRecorded) -> ToBeRecordedList:
    at, _, name = asked.after.partition(" ")
    try:
        after = (float(at or 0.0), name)
    except ValueError:
        raise StateError(f"after: {asked.after!r} was never answered: give what was, or nothing") from None
    records = log.ended(asked.since, asked.until, after, MOST_CONTACTS)
    found = [one for record, entries in _read(log, records) for one in to_be_recorded(record, entries)]
    more = len(records) == MOST_CONTACTS
    return ToBeRecordedList(recordings=found,
                            after=f"{records[-1].ended_at!r} {records[-1].contact}" if more else "")


def _read(log: Recorded, records: list[ContactRecord]) -> Iterable[tuple[ContactRecord, list[Entry]]]:
    """Each with its entries of the log."""
    for begin in range(0, len(records), FEW):
        some = records[begin:begin + FEW]
        entries: Mapping[str, list[Entry]] = defaultdict(list)
        for row in log.telling([record.contact for record in some]):
            entries[row["contact"]].append(Entry(**row))
        yield from ((record, entries[record.contact]) for record in some)


_ANSWERS: dict[type[Request[Any]], Callable[[Recorded, Any], Reply]] = {
    GetRecordingFacts: _facts,
    GetToBeRecorded: _to_be_recorded,
}


def answer(log: EventLog, asked: GetRecordingFacts | GetToBeRecorded) -> Reply:
    """As of one commit. StateError: refused."""
    with log.recorded() as recorded:
        return _ANSWERS[type(asked)](recorded, asked)
