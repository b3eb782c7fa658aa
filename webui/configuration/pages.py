"""Pages of the configuration's versions."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CheckDocument,
    CommitDocument,
    CompareDocuments,
    ConfirmDocument,
    DiscardDocument,
    DocumentChecked,
    DocumentReply,
    DocumentState,
    EditDocument,
    GetDocument,
    GetDocumentHistory,
    RevertDocument,
    RollBackDocument,
)
from appliance.bus.messages import Request as Asked
from webui import live, pieces
from webui.access.doors import may, need, needs, outcome
from webui.configuration import shapes
from webui.configuration.said import said
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("configuration", __name__, url_prefix="/configuration")
bp.add_app_template_filter(said, "of_configuration")

ACT_S = 90.0                                      # a check is a process of its own
SHOWN = 50                                        # versions on a page
MOST_OCTETS = 512 * 1024                          # of a document, as boxd takes it
MINUTES = (0, 1, 5, 15, 60)                       # to choose from


@dataclass(frozen=True, slots=True)
class Editing:
    """What the editor's page shows."""

    text: str
    base: int
    newest: int
    wrong: str = ""
    checked: DocumentChecked | None = None


@bp.get("/")
@needs("configure", whole=True)
def index() -> str:
    return _index()


@bp.get("/events")
@needs("configure", whole=True)
def events() -> Response:
    seen: list[DocumentState | None] = []
    shown: list[Fragment] = []

    def fragments(floor: Floor) -> list[Fragment]:
        if seen != [floor.document]:
            seen[:] = [floor.document]
            shown[:] = _fragments()
        return shown
    return live.stream(fragments)


@bp.get("/older")
@needs("configure", whole=True)
def older() -> str:
    before = request.args.get("before", 0, int)
    found = _ask(GetDocumentHistory(before=max(before, 0), most=SHOWN))
    return render_template("configuration/older.html", found=found)


@bp.get("/versions/<int:number>")
@needs("configure", whole=True)
def version(number: int) -> str:
    return _version(number)


