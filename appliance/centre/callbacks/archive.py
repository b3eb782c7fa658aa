"""Requests about contacts that are over, answered out of the log. StateError: refused, with why."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.bus.messages import (
    AbandonedList,
    BookCallback,
    CallBack,
    CloseAbandoned,
    Disposition,
    GetAbandoned,
    GetSurvey,
    SurveyResults,
)
from appliance.centre import events, survey
from appliance.centre.callbacks.abandoned import abandoned
from appliance.centre.events import decode
from appliance.centre.turn import Setup
from appliance.errors import StateError
from appliance.store.events import EventLog
from appliance.store.records import ContactRecord

MOST_DAYS = 90.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Archive:
    """callbacks: promised, by number."""

    log: EventLog
    setup: Setup
    callbacks: Mapping[str, str]
    now: float

    def abandoned(self, asked: GetAbandoned) -> AbandonedList:
        if not 0 < asked.days <= MOST_DAYS:
            raise StateError(f"days: more than 0, at most {MOST_DAYS:g}")
        since = self.now - asked.days * DAY_S
        lost = self.log.lost(since)
        disposed: dict[str, Disposition] = {}
        for entry in self.log.disposed([record.contact for record in lost]):
            match decode(entry):
                case events.Disposed(code=code, note=note, by=by):
                    disposed[entry.contact] = Disposition(at=entry.at, by=by, code=code, note=note)
        found = abandoned(lost, self.log.touches(since), disposed, self.callbacks,
                          self.setup.entrance.canonical)
        return AbandonedList(contacts=sorted(
            (one for one in found if asked.queue in ("", one.queue) and (asked.every or not one.closed_at)),
            key=lambda one: -one.at))

    def book(self, asked: CallBack) -> BookCallback:
        """The same as a request that the engine knows."""
        record = self._over(asked.contact)
        queues = [one for one in record.segments if one.kind == "queue"]
        queue = asked.queue or (queues[-1].detail if queues else self._of_box(record))
        number = record.calling if record.direction == "in" else record.called
        if not queue:
            raise StateError(f"{asked.contact}: came to no queue: say which one is to call back")
        if not number:
            raise StateError(f"{asked.contact}: the caller's number is not known")
        waited = record.outcome in ("abandoned", "failed") and bool(queues)
        trunk = next((began.trunk for entry in self.log.legs(asked.contact)
                      if isinstance(began := decode(entry), events.Began)), "")
        return BookCallback(
            number=number, queue=queue, at=asked.at, agent=asked.agent, trunk=trunk, note=asked.note,
            shows=record.called if record.direction == "in" else record.calling, by=asked.by,
            since=queues[0].began_at if waited and not asked.at else 0.0, origin=asked.contact)

    def closable(self, asked: CloseAbandoned) -> None:
        """StateError: it is none."""
        record = self._over(asked.contact)
        if record.direction != "in" or any(one.kind == "talk" for one in record.segments):
            raise StateError(f"{asked.contact}: nobody gave up in it")

    def survey(self, asked: GetSurvey) -> SurveyResults:
        config = self.setup.surveys.get(asked.survey)
        entries = self.log.surveys(asked.since, asked.until or self.now + 1.0)
        if config is None and not any(f'"{asked.survey}"' in entry.data for entry in entries):
            there = ", ".join(self.setup.surveys) or "none"
            raise StateError(f"{asked.survey}: no survey is or was called so, there are {there}")
        return survey.results(asked.survey, config, entries, asked.agent, asked.queue)

    def _over(self, contact: str) -> ContactRecord:
        record = self.log.contact(contact)
        if record is None:
            raise StateError(f"{contact}: no contact is called so")
        if record.state != "ended":
            raise StateError(f"{contact}: goes on still")
        return record

    def _of_box(self, record: ContactRecord) -> str:
        """Who left a message: the queue of its box."""
        for entry in self.log.kept(record.contact):
            match decode(entry):
                case events.MessageKept(box=box) if box in self.setup.boxes:
                    return self.setup.boxes[box].queue or ""
        return ""
