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
    paused_by: str | None = None
    for entry in entries:
        event = decode(entry)
        if isinstance(event, events.RecordingPaused):
            paused_by = event.by if paused_by is None else paused_by
        elif isinstance(event, events.RecordingResumed):
            paused_by = None
        # A pause goes on into the next recording; a consultation's silence does not.
        carried = [] if paused_by is None else [RecordingPause(at=entry.at, by=paused_by)]
        if isinstance(event, events.RecordingDecided):
            told.append(RecordingStory(
                recording=event.recording, at=entry.at, record=event.record, why=event.why, rule=event.rule,
                format=event.format, unless_kept=event.unless_kept, pauses=carried))
        elif isinstance(event, events.RecordingKept):
            told = [replace(one, kept_by=event.by, kept_at=entry.at) if one.recording == event.recording
                    else one for one in told]
        elif isinstance(event, events.RecordingSilent):
            told = [_ticked(one, event) if one.recording == event.recording else one for one in told]
        elif isinstance(event, events.RecordingAsked) and told and told[-1].recording:
            told.append(replace(told[-1], recording=event.recording, at=entry.at, begun_by=event.by,
                                begun_at=entry.at, kept_by=None, stopped_by=None, unless_kept=False,
                                pauses=carried))
        elif told:
            told[-1] = _after(told[-1], entry.at, event)
    return told


def _after(now: RecordingStory, at: float, event: events.LogEvent) -> RecordingStory:
    match event:
        case events.RecordingAsked(recording=recording, by=by):
            return replace(now, recording=recording, begun_by=by, begun_at=at)
        case events.RecordingStopped(by=by):
            return replace(now, stopped_by=by, stopped_at=at)
        case events.RecordingPaused(by=by) if not _open(now):
            return replace(now, pauses=[*now.pauses, RecordingPause(at=at, by=by)])
        case events.RecordingHushed(on=True) if not _open(now):
            return replace(now, pauses=[*now.pauses, RecordingPause(at=at, by="consultation")])
        case events.RecordingResumed(by=by) if _open(now):
            return _last_pause(now, ended_at=at, ended_by=by)
        case events.RecordingHushed(on=False) if _open(now) and now.pauses[-1].by == "consultation":
            return _last_pause(now, ended_at=at, ended_by="consultation")
        case _:
            return now


def _open(now: RecordingStory) -> bool:
    return bool(now.pauses) and not now.pauses[-1].ended_at


def _ticked(now: RecordingStory, event: events.RecordingSilent) -> RecordingStory:
    """spand's answers come in the order in which it was told; one that comes again tells nothing new."""
    pauses = list(now.pauses)
    for number, one in enumerate(pauses):
        if event.on and not one.tick and not one.end_tick:
            pauses[number] = replace(one, tick=event.tick)
            break
        if not event.on and one.ended_at and not one.end_tick:
            pauses[number] = replace(one, end_tick=event.tick)
            break
    return replace(now, pauses=pauses)


def _last_pause(now: RecordingStory, **fields: float | str) -> RecordingStory:
    return replace(now, pauses=[*now.pauses[:-1], replace(now.pauses[-1], **fields)])
