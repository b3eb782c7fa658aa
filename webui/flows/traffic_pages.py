"""How callers went through a flow, on its picture: for who sees reports, whether he sees the rest or not."""

import time
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for

from appliance.bus.client import Refused
from appliance.bus.messages import GetFigures
from appliance.bus.messages.flows import FlowReply, GetFlow, GetFlowKinds, GetFlows
from webui.access.doors import needs
from webui.flows import shown, traffic, words
from webui.flows.pages import ASK_S
from webui.parts import parts
from webui.reports.choice import Choice, times

bp = Blueprint("flow_traffic", __name__, url_prefix="/flow-traffic")

DAYS = {"today": 1, "week": 7, "month": 30}


@bp.get("/")
@needs("report", whole=True)
def index() -> str:
    flows = [one for one in _ask(GetFlows()).flows if one.head]
    return render_template("flows/traffic_list.html", flows=flows, nodes=words.nodes)


@bp.get("/of/<path:file>")
@needs("report", whole=True)
def picture(file: str) -> str:
    """What is published, with nothing that would change it."""
    reply, kinds = _published(file), _ask(GetFlowKinds()).kinds
    return render_template(
        "flows/traffic.html", file=reply.file,
        script={"words": words.of_script(), "kinds": [shown.kind(one) for one in kinds],
                "flow": shown.flow(reply, "", {one.kind: one for one in kinds}),
                "traffic": url_for("flow_traffic.numbers", file=file)})


@bp.get("/numbers/<path:file>")
@needs("report", whole=True)
def numbers(file: str) -> Response:
    """By node of what is published: entered, hung up there, and each way."""
    days = DAYS.get(request.args.get("period", "today"))
    if days is None:
        abort(404)
    reply, now = _published(file), time.time()
    today = datetime.fromtimestamp(now).date()
    when = times(Choice(kind="flow", period="dates", since=str(today - timedelta(days=days - 1)),
                        until=str(today)), now)
    try:
        rows = _ask(GetFigures(of="node", since=when.since, until=when.until,
                               figures=list(traffic.FIGURES))).rows
    except Refused:
        rows = []
    found = traffic.of(file, _ask(GetFlows()).flows, reply.picture.nodes, rows)
    return jsonify({"since": when.since, "until": when.until, "nodes": found})


def _published(file: str) -> FlowReply:
    try:
        return _ask(GetFlow(file=file))           # type: ignore[no-any-return]
    except Refused:
        abort(404)


def _ask(asked: Any) -> Any:
    return parts().exchange.ask(asked, ASK_S)
