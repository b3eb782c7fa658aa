"""Whose a token is, and where a request says it."""

import time
from dataclasses import replace

from flask import Request

from webui.access import people, roles
from webui.api.tokens import Client
from webui.parts import parts

BEARER = "bearer."                                # before a token among the subprotocols of a WebSocket


def token_of(asked: Request) -> str:
    """"": there is none. A browser's script cannot set headers of a WebSocket: it says bearer.TOKEN as one of
    its subprotocols."""
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme or asked.endpoint != "api.live":
        return ""
    offered = (one.strip() for one in asked.headers.get("Sec-WebSocket-Protocol", "").split(","))
    return next((one.removeprefix(BEARER) for one in offered if one.startswith(BEARER)), "")


def client_of(token: str) -> Client | None:
    """With what it may at this moment: never more than who made it has now. None: nobody's."""
    client = parts().tokens.client(token, time.time()) if token else None
    maker = parts().users.person(client.made_by) if client else None
    if client is None or maker is None or maker.disabled:
        return None
    within = people.effective(maker)
    if not within.covers(client.within):
        return None
    return replace(client, scopes=frozenset(
        one for one in client.scopes if roles.may(maker.role, one, within)))
