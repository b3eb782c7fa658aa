"""People: who may sign in, as what, within which range; made and changed by who stands higher."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from appliance.errors import StateError
from webui.access import roles
from webui.access.doors import floor, needs, noted, outcome, range_of
from webui.access.ranges import KINDS, MOST_NAMES, UNLIMITED, Range
from webui.access.roles import RIGHTS, ROLES, Role
from webui.doing import why
from webui.parts import LANGUAGES, parts
from webui.texts import word
from webui.users import NAME, Person, one_time_password

bp = Blueprint("people", __name__, url_prefix="/people")


class Wrong(Exception):
    """What a form says is wrong, in a sentence."""


@dataclass(frozen=True, slots=True)
class Told:
    """A password for once, shown on the page that made it and never again."""

    name: str
    password: str


@bp.get("/")
@needs("people")
def index() -> str:
    return _index()


@bp.get("/new")
@needs("people")
def new() -> str:
    return _new()


@bp.post("/new")
@needs("people", by_hand=True)
def add() -> Any:
    name, password = request.form.get("name", "").strip(), one_time_password()
    try:
        if not NAME.fullmatch(name):
            raise Wrong(gettext(
                "A name has up to 32 small letters, digits, dots and hyphens, a letter first."))
        role, within = _wanted(name, UNLIMITED)
        with noted("person-added", f"{name}: {_in_short(role, within)}", _reason()):
            _kept(lambda: parts().users.add(name, password, role, within, current_user.name))
            if (language := request.form.get("language", "")) in LANGUAGES:
                parts().users.set_language(name, language)
    except Wrong as error:
        return _new(str(error)), 422
    return _show(name, told=Told(name, password))


@bp.get("/<name>")
@needs("people")
def show(name: str) -> str:
    return _show(name)


@bp.get("/<name>/<any(change, disable, enable, password, sessions, factors):act>")
@needs("people")
def back(name: str, act: str) -> Response:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("people.show", name=name), 303)


@bp.post("/<name>/change")
@needs("people", by_hand=True)
def change(name: str) -> Any:
    """Role and range; what he has open ends at once."""
    person = _of(name)
    try:
        role, within = _wanted(name, person.within)
        with noted("person-changed", f"{name}: {_in_short(person.role, person.within)} → "
                                     f"{_in_short(role, within)}", _reason()):
            _kept(lambda: parts().users.change(name, role, within))
    except Wrong as error:
        return _show(name, str(error)), 422
    return redirect(url_for("people.show", name=name), 303)


@bp.post("/<name>/<any(disable, enable):act>")
@needs("people", by_hand=True)
def disable(name: str, act: str) -> Any:
    _of(name)
    try:
        with noted(f"person-{act}d", name, _reason()):
            _kept(lambda: parts().users.disable(name, act == "disable"))
    except Wrong as error:
        return _show(name, str(error)), 409
    return redirect(url_for("people.show", name=name), 303)


@bp.post("/<name>/password")
@needs("people", by_hand=True)
def reset_password(name: str) -> Any:
    """Another for once; what he has open ends."""
    _of(name)
    password = one_time_password()
    try:
        with noted("password-reset", name, _reason()):
            parts().users.change_password(name, password, once=True)
    except Wrong as error:
        return _show(name, str(error)), 409
    return _show(name, told=Told(name, password))


@bp.post("/<name>/sessions")
@needs("people", by_hand=True)
def end_sessions(name: str) -> Any:
    _of(name)
    try:
        with noted("sessions-ended", name, _reason()):
            parts().users.end_others(name)
    except Wrong as error:
        return _show(name, str(error)), 409
    return redirect(url_for("people.show", name=name), 303)


@bp.post("/<name>/factors")
@needs("people", by_hand=True)
def clear_factors(name: str) -> Any:
    """Of who lost his telephone and his recovery codes: his password alone opens the pages again."""
    _of(name)
    try:
        with noted("factors-cleared", name, _reason()):
            parts().factors.clear(name, current_user.name)
            parts().users.end_others(name)
    except Wrong as error:
        return _show(name, str(error)), 409
    return redirect(url_for("people.show", name=name), 303)


def effective(person: Person) -> Range:
    """As it is now: groups resolved, of a role for one's own that agent alone."""
    return _effective(person.name, person.role, person.within)


def _effective(name: str, role: str, within: Range) -> Range:
    crew = parts().crew
    if roles.role_of(role).own:
        return Range(agents=frozenset({crew.agent_of(name)}))
    return within.resolved(crew.groups())


def _below(person: Person) -> bool:
    return roles.may_give(current_user.role, range_of(current_user), person.role, effective(person))


def _of(name: str) -> Person:
    """404: there is nobody of this name below who asks, and nobody is below himself."""
    person = parts().users.person(name)
    if person is None or name == current_user.name or not _below(person):
        abort(404)
    return person


