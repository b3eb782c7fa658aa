"""Spans: what the exchange said, as a capture file."""

import time

from flask import Blueprint, Response, abort

from appliance.bus.messages import GetTrace
from webui.parts import parts

bp = Blueprint("spans", __name__, url_prefix="/spans")


@bp.get("/<name>/trace.pcap")
def trace(name: str) -> Response:
    """The span's last D-channel frames, for Wireshark."""
    exchange = parts().exchange
    if name not in exchange.mirror.floor.span_names():
        abort(404)
    response = Response(exchange.ask(GetTrace(span=name)).pcap, mimetype="application/vnd.tcpdump.pcap")
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.pcap")
    return response
