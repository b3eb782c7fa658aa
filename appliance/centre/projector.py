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
    if isinstance(event, events.CallbackBooked):
        return _booked(contact, at, event)
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


def _booked(contact: str, at: float, event: events.CallbackBooked) -> ContactRecord:
    return ContactRecord(
        contact=contact, direction="out", calling=event.shows, called=event.digits, state="callback",
        began_at=at, queue=event.queue,
        segments=(SegmentRecord(kind="callback", began_at=at, detail="booked"),))


def _numbered(record: ContactRecord, at: float, event: events.Numbered) -> ContactRecord:
    return replace(record, called=event.called)


def _node_entered(record: ContactRecord, at: float, event: events.NodeEntered) -> ContactRecord:
    return _next(replace(record, direction="in", state="flow", queue="", agent=""), at, "flow", event.node)


def _pressed(record: ContactRecord, at: float, event: events.Pressed) -> ContactRecord:
    return replace(record, digits=record.digits + event.digit)


def _message_begun(record: ContactRecord, at: float, event: events.MessageBegun) -> ContactRecord:
    return _next(record, at, "message", "", "", event.recording)


def _joined(record: ContactRecord, at: float, event: events.Joined) -> ContactRecord:
    return _next(replace(record, state="queue", queue=event.queue), at, "queue", event.queue)


def _offered(record: ContactRecord, at: float, event: events.Offered) -> ContactRecord:
    if event.beside:
        return record
    return _next(replace(record, state="ringing", agent=event.agent), at, "ring", event.agent, event.agent)


def _rung_beside(record: ContactRecord, at: float, event: events.RungBeside) -> ContactRecord:
    return _next(replace(record, state="ringing", agent=event.agent), at, "ring", event.agent, event.agent)


def _ring_ended(record: ContactRecord, at: float, event: events.RingEnded) -> ContactRecord:
    return _next(replace(record, state="queue", agent=""), at, "queue", record.queue)


def _dialled(record: ContactRecord, at: float, event: events.Dialled) -> ContactRecord:
    return _next(replace(record, direction="out", state="dialling"), at, "dial", event.number, record.agent)


def _forward_begun(record: ContactRecord, at: float, event: events.ForwardBegun) -> ContactRecord:
    return _next(replace(record, state="dialling"), at, "forward", event.forward.number)


def _join_over(record: ContactRecord, at: float, event: events.JoinOver) -> ContactRecord:
    return _next(record, at, "outside", record.agent) if event.done else record


def _agent_took(record: ContactRecord, at: float, event: events.AgentTook) -> ContactRecord:
    return replace(record, agent=event.agent)


def _talked(record: ContactRecord, at: float, event: events.Talked) -> ContactRecord:
    return _next(replace(record, state="talking"), at, "talk", record.agent, record.agent, event.recording)


def _ended(record: ContactRecord, at: float, event: events.Ended) -> ContactRecord:
    agent = record.agent or (record.segments[-1].agent if record.state == "survey" else "")
    return replace(
        record, state="ended", agent=agent, ended_at=event.ended_at, outcome=event.outcome,
        ended_by=event.ended_by, cause=event.cause, segments=_closed(record.segments, event.ended_at))


def _next(record: ContactRecord, at: float, kind: str, detail: str,
          agent: str = "", recording: str = "") -> ContactRecord:
    segment = SegmentRecord(kind=kind, began_at=at, detail=detail, agent=agent, recording=recording)
    return replace(record, segments=(*_closed(record.segments, at), segment))


def _closed(segments: tuple[SegmentRecord, ...], at: float) -> tuple[SegmentRecord, ...]:
    """The last one ends at `at`; what was only passed through leaves no segment."""
    if not segments or segments[-1].ended_at:
        return segments
    *before, last = segments
    if last.kind in ("flow", "hold") and not last.recording and at <= last.began_at:
        return tuple(before)
    return *before, replace(last, ended_at=max(at, last.began_at))


def _held(record: ContactRecord, at: float, event: events.Held) -> ContactRecord:
    return _next(record, at, "hold", record.agent, record.agent)


def _retrieved(record: ContactRecord, at: float, event: events.Retrieved) -> ContactRecord:
    return _next(record, at, "talk", record.agent, record.agent)


