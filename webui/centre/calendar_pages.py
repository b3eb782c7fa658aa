"""Calendars: their week, their holidays, lists of days brought in, open and closed by hand, and what they
say of a moment."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, redirect, request, url_for
from flask_babel import gettext

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CalendarInfo,
    CalendarLook,
    CalendarUse,
    ForceCalendar,
    GetCalendars,
    LookAtCalendar,
)
from webui.access.doors import need, needs, outcome
from webui.centre import days, week
from webui.centre.blueprint import bp, meanwhile, now, shown
from webui.centre.days import Taken
from webui.centre.held import Held, of_version, part_of
from webui.centre.kinds import KINDS
from webui.centre.pages import proposed
from webui.parts import parts


@bp.get("/calendars/")
@needs("configure", whole=True)
def calendars() -> str:
    held = now()
    states = {one.name: one for one in states_now()}
    bars = {one["name"]: week.bars(one.get("hours") or {}) for one in
            (held.plain.get("centre") or {}).get("calendars") or ()}
    return shown("calendars", "calendars", held, states=states, bars=bars, words=words)


@bp.get("/calendars/of/<name>/days")
@needs("configure", whole=True)
def calendar(name: str) -> Any:
    return _calendar(name)


def _calendar(name: str, wrong: str = "", taken: Taken | None = None, refused: Sequence[str] = ()) -> str:
    """The country's days of this and the next year, and what the calendar says of a moment. `taken`: of a
    list that was sent and is not taken over."""
    held = now()
    config = next((one for one in held.config.centre.calendars if one.name == name), None)
    if config is None:
        abort(404)
    zone = ZoneInfo(config.timezone) if config.timezone else None
    today = datetime.now(zone)
    at, asked = time.time(), request.args.get("at", "")
    if asked:
        try:
            at = datetime.fromisoformat(asked).replace(tzinfo=zone).timestamp()
        except (ValueError, OverflowError, OSError):
            wrong = gettext("This is no day with a time of day.")
    look: CalendarLook | None = None
    try:
        look = parts().exchange.ask(LookAtCalendar(calendar=name, at=at, years=[today.year, today.year + 1]))
    except Refused as error:
        wrong = wrong or str(error)
    state = next((one for one in states_now() if one.name == name), None)
    return shown("calendar", "calendars", held, config=config, look=look, state=state, words=words,
                 taken=taken, sent=request.form, wrong=[*([wrong] if wrong else []), *refused],
                 asked=asked or today.strftime("%Y-%m-%dT%H:%M"), tested=bool(asked), zone=config.timezone,
                 years=_by_year(look), bars=week.bars(config.hours))


def _by_year(look: CalendarLook | None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in look.days if look else ():
        found.setdefault(one.day[:4], []).append(one)
    return found


@bp.post("/calendars/of/<name>/force")
@needs("commit", act="calendar-forced", whole=True)
def force(name: str) -> Any:
    """Open or closed, for hours or until it is called off; or by its hours again."""
    state = {"open": True, "closed": False, "hours": None}.get(request.form.get("state", ""), ...)
    hours = request.form.get("hours", 0.0, float)
    if state is ... or not 0 <= hours <= 24 * 31:
        abort(400)
    try:
        parts().exchange.ask(ForceCalendar(calendar=name, open=state, by=need("commit"),
                                           until=time.time() + 3600 * hours if hours else 0.0))
    except Refused as error:
        outcome(str(error))
        return _calendar(name, str(error)), 409
    return redirect(url_for("centre.calendar", name=name), 303)


@bp.post("/calendars/of/<name>/list")
@needs("commit", by_hand=True, whole=True)
def bring_days(name: str) -> Any:
    """Line by line what a list would do; nothing is written. When all of it can be: on to the preview."""
    held = now()
    draft, text = held.draft(), request.form.get("days", "")
    part = next((one for one in part_of(draft, KINDS["calendars"].path) if one.get("name") == name), None)
    if part is None:
        abort(404)
    if request.form.get("head", -1, int) != held.head and _others_changed(held, name):
        return _calendar(name, meanwhile(held)), 409
    taken = days.take(text, part.get("days") or (), "whole" in request.form)
    if taken.wrong or not taken.rows:
        return _calendar(name, "" if taken.rows else gettext("There is nothing in the list."), taken), 422
    if all(row.state == "same" for row in taken.rows):
        return _calendar(name, taken=taken)
    part["days"] = taken.days
    return proposed(held, draft, url_for("centre.calendar", name=name), lambda refusal: _calendar(
        name, taken=taken, refused=[one.what for one in refusal.mistakes]), taken.rows)


def _others_changed(held: Held, name: str) -> bool:
    """Since the page was made; a version that nobody can read any more counts as other."""
    was = of_version(request.form.get("head", 0, int))
    return was is None or _part(was, name) != _part(held, name)


def _part(held: Held, name: str) -> Any:
    calendars = part_of(held.plain, KINDS["calendars"].path)
    return next((one for one in calendars if one.get("name") == name), None)


@bp.get("/calendars/of/<name>/<any(force, list):act>")
@needs("configure", whole=True)
def to_calendar(name: str, act: str) -> Any:
    return redirect(url_for("centre.calendar", name=name), 303)


def words(use: CalendarUse) -> str:
    """Who goes by it, in the reader's language."""
    match use.kind:
        case "entry":
            return str(gettext("entry rule %(name)s", name=use.where))
        case "number":
            return str(gettext("number %(number)s", number=use.where))
        case "flow":
            return str(gettext("flow %(file)s, node %(node)s", file=use.where, node=use.what))
    return str(gettext("callbacks"))


def states_now() -> list[CalendarInfo]:
    """None when acdd is away."""
    try:
        return parts().exchange.ask(GetCalendars()).calendars
    except BusError:
        return []
