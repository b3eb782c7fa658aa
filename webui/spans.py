"""Spans: the line of each, its history, and what the exchange said as a capture file."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, render_template

from appliance.bus.client import BusError
from appliance.bus.messages import GetLineHistory, LineHistory
from webui import line_view, signalling
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("spans", __name__, url_prefix="/spans")

SIGNALLING_S = 2.0                                # how old the D-channel on an open page may get
HISTORY_S = 10.0                                  # how old the history on an open page may get


@bp.get("/<name>")
def show(name: str) -> str:
    """One span: alarms, counters, clock, and a day of error performance."""
    _known(name)
    floor = parts().exchange.mirror.floor
    return render_template(
        "spans/show.html", name=name, fragments=[
            _line(floor, name)[1], _history(name)[1], signalling.span_fragment(name)[1]])


@bp.get("/<name>/events")
def events(name: str) -> Response:
    """The same, live."""
    _known(name)
    asked_at, history = float("-inf"), ("", "")
    heard_at, said = float("-inf"), (signalling.NAME, "")

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal asked_at, history, heard_at, said
        yield _line(floor, name)
        if time.monotonic() - asked_at >= HISTORY_S:
            asked_at, history = time.monotonic(), _history(name)
        yield history
        if time.monotonic() - heard_at >= SIGNALLING_S:
            heard_at, said = time.monotonic(), signalling.span_fragment(name)
        yield said

    return stream(fragments, turn_s=HISTORY_S)


@bp.get("/<name>/trace.pcap")
def trace(name: str) -> Response:
    """The last minutes of the span's D-channel, for Wireshark."""
    _known(name)
    return signalling.span_file(name)


def _known(name: str) -> None:
    if name not in parts().exchange.mirror.floor.span_names():
        abort(404)


def _line(floor: Floor, name: str) -> Fragment:
    return parts().rendered("spans/line.html", "line", line_view.line_view(floor, name))


def _history(name: str) -> Fragment:
    try:
        found: LineHistory | None = parts().exchange.ask(GetLineHistory(span=name))
    except BusError:
        found = None
    view = line_view.history_view(found, time.time()) if found else None
    return "history", render_template("spans/history.html", name="history", view=view)
