"""Restore a backup: it is looked at, then confirmed like a factory reset; what came of it; taken back."""

import re
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BackupInfo,
    BeginRestore,
    CancelRestore,
    Done,
    ForgetReplaced,
    GetBackups,
    GetRestore,
    PrepareRestore,
    Request,
    RestoreBegin,
    RestoreReply,
    TakeRestoreBack,
)
from webui.access.again import knows_password
from webui.access.doors import need, needs
from webui.doing import do, why
from webui.parts import parts
from webui.uploads import UploadError

bp = Blueprint("box_restore", __name__, url_prefix="/box/backup/restore")

ASK_S = 20.0
UPLOADED = "upload:"                              # of a source: boxd takes it
BACKUP = ".backup"
MOST_SOURCE, MOST_PASSPHRASE = 4000, 1024
BEGINNINGS: dict[str, RestoreBegin] = {"drained": "drained", "now": "now"}

# What a backup lacks, as appliance.box.backup.contents says it.
_LACKING = (
    (re.compile(r"(?P<path>\S+): larger than (?P<mib>\d+) MiB\b.*"),
     _l("%(path)s: larger than %(mib)s MiB, and only for finding faults")),
    (re.compile(r"(?P<path>.+): is no file"), _l("%(path)s: no file")))


def lacking(line: str) -> str:
    """In the reader's language; what is not known stays as it is."""
    for pattern, words in _LACKING:
        if found := pattern.fullmatch(line):
            return str(words) % found.groupdict()
    return line


@bp.get("/")
@needs("box", "commit", whole=True)
def index() -> str:
    return _index()


@bp.get("/<any(look, begin, cancel, back, forget):act>")
@needs("box", "commit", whole=True)
def again(act: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("box_restore.index"), 303)


@bp.post("/pieces")
@needs("box", "commit", by_hand=True, whole=True)
def pieces() -> Any:
    """The next piece of a backup from a person's computer; says how much is there."""
    place, total = (request.args.get(name, -1, type=int) for name in ("offset", "total"))
    if place < 0:
        abort(400)
    try:
        there = parts().uploads.add(request.args.get("name", ""), place, total, request.get_data(), BACKUP)
    except UploadError as error:
        return Response(str(error), 409, mimetype="text/plain")
    return Response(str(there), mimetype="text/plain")


@bp.post("/look")
@needs("box", "commit", by_hand=True, whole=True)
def look() -> Any:
    """Opened and tried out; nothing of the box is changed."""
    by, form = need("box"), request.form
    source, words = form.get("source", "")[:MOST_SOURCE], form.get("passphrase", "")
    if form.get("from") == "upload":
        name = form.get("upload", "")
        if not parts().uploads.has(name, BACKUP):
            return _index(gettext("The file did not arrive: choose it again.")), 409
        source = UPLOADED + name
    if len(words) > MOST_PASSPHRASE:
        abort(400)
    return _do("restore-looked", by, PrepareRestore(source=source, passphrase=words), source)


@bp.post("/begin")
@needs("box", "commit", by_hand=True, whole=True)
def begin() -> Any:
    """Only with the box's name and one's password typed, a reason, and the word that it is meant."""
    by, form = need("box"), request.form
    if wrong := _not_meant():
        return _index(wrong), 409
    asked = BeginRestore(
        token=form.get("token", ""), name=form.get("name", "").strip(), by=by,
        address=request.remote_addr or "", why=why(), config="config" in form, begin=_begin())
    return _do("restore", by, asked, form.get("what", "")[:200])


@bp.post("/back")
@needs("box", "commit", by_hand=True, whole=True)
def take_back() -> Any:
    """As it was before the last restore."""
    by, form = need("box"), request.form
    if wrong := _not_meant():
        return _index(wrong), 409
    return _do("restore-back", by, TakeRestoreBack(
        name=form.get("name", "").strip(), by=by, address=request.remote_addr or "", why=why(),
        begin=_begin()))


@bp.post("/cancel")
@needs("box", "commit", by_hand=True, whole=True)
def cancel() -> Any:
    return _do("restore-cancelled", need("box"), CancelRestore())


@bp.post("/forget")
@needs("box", "commit", by_hand=True, whole=True)
def forget() -> Any:
    by = need("box")
    if "sure" not in request.form:
        return _index(gettext("Say that you mean it: tick the box above the button.")), 409
    return _do("restore-forgotten", by, ForgetReplaced())


def _not_meant() -> str:
    """Why nothing is begun yet; "": it is meant, by whom the session says."""
    if not why() or "sure" not in request.form:
        return str(gettext("Give a reason and tick the box above the button."))
    return "" if knows_password() else str(gettext("This is not your password."))


def _begin() -> RestoreBegin:
    found = BEGINNINGS.get(request.form.get("begin", "drained"))
    if found is None:
        abort(400)
    return found


def _do(act: str, by: str, asked: Request[Done], what: str = "") -> Any:
    if refused := do(act, by, asked, what, why(), must=True):
        return _index(refused), 409
    return redirect(url_for("box_restore.index"), 303)


def _index(wrong: str = "") -> str:
    found: RestoreReply | None = None
    made: list[BackupInfo] = []
    try:
        found = parts().exchange.ask(GetRestore(), ASK_S)
        made = [one for one in parts().exchange.ask(GetBackups(), ASK_S).backups
                if one.path and not one.error and not one.gone]
    except (BusError, Refused):
        pass
    return render_template("system/restore.html", found=found, made=made, wrong=wrong, lacking=lacking,
                           busy=found is not None and bool(found.running or found.wished))
