"""Backups: what there is, whether each can be restored, one more now; and how a restore is begun."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import BackUp, BackupReply, Done, GetBackups, Request, TryBackup
from webui.access.doors import needs, outcome
from webui.parts import parts

bp = Blueprint("box_backup", __name__, url_prefix="/box/backup")

ASK_S = 20.0
SHOWN = 50


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/<any(now, try):act>")
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
    return render_template("system/backups.html", found=found, wrong=wrong, shown=SHOWN)
