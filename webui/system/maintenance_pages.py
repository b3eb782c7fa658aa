"""The maintenance log: a month as a calendar, its entries, check lists, the box's own rounds, and the sheet
that is signed."""

import calendar
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from flask import Blueprint, Response, abort, g, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    AddMaintenance,
    BeginSelfCheck,
    Checked,
    EntryKind,
    GetMaintenance,
    GetMaintenanceLists,
    GetRoutine,
    MaintenanceEntry,
    MaintenanceLists,
    Request,
    RoutineReply,
)
from appliance.bus.messages.maintenance import MOST_ENTRIES, PEOPLES, ROUTINES
from webui import texts
from webui.access.doors import need, needs, noted, outcome
from webui.box import language
from webui.parts import parts
from webui.system.said import said

bp = Blueprint("maintenance", __name__, url_prefix="/box/maintenance")

ASK_S = 20.0
DAY_S = 86_400.0
WEEK_S, MONTH_S = 7 * DAY_S, 31 * DAY_S           # that a list is good for
FREE_KINDS = tuple(kind for kind in PEOPLES if kind not in ("weekly", "monthly", "correction", "signature"))
TONES = {"good": "good", "attend": "warn", "failed": "bad", "undone": "off"}     # of what a round found
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    inside: bool                                  # of the month
    today: bool
    record: MaintenanceEntry | None
    entries: tuple[MaintenanceEntry, ...]

    @property
    def tone(self) -> str:
        """Of its record."""
        return "off" if self.record is None or self.record.record is None else tone(self.record)


@bp.get("/")
@needs("box")
def index() -> Any:
    return _index(_month(request.args.get("month", "")))


@bp.get("/<any(add, check, begin):act>")
@needs("box")
def back(act: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("maintenance.index"), 303)


@bp.post("/add")
@needs("box", act="maintenance", by_hand=True)
def add() -> Any:
    """What a person did; or what puts an entry right."""
    by, form = need("box"), request.form
    corrects, signs = form.get("corrects", 0, type=int), form.get("signs", 0, type=int)
    kind = "correction" if corrects else "signature" if signs else form.get("kind", "")
    return _add(AddMaintenance(
        kind=cast(EntryKind, kind), by=by, text=_clean(form.get("text", "")),
        note=_clean(form.get("note", "")), corrects=corrects, signs=signs))


@bp.post("/begin")
@needs("box", act="self-check", by_hand=True)
def begin() -> Any:
    """A round of the box's own, now."""
    by, kind = need("box"), request.form.get("kind", "")
    if kind not in ROUTINES:
        abort(400)
    return _done("self-check", kind, BeginSelfCheck(kind=kind, by=by))


@bp.post("/check")
@needs("box", act="maintenance", by_hand=True)
def check() -> Any:
    """A list gone through, item by item."""
    by, form = need("box"), request.form
    names = form.getlist("item")[:100]
    checked = [Checked(item=name, result=cast(Any, form.get(f"result-{name}", "")),
                       remark=form.get(f"remark-{name}", "").strip()) for name in names]
    return _add(AddMaintenance(kind=cast(EntryKind, form.get("kind", "")), by=by,
                               text=_clean(form.get("text", "")), checked=checked))


@bp.get("/sheet")
@needs("box")
def page() -> str:
    """The month as it is printed."""
    month = _month(request.args.get("month", ""))
    return render_template("system/sheet.html", month=month, **_seen(month))


@bp.get("/sheet.pdf")
@needs("box", act="maintenance-taken")
def paper() -> Response:
    month = _month(request.args.get("month", ""))
    seen = _seen(month)
    if seen["entries"] is None:
        abort(503)
    from webui.system import sheet  # what draws on paper is large
    octets = sheet.pdf_of(f"{month:%Y-%m}", seen["entries"], seen["signed"], item_text)
    return send_file(octets, mimetype="application/pdf", as_attachment=True,
                     download_name=f"maintenance-{month:%Y-%m}.pdf")


@bp.get("/sheet.csv")
@needs("box", act="maintenance-taken")
def table() -> Response:
    """The month, a line for each item."""
    month = _month(request.args.get("month", ""))
    seen = _seen(month)
    if seen["entries"] is None:
        abort(503)
    from webui.system import sheet
    octets = sheet.csv_of(seen["entries"], seen["signed"], item_text)
    return send_file(octets, mimetype="text/csv", as_attachment=True,
                     download_name=f"maintenance-{month:%Y-%m}.csv")


