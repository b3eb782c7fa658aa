"""How long a page waits for daemons that do not answer: once, not for each of its questions.

Only for who looks: what changes something is asked as long as it takes, since nobody knows afterwards whether
it was done.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from flask import g, has_request_context, request

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import Reply, Request
from webui.exchange import Exchange
from webui.mirror import Mirror

R = TypeVar("R", bound=Reply)

READS = frozenset({"GET", "HEAD"})
AWAY_S = 1.0                                      # for the answer of a daemon that has fallen silent
AFTER_FAILURE_S = 3.0                             # a live page asks on, later


class Patient:
    """An Exchange that asks another one. From any thread; outside of a request it waits as it is told."""

    def __init__(self, exchange: Exchange, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._exchange, self._monotonic = exchange, monotonic

    @property
    def mirror(self) -> Mirror:
        return self._exchange.mirror

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """As Exchange.ask(); BusError at once of a daemon that this page has waited for in vain."""
        if not _looks():
            return self._exchange.ask(request, timeout_s)
        daemon, silent = request.owner, _silent()
        if self._monotonic() < silent.get(daemon, float("-inf")):
            raise BusError(f"{type(request).__name__}: {daemon} has not answered before")
        if daemon in self.mirror.floor.away:
            timeout_s = min(timeout_s, AWAY_S)
        try:
            return self._exchange.ask(request, timeout_s)
        except Refused:
            raise
        except BusError:
            silent[daemon] = self._monotonic() + AFTER_FAILURE_S
            raise


def _looks() -> bool:
    return has_request_context() and request.method in READS


def _silent() -> dict[str, float]:
    """Of this request: daemon -> until when it is not asked."""
    found: dict[str, float] = g.setdefault("silent", {})
    return found