def _wanted(name: str, now: Range) -> tuple[str, Range]:
    """Role and range of the form. Wrong: they cannot be given by who asks."""
    role = request.form.get("role", "")
    if role not in ROLES:
        raise Wrong(gettext("Choose a role."))
    within = UNLIMITED if ROLES[role].own else _range(now)
    if not roles.may_give(current_user.role, range_of(current_user), role, _effective(name, role, within)):
        raise Wrong(gettext("You may give roles below your own only, within your own range."))
    return role, within


def _range(now: Range) -> Range:
    offered, limits = _offered(now), {}
    for kind in (*KINDS, "groups"):
        chosen = frozenset(request.form.getlist(f"{kind}_name")[:MOST_NAMES])
        if unknown := chosen - set(offered[kind]):
            raise Wrong(gettext("There is no %(name)s here.", name=", ".join(sorted(unknown))))
        if kind in KINDS and request.form.get(kind) not in ("all", "some"):
            raise Wrong(gettext("Choose for queues, agents and trunks: all, or only some."))
        limits[kind] = chosen
    some = {kind: request.form[kind] == "some" for kind in KINDS}
    return Range(
        queues=limits["queues"] if some["queues"] else None,
        agents=limits["agents"] if some["agents"] else None,
        trunks=limits["trunks"] if some["trunks"] else None,
        groups=limits["groups"] if some["agents"] else frozenset())


def _offered(now: Range) -> dict[str, list[str]]:
    """Names that the form has: those within the range of who gives, and those that are given now."""
    sees, mine = floor(), range_of(current_user)
    board = sees.board
    names: dict[str, set[str]] = {
        "queues": {one.name for one in board.queues} if board else set(),
        "agents": {one.name for one in board.agents} if board else set(),
        "trunks": {one.trunk for one in sees.channels.values() if one.trunk},
        "groups": {name for name, agents in parts().crew.groups().items()
                   if all(mine.names("agents", agent) for agent in agents)}}
    for kind in KINDS:
        names[kind] |= {one for one in getattr(now, kind) or () if mine.names(kind, one)}
        names[kind] |= set(getattr(mine, kind) or ())
    names["groups"] |= now.groups
    return {kind: sorted(found) for kind, found in names.items()}


def _givable() -> dict[str, Role]:
    """Roles that who asks may give within some range."""
    mine = range_of(current_user)
    return {name: role for name, role in ROLES.items()
            if roles.may_give(current_user.role, mine, name, Range(agents=frozenset()) if role.own else mine)}


def _kept(act: Any) -> None:
    """Wrong: it was refused, and the log has why."""
    try:
        act()
    except StateError as error:
        outcome(str(error))
        raise Wrong(str(word(str(error), "person refused"))) from None


def _reason() -> str:
    """Wrong: there is none."""
    if not (reason := why()):
        raise Wrong(gettext("Give a reason: it is kept."))
    return reason


def _in_short(role: str, within: Range) -> str:
    """For the log, in every language the same."""
    said = [f"{kind}={','.join(sorted(names)) or 'none'}" for kind in KINDS
            if (names := getattr(within, kind)) is not None]
    groups = [f"groups={','.join(sorted(within.groups))}"] if within.groups else []
    return " ".join((role, *said, *groups)) if said or groups else f"{role} without limits"


def _index() -> str:
    people = [one for one in parts().users.people() if one.name == current_user.name or _below(one)]
    return render_template("access/people.html", people=people, roles=ROLES)


def _new(wrong: str = "") -> str:
    return render_template("access/person_new.html", wrong=wrong, **_form(UNLIMITED, ""))


def _show(name: str, wrong: str = "", told: Told | None = None) -> str:
    person = _of(name)
    try:
        factors = parts().factors.of(name).any
    except sqlite3.Error:                         # the rest of the page is of use without it
        factors = False
    return render_template("access/person.html", person=person, wrong=wrong, told=told, factors=factors,
                           rights=roles.role_of(person.role).rights, **_form(person.within, person.role))


def _form(within: Range, role: str) -> dict[str, Any]:
    """What is chosen in the form: what was sent when it was refused, else what is."""
    form, sent = request.form, "queues" in request.form
    chosen = {kind: set(form.getlist(f"{kind}_name")) if sent else set(getattr(within, kind) or ())
              for kind in (*KINDS, "groups")}
    mine = range_of(current_user)
    some = {kind: form.get(kind) == "some" if sent else
            getattr(within, kind) is not None or (kind == "agents" and bool(within.groups))
            or getattr(mine, kind) is not None for kind in KINDS}
    return {"givable": _givable(), "role": form.get("role", role), "offered": _offered(within),
            "chosen": chosen, "some": some, "mine": mine, "all_rights": RIGHTS}