@bp.get("/versions/<int:number>/export")
@needs("configure", act="configuration-exported", whole=True)
def export(number: int) -> Response:
    """Secrets are in it for who may change them."""
    reply = _document(GetDocument(number=number, secrets=may(current_user, "commit")))
    answer = Response(reply.text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f"attachment; filename=branchline-{number}.yaml"
    return answer


@bp.get("/compare")
@needs("configure", whole=True)
def compare() -> str:
    """Versions `old` and `new`; 0 as `new` is the candidate."""
    old, new = request.args.get("old", 0, int), request.args.get("new", 0, int)
    try:
        found = _ask(CompareDocuments(old=old, new=new, secrets=may(current_user, "commit")))
    except Refused:
        abort(404)
    rows = shapes.difference(found.old, found.new)
    beside = request.args.get("view") != "unified"
    return render_template(
        "configuration/compare.html", old=old, new=new, found=found, difference=rows, beside=beside,
        rows=rows.rows if beside else list(shapes.unified(rows)),
        history=_ask(GetDocumentHistory(most=SHOWN)))


@bp.get("/edit")
@needs("commit", whole=True)
def edit() -> str:
    """The candidate, or the newest version when there is none."""
    newest = _document(GetDocument(secrets=True))
    head = newest.version.number if newest.version else 0
    candidate = newest.state.candidate
    if candidate is None:
        return _edit(Editing(newest.text, head, head))
    text = _document(GetDocument(candidate=True, secrets=True)).text
    return _edit(Editing(text, candidate.base, head))


@bp.post("/edit")
@needs("commit", act="configuration-edited", whole=True)
def save() -> Any:
    """The form's text, or a file's, becomes the candidate, and is checked."""
    by, text = need("commit"), _sent()
    base = request.form.get("base", 0, int)
    newest = request.form.get("newest", 0, int)
    if text is None:
        return _edit(Editing(request.form.get("text", ""), base, newest, gettext(
            "The file is no text in UTF-8, or larger than %(kib)d KiB.",
            kib=MOST_OCTETS // 1024))), 422
    try:
        state = _ask(EditDocument(by=by, text=text, base=base)).state
        checked = _ask(CheckDocument())
    except Refused as error:
        outcome(str(error))
        return _edit(Editing(text, base, newest, str(error))), 409
    head = state.head.number if state.head else 0
    if checked.mistakes:
        return _edit(Editing(text, base or head, head, checked=checked)), 422
    return redirect(url_for("configuration.candidate"), 303)


@bp.post("/pieces", endpoint="pieces")
@needs("commit", by_hand=True, whole=True)
def next_piece() -> Any:
    """Of a text or file that is larger than a form."""
    return pieces.add(MOST_OCTETS)


@bp.get("/candidate")
@needs("configure", whole=True)
def candidate() -> Any:
    """What it would change, what is said of it, and the form to commit it."""
    return _candidate()


@bp.post("/discard")
@needs("commit", act="configuration-discarded", whole=True)
def discard() -> Any:
    asked = DiscardDocument(by=need("commit"), anybodys=request.form.get("anybodys") == "yes")
    return _act(asked, _index)


@bp.post("/commit")
@needs("commit", act="configuration-committed", whole=True)
def commit() -> Any:
    return _act(CommitDocument(
        by=need("commit"), comment=request.form.get("why", ""), confirm_within_s=_within_s(),
        next_start=request.form.get("next_start") == "yes"), _candidate)


@bp.post("/versions/<int:number>/roll-back")
@needs("commit", act="configuration-rolled-back", whole=True)
def roll_back(number: int) -> Any:
    return _act(RollBackDocument(
        by=need("commit"), to=number, comment=request.form.get("why", ""), confirm_within_s=_within_s(),
        next_start=request.form.get("next_start") == "yes"), lambda wrong: _version(number, wrong))


@bp.post("/versions/<int:number>/confirm")
@needs("commit", act="configuration-confirmed", whole=True)
def confirm(number: int) -> Any:
    return _act(ConfirmDocument(by=need("commit"), number=number), _index)


@bp.post("/versions/<int:number>/go-back")
@needs("commit", act="configuration-reverted", whole=True)
def revert(number: int) -> Any:
    return _act(RevertDocument(by=need("commit"), number=number), _index)


def _act(asked: Asked[Any], again: Any) -> Any:
    try:
        _ask(asked)
    except Refused as error:
        outcome(str(error))
        return again(str(error)), 409
    except BusError as error:
        outcome(str(error))
        return render_template(
            "error.html", code=503, title=gettext("Whether this was done is not known"), note=str(error),
            text=gettext("boxd does not answer. As soon as it does, the top of every page says whether a "
                         "version still waits to be confirmed: then confirm it again. One that nobody "
                         "confirms in time goes back by itself, however long boxd was away.")), 503
    return redirect(url_for("configuration.index"), 303)


def _index(wrong: str = "") -> str:
    return render_template("configuration/index.html", wrong=wrong, fragments=_fragments(),
                           document=_whole(GetDocument()))


def _fragments() -> list[Fragment]:
    found = _ask(GetDocumentHistory(most=SHOWN))
    return [("standing", render_template("configuration/standing.html", name="standing", found=found)),
            ("history", render_template("configuration/history.html", name="history", found=found))]


def _whole(asked: GetDocument) -> dict[str, Any]:
    try:
        reply = _ask(asked)
    except Refused:                               # none could be read
        return {"parts": (), "hidden": False}
    return {"parts": shapes.sections(reply.text), "hidden": reply.hidden}


def _version(number: int, wrong: str = "") -> str:
    reply = _document(GetDocument(number=number))
    return render_template(
        "configuration/version.html", wrong=wrong, version=reply.version, state=reply.state, minutes=MINUTES,
        document={"parts": shapes.sections(reply.text), "hidden": reply.hidden})


def _candidate(wrong: str = "") -> Any:
    try:
        reply = _ask(GetDocument(candidate=True))
    except Refused:
        return redirect(url_for("configuration.index"), 303)
    base = reply.state.candidate.base if reply.state.candidate else 0
    found = _ask(CompareDocuments(old=base, secrets=may(current_user, "commit")))
    return render_template(
        "configuration/candidate.html", wrong=wrong, state=reply.state, found=found, minutes=MINUTES,
        rows=shapes.difference(found.old, found.new), checked=_ask(CheckDocument()),
        chosen=request.form.get("minutes", "5"), why=request.form.get("why", ""))


def _edit(editing: Editing) -> str:
    lines = editing.text.splitlines()
    found = editing.checked.mistakes if editing.checked else []
    return render_template(
        "configuration/edit.html", editing=editing,
        mistakes=[(one, lines[one.line - 1] if 0 < one.line <= len(lines) else "") for one in found])


def _within_s() -> float:
    minutes = request.form.get("minutes", 0.0, float)
    if not 0 <= minutes <= 1440:
        abort(400)
    return 60 * minutes


def _sent() -> str | None:
    """What was typed or is in a file, or came in pieces before. None: it is no text, or too large."""
    if word := request.form.get("upload"):
        return _read(pieces.taken(word))
    if file := request.files.get("file"):
        with file.stream as stream:
            return _read(stream.read(MOST_OCTETS + 1))
    return request.form.get("text", "").replace("\r\n", "\n")


def _read(octets: bytes) -> str | None:
    if len(octets) > MOST_OCTETS:
        return None
    try:
        return octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _document(asked: GetDocument) -> DocumentReply:
    """404: there is none."""
    try:
        return parts().exchange.ask(asked, ACT_S)
    except Refused:
        abort(404)


def _ask(asked: Any) -> Any:
    return parts().exchange.ask(asked, ACT_S)
