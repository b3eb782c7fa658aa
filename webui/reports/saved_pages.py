"""Saved reports: the list with what came of each, the form that saves one, their files."""

import re
import time
from typing import Any

from flask import Flask, abort, current_app, redirect, render_template, request, send_file, url_for
from flask_babel import get_locale, gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from appliance.errors import StateError
from webui.access.doors import needs
from webui.parts import Parts, parts
from webui.reports import exports, shown, words
from webui.reports.choice import KINDS, read, read_query
from webui.reports.pages import ANSWER_S, bp
from webui.reports.saved import MOST_KEPT, SavedReport, SavedReports
from webui.reports.sending import Sending
from webui.reports.timing import EVERY, Schedule

EXTENSION = "branchline.reports"
LONGEST_NAME = 100
MOST_ADDRESSES = 10
KEEP = 30
SHOWN = 8                                         # files of each report
ADDRESS = re.compile(r"[^\s@,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}")


def saved() -> SavedReports:
    found: SavedReports = current_app.extensions[EXTENSION]
    return found


def wake() -> None:
    """The process that works reports off; a test has none."""
    sending: Sending | None = current_app.extensions.get(f"{EXTENSION}.sending")
    if sending is not None:
        sending.wake()


def start_sending(app: Flask) -> Sending:
    """The thread that makes and sends what is due: the caller stops it."""
    there: Parts = app.extensions["branchline"]
    sending = Sending(app, app.extensions[EXTENSION], there.users,
                      lambda asked: there.exchange.ask(asked, ANSWER_S), there.settings.mail)
    app.extensions[f"{EXTENSION}.sending"] = sending
    sending.start()
    return sending


@bp.get("/saved")
@needs("report", whole=True)
def saved_index() -> Any:
    """With a choice in the address: the form that saves it, too."""
    return _page(_query())


@bp.post("/saved")
@needs("report", act="report-saved", whole=True)
def save() -> Any:
    try:
        saved().add(_written())
    except (ValueError, StateError) as error:
        return _page(request.form.get("query", ""), str(error)), 422
    wake()
    return redirect(url_for(".saved_index"), 303)


@bp.post("/saved/<int(max=999999999):number>/remove")
@needs("report", act="report-removed", whole=True)
def remove(number: int) -> Response:
    saved().remove(_known(number).id)
    return redirect(url_for(".saved_index"), 303)


@bp.post("/saved/<int(max=999999999):number>/make")
@needs("report", act="report-made", whole=True)
def make_now(number: int) -> Response:
    saved().plan_now(_known(number).id, time.time())
    wake()
    return redirect(url_for(".saved_index"), 303)


@bp.get("/saved/<int(max=999999999):number>/<int(max=99999999999):due>")
@needs("report", act="report-file", whole=True)
def saved_file(number: int, due: int) -> Response:
    run = saved().run(_known(number).id, due)
    if run is None or not run.file:
        abort(404)
    path = saved().folder_of(number) / run.file
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype=exports.MEDIA.get(path.suffix[1:]), as_attachment=True,
                     download_name=run.file)


@bp.get("/saved/<int(max=999999999):number>/<any(remove, make):act>")
@needs("report", whole=True)
def saved_back(number: int, act: str) -> Response:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for(".saved_index"), 303)


def _known(number: int) -> SavedReport:
    return saved().get(number) or abort(404)


def _query() -> str:
    """Of the choice in the address; "" when there is none."""
    if request.args.get("kind") not in KINDS:
        return ""
    try:
        return read(request.args, request.args.getlist("name")).query()
    except ValueError:
        return ""


def _page(query: str, wrong: str = "") -> str:
    rows = [(one, saved().runs(one.id)[:SHOWN]) for one in saved().all()]
    try:
        title = shown.title(read_query(query)) if query else ""
    except ValueError:
        query = title = ""
    return render_template(
        "reports/saved.html", rows=rows, query=query, title=title, wrong=wrong, kept=request.form,
        every=EVERY, forms=tuple(exports.FORMS), chosen=words.chosen, kinds=KINDS, keep=KEEP,
        most_keep=MOST_KEPT,
        mailing=parts().settings.mail is not None)


def _written() -> SavedReport:
    """What the form holds. ValueError: with a sentence for people."""
    name = " ".join(request.form.get("name", "").split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "=?" in name:
        raise ValueError(gettext("A saved report needs a name of at most %(most)d signs.", most=LONGEST_NAME))
    choice = read_query(request.form.get("query", ""))
    form, every = request.form.get("form", ""), request.form.get("every", "")
    addresses = [one for one in re.split(r"[\s,;]+", request.form.get("mail", "")) if one]
    if len(addresses) > MOST_ADDRESSES:
        raise ValueError(gettext("At most %(most)d addresses.", most=MOST_ADDRESSES))
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            raise ValueError(gettext("%(said)s is no mail address.", said=address))
    day = {"weekly": "weekday", "monthly": "monthday"}.get(every, "")
    at, keep = request.form.get("at", "") or "06:00", request.form.get("keep", KEEP, type=int)
    try:
        Schedule(every, int(request.form.get(day, "0") if day else "0"), at)         # type: ignore[arg-type]
    except ValueError:
        raise ValueError(gettext("Write the time of day as 06:00, and a day that there is.")) from None
    if form not in exports.FORMS or not 1 <= keep <= MOST_KEPT:
        raise ValueError(gettext("This request cannot be understood"))
    locale = get_locale()
    return SavedReport(
        name=name, by=current_user.name, language=locale.language if locale else "zh", query=choice.query(),
        form=form, every=every, day=int(request.form.get(day, "0") if day else "0"),  # type: ignore[arg-type]
        at=at, mail=",".join(addresses), keep=keep, planned_to=time.time())
