"""The second step of signing in: after the right password a second factor, before a session begins."""

import hashlib
import hmac
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
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from webui.access import ceremony
from webui.access.doors import did, needs
from webui.access.entering import address, enter, slow_down
from webui.access.factors import Has
from webui.access.halves import Half
from webui.errors import wants_page
from webui.parts import parts
from webui.users import User

bp = Blueprint("steps", __name__, url_prefix="/login/second")

_HALF, _ASKED = "half", "asked"                   # in the cookie


def after_password(who: User, next_page: str) -> Response | None:
    """None: nothing more is asked. Otherwise to the page that asks; nothing opens until it is answered."""
    if parts().settings.second_factor == "off" or not parts().factors.of(who.name).any:
        return None
    session.clear()                               # nothing of the session before survives (fixation)
    session[_HALF] = parts().halves.keep(Half(who, next_page, _browser()), time.monotonic())
    return redirect(url_for("steps.second"), 303)


def must_enrol() -> bool:
    """True: who has signed in sets up a second factor before anything else opens."""
    return (parts().settings.second_factor == "required"
            and not parts().factors.of(str(current_user.name)).any)


def in_the_way() -> Response | None:
    """The answer to who must_enrol() and asks for something else than his own account."""
    if request.blueprint == "me" or not must_enrol():
        return None
    if request.method == "GET" and wants_page():
        return redirect(url_for("me.index"), 303)
    abort(403)


@bp.get("")
@needs("open")
def second() -> Response:
    half = _half()
    return _page(half) if half else _again()


@bp.post("")
@needs("open")
def code() -> Response:
    """A code of the app, or a recovery code."""
    half = _half()
    if half is None:
        return _again()
    kind = "recovery" if request.form.get("with") == "recovery" else "app"
    typed = request.form.get("code", "")[:64]
    slow_down((parts().by_second, f"code {half.who.name}"), (parts().by_second, f"at {address()}"))
    if kind == "recovery":
        right = parts().factors.use_code(half.who.name, typed)
    else:
        right = parts().factors.app_says(half.who.name, typed, time.time())
    if right:
        return _through(half, kind)
    return _wrong(half, kind, gettext("This recovery code is wrong, or was used before.")
                  if kind == "recovery" else
                  gettext("This code is wrong, too old, or was used before. Wait for the next one."))


@bp.post("/key")
@needs("open")
def key() -> Response:
    """The signature of a security key."""
    half = _half()
    if half is None:
        return _again()
    slow_down((parts().by_second, f"key {half.who.name}"), (parts().by_second, f"at {address()}"))
    place, asked = ceremony.place_of(request.host), asked_before()
    keys, answer = parts().factors.of(half.who.name).keys, request.form.get("answer", "")
    try:
        if place is None or asked is None:
            raise ceremony.Refused("nothing was asked of it")
        one, count = ceremony.signed(place, answer, asked, keys)
        if not parts().factors.key_signed(half.who.name, one.id, one.count, count, time.time()):
            raise ceremony.Refused("it was used or removed at the same time")
    except ceremony.Refused as error:
        return _wrong(half, "key", gettext("The security key was not accepted. Try again."), str(error))
    return _through(half, "key")


@bp.post("/cancel")
@needs("open")
def cancel() -> Response:
    """Somebody else's turn at this browser."""
    parts().halves.take(session.get(_HALF, ""), time.monotonic())
    return _again()


def ask(challenge: bytes) -> None:
    """Remember what a security key is to sign; the question before is void."""
    parts().asked.take(session.get(_ASKED, ""), time.monotonic())
    session[_ASKED] = parts().asked.keep(challenge, time.monotonic())


def asked_before() -> bytes | None:
    """The challenge that this browser was given; it answers once."""
    return parts().asked.take(session.pop(_ASKED, ""), time.monotonic())


def _through(half: Half, kind: str) -> Response:
    if parts().halves.take(session.get(_HALF, ""), time.monotonic()) is None:
        return _again()                           # the same half, used at the same time
    for key in (f"code {half.who.name}", f"key {half.who.name}", f"at {address()}"):
        parts().by_second.passed(key)
    parts().audit.note(did("second-factor", kind, by=half.who.name), "", time.time())
    return enter(half.who, half.next_page)


def _wrong(half: Half, kind: str, wrong: str, why: str = "") -> Response:
    current_app.logger.warning("second factor (%s) refused for %r from %s%s", kind, half.who.name,
                               request.remote_addr, f": {why}" if why else "")
    parts().audit.note(did("second-factor", kind, by=half.who.name), "refused", time.time())
    if parts().by_second.wait_s(f"code {half.who.name}", time.monotonic()):
        parts().audit.note(did("locked-out", half.who.name, by=half.who.name), "", time.time())
    page = _page(half, wrong, kind)
    page.status_code = 422
    return page


def _page(half: Half, wrong: str = "", kind: str = "") -> Response:
    has, place = parts().factors.of(half.who.name), ceremony.place_of(request.host)
    keys = [one for one in has.keys if place is not None and one.host == place.host]
    options = ""
    if place is not None and keys:
        ask(challenge := ceremony.challenge())
        options = ceremony.to_sign(place, keys, challenge)
    return make_response(render_template(
        "account/second.html", name=half.who.name, has=has, options=options, wrong=wrong, kind=kind,
        elsewhere=_elsewhere(has, place)))


def _elsewhere(has: Has, place: ceremony.Place | None) -> list[str]:
    """Under which other names of the box this person's keys work."""
    return sorted({one.host for one in has.keys if place is None or one.host != place.host})


def _half() -> Half | None:
    half = parts().halves.find(session.get(_HALF, ""), time.monotonic())
    return half if half and hmac.compare_digest(half.browser, _browser()) else None


def _again() -> Response:
    session.pop(_HALF, None)
    return redirect(url_for("account.login"), 303)


def _browser() -> bytes:
    """What a copy of the cookie in another browser or network does not have."""
    return hashlib.sha256(f"{address()}\n{request.user_agent.string}".encode()).digest()
