"""What if: days of this box played again with something else about them, by boxd, beside the calls."""

import csv
import io
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BeginRehearsal,
    GetRehearsal,
    GetRehearsals,
    Rehearsal,
    RehearsalReply,
    Rehearsals,
    StopRehearsal,
)
from appliance.bus.messages.rehearsal import MOST_DAYS, MOST_SEEDS
from webui.access.doors import need, needs, outcome
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment
from webui.reports import charts, what_if_charts, what_if_form, words
from webui.reports.choice import KINDS
from webui.reports.exports import safe
from webui.reports.what_if_said import said as in_words

bp = Blueprint("what_if", __name__, url_prefix="/reports/what-if")

ASK_S = 15.0
ENDED = ("done", "failed", "stopped", "broken-off")
DRAWN = ("service_level", "asa_s", "abandonment", "occupancy")


@bp.get("/")
@needs("report", whole=True)
def index() -> Any:
    return _index()


@bp.get("/begin")
@needs("report", whole=True)
def back() -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("what_if.index"), 303)


@bp.post("/begin")
@needs("report", act="what-if", whole=True)
def begin() -> Any:
    by = need("report")
    try:
        order = what_if_form.read(request.form, request.form.getlist("day")[:MOST_DAYS + 1])
        found = parts().exchange.ask(BeginRehearsal(order=order, by=by), ASK_S)
    except (ValueError, Refused) as error:
        outcome(str(error))
        return _index(in_words(str(error))), 409
    return redirect(url_for("what_if.show", name=found.rehearsal.rehearsal), 303)


@bp.get("/<name>")
@needs("report", whole=True)
def show(name: str) -> Any:
    found = _get(name)
    queue = request.args.get("queue", "")
    return render_template(
        "reports/what_if_result.html", found=found, going=found.rehearsal.phase not in ENDED, name=name,
        fragment=_fragment(found, queue)[1], kinds=KINDS, chosen=words.chosen, queue=queue)


@bp.get("/<name>/events")
@needs("report", whole=True)
def events(name: str) -> Response:
    _get(name)
    queue = request.args.get("queue", "")
    seen: list[Rehearsal | None] = [None]
    shown = list[Fragment]()

    def fragments(floor: Floor) -> list[Fragment]:
        """Asked anew when boxd said something new of it."""
        said = floor.rehearsal if floor.rehearsal and floor.rehearsal.rehearsal == name else None
        if not shown or said != seen[0]:
            try:
                shown[:] = [_fragment(parts().exchange.ask(GetRehearsal(rehearsal=name), ASK_S), queue)]
            except BusError:
                return shown                      # what was shown stays
            seen[0] = said
        return shown
    return stream(fragments)


@bp.post("/<name>/stop")
@needs("report", act="what-if-stopped", whole=True)
def stop(name: str) -> Any:
    """One that runs ends; one that has ended is removed."""
    try:
        parts().exchange.ask(StopRehearsal(rehearsal=name), ASK_S)
    except Refused as error:
        outcome(str(error))
        return _index(in_words(str(error))), 409
    return redirect(url_for("what_if.index"), 303)


@bp.get("/<name>/stop")
@needs("report", whole=True)
def stopped(name: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("what_if.index"), 303)


@bp.get("/<name>.csv")
@needs("report", act="what-if-taken", whole=True)
def table(name: str) -> Response:
    found = _get(name)
    if not found.result:
        abort(404)
    answer = Response("\ufeff" + csv_of(found.result), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"what-if-{name}.csv")
    return answer


def csv_of(result: dict[str, Any]) -> str:
    """A row for each figure of each queue, whole and by intervals."""
    file = io.StringIO()
    out = csv.writer(file)
    out.writerow([gettext("Queue"), gettext("Begins at"), gettext("Figure"), gettext("As it was"), "±",
                  gettext("Changed"), "±", gettext("Difference"), "±"])
    for queue, of_queue in result["queues"].items():
        for metric, row in of_queue["figures"].items():
            out.writerow([safe(queue), "", metric, *row["base"], *row["changed"], *row["change"]])
        for one in of_queue["intervals"]:
            for metric, pair in one["base"].items():
                out.writerow([safe(queue), one["at"], metric, *pair, *one["changed"][metric]])
    return file.getvalue()


def _get(name: str) -> RehearsalReply:
    try:
        return parts().exchange.ask(GetRehearsal(rehearsal=name), ASK_S)
    except Refused:
        abort(404)


def _index(wrong: str = "") -> str:
    try:
        found: Rehearsals | None = parts().exchange.ask(GetRehearsals(), ASK_S)
    except (BusError, Refused):
        found = None
    board = parts().exchange.mirror.floor.board
    going = next((one for one in found.rehearsals if one.phase not in ENDED), None) if found else None
    return render_template(
        "reports/what_if.html", found=found, going=going, wrong=wrong, kinds=KINDS, chosen=words.chosen,
        typed=request.form if wrong else {}, chosen_days=request.form.getlist("day") if wrong else [],
        queues=[one.name for one in board.queues] if board else [],
        agents=[one.name for one in board.agents] if board else [], rows=range(what_if_form.ROWS),
        strategies=what_if_form.STRATEGIES, intervals=what_if_form.INTERVALS, most_days=MOST_DAYS,
        most_seeds=MOST_SEEDS)


def _fragment(found: RehearsalReply, queue: str) -> Fragment:
    """Progress, then what came of it."""
    result, drawn = found.result, []
    of_queue = result.get("queues", {}).get(queue) if result else None
    if result and of_queue is None:
        queue, of_queue = "", result["queues"][""]
    if of_queue is not None:
        drawn = [one for metric in DRAWN if metric in of_queue["figures"] and (one := what_if_charts.draw(
            metric, unit(result, metric), of_queue["intervals"],
            of_queue["target"] if metric == "service_level" else None))]
    return "rehearsal", render_template(
        "reports/what_if_shown.html", name="rehearsal", one=found.rehearsal, result=result, drawn=drawn,
        of_queue=of_queue, queue=queue, box=charts, unit=unit, figure=words.shown, difference=difference,
        surely=surely, trouble=in_words(found.rehearsal.trouble),
        going=found.rehearsal.phase not in ENDED)


def unit(result: dict[str, Any], metric: str) -> str:
    """As words.shown takes it."""
    told = result["metrics"][metric]
    return "share" if told["share"] else str(told["unit"])


def difference(value: float | None, of: str) -> str:
    """With its sign; of shares in points."""
    if value is None:
        return "–"
    return f"{100 * value:+.1f}" if of == "share" else f"{value:+.1f}"


def surely(pair: list[float | None]) -> bool:
    """Whether it is another value, as sure as 95 %."""
    value, half = pair
    return value is not None and half is not None and abs(value) > half
