"""Spans: the line of each, its channels, its history, and what the exchange said as a capture file."""

import sqlite3
import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from appliance.bus.client import BusError
from appliance.bus.messages import GetLineHistory, LineHistory
from webui import line_view, signalling
from webui.access import doors
from webui.access.audit import Asked, Entry
from webui.access.doors import Subject, may, need, needs
from webui.lines.channels import BRING_BACK, BUSY_OUT, map_view
from webui.lines.legs import Legs
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("spans", __name__, url_prefix="/spans")

SIGNALLING_S = 2.0                                # how old the D-channel on an open page may get
HISTORY_S = 10.0                                  # how old the history on an open page may get
ACTS = 500                                        # looked through for who took a channel out of use


@bp.get("/<name>")
@needs("line")
def show(name: str) -> str:
    """One span: alarms, counters, clock, its channels, a day and a month of error performance."""
    _known(name)
    floor = doors.floor()
    return render_template(
        "spans/show.html", name=name, may_test=_may_test(floor, name), fragments=[
            _line(floor, name)[1], _channels(floor, name, Legs())[1], _history(name)[1],
            *([signalling.span_fragment(name)[1]] if _all_calls() else [])])


@bp.get("/<name>/events")
@needs("line")
def events(name: str) -> Response:
    """The same, live."""
    _known(name)
    asked_at, history = float("-inf"), ("", "")
    heard_at, said = float("-inf"), (signalling.NAME, "")
    legs, every = Legs(), _all_calls()

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal asked_at, history, heard_at, said
        yield _line(floor, name)
        yield _channels(floor, name, legs)
        if time.monotonic() - asked_at >= HISTORY_S:
            asked_at, history = time.monotonic(), _history(name)
        yield history
        if not every:
            return
        if time.monotonic() - heard_at >= SIGNALLING_S:
            heard_at, said = time.monotonic(), signalling.span_fragment(name)
        yield said

    return stream(fragments, turn_s=HISTORY_S)


@bp.get("/<name>/trace.pcap")
@needs("line", act="trace-taken")
def trace(name: str) -> Response:
    """The last minutes of the span's D-channel, for Wireshark."""
    _known(name)
    if not _all_calls():
        abort(404)
    try:
        minutes = float(request.args.get("minutes", signalling.LAST_S / 60))
    except ValueError:
        abort(400)
    if not 0 < minutes <= signalling.LONGEST_S / 60:
        abort(400)
    return signalling.span_file(name, minutes * 60)


def _known(name: str) -> None:
    floor = doors.floor()
    if name not in floor.span_names():
        abort(404)
    need("line", of=Subject(trunk=_trunk(floor, name)))


def _all_calls() -> bool:
    """Whether every call of a trunk that he sees is within his range: numbers are on its D-channel."""
    within = doors.range_of(current_user)
    return within.queues is None and within.agents is None


def _trunk(floor: Floor, name: str) -> str:
    states = floor.channels.get(name)
    return states.trunk if states else ""


def _may_test(floor: Floor, name: str) -> bool:
    return may(current_user, "test", Subject(trunk=_trunk(floor, name)))


def _line(floor: Floor, name: str) -> Fragment:
    return parts().rendered("spans/line.html", "line", line_view.line_view(floor, name))


def _channels(floor: Floor, name: str, legs: Legs) -> Fragment:
    view = map_view(floor, name, legs.known(floor, name), _acts(floor, name))
    return parts().rendered("lines/channels.html", "channels", (view, _may_test(floor, name)))


def _acts(floor: Floor, name: str) -> list[Entry]:
    """Only when a channel is out of use: nobody else asks who did it."""
    states = floor.channels.get(name)
    if states is None or not any(one.blocked or one.state == "blocked" for one in states.channels):
        return []
    try:
        return parts().audit.entries(Asked(acts=(BUSY_OUT, BRING_BACK)), ACTS)
    except sqlite3.Error:
        return []


def _history(name: str) -> Fragment:
    now = time.time()
    try:
        found: LineHistory | None = parts().exchange.ask(GetLineHistory(span=name))
    except BusError:
        found = None
    view = line_view.history_view(found, now) if found else None
    return "history", render_template("spans/history.html", name="history", view=view)
