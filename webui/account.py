"""Accounts: the first administrator, signing in and out, the reader's language."""

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
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from webui.access.doors import did, needs
from webui.access.entering import address, enter, here, slow_down
from webui.access.navigation import home
from webui.access.steps import after_password
from webui.first.pages import begin_if_new
from webui.parts import LANGUAGE_COOKIE, LANGUAGES, YEAR_S, parts
from webui.users import NAME, PASSWORD_LEAST

bp = Blueprint("account", __name__)

PASSWORD_MOST = 1024


@bp.get("/setup")
@needs("open")
def setup() -> str:
    return render_template("account/setup.html", name="admin", code=request.args.get("code", ""), wrong="")


@bp.post("/setup")
@needs("open")
def make_admin() -> Response:
    code, name = request.form.get("code", ""), request.form.get("name", "").strip()
    password, again = request.form.get("password", ""), request.form.get("again", "")
    slow_down((parts().by_address, f"setup {address()}"))
    settings, users = parts().settings, parts().users
    wrong = ""
    if not settings.setup_code.matches(code):
        wrong = gettext(
            "This is not the set-up code. It is in the log of the box and in the file setup-code.")
    elif not NAME.fullmatch(name):
        wrong = gettext("A name has up to 32 small letters, digits, dots and hyphens, a letter first.")
    else:
        wrong = _unfit(password, again)
    if wrong:
        page = render_template("account/setup.html", name=name, code=code, wrong=wrong)
        return make_response(page, 422)
    user = users.create_first(name, password, request.remote_addr or "", request.user_agent.string)
    if user is None:                              # somebody was faster
        return redirect(url_for("account.login"), 303)
    settings.setup_code.forget()
    current_app.logger.info("administrator %s made from %s", name, request.remote_addr)
    parts().audit.note(did("set-up", name, by=name), "", time.time())
    return enter(user, begin_if_new(name))


@bp.get("/login")
@needs("open")
def login() -> str:
    return render_template("account/login.html", name="", next=request.args.get("next", ""), wrong="")


@bp.post("/login")
@needs("open")
def sign_in() -> Response:
    name, password = request.form.get("name", "").strip()[:64], request.form.get("password", "")
    asking, shared = address(), parts()
    slow_down((shared.by_address, asking),
              *([] if not name or shared.at_home.knows(name, asking) else [(shared.by_name, name)]))
    user = shared.users.check(name, password) if len(password) <= PASSWORD_MOST else None
    if user is None:
        current_app.logger.warning("sign-in refused for %r from %s", name, request.remote_addr)
        parts().audit.note(did("sign-in", by=name), "wrong name or password", time.time())
        if shared.by_address.wait_s(asking, time.monotonic()):
            parts().audit.note(did("locked-out", asking, by=name), "", time.time())
        page = render_template(
            "account/login.html", name=name, next=request.form.get("next", ""),
            wrong=gettext("The name or the password is wrong."))
        return make_response(page, 422)
    shared.by_address.passed(asking)
    shared.by_name.passed(name)
    shared.at_home.remember(name, asking)
    next_page = request.form.get("next", "")
    return after_password(user, next_page) or enter(user, next_page)


@bp.get("/password")
@needs("self")
def new_password() -> str:
    """For who came in with a password that somebody else gave him."""
    return render_template("account/password.html", wrong="")


@bp.post("/password")
@needs("self", act="password")
def take_password() -> Response:
    """Only while it is one for once: one's own is changed on the page of the account, with the old one."""
    if not current_user.must_change:
        return redirect(home(), 303)
    password, name = request.form.get("password", ""), current_user.name
    wrong = _unfit(password, request.form.get("again", ""))
    if not wrong and parts().users.check(name, password) is not None:
        wrong = gettext("This is the password that you were given. Choose your own.")
    if wrong:
        return make_response(render_template("account/password.html", wrong=wrong), 422)
    parts().users.change_password(name, password, keep=current_user.get_id())
    return redirect(home(), 303)


@bp.post("/logout")
@needs("open")
def logout() -> Response:
    if current_user.is_authenticated:
        parts().audit.note(did("sign-out"), "", time.time())
        parts().users.sign_out(current_user.get_id())
    logout_user()
    session.clear()
    return redirect(url_for("account.login"), 303)


@bp.post("/language")
@needs("open")
def language() -> Response:
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    if current_user.is_authenticated:
        parts().users.set_language(current_user.name, chosen)
    response = redirect(here(request.form.get("next", "")), 303)
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_S, httponly=True, samesite="Lax",
                        secure=parts().settings.secure_cookies)
    return response


def _unfit(password: str, again: str) -> str:
    """What is wrong with a new password; "": nothing."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        return str(ngettext(
            "A password has at least %(num)d character.", "A password has at least %(num)d characters.",
            PASSWORD_LEAST))
    return "" if password == again else str(gettext("The two passwords differ."))
