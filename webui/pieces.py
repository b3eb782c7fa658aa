"""Files and texts larger than a form, which static/pieces.js sends in pieces before it; kept in memory."""

import time
from typing import Any

from flask import Response, abort, current_app, request
from flask_babel import gettext
from flask_login import current_user

from webui.access.halves import Waiting

EXTENSION = "branchline.pieces"
KEPT_S, MOST = 600.0, 8                           # of all people


def add(most_octets: int) -> Any:
    """The request's body is the next piece, in order; the answer is the word that the next one names."""
    octets = request.get_data()
    word = request.args.get("word", "")
    if not word:
        return _kept().keep((current_user.name, bytearray(octets)), time.time())
    found = _kept().find(word, time.time())
    if found is None or found[0] != current_user.name:
        abort(404)
    if len(found[1]) != request.args.get("offset", -1, int):
        abort(409)
    if len(found[1]) + len(octets) > most_octets:
        return Response(gettext("It is larger than %(kib)d KiB.", kib=most_octets // 1024), 413,
                        mimetype="text/plain")
    found[1].extend(octets)
    return word


def taken(word: str) -> bytes:
    """What came in pieces, once. 404: nothing has come under this word, or somebody else's."""
    found = _kept().take(word, time.time())
    if found is None or found[0] != current_user.name:
        abort(404)
    return bytes(found[1])


def _kept() -> Waiting[tuple[str, bytearray]]:
    found: Waiting[tuple[str, bytearray]] = current_app.extensions.setdefault(
        EXTENSION, Waiting(KEPT_S, MOST))
    return found
