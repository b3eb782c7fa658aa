"""Where recordings lie: room, holds, retention, archive, their count, and the chain of what was done."""

import time
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.bus.client import Refused
from appliance.bus.messages import (
    GetBoxKey,
    GetChain,
    GetHolds,
    GetPurgeForecast,
    GetPurgeReports,
    GetRecorder,
    GetRecordingChecks,
    GetRetention,
    GetSpace,
    ReleaseHold,
    VerifyChain,
)
from webui import recording_views
from webui.access.doors import need, needs
from webui.opened import ANSWER_S
from webui.parts import parts

bp = Blueprint("recording_store", __name__, url_prefix="/recordings/store")

COUNTED_S = 48 * 3600.0
CHECK_S = 60.0                                    # of all recordings, or of the whole chain
REPORTS, ENTRIES = 7, 12


@bp.get("/")
@needs("keep")
def index() -> str:
    return _index()


@bp.get("/retention")
@needs("keep")
def retention() -> str:
    """Also what the rules take, and what would go now: all recordings are looked at."""
    by = need("keep")
    return _index(retention=_ask(GetRetention(), CHECK_S), forecast=_ask(GetPurgeForecast(by=by), CHECK_S))


@bp.get("/<any(chain, release):act>")
@needs("keep")
def back(act: str) -> Response:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("recording_store.index"), 303)


@bp.post("/chain")
@needs("keep", act="chain-checked")
def chain() -> str:
    """The whole chain is checked now."""
    return _index(checked=_ask(VerifyChain(), CHECK_S))


@bp.post("/release")
@needs("release", "keep", act="release")
def release() -> Any:
    """A case is over."""
    by = need("release")
    try:
        _ask(ReleaseHold(case=request.form.get("case", ""), by=by, why=request.form.get("why", "").strip()))
    except Refused as error:
        return _index(wrong=str(error)), 409
    return redirect(url_for("recording_store.index"), 303)


def _index(**done: Any) -> str:
    now, space = time.time(), _ask(GetSpace())
    return render_template(
        "recordings/store.html", space=space, shares=recording_views.shares(space),
        warnings=_ask(GetRecorder()).warnings, cases=_ask(GetHolds(every=True)).cases,
        checks=_ask(GetRecordingChecks(since=now - COUNTED_S, until=now)).checks,
        reports=_ask(GetPurgeReports(most=REPORTS)).reports, key=_ask(GetBoxKey()),
        entries=_ask(GetChain(most=ENTRIES)).entries, recording_views=recording_views, **done)


def _ask(asked: Any, timeout_s: float = ANSWER_S) -> Any:
    return parts().exchange.ask(asked, timeout_s)
