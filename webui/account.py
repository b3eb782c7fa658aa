"""Accounts: the first administrator, signing in and out, the reader's language."""

import ipaddress
import math
import re
import time

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext, ngettext
from flask_login import current_user, login_user, logout_user
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from webui.box_settings import is_new
from webui.parts import LANGUAGES, parts
from webui.users import PASSWORD_LEAST, User

bp = Blueprint("account", __name__)

NAME = re.compile(r"[a-z][a-z0-9.-]{0,31}")
PASSWORD_MOST = 1024
LANGUAGE_COOKIE = "language"
YEAR_S = 365 * 86400


@bp.get("/setup")
def setup() -> str:
    return render_template("account/setup.html", name="admin", code=request.args.get("code", ""), wrong="")


@bp.post("/setup")
def make_admin() -> Response:
    code, name = request.form.get("code", ""), request.form.get("name", "").strip()
    password, again = request.form.get("password", ""), request.form.get("again", "")
    _slow_down(f"setup {_address()}")
    settings, users = parts().settings, parts().users
    wrong = ""
    if not settings.setup_code.matches(code):
        wrong = gettext(
            "This is not the set-up code. It is in the log of the box and in the file setup-code.")
    elif not NAME.fullmatch(name):
        wrong = gettext("A name has up to 32 small letters, digits, dots and hyphens, a letter first.")
    elif not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        wrong = ngettext(
            "A password has at least %(num)d character.", "A password has at least %(num)d characters.",
            PASSWORD_LEAST)
    elif password != again:
        wrong = gettext("The two passwords differ.")
    if wrong:
        page = render_template("account/setup.html", name=name, code=code, wrong=wrong)
        return make_response(page, 422)
    user = users.create_first(name, password)
    if user is None:                              # somebody was faster
        return redirect(url_for("account.login"), 303)
    settings.setup_code.forget()
    current_app.logger.info("administrator %s made from %s", name, request.remote_addr)
    return _enter(user, url_for("box_settings.index") if is_new() else "")


@bp.get("/login")
def login() -> str:
    return render_template("account/login.html", name="", next=request.args.get("next", ""), wrong="")


@bp.post("/login")
def sign_in() -> Response:
    name, password = request.form.get("name", "").strip()[:64], request.form.get("password", "")
    address = _address()
    _slow_down(address, "" if parts().at_home.knows(name, address) else name)
    user = parts().users.sign_in(name, password) if len(password) <= PASSWORD_MOST else None
    if user is None:
        current_app.logger.warning("sign-in refused for %r from %s", name, request.remote_addr)
        page = render_template(
            "account/login.html", name=name, next=request.form.get("next", ""),
            wrong=gettext("The name or the password is wrong."))
        return make_response(page, 422)
    parts().by_address.passed(address)
    parts().by_name.passed(name)
    parts().at_home.remember(name, address)
    return _enter(user, request.form.get("next", ""))


@bp.post("/logout")
def logout() -> Response:
    if current_user.is_authenticated:
        parts().users.sign_out(current_user.get_id())
    logout_user()
    session.clear()
    return redirect(url_for("account.login"), 303)


@bp.post("/language")
def language() -> Response:
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    response = redirect(_here(request.form.get("next", "")), 303)
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_S, httponly=True, samesite="Lax",
                        secure=parts().settings.secure_cookies)
    return response


def _enter(user: User, next_page: str) -> Response:
    session.clear()                               # nothing of the session before survives (fixation)
    session.permanent = True
    login_user(user)
    return redirect(_here(next_page), 303)


def _here(page: str) -> str:
    """`page` when it is a path of this server, the board otherwise."""
    inside = page.startswith("/") and not page.startswith(("//", "/\\")) and page.isprintable()
    return page if inside else url_for("board.index")


def _address() -> str:
    """Who asks, as far as it costs them to be another: of IPv6 the network, each of its hosts has 2^64."""
    address = ipaddress.ip_address(request.remote_addr or "::")
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _slow_down(address: str, name: str = "") -> None:
    """Count the attempt, or answer 429 while the address or the name has to wait."""
    now = time.monotonic()
    shared = parts()
    wait_s = max(shared.by_address.wait_s(address, now), shared.by_name.wait_s(name, now) if name else 0.0)
    if wait_s:
        raise TooManyRequests(retry_after=math.ceil(wait_s))
    shared.by_address.attempt(address, now)
    if name:
        shared.by_name.attempt(name, now)
