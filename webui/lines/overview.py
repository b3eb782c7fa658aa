"""Line and trunks: the groups of channels live, numbers and ways, and what would happen to a call."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    ExplainRoute,
    GetRoutePlan,
    GetTrunks,
    RouteExplained,
    RoutePlan,
    TrunkInfo,
)
from webui.access import doors
from webui.access.doors import Subject, may, need, needs
from webui.lines.groups import GroupView, Leaving, group_views, leaving
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("lines", __name__, url_prefix="/lines")

TRUNKS_S = 2.0                                    # how old the calls of a trunk on an open page may get
LONGEST_NUMBER = 32


@bp.get("/")
@needs("line")
def index() -> str:
    """Trunks, numbers and ways; with a number in the query what would happen to such a call."""
    floor = doors.floor()
    groups = _groups(floor, _told())
    plan = _plan()
    return render_template(
        "lines/index.html", groups=[_group(group)[1] for group in groups], plan=plan,
        names=[group.trunk for group in groups], call=_asked(groups))


@bp.get("/events")
@needs("line")
def events() -> Response:
    """The trunks, live."""
    told, asked_at = _told(), time.monotonic()

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal told, asked_at
        if time.monotonic() - asked_at >= TRUNKS_S:
            told, asked_at = _told() or told, time.monotonic()
        yield from (_group(group) for group in _groups(floor, told))
    return stream(fragments)


def _groups(floor: Floor, told: list[TrunkInfo] | None) -> list[GroupView]:
    """Those within the range of who looks."""
    return [group for group in group_views(floor, told)
            if may(current_user, "line", Subject(trunk=group.trunk))]


def _group(group: GroupView) -> Fragment:
    return parts().rendered("lines/group.html", f"trunk-{group.trunk}",
                            (group, may(current_user, "test", Subject(trunk=group.trunk))))


def _told() -> list[TrunkInfo] | None:
    try:
        return parts().exchange.ask(GetTrunks()).trunks
    except BusError:
        return None


def _plan() -> RoutePlan | None:
    try:
        return parts().exchange.ask(GetRoutePlan())
    except BusError:
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form has, and what came of it. `wrong` is for people; None and "": nothing was asked."""

    trunk: str = ""
    called: str = ""
    calling: str = ""
    withheld: bool = False
    moment: str = ""
    wrong: str = ""
    explained: RouteExplained | None = None
    leaving: tuple[Leaving, ...] = ()


def _asked(groups: list[GroupView]) -> Asked:
    form = request.args
    if "called" not in form:
        return Asked()
    given = Asked(
        trunk=form.get("trunk", ""), called=form["called"].strip()[:LONGEST_NUMBER],
        calling=form.get("calling", "").strip()[:LONGEST_NUMBER], withheld=form.get("withheld") == "1",
        moment=form.get("at", "").strip())
    need("line", of=Subject(trunk=given.trunk))
    try:
        at = datetime.fromisoformat(given.moment).timestamp() if given.moment else 0.0
    except (ValueError, OverflowError, OSError):
        return replace(given, wrong=_("When: write a date and a time, such as 2026-10-01 20:00."))
    try:
        explained = parts().exchange.ask(ExplainRoute(
            trunk=given.trunk, called=given.called, calling=given.calling, withheld=given.withheld, at=at))
    except Refused as error:
        return replace(given, wrong=str(error))
    except BusError:
        return replace(given, wrong=_("The call centre does not answer at this moment."))
    return replace(given, explained=explained, leaving=leaving(explained, groups))
