"""What other programs may ask and do, /api/v1."""

import time
from importlib.metadata import version

from flask import Blueprint, Response, jsonify
from flask_login import current_user
from werkzeug.exceptions import Conflict, NotFound

from appliance.bus.client import Refused
from appliance.bus.messages import (
    ContactInfo,
    ContactList,
    GetContacts,
    GetExposition,
    GetFigures,
    SearchRecordings,
)
from webui import contacts
from webui.access import doors
from webui.access.doors import needs
from webui.api.described import PREFIX, Api
from webui.api.live.topics import line
from webui.api.shapes import (
    AlertInfo,
    AlertList,
    BoardView,
    ContactPage,
    FiguresAsked,
    FigureTable,
    LineList,
    Nothing,
    NoticeAsked,
    NoticeMade,
    Paged,
    RecordingPage,
    RecordingsAsked,
)
from webui.notices.audience import Audience
from webui.notices.pages import may_address
from webui.notices.store import LONGEST_S
from webui.opened import ANSWER_S
from webui.parts import parts
from webui.reports import ranges as reports

bp = Blueprint("api", __name__, url_prefix=PREFIX)
api = Api(bp)

TITLE = "Branchline"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
FIGURES_S = 10.0                                  # a year of them takes acdd a while


@bp.get("/openapi.json")
@needs("open")
def document() -> Response:
    """For whoever writes a program: no token."""
    return jsonify(api.document(TITLE, version("branchline")))


@bp.get("/metrics")
@needs("watch", whole=True)
def metrics() -> Response:
    """For Prometheus, in its own format; it carries its token as any program does."""
    found = parts().exchange.ask(GetExposition(), FIGURES_S)
    return Response(found.text, content_type=METRICS)


@api.operation(
    "What goes on at this moment: contacts, queues, agents.", "GET", "/board", "watch", BoardView)
def board(_: Nothing) -> BoardView:
    now = doors.floor().board
    if now is None:
        return BoardView(at=time.time(), contacts=[], queues=[], agents=[])
    return BoardView(at=now.at, contacts=now.contacts, queues=now.queues, agents=now.agents)


@api.operation(
    "Contacts, the newest first, those that go on included.", "GET", "/contacts", "find", ContactPage, Paged)
def contact_list(asked: Paged) -> ContactPage:
    began_at, _, contact = asked.after.partition("~")
    found: ContactList = parts().exchange.ask(GetContacts(
        offset=asked.offset, limit=asked.limit, within=doors.range_of(current_user).asked(),
        since=asked.since, until=asked.until, after=(float(began_at), contact) if contact else None))
    last = found.contacts[-1] if len(found.contacts) == asked.limit else None
    return ContactPage(total=found.total, contacts=found.contacts,
                       next=f"{last.began_at!r}~{last.contact}" if last else "")


@api.operation(
    "One contact with its segments.", "GET", "/contacts/{contact}", "find", ContactInfo)
def contact_of(_: Nothing, contact: str) -> ContactInfo:
    return contacts.find(contact, doors.floor())


@api.operation(
    "Recordings, the newest first; no audio.", "GET", "/recordings", "find", RecordingPage, RecordingsAsked)
def recordings(asked: RecordingsAsked) -> RecordingPage:
    try:
        found = parts().exchange.ask(SearchRecordings(
            since=asked.since, until=asked.until, number=asked.number, agent=asked.agent, queue=asked.queue,
            trunk=asked.trunk, contact=asked.contact, after=asked.after, limit=asked.limit,
            within=doors.range_of(current_user).asked()), ANSWER_S)
    except Refused as error:
        raise Conflict(str(error)) from None
    return RecordingPage(recordings=found.rows, next=found.after)


@api.operation(
    "Spans with their alarms and counters.", "GET", "/lines", "line", LineList)
def lines(_: Nothing) -> LineList:
    return LineList(lines=[
        line(one) for _, one in sorted(doors.floor().spans.items())])


@api.operation(
    "Alerts that are raised now, the newest first, without those that a muted rule raised.",
    "GET", "/alerts", "watch", AlertList)
def alerts(_: Nothing) -> AlertList:
    within = doors.range_of(current_user)
    return AlertList(alerts=[
        AlertInfo(number=one.number, rule=one.name, severity=one.severity, text=one.text, value=one.value,
                  raised_at=one.raised_at, seen_by=one.seen_by, seen_at=one.seen_at or 0.0)
        for one in parts().alerts.raised
        if one.told and within.covers(one.within.resolved(parts().crew.groups()))])


@api.operation(
    "Figures of queues, agents, trunks or nodes of flows, as docs/metrics.md defines them.",
    "GET", "/figures", "report", FigureTable, FiguresAsked)
def figures(asked: FiguresAsked) -> FigureTable:
    names = [name for name in asked.names.split(",") if name]
    reports.check(asked.of, names)
    only = reports.only(asked.of)
    if only is not None and not names:
        names = list(only)
        if not names:
            raise NotFound
    try:
        found = parts().exchange.ask(GetFigures(
            of=asked.of, since=asked.since, until=asked.until, names=names, interval_s=asked.interval_s),
            FIGURES_S)
    except Refused as error:
        raise Conflict(str(error)) from None
    return FigureTable(at=found.at, definitions=found.definitions, rows=found.rows)


@api.operation(
    "Write a notice to people on the pages.",
    "POST", "/notices", "notify", NoticeMade, NoticeAsked, 201, act="notice")
def notice(asked: NoticeAsked) -> NoticeMade:
    now, text = time.time(), " ".join(asked.text.split())
    to = Audience(asked.everybody, tuple(asked.roles), tuple(asked.groups), tuple(asked.people))
    if not text or not text.isprintable():
        raise Conflict("text: nothing that can be read")
    if not now < asked.until <= now + LONGEST_S:
        raise Conflict("until: in the future, within a year")
    if to.nobody:
        raise Conflict("say to whom it goes: everybody, roles, groups or people")
    if not may_address(to):
        raise NotFound
    notices = parts().notices
    try:
        number = notices.add(
            doors.need("notify"), text, asked.urgency, notices.looks()[asked.urgency], to, now, asked.until,
            now)
    except OverflowError:
        raise Conflict("there are too many notices: withdraw some") from None
    parts().exchange.mirror.wake()
    return NoticeMade(number=number)
