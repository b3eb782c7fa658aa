"""Acts on the box: each is in the log with who, why and what came of it, and asked of boxd."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from flask import request

from appliance.bus.client import Refused
from appliance.bus.messages import Request
from webui.access.doors import did
from webui.parts import parts

ACT_S = 60.0                                      # root takes longer than a daemon
BOX_ACTS = (                                      # those that the page of the box shows
    "update", "cancel", "hurry", "confirm", "back", "support", "identify", "first", "settings", "network",
    "keep-network", "undo-network", "time", "reset", "restore", "restore-back")

log = logging.getLogger(__name__)


def do(act: str, by: str, asked: Request[Any], what: str = "", why: str = "",
       took: Callable[[Any], object] = lambda reply: None, must: bool = False) -> str:
    """"": it is done, and `took` has the reply; else why it was refused. BusError: nobody knows.

    A disk that takes no writing down does not keep people from mending the box: the journal has it anyway.
    With `must` it does: sqlite3.Error, and nothing is done.
    """
    log.warning("box: %s %s, by %s from %s: %s", act, what, by, request.remote_addr, why or "-")
    number = parts().audit.begin(did(act, what, why), time.time()) if must else _begin(act, what, why)
    refused = ""
    try:
        took(parts().exchange.ask(asked, ACT_S))
    except Refused as error:
        refused = str(error)
        log.warning("box: %s: refused: %s", act, refused)
    if number is not None:
        try:
            parts().audit.end(number, refused, time.time())
        except sqlite3.Error as error:
            log.error("what came of it is not written down: %s", error)
    return refused


def why() -> str:
    """The reason that a form has, in one line."""
    return " ".join(request.form.get("why", "").split())[:1000]


def _begin(act: str, what: str, why: str) -> int | None:
    try:
        return parts().audit.begin(did(act, what, why), time.time())
    except sqlite3.Error as error:
        log.error("not written down: %s", error)
        return None
