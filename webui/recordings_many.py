"""What is done with many recordings at once: with those ticked in the list, or with all that a search finds.

The search is in the address, as that of the list is.
"""

from typing import Any

import msgspec
from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from appliance.bus.client import Refused
from appliance.bus.messages import ExportRecordings, HoldRecordings, RecordingRow
from appliance.bus.messages.catalogue import MOST_ROWS
from webui import recording_views
from webui.access.doors import need, needs, noted, outcome, range_of
from webui.hearing import describe
from webui.opened import ANSWER_S
from webui.parts import parts
from webui.recordings import EXPORT_S, bundle_pass, listed, said

bp = Blueprint("recordings_many", __name__, url_prefix="/recordings/many")

MOST = 1000                                       # recordd takes no more at a time
MOST_TICKED = 200                                 # each is looked at by itself; a page has fewer
LONGEST_NOTED = 300                               # characters of a search, in the log


@bp.get("/<any(hold, export):act>")
@needs("find")
def back(act: str) -> Response:
    """Who comes back to where a form was sent, by a change of the language, say."""
    kept: dict[str, Any] = {**recording_views.chosen(request.args)}
    return redirect(url_for("recordings.index", **kept), 303)


@bp.post("/hold")
@needs("find", "hold", act="hold", by_hand=True)
def hold() -> Any:
    """A case holds them; those whose audio was erased stay out."""
    by, case, why = need("hold"), said("case"), said("why")
    with noted("hold", f"{case}: {_which()}", why):
        try:
            names = [row.recording for row in _rows() if row.state != "erased"]
            parts().exchange.ask(HoldRecordings(case=case, by=by, why=why, recordings=names), EXPORT_S)
        except (ValueError, Refused) as error:
            outcome(str(error))
            return listed(str(error)), 409
    return listed(done={"held": len(names), "case": case})


@bp.post("/export")
@needs("find", "export", act="export", by_hand=True)
def export() -> Any:
    """One signed bundle of them; those whose audio is not on the box stay out, and their number is said."""
    by, why = need("export"), said("why")
    with noted("export", _which(), why):
        try:
            rows = _rows()
            names = [row.recording for row in rows if row.state == "kept"]
            if not names:
                raise ValueError(gettext("Of none of them the audio is on the box."))
            made = parts().exchange.ask(ExportRecordings(
                recordings=names, by=by, why=why, passphrase=request.form.get("passphrase", "")), EXPORT_S)
        except (ValueError, Refused) as error:
            outcome(str(error))
            return listed(str(error)), 409
    return listed(done={"made": made, "bundle": bundle_pass(made.path, by),
                        "left_out": len(rows) - len(names)})


def _which() -> str:
    """For the log; the chain has each of them by its name."""
    if request.form.get("which") == "found":
        return request.query_string.decode(errors="replace")[:LONGEST_NOTED] or "preset=today"
    return f"{len(request.form.getlist('recording'))} recordings"


def _rows() -> list[RecordingRow]:
    """Within the range of who asks. ValueError: none was chosen, or more than MOST were. 404: one that was
    ticked is not there."""
    if request.form.get("which") == "found":
        return _found()
    names = list(dict.fromkeys(request.form.getlist("recording")))
    if not names:
        raise ValueError(gettext("Tick recordings in the list, or take all that were found."))
    _refuse_more(len(names), MOST_TICKED)
    rows = [found.row for name in names if (found := describe(name)) is not None]
    if len(rows) != len(names):
        abort(404)
    return rows


def _found() -> list[RecordingRow]:
    """All pages of the search."""
    rows: list[RecordingRow] = []
    after = 0
    while True:
        asked = recording_views.search(recording_views.chosen(request.args), after)
        page = parts().exchange.ask(msgspec.structs.replace(
            asked, within=range_of(current_user).asked(), limit=MOST_ROWS), ANSWER_S)
        _refuse_more(page.total, MOST)
        rows += page.rows
        after = page.after
        if not after:
            return rows


def _refuse_more(count: int, most: int) -> None:
    if count > most:
        raise ValueError(gettext("At most %(most)s recordings are taken at a time: add conditions.",
                                 most=most))
