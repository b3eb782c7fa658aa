"""The web pages. create_app() takes all it works with, so tests need no daemon; daemon.py is the process."""

import sqlite3
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Request, Response, g, redirect, request, url_for
from flask_babel import Babel, get_locale
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from jinja2 import pass_context
from jinja2.runtime import Context
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
    certificate_pages,
    contacts,
    errors,
    hearing,
    quality,
    recording_store,
    recordings,
    recordings_many,
    spans,
    static_files,
    texts,
    views,
)
from webui.access import log_pages, my_account, people, steps
from webui.access.audit import Audit
from webui.access.doors import closed, may, needs, opens, sight
from webui.access.doors import floor as seen_floor
from webui.access.factors import Factors
from webui.access.navigation import home, href, navigation
from webui.alerts import pages as alert_pages
from webui.alerts.store import Alerts
from webui.alerts.tones import Tones
from webui.api import operations
from webui.api import pages as token_pages
from webui.api.live import door as live_door
from webui.api.opening import client_of, token_of
from webui.api.tokens import Client, Tokens
from webui.centre import routes as centre_pages
from webui.configuration import pages as configuration
from webui.configuration.unconfirmed import Unconfirmed
from webui.exchange import Exchange
from webui.first import asking as first_asking
from webui.first import lines as first_lines
from webui.first import pages as first
from webui.first import words as first_words
from webui.first.kept import FirstRun
from webui.floor import routes as floor_pages
from webui.flows import routes as flow_pages
from webui.flows import traffic_pages as flow_traffic
from webui.language import Domain
from webui.lines import acts as line_acts
from webui.lines import outcome as line_outcome
from webui.lines import overview as lines
from webui.lines import testing as line_tests
from webui.notices import pages as notices_pages
from webui.notices.bar import Bar
from webui.notices.store import Notices
from webui.onlookers import Onlookers
from webui.parts import LANGUAGE_COOKIE, LANGUAGES, Parts, Settings, parts
from webui.patience import Patient
from webui.prompts import pages as prompt_pages
from webui.rendered import Rendered, Template
from webui.reports import saved_pages as report_pages
from webui.reports.saved import SavedReports
from webui.seen import Seen
from webui.system import restored
from webui.system import routes as system_pages
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
    app, exchange = Flask(__name__), Patient(exchange)
    audit = Audit(settings.state / "audit.sqlite", settings.audit_days)
    audit.take_over(settings.state / "acts.sqlite")
    restored.note(audit, settings.state)
    app.config.update(
        SECRET_KEY=settings.session_key, MAX_CONTENT_LENGTH=MAX_BODY_OCTETS,
        SESSION_COOKIE_NAME="branchline", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies, PERMANENT_SESSION_LIFETIME=timedelta(hours=24),
        WTF_CSRF_TIME_LIMIT=None)                 # as long as the session
    app.json.ensure_ascii = False                 # type: ignore[attr-defined]
    app.extensions["branchline"] = Parts(
        exchange, users, settings, seen, audit,
        Uploads(settings.state / "uploads"),
        Factors(settings.state / "factors.sqlite", settings.state / "factors.key"),
        Notices(settings.state / "notices.sqlite"), Tokens(settings.state / "tokens.sqlite"),
        Alerts(settings.state / "alerts.sqlite"), Onlookers(exchange.mirror),
        rendered=Rendered(sight))
    app.extensions[first.EXTENSION] = first.First(
        FirstRun(settings.state / "first-run.json"), first_asking.Box(exchange))
    app.extensions[report_pages.EXTENSION] = SavedReports(settings.state / "reports")
    live_door.listen(app)
    Babel(app, locale_selector=_language).domain_instance = Domain()
    CSRFProtect(app).exempt(operations.bp)        # which knows tokens and no cookies
    login = LoginManager(app)
    login.user_loader(_load_user)
    login.request_loader(_load_client)
    app.before_request(_gate)
    app.after_request(_harden)
    app.add_url_rule("/healthz", "healthz", _healthz)
    for part in (
            account, alert_pages, board, box, box_settings, box_update, certificate_pages, configuration,
            contacts, first, floor_pages, hearing, line_acts, line_tests, lines, log_pages, my_account,
            notices_pages, operations, centre_pages, people, quality, recording_store, recordings,
            recordings_many, report_pages, spans, steps, token_pages, flow_pages, flow_traffic, prompt_pages,
            *system_pages.PAGES):
        app.register_blueprint(part.bp)
    if lacking := closed(app):
        raise RuntimeError(f"routes without @needs of webui/access/doors.py: {', '.join(lacking)}")
    errors.register(app)
    static_files.register(app)
    app.context_processor(_common)
    app.jinja_env.filters.update(
        outcome_tone=line_outcome.tone, findings_of=first_lines.found_in, found_what=first_words.what,
        found_value=first_words.value, found_sure=first_words.sure, found_evidence=first_words.evidence,
        word=_word, told=box_words.told, sentence=texts.sentence, number=texts.number,
        duration=texts.duration, moment=texts.moment,
        charge=texts.charge, clock=texts.clock, clock_ms=texts.clock_ms, day=texts.day, since=texts.since,
        mebibytes=texts.mebibytes, octets=texts.octets, count_of=texts.count_of)
    app.jinja_env.template_class = Template
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


