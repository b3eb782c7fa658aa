"""The AsyncAPI document of the live stream, made from its shapes."""

from typing import Any

import msgspec

from webui.api.described import PREFIX, VERSION
from webui.api.live.listeners import (
    FIRST_S,
    LOOK_S,
    MOST,
    MOST_OF_TOKEN,
    MOST_SAID,
    PING_S,
    SAID_S,
    SILENT_S,
)
from webui.api.live.shapes import SCOPES, TOLD, ShowToken, Subscribe
from webui.api.live.speaking import (
    AGAIN,
    GOING_AWAY,
    MESSAGE_MOST,
    NO_TOKEN,
    POLICY,
    TOO_BIG,
    UNSUPPORTED,
)
from webui.api.live.strangers import LONGEST_WAIT_S, MOST_OF_ADDRESS, TOKEN_S

_DESCRIPTION = f"""What goes on at one box, told as it happens.

**WebSocket.** The token goes in `Authorization: Bearer blt_...`; a browser's script, which
cannot set headers, says `{{"token": "blt_..."}}` as its first message, within {TOKEN_S:g} s, or offers the
subprotocols `branchline.v1` and `bearer.blt_...`. Nothing is told before. Then say
`{{"subscribe": ["board", "alerts"]}}` within {FIRST_S:g} s, and more topics whenever you like. The box pings
every {PING_S:g} s; who answers none for {SILENT_S:g} s is let go.

**Server-sent events.** `GET {PREFIX}/live?subscribe=board,alerts` with `Accept: text/event-stream`:
`event` is the topic, `data` the same message; `event: end` has a code and why.

Of each topic comes first a snapshot, then changes; `seq` goes up by one with each. A number that is left out
does not happen: the box lets a connection go rather than leave out a change.

Scopes: {", ".join(f"{topic}: `{scope}`" for topic, scope in SCOPES.items())}.

Close codes: {GOING_AWAY} the box goes away, or no ping was answered; {UNSUPPORTED} not text; {POLICY} what
was said makes no sense, a scope is lacking, nothing was subscribed to, or the token is over (noticed within
{LOOK_S:g} s); {NO_TOKEN} the first message was no valid token, or none came; {TOO_BIG} a message of more than
{MESSAGE_MOST} characters; {AGAIN} too slow: what waits for the program has grown too large.

Limits: {MOST} connections in all (503), {MOST_OF_TOKEN} of one token (429), {MOST_OF_ADDRESS} of one
address that have not shown a token yet (429), {MOST_SAID} messages from a program in {SAID_S:g} s. An address
whose first messages are wrong tokens waits longer and longer, {LONGEST_WAIT_S:g} s at most (429)."""


def document(title: str, version: str) -> dict[str, Any]:
    """AsyncAPI 3.0."""
    shapes: tuple[type[msgspec.Struct], ...] = (ShowToken, Subscribe, *TOLD)
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    names = [one.__name__ for one in shapes]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"{title}, live", "version": f"{VERSION} ({version})", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {"box": {"host": "box:8080", "protocol": "wss", "description": "one box of a branch",
                            "security": [{"$ref": "#/components/securitySchemes/token"}]}},
        "channels": {"live": {
            "address": f"{PREFIX}/live",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            "bindings": {"ws": {"method": "GET"}}}},
        "operations": {
            "show": {
                "action": "receive", "channel": {"$ref": "#/channels/live"},
                "summary": "A program that said no token in its request says it first.",
                "messages": [{"$ref": "#/channels/live/messages/ShowToken"}]},
            "subscribe": {
                "action": "receive", "channel": {"$ref": "#/channels/live"},
                "summary": "A program says what it wants to hear of.",
                "messages": [{"$ref": "#/channels/live/messages/Subscribe"}]},
            "tell": {
                "action": "send", "channel": {"$ref": "#/channels/live"},
                "summary": "The box tells what there is, then what changes.",
                "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in names[2:]]}},
        "components": {
            "messages": {name: {"name": name, "payload": {"$ref": f"#/components/schemas/{name}"}}
                         for name in names},
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
