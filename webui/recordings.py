"""Recordings: found by what is known of them, and one with all that was done with it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CaseInfo,
    ContactFacts,
    ContactInfo,
    EraseRecording,
    ExportRecordings,
    GetContact,
    GetContactFacts,
    GetHolds,
    GetRecording,
    HoldRecordings,
    OpenRecording,
    ReleaseHold,
    SegmentInfo,
)
from appliance.bus.messages.catalogue import MOST_TOTAL
from webui import recording_said, recording_views
from webui.access.doors import floor, need, needs, range_of
from webui.hearing import LONGEST_S, describe, make_pass
from webui.mirror import Floor
from webui.opened import ANSWER_S
from webui.parts import parts

bp = Blueprint("recordings", __name__, url_prefix="/recordings")
bp.add_app_template_filter(recording_said.said, "of_recording")

SHARED_DAYS = (1, 7, 30)
DAY_S = 86400
EXPORT_S = 120.0
BUNDLE_S = 3600                                   # that a bundle may be fetched for
LAST_NUMBER = 2**63 - 1


@bp.get("/")
@needs("find")
def index() -> Any:
    """A search; what was chosen is in the address."""
    return listed()


def listed(wrong: str = "", done: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """The list; 422 when what was chosen is no search. `wrong`: why nothing came of an act on many of it;
    `done`: what came of it."""
    kept, after = recording_views.chosen(request.args), request.args.get("after", 0, type=int)
    found, no_search = None, ""
    try:
        found = parts().exchange.ask(msgspec.structs.replace(
            recording_views.search(kept, min(max(after, 0), LAST_NUMBER)),
            within=range_of(current_user).asked()), ANSWER_S)
    except (ValueError, Refused) as error:
        no_search = str(error)
    page = render_template(
        "recordings/index.html", kept=kept, found=found, wrong=wrong or no_search, after=after,
        most=MOST_TOTAL, recording_views=recording_views, names=_names(floor()),
        ticked=request.form.getlist("recording") if wrong else [], **done)
    return (page, 422) if no_search and not wrong else page


@bp.get("/<recording>")
@needs("find")
def show(recording: str) -> str:
    return _show(recording)


@bp.get("/<recording>/<any(hold, release, erase, share, export):act>")
@needs("find")
def back(recording: str, act: str) -> Response:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("recordings.show", recording=recording), 303)


@bp.post("/<recording>/hold")
@needs("hold", act="hold")
def hold(recording: str) -> Any:
    by = need("hold")
    return _act(recording, HoldRecordings(
        case=said("case"), by=by, why=said("why"), recordings=[_known(recording)]))


@bp.post("/<recording>/release")
@needs("release", act="release")
def release(recording: str) -> Any:
    by = need("release")
    return _act(recording, ReleaseHold(
        case=said("case"), by=by, why=said("why"), recordings=[_known(recording)]))


@bp.post("/<recording>/erase")
@needs("erase", act="erase")
def erase(recording: str) -> Any:
    by = need("erase")
    if "sure" not in request.form:
        return _show(recording, gettext("Say that it is to be erased for good.")), 409
    return _act(recording, EraseRecording(recording=_known(recording), by=by, why=said("why")))


@bp.post("/<recording>/share")
@needs("share", act="share")
def share(recording: str) -> Any:
    """A link for other people of this box, kept in the chain with its reason."""
    by, why = need("share"), said("why")
    days = request.form.get("days", type=int)
    if days not in SHARED_DAYS:
        abort(400)
    if not why:
        return _show(recording, gettext("Give a reason: it is kept.")), 409
    for_s = min(days * DAY_S, LONGEST_S)
    try:
        parts().exchange.ask(OpenRecording(
            recording=_known(recording), by=by, purpose="share", form="stored", why=why), ANSWER_S)
    except Refused as error:
        return _show(recording, str(error)), 409
    link = url_for("hearing.shared", pass_=make_pass(recording, by, why, for_s), _external=True)
    return _show(recording, link=link, days=days)


@bp.post("/<recording>/export")
@needs("export", act="export")
def export(recording: str) -> Any:
    """A signed bundle on the box, which who made it may fetch for an hour."""
    by = need("export")
    try:
        made = parts().exchange.ask(ExportRecordings(
            recordings=[_known(recording)], by=by, why=said("why"),
            passphrase=request.form.get("passphrase", "")), EXPORT_S)
    except Refused as error:
        return _show(recording, str(error)), 409
    return _show(recording, made=made, bundle=bundle_pass(made.path, by))


@bp.get("/bundles/<pass_>")
@needs("export", act="bundle-taken")
def bundle(pass_: str) -> Response:
    by = need("export")
    try:
        told = _signer().loads(pass_, max_age=BUNDLE_S)
    except BadSignature:
        abort(404)
    path = parts().settings.exports / told["name"]
    if told["by"] != by or not path.is_file():
        abort(404)
    return send_file(path.resolve(), as_attachment=True, download_name=path.name)


def _show(recording: str, wrong: str = "", **done: Any) -> str:
    found = describe(recording)
    if found is None:
        info = parts().exchange.ask(GetRecording(recording=recording), ANSWER_S)
        if not info.known:
            abort(404)
        return render_template("recordings/growing.html", info=info)
    contact, facts = _contact(found.row.contact)
    story = next((one for one in facts.recordings if one.recording == recording), None)
    return render_template(
        "recordings/show.html", found=found, row=found.row, contact=contact, story=story, wrong=wrong,
        segments=_segments(contact, recording), cases=_cases(recording), recording_views=recording_views,
        shared_days=SHARED_DAYS, **done)


def _act(recording: str, asked: Any) -> Any:
    try:
        parts().exchange.ask(asked, ANSWER_S)
    except Refused as error:
        return _show(recording, str(error)), 409
    return redirect(url_for("recordings.show", recording=recording), 303)


def _known(recording: str) -> str:
    """404: there is no such finished recording."""
    if describe(recording) is None:
        abort(404)
    return recording


def said(name: str) -> str:
    return request.form.get(name, "").strip()


def _cases(recording: str) -> list[CaseInfo]:
    return parts().exchange.ask(GetHolds(recording=recording), ANSWER_S).cases


def _contact(contact: str) -> tuple[ContactInfo | None, ContactFacts]:
    """None: none names it, or acdd does not answer at this moment."""
    if not contact:
        return None, ContactFacts()
    try:
        return (parts().exchange.ask(GetContact(contact=contact)).contact,
                parts().exchange.ask(GetContactFacts(contact=contact)))
    except BusError:
        return None, ContactFacts()


def _segments(contact: ContactInfo | None, recording: str) -> list[SegmentInfo]:
    return [one for one in contact.segments if one.recording == recording] if contact else []


def _names(sees: Floor) -> dict[str, list[str]]:
    """What may be chosen, as far as the box says it now."""
    return {"agent": sorted(one.name for one in sees.board.agents) if sees.board else [],
            "queue": sorted(one.name for one in sees.board.queues) if sees.board else [],
            "trunk": sorted({one.trunk for one in sees.channels.values() if one.trunk})}


def bundle_pass(path: str, by: str) -> str:
    """What a bundle's address ends with: who made it may fetch it, for a while."""
    return _signer().dumps({"name": path.rpartition("/")[2], "by": by})


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts().settings.session_key, salt="bundle")

