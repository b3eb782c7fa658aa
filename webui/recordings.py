"""Recordings: the audio, in parts where the browser asks for parts, and its peaks."""

import re
from typing import IO, cast

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.wsgi import wrap_file

from appliance.bus.messages import GetRecording
from webui import audio
from webui.parts import parts

bp = Blueprint("recordings", __name__, url_prefix="/recordings")

ID = re.compile(r"[0-9a-f]{32}")


@bp.get("/<recording>/audio")
def sound(recording: str) -> Response:
    """The WAV file. ?ticks=N cuts it there, so that the parts of one playing fit together while it grows."""
    take, finished = _take(recording)
    ticks = request.args.get("ticks", take.header.ticks, type=int)
    take = take.cut(max(0, ticks))
    wav = audio.Wav(take)
    body = wrap_file(request.environ, cast(IO[bytes], wav))
    response = Response(body, mimetype="audio/wav", direct_passthrough=True)
    response.content_length = wav.octets
    response.set_etag(f"{recording}-{take.header.ticks}-{finished:d}")
    if "download" in request.args:
        response.headers.set("Content-Disposition", "attachment", filename=f"{recording}.wav")
    response.make_conditional(request.environ, accept_ranges=True, complete_length=wav.octets)
    return response


@bp.get("/<recording>/peaks")
def peaks(recording: str) -> Response:
    """JSON for the player: what there is at this moment, and its waveform."""
    take, finished = _take(recording)
    caller, agent = audio.peaks(take)
    return jsonify(
        ticks=take.header.ticks, duration_s=take.header.duration_s, gap_s=take.header.gap_s,
        finished=finished, caller=caller, agent=agent)


def _take(recording: str) -> tuple[audio.Take, bool]:
    """The file that recordd names, if it lies where recordings lie; and whether it is complete."""
    if not ID.fullmatch(recording):
        abort(404)
    info = parts().exchange.ask(GetRecording(recording=recording))
    folder = parts().settings.recordings.resolve()
    path = (folder / info.file).resolve()
    if not info.file or not path.is_relative_to(folder) or not path.is_file():
        abort(404)
    try:
        return audio.Take.read(path), info.finished
    except (OSError, ValueError):
        abort(404)
