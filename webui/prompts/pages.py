"""Pages of prompts: the table, one prompt, its sound."""

import io
import re
from typing import Any, Literal

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wsgi import wrap_file

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CopyPrompt,
    DeletePrompt,
    DraftPrompt,
    GetPrompt,
    GetPromptPeaks,
    KeepPrompt,
    PromptDraft,
    PromptReply,
    RestorePrompt,
    StopTake,
    TakePrompt,
    UploadPrompt,
)
from webui import live
from webui.access.doors import needs, noted, outcome
from webui.floor.blueprint import telephones
from webui.mirror import Floor
from webui.parts import parts
from webui.prompts import asking, views
from webui.prompts.said import said
from webui.rendered import Fragment

bp = Blueprint("prompts", __name__)
bp.add_app_template_filter(said, "of_prompt")

NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
NAME_MOST = 100
LONGEST_TEXT = 2000
LEVEL_DBM0 = -16.0                                # of prompts, unless somebody wants another
_TOKEN = re.compile(r"[0-9a-f]{32}")


@bp.get("/prompts/")
@needs("configure", whole=True)
def index() -> str:
    args = request.args
    show = args.get("show", "all") if args.get("show") in views.SHOWS else "all"
    words = args.get("words") == "yes"
    found, needed = asking.prompts()
    uses = asking.uses()
    table = views.table(found, needed, uses or {}, show, args.get("text", ""), words)
    return render_template("prompts/index.html", table=table, show=show, text=args.get("text", ""),
                           words=words, away=uses is None, views=views)


@bp.get("/prompts/<path:name>/audio")
@needs("configure", whole=True)
def audio(name: str) -> Response:
    """16 bit PCM; ?version=, ?draft= for others than what it is now; ?download is the file itself."""
    if not _is_name(name):
        abort(404)
    try:
        file, sha256 = asking.sound("" if _draft() else name, request.args.get("version", 0, int), _draft())
    except Refused:
        abort(404)
    download = "download" in request.args
    octets = file if download else asking.pcm(file)
    response = Response(wrap_file(request.environ, io.BytesIO(octets)), direct_passthrough=True,
                        mimetype="audio/wav")
    response.content_length = len(octets)
    response.set_etag(f"{sha256[:32]}-{'a-law' if download else 'pcm'}")
    response.headers["Cache-Control"] = "private, no-cache"
    if download:
        response.headers.set("Content-Disposition", "attachment", filename=f"{name.replace('/', '-')}.wav")
    response.make_conditional(request.environ, accept_ranges=True, complete_length=len(octets))
    return response


@bp.get("/prompts/<path:name>/peaks")
@needs("configure", whole=True)
def peaks(name: str) -> Response:
    try:
        found = asking.ask(GetPromptPeaks(name="" if _draft() else name, draft=_draft(),
                                          version=request.args.get("version", 0, int)))
    except Refused:
        abort(404)
    return jsonify(peaks=found.peaks, length_ms=found.length_ms, level_dbm0=found.level_dbm0)


@bp.get("/prompts/find")
@needs("configure", whole=True)
def find() -> Any:
    """The page of a name that was written, with its language."""
    name = request.args.get("name", "").strip().strip("/").lower()
    language = request.args.get("language", "")
    if language in views.LANGUAGES and views.split(name)[0] == "":
        name = f"{language}/{name}"
    if not _is_name(name):
        flash(gettext("%(name)s is no name for a prompt: write a to z, 0 to 9, - and /.", name=name or "–"),
              "refused")
        return redirect(url_for("prompts.index"), 303)
    return redirect(url_for("prompts.show", name=name), 303)


@bp.get("/prompts/events")
@needs("configure", whole=True)
def events() -> Response:
    name = request.args.get("name", "")
    if not _is_name(name):
        abort(404)
    seen: list[Any] = []
    shown: list[Fragment] = []

    def fragments(floor: Floor) -> list[Fragment]:
        new = [floor.prompts, floor.takes.get(name)]
        if seen != new:
            try:
                shown[:] = [_now(name, _reply(name)), _take(name, floor)]
            except BusError:
                return shown                      # what was shown stays
            seen[:] = new
        return shown
    return live.stream(fragments)


@bp.get("/prompt/<path:name>")
@needs("configure", whole=True)
def show(name: str) -> Any:
    return _show(name)


@bp.post("/prompts/pieces")
@needs("commit", by_hand=True, whole=True)
def pieces() -> Response:
    """The next piece of a file from a person's computer; says how much is there."""
    place, total = (request.args.get(one, -1, type=int) for one in ("offset", "total"))
    try:
        there = asking.ask(UploadPrompt(upload=request.args.get("upload", "")[:64], at=place, total=total,
                                        octets=request.get_data()))
    except Refused as error:
        return Response(said(str(error)), 409, mimetype="text/plain")
    return Response(str(there.octets), mimetype="text/plain")