def _party_added(record: ContactRecord, at: float, event: events.PartyAdded) -> ContactRecord:
    kind = {"consulted": "consult", "target": "transfer"}.get(event.role)
    return record if kind is None else _next(record, at, kind, event.agent or event.number, record.agent)


def _party_gone(record: ContactRecord, at: float, event: events.PartyGone) -> ContactRecord:
    if record.segments[-1].kind != "consult" or record.segments[-1].ended_at:
        return record
    return _next(record, at, "hold", record.agent, record.agent)


def _conferenced(record: ContactRecord, at: float, event: events.Conferenced) -> ContactRecord:
    return _next(record, at, "conference", record.agent, record.agent, event.recording)


def _paired(record: ContactRecord, at: float, event: events.Paired) -> ContactRecord:
    now = record.segments[-1]
    if (now.kind, now.recording) == ("talk", event.recording):       # of whoever was left, and took over
        return record
    return _next(record, at, "talk", record.agent, record.agent, event.recording)


def _let_go(record: ContactRecord, at: float, event: events.LetGo) -> ContactRecord:
    return replace(record, state=event.why, agent="", segments=_closed(record.segments, at))


def _taken_over(record: ContactRecord, at: float, event: events.TakenOver) -> ContactRecord:
    return _next(replace(record, state="talking", agent=event.agent), at, "talk", event.agent or event.number,
                 event.agent, event.recording)


def _parked(record: ContactRecord, at: float, event: events.Parked) -> ContactRecord:
    return _next(record, at, "park", str(event.slot))


def _callback_held(record: ContactRecord, at: float, event: events.CallbackHeld) -> ContactRecord:
    if record.state == "callback":
        return record
    return _next(replace(record, state="callback", agent=""), at, "callback", event.why)


def _callback_moved(record: ContactRecord, at: float, event: events.CallbackMoved) -> ContactRecord:
    return _next(replace(record, state="callback", agent=""), at, "callback", "moved")


def _callback_claimed(record: ContactRecord, at: float, event: events.CallbackClaimed) -> ContactRecord:
    return replace(record, state="dialling", agent=event.agent)


def _callback_missed(record: ContactRecord, at: float, event: events.CallbackMissed) -> ContactRecord:
    return _next(replace(record, state="callback", agent=""), at, "callback", event.outcome)


def _survey_begun(record: ContactRecord, at: float, event: events.SurveyBegun) -> ContactRecord:
    return _next(record, at, "survey", event.survey, event.agent)


def _recording_asked(record: ContactRecord, at: float, event: events.RecordingAsked) -> ContactRecord:
    now = record.segments[-1]
    return _next(record, at, now.kind, now.detail, now.agent, event.recording)


def _recording_stopped(record: ContactRecord, at: float, event: events.RecordingStopped) -> ContactRecord:
    now = record.segments[-1]
    return _next(record, at, now.kind, now.detail, now.agent)


FOLDS: dict[type[LogEvent], Fold] = {
    events.Numbered: _numbered,
    events.NodeEntered: _node_entered,
    events.Pressed: _pressed,
    events.MessageBegun: _message_begun,
    events.Joined: _joined,
    events.Offered: _offered,
    events.RingEnded: _ring_ended,
    events.RungBeside: _rung_beside,
    events.Dialled: _dialled,
    events.ForwardBegun: _forward_begun,
    events.JoinOver: _join_over,
    events.AgentTook: _agent_took,
    events.Talked: _talked,
    events.Held: _held,
    events.Retrieved: _retrieved,
    events.PartyAdded: _party_added,
    events.PartyGone: _party_gone,
    events.Conferenced: _conferenced,
    events.Paired: _paired,
    events.LetGo: _let_go,
    events.TakenOver: _taken_over,
    events.Parked: _parked,
    events.CallbackHeld: _callback_held,
    events.CallbackMoved: _callback_moved,
    events.CallbackClaimed: _callback_claimed,
    events.CallbackMissed: _callback_missed,
    events.SurveyBegun: _survey_begun,
    events.RecordingAsked: _recording_asked,
    events.RecordingStopped: _recording_stopped,
    events.Ended: _ended,
}

KINDS = frozenset({events.Began.__name__, events.CallbackBooked.__name__, *(kind.__name__ for kind in FOLDS)})
