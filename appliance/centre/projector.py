"""Contact records out of events: one pure function per kind, used by engine, log and rebuild alike."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from appliance.centre import events
from appliance.centre.events import LogEvent, decode
from appliance.errors import StateError
from appliance.store.events import Entry
from appliance.store.records import ContactRecord, SegmentRecord

Fold = Callable[[ContactRecord, float, Any], ContactRecord]


def fold(record: ContactRecord | None, at: float, contact: str, event: LogEvent) -> ContactRecord:
    """The record after `event`, of a kind in FOLDS. StateError: its beginning is not in the log."""
    if isinstance(event, events.Began):
        return _began(contact, event)
    if record is None:
        raise StateError(f"{type(event).__name__} of contact {contact!r}, which has not begun or has ended")
    return FOLDS[type(event)](record, at, event)


class ContactProjector:
    """What the event log needs (appliance.store.events.Projector)."""

    @property
    def kinds(self) -> frozenset[str]:
        return KINDS

    def fold(self, record: ContactRecord | None, entry: Entry) -> ContactRecord:
        return fold(record, entry.at, entry.contact, decode(entry))


def _began(contact: str, event: events.Began) -> ContactRecord:
    return ContactRecord(
        contact=contact, direction=event.direction, calling=event.calling, called=event.called,
        state="flow" if event.direction == "in" else "dialling", began_at=event.began_at,
        withheld=event.withheld)


def _numbered(record: ContactRecord, at: float, event: events.Numbered) -> ContactRecord:
    return replace(record, called=event.called)


def _node_entered(record: ContactRecord, at: float, event: events.NodeEntered) -> ContactRecord:
    return _next(replace(record, direction="in", state="flow", queue="", agent=""), at, "flow", event.node)


def _pressed(record: ContactRecord, at: float, event: events.Pressed) -> ContactRecord:
    return replace(record, digits=record.digits + event.digit)


def _joined(record: ContactRecord, at: float, event: events.Joined) -> ContactRecord:
    return _next(replace(record, state="queue", queue=event.queue), at, "queue", event.queue)


def _offered(record: ContactRecord, at: float, event: events.Offered) -> ContactRecord:
    return _next(replace(record, state="ringing", agent=event.agent), at, "ring", event.agent, event.agent)


def _ring_ended(record: ContactRecord, at: float, event: events.RingEnded) -> ContactRecord:
    return _next(replace(record, state="queue", agent=""), at, "queue", record.queue)


def _dialled(record: ContactRecord, at: float, event: events.Dialled) -> ContactRecord:
    return _next(replace(record, direction="out", state="dialling"), at, "dial", event.number, record.agent)


def _agent_took(record: ContactRecord, at: float, event: events.AgentTook) -> ContactRecord:
    return replace(record, agent=event.agent)


def _talked(record: ContactRecord, at: float, event: events.Talked) -> ContactRecord:
    return _next(replace(record, state="talking"), at, "talk", record.agent, record.agent, event.recording)


def _ended(record: ContactRecord, at: float, event: events.Ended) -> ContactRecord:
    return replace(
        record, state="ended", ended_at=event.ended_at, outcome=event.outcome, ended_by=event.ended_by,
        cause=event.cause, segments=_closed(record.segments, event.ended_at))


def _next(record: ContactRecord, at: float, kind: str, detail: str,
          agent: str = "", recording: str = "") -> ContactRecord:
    segment = SegmentRecord(kind=kind, began_at=at, detail=detail, agent=agent, recording=recording)
    return replace(record, segments=(*_closed(record.segments, at), segment))


def _closed(segments: tuple[SegmentRecord, ...], at: float) -> tuple[SegmentRecord, ...]:
    """The last one ends at `at`; a node that was only passed through leaves no segment."""
    if not segments or segments[-1].ended_at:
        return segments
    *before, last = segments
    if last.kind == "flow" and at <= last.began_at:
        return tuple(before)
    return *before, replace(last, ended_at=max(at, last.began_at))


FOLDS: dict[type[LogEvent], Fold] = {
    events.Numbered: _numbered,
    events.NodeEntered: _node_entered,
    events.Pressed: _pressed,
    events.Joined: _joined,
    events.Offered: _offered,
    events.RingEnded: _ring_ended,
    events.Dialled: _dialled,
    events.AgentTook: _agent_took,
    events.Talked: _talked,
    events.Ended: _ended,
}

KINDS = frozenset({events.Began.__name__, *(kind.__name__ for kind in FOLDS)})
