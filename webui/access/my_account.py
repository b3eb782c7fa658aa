"""One's own account: name, role and range, password, language, second factors, and where one is signed in."""

import io
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import segno
from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext, ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from webui.access import ceremony, roles, steps
from webui.access.again import PASSWORD_MOST, knows_password
from webui.access.doors import needs
from webui.access.entering import slow_down
from webui.access.factors import LABEL_MOST, MOST_KEYS, Has, address_for_app
from webui.parts import parts
from webui.users import PASSWORD_LEAST

bp = Blueprint("me", __name__, url_prefix="/me")

QUIET_MODULES = 4                                 # around the picture: ISO/IEC 18004

_BROWSERS = (                                     # the first that fits: each also claims to be those below it
    ("Edg", "Edge"), ("OPR/", "Opera"), ("MicroMessenger", "WeChat"), ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
            ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))


@bp.get("/")
@needs("self")
def index() -> Response:
    return _page()


@bp.post("/password")
@needs("self", act="password")
def password() -> Response:
    """Another password; all other sessions end."""
    new, again = request.form.get("new", ""), request.form.get("again", "")
    if not knows_password():
        return _page(_not_it(), "password", 422)
    if not PASSWORD_LEAST <= len(new) <= PASSWORD_MOST:
        return _page(ngettext("A password has at least %(num)d character.",
                              "A password has at least %(num)d characters.", PASSWORD_LEAST), "password", 422)
    if new != again:
        return _page(gettext("The two passwords differ."), "password", 422)
    parts().users.change_password(_name(), new, keep=current_user.get_id())
    current_app.logger.warning("%s changed the password from %s", _name(), request.remote_addr)
    return _done("password")


@bp.get("/app")
@needs("self")
def app() -> Response:
    """The picture and the key for an app, until its first code was shown."""
    secret = parts().factors.pending_app(_name(), time.time())
    return _app_page(secret) if secret else redirect(url_for("me.index"), 303)


@bp.get("/app.svg")
@needs("self")
def app_picture() -> Response:
    secret = parts().factors.pending_app(_name(), time.time())
    if secret is None:
        abort(404)
    box = ceremony.place_of(request.host)
    said = address_for_app(secret, _name(), f"Branchline {box.host if box else request.host}")
    picture = io.BytesIO()
    segno.make(said, error="m", micro=False).save(
        picture, kind="svg", border=QUIET_MODULES, scale=5, dark="#000", light="#fff", svgclass=None,
        lineclass=None)
    response = make_response(picture.getvalue())
    response.mimetype = "image/svg+xml"
    return response


@bp.post("/app")
@needs("self", act="app-begun")
def begin_app() -> Response:
    _if_offered()
    try:
        parts().factors.begin_app(_name(), time.time())
    except ValueError:
        return _page(gettext("There is a code app already. Remove it first."), "factors", 409)
    return redirect(url_for("me.app"), 303)


@bp.post("/app/confirm")
@needs("self", act="app-added")
def confirm_app() -> Response:
    _if_offered()
    slow_down((parts().by_second, f"set up {_name()}"))
    if not parts().factors.confirm_app(_name(), request.form.get("code", "")[:64], time.time()):
        secret = parts().factors.pending_app(_name(), time.time())
        if secret is None:
            return _page(gettext("That took too long. Begin again."), "factors", 422)
        return _app_page(secret, gettext(
            "This is not the code of this moment. See that the telephone's clock and the box's agree."))
    parts().by_second.passed(f"set up {_name()}")
    current_app.logger.warning("%s set up a code app from %s", _name(), request.remote_addr)
    return _added("app-added")


@bp.post("/app/cancel")
@needs("self", act="app-cancelled")
def cancel_app() -> Response:
    parts().factors.drop_pending_app(_name())
    return redirect(url_for("me.index"), 303)


@bp.post("/app/remove")
@needs("self", act="app-removed")
def remove_app() -> Response:
    if (refused := _may_not_remove(app=True)) is not None:
        return refused
    parts().factors.remove_app(_name())
    current_app.logger.warning("%s removed the code app from %s", _name(), request.remote_addr)
    return _done("app-removed")


@bp.post("/keys")
@needs("self", act="key-added")
def add_key() -> Response:
    """A security key that answered what this page asked."""
    _if_offered()
    label = " ".join(request.form.get("label", "").split())[:LABEL_MOST]
    place, asked, name = ceremony.place_of(request.host), steps.asked_before(), _name()
    try:
        if place is None or asked is None:
            raise ceremony.Refused("nothing was asked of it")
        key = ceremony.registered(place, request.form.get("answer", ""), asked,
                                  label or gettext("Security key"), time.time())
        parts().factors.add_key(name, key)
    except (ceremony.Refused, ValueError) as error:
        current_app.logger.warning("security key refused for %r: %s", name, error)
        return _page(gettext("The security key was not accepted. Try again."), "factors", 422)
    current_app.logger.warning("%s added the security key %r from %s", name, key.label, request.remote_addr)
    return _added("key-added")