def tone(entry: MaintenanceEntry) -> str:
    """Of a record, of a list or of a round: good, warn, bad; off: nothing of it could be done."""
    record = entry.record
    if entry.check is not None:
        found = {one.result for one in entry.check.results}
        return next((TONES[one] for one in ("failed", "attend", "good") if one in found), TONES["undone"])
    if record is None:
        return "bad" if any(one.result == "bad" for one in entry.checked) else "good"
    if record.fitness == "unfit" or any(state in ("down", "late") for state in record.daemons.values()):
        return "bad"
    lines = any(span.failures or span.ses or span.uas for span in record.spans.values())
    return "warn" if lines or record.alarms or record.restarts or record.box_starts or record.late else "good"


def item_text(item: str) -> str:
    """In words, of any list."""
    lists = _lists()
    found = {one.item: one.text for items in lists.items.values() for one in items} if lists else {}
    return found.get(item, {}).get(language(), item)


def _add(asked: AddMaintenance) -> Any:
    return _done("maintenance", f"{asked.kind} {asked.corrects or asked.signs or ''}", asked)


def _done(act: str, what: str, asked: Request[Any]) -> Any:
    with noted(act, what):
        try:
            parts().exchange.ask(asked, ASK_S)
        except Refused as error:
            outcome(str(error))
            return _index(_month(""), said(str(error), item_text)), 409
    return redirect(url_for("maintenance.index"), 303)


def _index(month: date, wrong: str = "") -> str:
    lists, now = _lists(), time.time()
    due = {} if lists is None else {
        "weekly": now - lists.last.get("weekly", 0.0) > WEEK_S,
        "monthly": now - lists.last.get("monthly", 0.0) > MONTH_S}
    return render_template(
        "system/maintenance.html", month=month, lists=lists, due=due, wrong=wrong, free_kinds=FREE_KINDS,
        typed=request.form if wrong else {}, routine=_routine(),
        me=need("box"), **_seen(month))


def _seen(month: date) -> dict[str, Any]:
    """Of a month: entries None: boxd is away."""
    after = _next(month)
    try:
        found = parts().exchange.ask(GetMaintenance(
            since=_at(month), until=_at(after), most=MOST_ENTRIES), ASK_S)
    except (BusError, Refused):
        entries, more, signed = None, False, {}
    else:
        entries, more, signed = list(found.entries), found.more, found.signed
    return {"entries": entries, "more": more, "signed": signed, "tones": TONES, "language_now": language(),
            "days": _days(month, entries or []), "tone": tone,
            "item_text": item_text, "before": month - timedelta(days=1), "after": after,
            "weekdays": _weekdays(), "later": after <= date.today()}


def _days(month: date, entries: Sequence[MaintenanceEntry]) -> list[Day]:
    by_day: dict[date, list[MaintenanceEntry]] = {}
    for one in entries:
        by_day.setdefault(datetime.fromtimestamp(one.at).date(), []).append(one)
    return [Day(day, day.month == month.month, day == date.today(),
                next((one for one in by_day.get(day, []) if one.kind == "record"), None),
                tuple(one for one in by_day.get(day, []) if one.kind not in ("record", "signature")))
            for day in calendar.Calendar().itermonthdates(month.year, month.month)]


def _weekdays() -> list[str]:
    return [texts.word(one, "entry") for one in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]


def _month(said: str) -> date:
    """Of 2026-09; "": this one."""
    if not said:
        return date.today().replace(day=1)
    if (found := _MONTH.fullmatch(said)) is None:
        abort(400)
    return date(int(found[1]), int(found[2]), 1)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _at(day: date) -> float:
    return datetime(day.year, day.month, day.day).timestamp()


def _clean(text: str) -> str:
    """Browsers end lines as CR LF."""
    return text.replace("\r\n", "\n").strip()


def _routine() -> RoutineReply | None:
    try:
        return parts().exchange.ask(GetRoutine(), ASK_S)
    except (BusError, Refused):
        return None


def _lists() -> MaintenanceLists | None:
    """Asked for once in a request: boxd looks through its disk for them."""
    if "maintenance_lists" not in g:
        try:
            g.maintenance_lists = parts().exchange.ask(GetMaintenanceLists(), ASK_S)
        except BusError:
            g.maintenance_lists = None
    return cast(MaintenanceLists | None, g.maintenance_lists)