@pass_context                                     # else a constant is said in the first reader's language
def _word(_: Context, value: str | int, kind: str) -> str:
    return texts.word(value, kind)


def _language() -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen not in LANGUAGES and current_user.is_authenticated:
        chosen = current_user.language
    return chosen if chosen in LANGUAGES else parts().settings.language


def _load_user(session: str) -> User | None:
    try:
        return parts().users.get(session)
    except sqlite3.Error as error:                # an error page asks for the user, too: _gate says it
        g.users_error = error
        return None


def _load_client(asked: Request) -> Client | None:
    """Of the API: a cookie is not looked at there, a token nowhere else."""
    return client_of(token_of(asked)) if asked.blueprint == operations.bp.name else None


def _gate() -> AnyResponse | None:
    """Nobody sees anything before there is an administrator, and then only who has signed in."""
    if request.endpoint in OPEN:
        return None
    if request.blueprint == operations.bp.name:
        if (request.endpoint in ("api.document", "api.live_document") or isinstance(current_user, Client)
                or live_door.is_stranger(request)):
            return None
        raise Unauthorized
    setting_up = request.endpoint in ("account.setup", "account.make_admin")
    if not parts().users.some():
        return None if setting_up else redirect(url_for("account.setup"), 303)
    if setting_up:
        return redirect(url_for("account.login"), 303)
    if request.endpoint is None or request.endpoint in ("account.login", "account.sign_in"):
        return None
    if request.blueprint == "steps":
        return None
    if current_user.is_authenticated:
        if request.endpoint == "account.logout":
            return None
        if current_user.must_change:
            inside = request.blueprint == "account"
            return None if inside else redirect(url_for("account.new_password"), 303)
        if request.endpoint == "board.index" and not opens("board.index"):
            return redirect(home(), 303)          # who types the box's address and no more
        return steps.in_the_way()
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


@needs("open")
def _healthz() -> tuple[str, int, dict[str, str]]:
    """For watchdogs: this process answers; whether it hears the bus."""
    away = "webui" in parts().exchange.mirror.floor.away
    text, status = ("no bus\n", 503) if away else ("ok\n", 200)
    return text, status, {"Content-Type": "text/plain; charset=utf-8"}


def _common() -> dict[str, object]:
    locale = get_locale()
    return {
        "language": locale.language if locale else parts().settings.language, "languages": LANGUAGES,
        "views": views, "box_views": box_views, "may": may, "opens": opens, "floor": seen_floor,
        "navigation": navigation, "home": home, "href": href, "password_least": PASSWORD_LEAST,
        "server_time": texts.now,
        "first_run_open": first.is_open,
        "unconfirmed": lambda: Unconfirmed()()[1], "notice_bar": lambda: Bar()()[1],
        "alert_tones": lambda: Tones()()[1],
    }
