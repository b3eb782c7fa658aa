"""Pages for what went wrong: what, and what to do, in the reader's language."""

import logging
import sqlite3

import msgspec
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    Conflict,
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
    TooManyRequests,
)
from werkzeug.http import HTTP_STATUS_CODES

from appliance.bus.client import BusError
from webui.access.doors import range_of
from webui.access.roles import RIGHTS, WHOLE, role_of
from webui.parts import parts
from webui.users import Busy

MOST_GIVERS = 5                                   # named on a page that refuses

log = logging.getLogger(__name__)

PAGES: dict[int, tuple[LazyString, LazyString]] = {
    400: (_l("This request cannot be understood"), _l("Go back and try again.")),
    401: (_l("Please sign in"), _l("Your session has ended. Sign in again.")),
    403: (_l("This is not for you"), _l("Ask the administrator for the right to see this page.")),
    404: (_l("There is no such page"), _l("What you are looking for is not here, or not any more.")),
    405: (_l("This request cannot be understood"), _l("Go back and try again.")),
    409: (_l("This cannot be done"), _l("The call has ended, or it went out: only who calls can be traced.")),
    413: (_l("This is too large"), _l("A form may have up to 64 KiB.")),
    416: (_l("This part does not exist"), _l("The recording is shorter than what was asked for.")),
    429: (_l("Too many attempts"), _l("Wait a moment, then try again.")),
    500: (_l("The box made a mistake"), _l("It has been written to the log. Calls are not affected.")),
    503: (_l("Not available at this moment"),
          _l("A part of the box does not answer. Calls go on. Try again soon.")),
}


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(BusError, _away)
    app.register_error_handler(Busy, _away)
    app.register_error_handler(sqlite3.Error, _away)          # a file of ours: locked, full, gone
    app.register_error_handler(Exception, _mistake)


def wants_page() -> bool:
    """True for a person's browser going somewhere, False for a script, a player or a stream."""
    return not request.accept_mimetypes or "text/html" in request.accept_mimetypes.values()


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:                                # a redirect to the canonical path
        return make_response(error.get_response())
    note = ""
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        note = _("Try again in %(seconds)d s.", seconds=error.retry_after)
    if code == 403 and "missing" in g:
        return _answer(error, PAGES[403][0], _missing(g.missing), "")
    if code == 409 and error.description not in (None, Conflict.description):
        return _answer(error, PAGES[409][0], str(error.description), "")
    return _page(error, note)


def _missing(right: str) -> str:
    """What it takes to come in here, and who can give it."""
    if right == "whole":
        what = _("It is about the whole box: for people whose range has no limits.")
    else:
        what = _("It takes the right to %(right)s.", right=RIGHTS.get(right, right))
        if right in WHOLE and range_of(current_user).limited:
            what += " " + _("It is about the whole box: for people whose range has no limits.")
    try:
        givers = [one.name for one in parts().users.people()
                  if not one.disabled and one.name != current_user.name
                  and {"people", right} <= role_of(one.role).rights | {"whole"}]
    except sqlite3.Error:
        return str(what)
    if givers:
        what += " " + _("Ask %(names)s.", names=", ".join(givers[:MOST_GIVERS]))
    return str(what)


def _csrf(error: CSRFError) -> Response:
    log.info("form refused: %s", error.description)
    return _page(error, _("The form was too old or not from this site. Load the page again."))


def _away(error: Exception) -> Response:
    log.warning("%s", error)
    return _page(ServiceUnavailable(), str(error))


def _mistake(error: Exception) -> Response:
    log.error("%s %s", request.method, request.path, exc_info=error)
    return _page(InternalServerError(), "")


def _page(error: HTTPException, note: str) -> Response:
    code = error.code or 500
    title, text = PAGES.get(code, PAGES[400 if code < 500 else 500])
    return _answer(error, title, text, note)


def _answer(error: HTTPException, title: LazyString | str, text: LazyString | str, note: str) -> Response:
    code = error.code or 500
    response = make_response(error.get_response())
    if request.path.startswith("/api/"):          # RFC 9457, in English, whatever a program accepts
        detail = note or str(error.description or "")
        response.data = msgspec.json.encode(
            {"type": "about:blank", "title": HTTP_STATUS_CODES.get(code, "Error"), "status": code,
             "detail": detail})
        response.mimetype = "application/problem+json"
    elif wants_page():
        response.set_data(render_template("error.html", code=code, title=title, text=text, note=note))
    else:
        response.set_data(f"{code} {title}\n{note or text}\n")
        response.mimetype = "text/plain"
    return response
