"""The web pages. create_app() takes all it works with, so tests need no daemon; daemon.py is the process."""

import sqlite3
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, g, redirect, request, url_for
from flask_babel import Babel, get_locale
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from webui import (
    account,
    board,
    box,
    box_settings,
    box_update,
    box_views,
    box_words,
    contacts,
    errors,
    hearing,
    quality,
    recording_store,
    recordings,
    spans,
    texts,
    views,
)
from webui.acts import Acts
from webui.exchange import Exchange
from webui.parts import LANGUAGES, Parts, Settings, parts
from webui.rights import may
from webui.seen import Seen
from webui.uploads import Uploads
from webui.users import PASSWORD_LEAST, User, Users

MAX_BODY_OCTETS = 64 * 1024

OPEN = {"static", "healthz", "account.language"}  # endpoints for everybody

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def create_app(exchange: Exchange, users: Users, seen: Seen, settings: Settings) -> Flask:
    """The WSGI application. `exchange` answers any thread. Unavailable: the file of acts cannot be used."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.session_key, MAX_CONTENT_LENGTH=MAX_BODY_OCTETS,
        SESSION_COOKIE_NAME="branchline", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies, PERMANENT_SESSION_LIFETIME=timedelta(hours=24),
        WTF_CSRF_TIME_LIMIT=None)                 # as long as the session
    app.json.ensure_ascii = False                 # type: ignore[attr-defined]
    app.extensions["branchline"] = Parts(
        exchange, users, settings, seen, Acts(settings.state / "acts.sqlite"),
        Uploads(settings.state / "uploads"))
    Babel(app, locale_selector=_language)
    CSRFProtect(app)
    login = LoginManager(app)
    login.user_loader(_load_user)
    app.before_request(_gate)
    app.after_request(_harden)
    app.add_url_rule("/healthz", "healthz", _healthz)
    for part in (account, board, box, box_settings, box_update, contacts, hearing, quality, recording_store,
                 recordings, spans):
        app.register_blueprint(part.bp)
    errors.register(app)
    app.context_processor(_common)
    app.jinja_env.filters.update(
        word=texts.word, told=box_words.told, sentence=texts.sentence, number=texts.number,
        duration=texts.duration, moment=texts.moment,
        charge=texts.charge, clock=texts.clock, clock_ms=texts.clock_ms, day=texts.day, since=texts.since,
        mebibytes=texts.mebibytes, octets=texts.octets, count_of=texts.count_of)
    app.jinja_env.optimized = False               # it would give a constant's word in one language to all
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


def _language() -> str:
    chosen = request.cookies.get(account.LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else parts().settings.language


def _load_user(session: str) -> User | None:
    try:
        return parts().users.get(session)
    except sqlite3.Error as error:                # an error page asks for the user, too: _gate says it
        g.users_error = error
        return None


def _gate() -> AnyResponse | None:
    """Nobody sees anything before there is an administrator, and then only who has signed in."""
    if request.endpoint in OPEN:
        return None
    setting_up = request.endpoint in ("account.setup", "account.make_admin")
    if not parts().users.some():
        return None if setting_up else redirect(url_for("account.setup"), 303)
    if setting_up:
        return redirect(url_for("account.login"), 303)
    if request.endpoint is None or request.endpoint in ("account.login", "account.sign_in"):
        return None
    if current_user.is_authenticated:
        return None
    if "users_error" in g:
        raise g.users_error
    if request.method == "GET" and errors.wants_page():
        asked = request.full_path.rstrip("?")
        return redirect(url_for("account.login", next=asked if asked != "/" else None), 303)
    raise Unauthorized


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.location:                         # always here, whatever Host the browser named
        there = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + there.path.lstrip("/"), there.query, ""))
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _healthz() -> tuple[str, int, dict[str, str]]:
    """For watchdogs: this process answers; whether it hears the bus."""
    away = "webui" in parts().exchange.mirror.floor.away
    text, status = ("no bus\n", 503) if away else ("ok\n", 200)
    return text, status, {"Content-Type": "text/plain; charset=utf-8"}


def _common() -> dict[str, object]:
    locale = get_locale()
    return {
        "language": locale.language if locale else parts().settings.language, "languages": LANGUAGES,
        "views": views, "box_views": box_views, "may": may, "password_least": PASSWORD_LEAST,
        "server_time": texts.now,
    }
