"""Calendars of rules that hold only while one is open, or closed: asked of acdd, which goes by them."""

from collections.abc import Mapping
from typing import Literal

from appliance.bus.client import BusError
from appliance.bus.messages import CalendarInfo, GetCalendars
from webui.exchange import Exchange

AGAIN_S = 20.0                                    # a hand opens and closes, which nobody says as an event
PATIENCE_S = 5.0

Standing = Literal["open", "closed", "none", ""]  # none: there is no such calendar; "": nobody knows


def asked(exchange: Exchange) -> Mapping[str, CalendarInfo] | None:
    """None: acdd does not answer."""
    try:
        return {one.name: one for one in exchange.ask(GetCalendars(), PATIENCE_S).calendars}
    except BusError:
        return None


class Calendars:
    """One thread's. What acdd said holds until it changes by itself, also while acdd is away."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: Mapping[str, CalendarInfo] | None = None
        self._asked_at = float("-inf")
        self._document: object = None             # the one in force then
        self._used: set[str] = set()

    def begin(self) -> None:
        """Of one look at all rules."""
        self._used.clear()

    def standing(self, name: str, now: float) -> Standing:
        if now >= self._due() or now < self._asked_at or (
                self._exchange.mirror.floor.document is not self._document):
            self._document, self._asked_at = self._exchange.mirror.floor.document, now
            found = asked(self._exchange)
            self._known = self._known if found is None else found
        self._used.add(name)
        if self._known is None:
            return ""
        info = self._known.get(name)
        if info is None:
            return "none"
        if info.until is not None and now >= info.until:
            return ""                             # it has changed, and nobody says to what
        return "open" if info.open else "closed"

    def next_at(self) -> float | None:
        """When a calendar that was looked at is to be looked at again."""
        return self._due() if self._used else None

    def _due(self) -> float:
        """Asked already after its change: as often as anybody."""
        ends = [info.until for info in (self._known or {}).values()
                if info.until is not None and info.until > self._asked_at]
        return min(self._asked_at + AGAIN_S, *ends, float("inf"))
