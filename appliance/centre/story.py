"""Why the talks of a contact were recorded or not, and what people did to that, out of the log. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from appliance.bus.messages import RecordingPause, RecordingStory
from appliance.centre import events
from appliance.centre.events import decode
from appliance.store.events import Entry


def story(entries: Iterable[Entry]) -> list[RecordingStory]:
    """Of a contact's entries of store.schema.TELLS, in order. A pause is told of each recording it is in."""
    told: list[RecordingStory] = []
    for entry in entries:
        event = decode(entry)
        if isinstance(event, events.RecordingDecided):
            told.append(RecordingStory(
                recording=event.recording, at=entry.at, record=event.record, why=event.why, rule=event.rule,
                format=event.format, unless_kept=event.unless_kept, pauses=_carried(told, entry.at)))
        elif isinstance(event, events.RecordingKept):
            told = [replace(one, kept_by=event.by) if one.recording == event.recording else one
                    for one in told]
        elif told:
            told[-1] = _after(told[-1], entry.at, event)
    return told


def _after(now: RecordingStory, at: float, event: events.LogEvent) -> RecordingStory:
    match event:
        case events.RecordingAsked(recording=recording, by=by):
            return replace(now, recording=recording, begun_by=by)
        case events.RecordingStopped(by=by):
            return replace(now, stopped_by=by)
        case events.RecordingPaused(by=by) if not _open(now):
            return replace(now, pauses=[*now.pauses, RecordingPause(at=at, by=by)])
        case events.RecordingHushed(on=True) if not _open(now):
            return replace(now, pauses=[*now.pauses, RecordingPause(at=at, by="consultation")])
        case events.RecordingResumed(by=by) if _open(now):
            return _last_pause(now, ended_at=at, ended_by=by)
        case events.RecordingHushed(on=False) if _open(now) and now.pauses[-1].by == "consultation":
            return _last_pause(now, ended_at=at, ended_by="consultation")
        case events.RecordingSilent(on=on, tick=tick) if now.pauses:
            return _last_pause(now, tick=tick) if on else _last_pause(now, end_tick=tick)
        case _:
            return now


def _open(now: RecordingStory) -> bool:
    return bool(now.pauses) and not now.pauses[-1].ended_at


def _carried(told: list[RecordingStory], at: float) -> list[RecordingPause]:
    """A pause goes on into the next recording; a consultation's silence does not."""
    if not told or not _open(told[-1]) or told[-1].pauses[-1].by == "consultation":
        return []
    return [RecordingPause(at=at, by=told[-1].pauses[-1].by)]


def _last_pause(now: RecordingStory, **fields: float | int | str) -> RecordingStory:
    return replace(now, pauses=[*now.pauses[:-1], replace(now.pauses[-1], **fields)])
