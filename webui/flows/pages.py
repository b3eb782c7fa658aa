"""Pages of flows: the list, a new one, history, what differs, the editor; what its script asks: asked.py."""

import time
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.routing import BuildError

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import GetDocument
from appliance.bus.messages.flows import (
    CompareFlow,
    DiscardFlow,
    FlowFile,
    GetFlow,
    GetFlowHistory,
    GetFlowKinds,
    GetFlows,
    RollBackFlow,
    WriteFlow,
)
from webui import live
from webui.access.doors import may, need, needs, opens, outcome
from webui.configuration import shapes
from webui.flows import drafts, shown, words
from webui.flows.said import said, said_all
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("flows", __name__, url_prefix="/flows")
bp.add_app_template_filter(said, "of_flow")
bp.add_app_template_filter(words.version_kind, "version_kind")

ASK_S = 30.0                                      # what reads flows may have to be started
ACT_S = 60.0                                      # acdd reads them, too
SHOWN = 100                                       # versions on a page
LONGEST_COMMENT = 500


@bp.get("/")
@needs("configure", whole=True)
def index() -> str:
    return _index()


@bp.get("/events")
@needs("configure", whole=True)
def events() -> Response:
    """Of all flows, or of `file`, which somebody has open."""
    file = request.args.get("file", "")
    seen: list[int] = []
    shown_last: list[Fragment] = []

    def fragments(floor: Floor) -> list[Fragment]:
        if seen != [floor.flows]:
            try:
                shown_last[:] = [_standing(file)] if file else [_list()]
            except BusError:
                return shown_last                 # what was shown stays
            seen[:] = [floor.flows]
        return shown_last
    return live.stream(fragments)


@bp.get("/new")
@needs("commit", whole=True)
def new() -> str:
    return _new()


@bp.post("/new")
@needs("commit", act="flow-made", whole=True)
def make() -> Any:
    by, form = need("commit"), request.form
    file = drafts.file_name(form.get("file", ""))
    if not file:
        return _new(gettext("A file's name has a to z, 0 to 9, - and _, and / between folders.")), 422
    if any(one.file == file for one in _flows()):
        return _new(gettext("There is a flow called %(file)s.", file=file)), 409
    copied, language = form.get("copy", ""), form.get("language", "zh")
    if language not in drafts.LANGUAGES:
        abort(400)
    try:
        text = _ask(GetFlow(file=copied)).text if copied else drafts.begun(
            form.get("template", "menu"), language, form)
        _ask(WriteFlow(by=by, file=file, text=text))
    except Refused as error:
        outcome(str(error))
        return _new(said_all(str(error))), 409
    return redirect(url_for("flows.edit", file=file), 303)


@bp.get("/edit/<path:file>")
@needs("configure", whole=True)
def edit(file: str) -> str:
    """The editor; a version `number` to look at."""
    found = _file(file)
    number = request.args.get("number", 0, int)
    kinds = _ask(GetFlowKinds()).kinds
    name, standing = _standing(file)
    return render_template(
        "flows/edit.html", file=found, standing=standing, standing_name=name, number=number,
        script={
            "file": file, "number": number, "may_change": may(current_user, "commit") and not number,
            "person": need("configure"), "words": words.of_script(),
            "kinds": [shown.kind(one) for one in kinds], "urls": _urls(file), "audio": _audio(),
            "traffic": url_for("flow_traffic.numbers", file=file) if opens("flow_traffic.numbers") else ""})


@bp.get("/history/<path:file>")
@needs("configure", whole=True)
def history(file: str) -> str:
    return _history(file)


@bp.post("/roll-back/<path:file>")
@needs("commit", act="flow-rolled-back", whole=True)
def roll_back(file: str) -> Any:
    form = request.form
    try:
        _ask(RollBackFlow(by=need("commit"), file=file, to=form.get("to", 0, int),
                          comment=form.get("why", "")[:LONGEST_COMMENT]), ACT_S)
    except Refused as error:
        outcome(str(error))
        return _history(file, said_all(str(error))), 409
    return redirect(url_for("flows.history", file=file), 303)


