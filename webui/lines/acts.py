"""Channels taken out of use and brought back: some of a span, a whole span, a trunk."""

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.bus.messages import BringBack, BusyOut
from appliance.config.timeslots import BEARERS
from webui.access import doors
from webui.access.doors import Subject, need, needs
from webui.doing import do
from webui.lines.channels import BRING_BACK, BUSY_OUT, place

bp = Blueprint("line_acts", __name__, url_prefix="/lines")


@bp.post("/<span>/busy-out")
@needs("test", act="busy_out", by_hand=True)
def busy_out(span: str) -> Response:
    """Those that are marked, or with `all` the whole span; `now` ends their calls, but emergency calls."""
    return _do(BUSY_OUT, span)


@bp.post("/<span>/bring-back")
@needs("test", act="bring_back", by_hand=True)
def bring_back(span: str) -> Response:
    return _do(BRING_BACK, span)


@bp.post("/trunks/<trunk>/busy-out")
@needs("test", act="busy_out", by_hand=True)
def busy_out_trunk(trunk: str) -> Response:
    """Every span of it."""
    return _do_trunk(BUSY_OUT, trunk)


@bp.post("/trunks/<trunk>/bring-back")
@needs("test", act="bring_back", by_hand=True)
def bring_back_trunk(trunk: str) -> Response:
    return _do_trunk(BRING_BACK, trunk)


def _do(act: str, span: str) -> Response:
    """409: nothing is marked, or trunkd said no."""
    states = doors.floor().channels.get(span)
    if states is None:
        abort(404)
    by = need("test", of=Subject(trunk=states.trunk))
    chosen: list[int] = []
    if request.form.get("all") != "1":
        try:
            chosen = sorted({int(one) for one in request.form.getlist("timeslot")})
        except ValueError:
            abort(400)
        if not set(chosen) <= set(BEARERS):
            abort(400)
        if not chosen:
            abort(409, gettext("No channel is marked."))
    _ask(act, by, span, chosen)
    return redirect(url_for("spans.show", name=span, _anchor="channels"), 303)


def _do_trunk(act: str, trunk: str) -> Response:
    floor = doors.floor()
    spans = sorted(name for name, states in floor.channels.items() if states.trunk == trunk)
    if not spans:
        abort(404)
    by = need("test", of=Subject(trunk=trunk))
    for span in spans:
        _ask(act, by, span, [])
    return redirect(url_for("lines.index", _anchor=f"trunk-{trunk}"), 303)


def _ask(act: str, by: str, span: str, chosen: Sequence[int]) -> None:
    asked = (BusyOut(span=span, timeslots=list(chosen), now=request.form.get("now") == "1")
             if act == BUSY_OUT else BringBack(span=span, timeslots=list(chosen)))
    if refused := do(act, by, asked, what=place(span, chosen), must=True):
        abort(409, f"{place(span, chosen)}: {refused}")
