"""What the player of a recording asks for: its waveform, and its audio.

The audio is opened in the name of who has signed in, and recordd keeps that before the first octet leaves.
"""

import re
from typing import IO, Any, cast
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wsgi import wrap_file

from appliance.bus.client import Refused
from appliance.bus.messages import DescribeRecording, Form, GetPeaks, GetRecording, RecordingDescribed
from webui import recording_views, views
from webui.access.doors import floor, need, needs, noted, range_of
from webui.access.ranges import Subject
from webui.opened import ANSWER_S, Sound, Wanted
from webui.parts import parts

bp = Blueprint("hearing", __name__, url_prefix="/recordings")

ID = re.compile(r"[0-9a-f]{32}")
LONGEST_S = 30 * 86400                            # that something is shared for


@bp.get("/<recording>/audio")
@needs("self", by_hand=True)
def sound(recording: str) -> Response:
    """The file as it is kept; ?form=wav for players that cannot read that one; ?download to take it home.

    ?ticks=N cuts one that is being made, so that the parts of one playing fit together while it grows.
    """
    if request.method == "HEAD":                  # it would be kept as heard
        abort(405)
    download = "download" in request.args
    why = _let_in(recording, download=download)
    form: Form = "wav" if request.args.get("form") == "wav" else "stored"
    ticks = max(0, request.args.get("ticks", 0, type=int))
    info = parts().exchange.ask(GetRecording(recording=recording), ANSWER_S)
    if not info.known or info.erased:
        abort(404)
    wanted = Wanted(recording, current_user.name, "download" if download else "listen",
                    form if info.finished else "wav", 0 if info.finished else ticks, why)
    act = "download" if download else "listen"
    try:
        file = Sound(parts().exchange, parts().opened, wanted, lambda: noted(act, recording, why))
    except Refused as error:
        current_app.logger.info("%s for %s: %s", recording, wanted.by, error)
        abort(404)
    response = Response(wrap_file(request.environ, cast(IO[bytes], file)), direct_passthrough=True)
    response.content_type = file.media_type
    response.content_length = file.octets
    response.set_etag(f"{recording}-{wanted.form}-{file.octets}")
    if download:
        described = describe(recording)
        name = recording_views.file_name(recording, described.row if described else None, file.media_type)
        response.headers.set("Content-Disposition", "attachment", **{"filename*": f"UTF-8''{quote(name)}"})
    response.make_conditional(request.environ, accept_ranges=True, complete_length=file.octets)
    return response


@bp.get("/<recording>/peaks")
@needs("self")
def peaks(recording: str) -> Response:
    """JSON for the player: what there is at this moment, its waveform, its marks and silences."""
    why = _let_in(recording)
    try:
        found = parts().exchange.ask(GetPeaks(recording=recording), ANSWER_S)
    except Refused:
        abort(404)
    described = describe(recording, shared=bool(why)) if found.info.finished else None
    return jsonify(
        ticks=round(found.info.duration_s * 100), duration_s=found.info.duration_s, gap_s=found.info.gap_s,
        finished=found.info.finished, format=found.info.format, caller=found.caller, agent=found.agent,
        gone=recording_views.gone(described.row) if described else "",
        silences=described.silences if described else [],
        marks=recording_views.marks(described) if described else [])


@bp.get("/shared/<pass_>")
@needs("self")
def shared(pass_: str) -> str:
    """What somebody on this box gave a link to; whoever opens it has signed in."""
    told = read_pass(pass_)
    if told is None:
        abort(404)
    return render_template("recordings/shared.html", told=told, pass_=pass_,
                           found=describe(told["recording"], shared=True))


def describe(recording: str, *, shared: bool = False) -> RecordingDescribed | None:
    """None: it is not finished, or there is no such one. 404: that is no recording's name, or it is outside
    the range of who asks, to whom nobody has `shared` it."""
    if not ID.fullmatch(recording):
        abort(404)
    try:
        found = parts().exchange.ask(DescribeRecording(recording=recording), ANSWER_S)
    except Refused:
        found = None
    within = range_of(current_user)
    if shared or not within.limited:
        return found
    if found is None:                             # it is being made: its contact is on the floor
        live = views.live_contacts(floor())
        if not any(part.recording == recording for contact in live for part in contact.segments):
            abort(404)
    elif not within.holds(Subject(found.row.queue, found.row.agent, found.row.trunk)):
        abort(404)
    return found


def make_pass(recording: str, by: str, why: str, for_s: int) -> str:
    """What opens one recording for whoever has signed in, for a time."""
    return _signer().dumps({"recording": recording, "by": by, "why": why, "for_s": for_s})


def read_pass(pass_: str) -> dict[str, Any] | None:
    """What it was made of; None: it is none, or its time is over."""
    try:
        told, made_at = _signer().loads(pass_, max_age=LONGEST_S, return_timestamp=True)
        _signer().loads(pass_, max_age=told["for_s"])
    except BadSignature:
        return None
    return {**told, "until": made_at.timestamp() + told["for_s"]}


def _let_in(recording: str, *, download: bool = False) -> str:
    """Why it may be heard, "" for one's own right. 404: no such name, or outside the range of who asks;
    403: no right, nor a pass for it."""
    if not ID.fullmatch(recording):
        abort(404)
    if not download and _shared_by(recording):
        return _shared_by(recording)
    need("download" if download else "listen")
    describe(recording)
    return ""


def _shared_by(recording: str) -> str:
    """By a pass that came with the request; "": there is none for this recording."""
    told = read_pass(request.args.get("pass", ""))
    return f"shared by {told['by']}: {told['why']}" if told and told["recording"] == recording else ""


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts().settings.session_key, salt="shared recording")