@bp.post("/discard/<path:file>")
@needs("commit", act="flow-discarded", whole=True)
def discard(file: str) -> Any:
    """The draft goes: also somebody else's, when the form says so."""
    try:
        _ask(DiscardFlow(by=need("commit"), file=file, take=request.form.get("take") == "yes"))
    except Refused as error:
        outcome(str(error))
        return _index(said_all(str(error))), 409
    return redirect(url_for("flows.index"), 303)


@bp.get("/compare/<path:file>")
@needs("configure", whole=True)
def compare(file: str) -> str:
    """Versions `old` and `new`, 0 as `new` is the draft: on the picture and in the text."""
    found = _file(file)
    old, newer = request.args.get("old", 0, int), request.args.get("new", 0, int)
    if not old and found.head:
        old = found.head.number
    try:
        differs = _ask(CompareFlow(file=file, old=old, new=newer))
        before = _ask(GetFlow(file=file, number=old))
        after = _ask(GetFlow(file=file, number=newer, draft=not newer))
    except Refused:
        abort(404)
    rows = shapes.difference(differs.old, differs.new)
    kinds = {one.kind: one for one in _ask(GetFlowKinds()).kinds}
    return render_template(
        "flows/compare.html", file=found, old=old, new=newer, differs=differs, difference=rows,
        versions=_ask(GetFlowHistory(file=file, most=SHOWN)).versions,
        script={
            "words": words.of_script(), "kinds": [shown.kind(one) for one in kinds.values()],
            "old": shown.flow(before, "", kinds), "new": shown.flow(after, "", kinds),
            "added": differs.added, "gone": differs.gone, "changed": differs.changed})


def _urls(file: str) -> dict[str, str]:
    return {name: url_for(f"flows.{endpoint}", file=file) for name, endpoint in (
        ("flow", "flow"), ("change", "change"), ("write", "write"), ("step", "step"), ("drop", "drop"),
        ("publish", "publish"), ("try", "attempt"), ("compare", "compare"), ("history", "history"))}


def _audio() -> str:
    """Where a prompt is heard, its name in place of NAME; "" while there is no such page."""
    try:
        return url_for("prompts.audio", name="NAME") if opens("prompts.audio") else ""
    except (BuildError, KeyError):
        return ""


def _index(wrong: str = "") -> str:
    name, html = _list()
    return render_template("flows/index.html", wrong=wrong, list_name=name, list=html)


def _list() -> Fragment:
    flows = _flows()
    return "flow-list", render_template(
        "flows/list.html", name="flow-list", flows=flows, uses=words.uses, nodes=words.nodes,
        document=_document() if flows else None)


def _document() -> Any:
    """The configuration, for the numbers in it; nothing while it is not known."""
    try:
        return shown.of_yaml(_ask(GetDocument()).text)
    except (BusError, Refused):
        return None


def _standing(file: str) -> Fragment:
    """How a file stands: what its open page has to be told."""
    found = next((one for one in _flows() if one.file == file), None)
    return "flow-standing", render_template("flows/standing.html", name="flow-standing", flow=found)


def _new(wrong: str = "") -> str:
    kinds = _ask(GetFlowKinds()).kinds
    given = {of: drafts.choices(kinds, of) for of in ("queue", "prompt", "calendar", "box")}
    return render_template(
        "flows/new.html", wrong=wrong, choices=given, templates=words.TEMPLATES,
        copies=[one.file for one in _flows() if one.head], form=request.form or request.args)


def _history(file: str, wrong: str = "") -> str:
    found = _file(file)
    return render_template("flows/history.html", file=found, wrong=wrong, now=time.time(),
                           versions=_ask(GetFlowHistory(file=file, most=SHOWN)).versions)


def _flows() -> list[FlowFile]:
    return list(_ask(GetFlows()).flows)


def _file(file: str) -> FlowFile:
    found = next((one for one in _flows() if one.file == file), None)
    if found is None:
        abort(404)
    return found


def _ask(asked: Any, timeout_s: float = ASK_S) -> Any:
    return parts().exchange.ask(asked, timeout_s)
