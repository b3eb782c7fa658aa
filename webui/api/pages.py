"""Tokens of other programs: made, shown once, withdrawn."""

import re
import time
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user

from webui.access import doors, roles
from webui.access.doors import needs
from webui.api.tokens import LONGEST_DAYS, NAME_MOST, SCOPES, Token
from webui.parts import parts

bp = Blueprint("tokens", __name__, url_prefix="/tokens")

NAME = re.compile(rf"[a-z0-9][a-z0-9.-]{{0,{NAME_MOST - 1}}}")


@bp.get("/")
@needs("people")
def index() -> str:
    return _index()


@bp.post("/")
@needs("people", act="token")
def make() -> Any:
    """With rights that its maker has, within his range."""
    name, scopes = request.form.get("name", "").strip(), frozenset(request.form.getlist("scopes"))
    days = request.form.get("days", "")
    wrong = ""
    if not scopes <= {scope for scope in SCOPES if doors.may(current_user, scope)}:
        abort(403)
    if not NAME.fullmatch(name):
        wrong = gettext("A name has up to 64 small letters, digits, dots and hyphens.")
    elif not scopes:
        wrong = gettext("Choose what it may do.")
    elif not days.isdecimal() or not 1 <= int(days[:9]) <= LONGEST_DAYS:
        wrong = gettext("It is valid for 1 to %(most)d days.", most=LONGEST_DAYS)
    else:
        try:
            token = parts().tokens.make(
                name, scopes, doors.range_of(current_user), doors.need("people"), time.time(), int(days))
            return _index(token=token)
        except OverflowError:
            wrong = gettext("There are too many tokens: withdraw some.")
    return _index(wrong), 422


@bp.post("/<int:number>/withdraw")
@needs("people", act="token-withdrawn")
def withdraw(number: int) -> Any:
    mine = {one.number for one in _mine()}
    if number not in mine or not parts().tokens.revoke(number, doors.need("people"), time.time()):
        abort(404)
    return redirect(url_for("tokens.index"), 303)


def _mine() -> list[Token]:
    """Those whose range he covers."""
    return [one for one in parts().tokens.all() if doors.range_of(current_user).covers(one.within)]


def _index(wrong: str = "", token: str = "") -> str:
    return render_template(
        "tokens/index.html", wrong=wrong, token=token, now=time.time(), typed=request.form,
        tokens=_mine(),
        scopes=[scope for scope in SCOPES if doors.may(current_user, scope)], longest=LONGEST_DAYS,
        rights=roles.RIGHTS)
