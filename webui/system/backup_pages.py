"""Backups: what there is, whether each can be restored, one more now; their passphrase; how to restore."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BackUp,
    BackupReply,
    Done,
    GetBackups,
    Request,
    SetBackupPassphrase,
    TryBackup,
)
from appliance.bus.messages.backup import PASSPHRASE_LEAST
from webui.access.doors import needs, outcome
from webui.parts import parts

bp = Blueprint("box_backup", __name__, url_prefix="/box/backup")

ASK_S = 20.0
SHOWN = 50
MOST_PASSPHRASE = 1024


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/<any(now, try, passphrase):act>")
@needs("box")
def back(act: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("box_backup.index"), 303)


@bp.post("/now")
@needs("box", act="backup-now")
def now() -> Any:
    return _ask(BackUp())


@bp.post("/try")
@needs("box", act="backup-checked")
def try_out() -> Any:
    """A restore into a folder of its own, which goes again."""
    return _ask(TryBackup(path=request.form.get("path", "")[:4000]))


@bp.post("/passphrase")
@needs("box", act="backup-passphrase")
def set_passphrase() -> Any:
    """Of later backups; typed twice, for whoever mistypes it opens none of them. It is shown nowhere."""
    words, again = request.form.get("passphrase", ""), request.form.get("again", "")
    if len(words) > MOST_PASSPHRASE:
        abort(400)
    wrong = "" if words == again else gettext("The two passphrases differ.")
    if len(words) < PASSPHRASE_LEAST:
        wrong = ngettext("A passphrase has at least %(num)d character.",
                         "A passphrase has at least %(num)d characters: four words or more are good.",
                         PASSPHRASE_LEAST)
    if wrong:
        outcome(wrong)
        return _index(wrong), 422
    return _ask(SetBackupPassphrase(passphrase=words))


def _ask(asked: Request[Done]) -> Any:
    try:
        parts().exchange.ask(asked, ASK_S)
    except Refused as error:
        outcome(str(error))
        return _index(str(error)), 409
    return redirect(url_for("box_backup.index"), 303)


def _index(wrong: str = "") -> str:
    try:
        found: BackupReply | None = parts().exchange.ask(GetBackups(), ASK_S)
    except (BusError, Refused):
        found = None
    return render_template(
        "system/backups.html", found=found, wrong=wrong, shown=SHOWN, least=PASSPHRASE_LEAST)
