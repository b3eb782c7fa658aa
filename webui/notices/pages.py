"""Notices: written, seen by whom, withdrawn; and read by those whom they are for."""

import time
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user

from webui.access import doors, roles
from webui.access.doors import needs
from webui.live import stream
from webui.notices.audience import MOST_NAMES, Audience, reached
from webui.notices.bar import reader
from webui.notices.store import COLOURS, LONGEST_S, TEXT_MOST, URGENCIES, Notice
from webui.parts import parts

bp = Blueprint("notices", __name__, url_prefix="/notices")

SHIFT_S = 8 * 3600.0                              # so long a notice is valid unless something else is said


@bp.get("/")
@needs("self")
def index() -> str:
    return _index()


@bp.get("/events")
@needs("self")
def events() -> Response:
    """For pages that have nothing else that is live."""
    return stream(lambda floor: ())


@bp.post("/")
@needs("self", act="notice")
def write() -> Any:
    _writer()
    form, now = request.form, time.time()
    text = " ".join(form.get("text", "").split())
    urgency, colour = form.get("urgency", ""), form.get("colour", "")
    since, until = _moment("since") or now, _moment("until") or now + SHIFT_S
    to = Audience("everybody" in form, *(
        tuple(form.getlist(kind)[:MOST_NAMES]) for kind in ("roles", "groups", "people")))
    wrong = ""
    if not 0 < len(text) <= TEXT_MOST or not text.isprintable():
        wrong = gettext("Write one to %(most)d characters.", most=TEXT_MOST)
    elif urgency not in URGENCIES or (colour and colour not in COLOURS):
        abort(400)
    elif not (now < until and since < until <= now + LONGEST_S):
        wrong = gettext("It must end after it begins, in the future and within a year.")
    elif to.nobody:
        wrong = gettext("Say to whom it goes.")
    elif not may_address(to):
        abort(404)
    else:
        try:
            parts().notices.add(doors.need("self"), text, urgency, colour or parts().notices.looks()[urgency],
                                to, since, until, now)
        except OverflowError:
            wrong = gettext("There are too many notices: withdraw some.")
    if wrong:
        return _index(wrong), 422
    parts().exchange.mirror.wake()
    return redirect(url_for("notices.index"), 303)


@bp.get("/<int:number>")
@needs("self")
def show(number: int) -> str:
    notice = _own(number)
    return render_template(
        "notices/show.html", notice=notice, receipts=parts().notices.receipts(number), now=time.time())


@bp.post("/<int:number>/withdraw")
@needs("self", act="notice-withdrawn")
def withdraw(number: int) -> Any:
    _own(number)
    if not parts().notices.withdraw(number, doors.need("self"), time.time()):
        abort(404)
    parts().exchange.mirror.wake()
    return redirect(url_for("notices.index"), 303)


@bp.post("/<int:number>/read")
@needs("self", by_hand=True)
def confirm(number: int) -> Any:
    """A receipt, which is its own record."""
    if not parts().notices.confirm(number, reader(), time.time()):
        abort(404)
    parts().exchange.mirror.wake()
    if request.headers.get("X-Requested-With") == "fetch":
        return "", 204
    return redirect(url_for("me.index"), 303)


@bp.post("/looks")
@needs("people", act="notice-looks")
def looks() -> Any:
    chosen = {urgency: request.form.get(urgency, "") for urgency in URGENCIES}
    if not set(chosen.values()) <= set(COLOURS):
        abort(400)
    for urgency, colour in chosen.items():
        parts().notices.look(urgency, colour)
    return redirect(url_for("notices.index"), 303)


@bp.post("/writers")
@needs("people", act="notice-writers")
def writers() -> Any:
    """Lets somebody write whose role does not, or no longer."""
    name = request.form.get("name", "")
    if name not in {person.name for person in parts().users.people()}:
        abort(404)
    parts().notices.let_write(name, request.form.get("may") == "yes", doors.need("people"), time.time())
    return redirect(url_for("notices.index"), 303)


def writes(person: Any) -> bool:
    """Whether somebody may write notices: by his role, or because he was let."""
    return person.is_authenticated and (
        doors.may(person, "notify") or person.name in parts().notices.writers())


def _writer() -> None:
    if not writes(current_user):
        doors.need("notify")                      # which he has not: 403, and an entry in the log


def _own(number: int) -> Notice:
    """One's own; all of them for who gives people their roles."""
    _writer()
    notice = parts().notices.get(number)
    if notice is None or not (notice.by == doors.need("self") or doors.may(current_user, "people")):
        abort(404)
    return notice


def reach() -> tuple[list[str], list[str]]:
    """Groups and people whom he may address."""
    crew, within = parts().crew, doors.range_of(current_user)
    sender = within.agents if within.limited else None
    if sender is not None and roles.role_of(current_user.role).own:  # somebody let him write: to his groups
        sender = sender.union(*(agents for agents in crew.groups().values() if sender & agents))
    return reached(
        sender, crew.groups(),
        {person.name: crew.agent_of(person.name) for person in parts().users.people()})


def may_address(to: Audience) -> bool:
    groups, people = reach()
    wide = doors.range_of(current_user).limited and (to.everybody or to.roles)
    return (not wide and set(to.groups) <= set(groups) and set(to.people) <= set(people)
            and set(to.roles) <= set(roles.ROLES))


def _moment(name: str) -> float | None:
    try:
        return datetime.fromisoformat(request.form.get(name, "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _index(wrong: str = "") -> str:
    notices, now = parts().notices, time.time()
    groups, people = reach()
    every, who = doors.may(current_user, "people"), reader()
    newest = notices.newest()
    mine = [one for one in newest if every or one.by == who.name]
    return render_template(
        "notices/index.html", may_write=writes(current_user), notices=mine,
        received=[one for one in newest if one.state(now) in ("valid", "over") and one.audience.holds(who)],
        counts=notices.counts(), now=now, wrong=wrong, groups=groups,
        people=people, roles=roles.ROLES, limited=doors.range_of(current_user).limited, urgencies=URGENCIES,
        colours=COLOURS, looks=notices.looks(), writers=notices.writers() if every else None,
        typed=request.form, text_most=TEXT_MOST,
        until=datetime.fromtimestamp(now + SHIFT_S).strftime("%Y-%m-%dT%H:%M"))
