"""GET /api/v1/live: by WebSocket for who asks to upgrade, else as server-sent events."""

import math
import time
from importlib.metadata import version
from typing import Any

from flask import Flask, Request, Response, abort, current_app, jsonify, request
from flask_login import current_user
from werkzeug.exceptions import BadRequest, NotAcceptable, ServiceUnavailable, TooManyRequests
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, RejectConnection
from wsproto.handshake import H11Handshake
from wsproto.utilities import LocalProtocolError, RemoteProtocolError, generate_accept_token

from webui.access import doors
from webui.access.audit import Did
from webui.access.doors import needs
from webui.access.entering import address
from webui.api.live import described, strangers
from webui.api.live.listeners import MOST, MOST_OF_TOKEN, Listeners, Peer
from webui.api.live.shapes import SCOPES
from webui.api.live.speaking import EventStream, Speaker, WebSocket
from webui.api.opening import client_of, token_of
from webui.api.operations import TITLE, bp
from webui.api.tokens import Client
from webui.parts import Parts, parts
from webui.server import TAKE

EXTENSION = "branchline.live"
SUBPROTOCOL = "branchline.v1"


def listen(app: Flask) -> Listeners:
    """Of this application; its threads begin with the first connection."""
    there: Parts = app.extensions["branchline"]

    def known(token: str) -> Any:
        client = client_of(token)
        return None if client is None else (client, client.within.resolved(parts().crew.groups()))

    def locked_out(from_: str) -> None:
        there.audit.note(Did("", "client", from_, "locked-out", from_), "wrong tokens", time.time())
    listeners = app.extensions[EXTENSION] = Listeners(
        app, there.exchange.mirror, there.notices, there.alerts, known, there.crew.groups, locked_out)
    return listeners


@bp.get("/asyncapi.json")
@needs("open")
def live_document() -> Response:
    """For whoever writes a program: no token."""
    return jsonify(described.document(TITLE, version("branchline")))


def is_stranger(asked: Request) -> bool:
    """Who opens a WebSocket and says no token with it: it has to be the first message."""
    return (asked.endpoint == "api.live" and asked.headers.get("Upgrade", "").lower() == "websocket"
            and "Authorization" not in asked.headers and not token_of(asked))


@bp.get("/live", websocket=True)
@bp.get("/live")
@needs("open")                                    # who shows no token here is_stranger, or 401
def live() -> Response:
    """What goes on, as it happens; docs/asyncapi.json says how."""
    take = request.environ.get(TAKE)
    upgraded = request.headers.get("Upgrade", "").lower() == "websocket"
    if not upgraded and "text/event-stream" not in request.accept_mimetypes.values():
        raise NotAcceptable("ask to upgrade to a websocket, or accept text/event-stream")
    if request.environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        raise BadRequest("only over HTTP/1.1")
    if request.method == "HEAD" or take is None:
        abort(503)
    hears = set[str]() if upgraded else _wanted()
    response = _agreed() if upgraded else _listening()
    _take(take, WebSocket() if upgraded else EventStream(), hears)
    return response


def _take(take: Any, speaker: Speaker, hears: set[str]) -> None:
    """The socket is handed over when the answer has gone out."""
    listeners: Listeners = current_app.extensions[EXTENSION]
    client: Client | None = None if is_stranger(request) else current_user._get_current_object()
    place: int | str = address() if client is None else client.number
    if isinstance(place, str) and (wait_s := listeners.strangers.wait_s(place, time.monotonic())):
        raise TooManyRequests("too many wrong tokens came from there", retry_after=math.ceil(wait_s))
    reserved = listeners.reserve(place)
    if reserved is None:
        raise TooManyRequests(f"this token has {MOST_OF_TOKEN} live connections" if client else
                              f"{strangers.MOST_OF_ADDRESS} from there have not shown a token yet")
    if not reserved:
        raise ServiceUnavailable(f"there are {MOST} live connections, or too many without a token")
    token, within = token_of(request), doors.range_of(current_user)

    def taken(sock: Any, rest: bytes) -> None:
        listeners.take(Peer(sock, speaker, client, place, token, within, hears, rest))
    take(taken)


def _agreed() -> Response:
    names = ("Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
             "Sec-WebSocket-Protocol")
    asked = [(name.encode(), request.headers[name].encode("latin-1"))
             for name in names if name in request.headers]
    handshake = H11Handshake(ConnectionType.SERVER)
    offered = [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
    try:
        handshake.initiate_upgrade_connection(asked, "/api/v1/live")
        handshake.send(AcceptConnection(subprotocol=subprotocol))
    except RemoteProtocolError as error:
        hint = error.event_hint
        response = Response(f"{error}\n", hint.status_code if isinstance(hint, RejectConnection) else 400,
                            mimetype="text/plain")
        response.headers["Sec-WebSocket-Version"] = "13"
        abort(response)
    except (LocalProtocolError, ValueError) as error:
        raise BadRequest(str(error)) from None
    response = Response(status=101)
    del response.headers["Content-Type"]
    key = request.headers["Sec-WebSocket-Key"].encode("latin-1")
    response.headers.update({
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Accept": generate_accept_token(key).decode()})
    if subprotocol:
        response.headers["Sec-WebSocket-Protocol"] = subprotocol
    return response


def _listening() -> Response:
    response = Response(mimetype="text/event-stream")
    response.headers.remove("Content-Length")
    response.headers["X-Accel-Buffering"] = "no"  # a proxy before the box
    response.automatically_set_content_length = False
    return response


def _wanted() -> set[str]:
    """Of the address: ?subscribe=board,lines."""
    if set(request.args) != {"subscribe"}:
        raise BadRequest("say ?subscribe= with topics and commas between them")
    wanted = set(request.args["subscribe"].split(","))
    if not wanted <= set(SCOPES):
        raise BadRequest(f"subscribe: one of {', '.join(SCOPES)}")
    for topic in sorted(wanted):
        doors.need(SCOPES[topic])
    return wanted
