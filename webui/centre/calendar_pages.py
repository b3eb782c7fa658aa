"""Calendars: their week, their holidays, open and closed by hand, and what they say of a moment."""

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, redirect, request, url_for
from flask_babel import gettext

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import CalendarInfo, CalendarLook, ForceCalendar, GetCalendars, LookAtCalendar
from webui.access.doors import need, needs, outcome
from webui.centre import week
from webui.centre.blueprint import bp, now, shown
from webui.parts import parts


@bp.get("/calendars/")
@needs("configure", whole=True)
def calendars() -> str:
    held = now()
    states = {one.name: one for one in _states()}
    bars = {one["name"]: week.bars(one.get("hours") or {}) for one in
            (held.plain.get("centre") or {}).get("calendars") or ()}
    return shown("calendars", "calendars", held, states=states, bars=bars)


@bp.get("/calendars/of/<name>/days")
@needs("configure", whole=True)
def calendar(name: str) -> Any:
    return _calendar(name)


def _calendar(name: str, wrong: str = "") -> str:
    """The country's days of this and the next year, and what the calendar says of a moment."""
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
    state = next((one for one in _states() if one.name == name), None)
    return shown("calendar", "calendars", held, config=config, look=look, state=state, wrong=wrong,
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


@bp.get("/calendars/of/<name>/force")
@needs("configure", whole=True)
def to_calendar(name: str) -> Any:
    return redirect(url_for("centre.calendar", name=name), 303)


def _states() -> list[CalendarInfo]:
    """None when acdd is away."""
    try:
        return parts().exchange.ask(GetCalendars()).calendars
    except BusError:
        return []