@bp.post("/prompts/try/<path:name>")
@needs("commit", by_hand=True, whole=True)
def attempt(name: str) -> Any:
    """A sound to hear before it is kept: nothing has changed."""
    form = request.form
    language = "en" if (form.get("language") or views.split(name)[0]) == "en" else "zh"
    ways: dict[str, Any] = {"upload": {"upload": form.get("upload", ""), "trim": form.get("trim") == "yes"},
                            "text": {"text": form.get("text", "")[:LONGEST_TEXT + 1],
                                     "language": language},
                            "edit": {**({"draft": form["draft"]} if form.get("draft") else {"name": name}),
                                     "from_ms": form.get("from_ms", 0, int),
                                     "to_ms": form.get("to_ms", 0, int),
                                     "trim": form.get("trim") == "yes"}}
    way = ways.get(form.get("from", ""))
    if way is None:
        abort(400)
    level = form.get("level", "")
    try:
        level_dbm0 = None if level in ("", "same") else float(level)
        draft: PromptDraft = asking.ask(DraftPrompt(
            by=current_user.name, level_dbm0=level_dbm0, **way), asking.SOUND_S)
    except ValueError:
        return _show(name, gettext("Write the level as a number, such as -16.")), 422
    except Refused as error:
        return _show(name, said(str(error))), 422
    return redirect(url_for("prompts.show", name=name, draft=draft.draft, told=draft.told or None,
                            converted=form.get("converted", "")[:NAME_MOST] or None, _anchor="draft"), 303)


@bp.post("/prompts/keep/<path:name>")
@needs("commit", act="prompt-kept", whole=True)
def keep(name: str) -> Any:
    return _act(name, KeepPrompt(by=current_user.name, name=name, draft=request.form.get("draft", "")),
                gettext("It is kept: the next caller hears it."))


@bp.post("/prompts/restore/<path:name>")
@needs("commit", act="prompt-restored", whole=True)
def restore(name: str) -> Any:
    number = request.form.get("number", 0, int)
    return _act(name, RestorePrompt(by=current_user.name, name=name, number=number),
                gettext("It is as it was before: the next caller hears it."))


@bp.post("/prompts/delete/<path:name>")
@needs("commit", act="prompt-deleted", whole=True)
def delete(name: str) -> Any:
    return _act(name, DeletePrompt(by=current_user.name, name=name),
                gettext("It is deleted; its versions stay in the history."))


@bp.post("/prompts/copy/<path:name>")
@needs("commit", act="prompt-copied", whole=True)
def copy(name: str) -> Any:
    to, move = request.form.get("to", "").strip(), request.form.get("how") == "move"
    request_ = CopyPrompt(by=current_user.name, name=name, to=to, move=move)
    done = gettext("It is called %(name)s now.", name=to) if move else gettext("The copy is called %(name)s.",
                                                                               name=to)
    return _act(name, request_, done, to)


@bp.post("/prompts/record/<path:name>")
@needs("commit", act="prompt-recorded", by_hand=True, whole=True)
def record(name: str) -> Any:
    """A telephone rings, and speaks this prompt."""
    at = request.form.get("at", "").strip()[:64]
    language: Literal["zh", "en"] = "en" if request.form.get("language") == "en" else "zh"
    with noted("prompt-recorded", f"{name}: {at}"):
        return _act(name, TakePrompt(by=current_user.name, at=at, name=name, language=language),
                    gettext("%(at)s rings: lift, and speak after the tone.", at=at))


@bp.post("/prompts/stop/<path:name>")
@needs("commit", act="prompt-stopped", whole=True)
def stop(name: str) -> Any:
    return _act(name, StopTake(by=current_user.name, take=request.form.get("take", "")),
                gettext("It is stopped."))


def _act(name: str, asked: Any, done: str, to: str = "") -> Any:
    try:
        asking.ask(asked)
    except Refused as error:
        outcome(str(error))
        return _show(name, said(str(error))), 409
    flash(done)
    return redirect(url_for("prompts.show", name=to or name), 303)


def _show(name: str, wrong: str = "") -> str:
    if not _is_name(name):
        abort(404)
    reply, draft, found = _reply(name), _draft() or request.form.get("draft", ""), None
    if _TOKEN.fullmatch(draft):
        try:
            found = asking.ask(GetPromptPeaks(draft=draft, parts=1))
        except Refused as error:
            wrong = wrong or said(str(error))
    own = telephones().of(current_user.name)
    language, base = views.split(name)
    others = [f"{one}/{base}" for one in views.LANGUAGES if language and one != language]
    return render_template(
        "prompts/show.html", name=name, of_language=language, reply=reply, wrong=wrong, others=others,
        draft={"draft": draft, "length_ms": found.length_ms, "level_dbm0": found.level_dbm0,
               "told": request.args.get("told", "")[:200],
               "converted": request.args.get("converted", "")[:NAME_MOST]} if found else None,
        uses=_uses(name), now=_now(name, reply)[1], take=_take(name, parts().exchange.mirror.floor)[1],
        telephone=own.asked if own else "", views=views, usual=LEVEL_DBM0)


def _uses(name: str) -> Any:
    uses = asking.uses(name)
    return None if uses is None else uses.get(name, [])


def _reply(name: str) -> PromptReply:
    """Empty for one that there never was."""
    try:
        reply: PromptReply = asking.ask(GetPrompt(name=name))
    except Refused:
        return PromptReply(info=None, versions=[])
    return reply


def _now(name: str, reply: PromptReply) -> Fragment:
    return "now", render_template("prompts/now.html", name=name, reply=reply, views=views)


def _take(name: str, floor: Floor) -> Fragment:
    return "take", render_template("prompts/take.html", name=name, take=floor.takes.get(name))


def _draft() -> str:
    return request.args.get("draft", "")


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and len(name) <= NAME_MOST