@bp.post("/keys/remove")
@needs("self", act="key-removed")
def remove_key() -> Response:
    key = _id(request.form.get("key", ""))
    if (refused := _may_not_remove(key=key)) is not None:
        return refused
    label = parts().factors.remove_key(_name(), key)
    if not label:
        abort(404)
    current_app.logger.warning("%s removed the security key %r from %s", _name(), label, request.remote_addr)
    return _done("key-removed")


@bp.post("/codes")
@needs("self", act="codes")
def new_codes() -> Response:
    """Other recovery codes; those of before are worth nothing."""
    if not parts().factors.of(_name()).any:
        abort(404)
    if not knows_password():
        return _page(_not_it(), "factors", 422)
    return _codes_page()


@bp.post("/sessions/end")
@needs("self", act="session-ended")
def end_session() -> Response:
    """One of one's own, or all but this one."""
    which = request.form.get("session", "")
    if which == "others":
        parts().users.end_others(_name(), current_user.session_id)
    elif not parts().users.end(_name(), which):
        return _page(gettext("This session has ended already."), "sessions", 404)
    return _done("session-ended")


def _page(wrong: str = "", where: str = "", status: int = 200) -> Response:
    """`where`: the part of the page that `wrong` is about."""
    has, place = parts().factors.of(_name()), ceremony.place_of(request.host)
    options = ""
    if place is not None and parts().settings.second_factor != "off" and len(has.keys) < MOST_KEYS:
        steps.ask(challenge := ceremony.challenge())
        options = ceremony.to_register(place, _name(), parts().factors.handle(_name()), has.keys, challenge)
    rights = [word for right, word in roles.RIGHTS.items()
              if roles.may(current_user.role, right, current_user.within)]
    page = render_template(
        "account/index.html", has=has, options=options, wrong=wrong, where=where,
        keys=[(urlsafe_b64encode(key.id).decode(), key) for key in has.keys], label_most=LABEL_MOST,
        policy=parts().settings.second_factor, must=steps.must_enrol(), done=request.args.get("done", ""),
        sessions=parts().users.sessions(_name()), own=current_user.session_id, password_most=PASSWORD_MOST,
        most_keys=MOST_KEYS, browser_of=browser_of, range=_range(), rights=rights,
        whole=len(rights) == len(roles.RIGHTS))
    return make_response(page, status)


def browser_of(agent: str) -> str:
    """What people call the browser that says it is `agent`."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return " · ".join(filter(None, (browser, system))) or agent.partition("/")[0][:40] or "–"


def _range() -> list[tuple[str, list[str]]]:
    """What limits there are, each with what it leaves; empty: none."""
    if roles.role_of(current_user.role).own:
        return [(gettext("Agents"), [parts().crew.agent_of(_name())])]
    within = current_user.within
    limits = ((gettext("Queues"), within.queues), (gettext("Agents"), within.agents),
              (gettext("Groups"), within.groups or None), (gettext("Trunks"), within.trunks))
    return [(kind, sorted(names)) for kind, names in limits if names is not None]


def _app_page(secret: str, wrong: str = "") -> Response:
    groups = [secret[start:start + 4] for start in range(0, len(secret), 4)]
    page = render_template("account/app.html", groups=groups, wrong=wrong)
    return make_response(page, 422 if wrong else 200)


def _added(done: str) -> Response:
    """The first factor comes with recovery codes."""
    return _done(done) if parts().factors.of(_name()).codes_left else _codes_page()


def _codes_page() -> Response:
    """The codes: on this page only, and never again."""
    codes = parts().factors.new_codes(_name())
    current_app.logger.warning("%s has new recovery codes from %s", _name(), request.remote_addr)
    return make_response(render_template("account/codes.html", codes=codes))


def _done(what: str) -> Response:
    return redirect(url_for("me.index", done=what), 303)


def _may_not_remove(app: bool = False, key: bytes = b"") -> Response | None:
    """The answer to who may not; None: go on."""
    if not knows_password():
        return _page(_not_it(), "factors", 422)
    has: Has = parts().factors.of(_name())
    left = (has.app_since is not None and not app) or any(one.id != key for one in has.keys)
    if parts().settings.second_factor == "required" and not left:
        return _page(gettext(
            "This box asks everybody for a second factor: add another before you remove this one."),
            "factors", 409)
    return None


def _not_it() -> str:
    return str(gettext("This is not your password."))


def _if_offered() -> None:
    if parts().settings.second_factor == "off":
        abort(404)


def _id(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text[:2048].encode("ascii"))
    except ValueError:
        abort(404)


def _name() -> str:
    return str(current_user.name)
