"""Which contact a leg belongs to, asked from acdd when a channel has one that is not known yet."""

import time

from appliance.bus.client import BusError
from appliance.bus.messages import GetLegContacts
from webui.mirror import Floor
from webui.parts import parts

AGAIN_S = 0.5


class Legs:
    """For one page; its own thread alone asks."""

    def __init__(self) -> None:
        self._contacts: dict[str, str] = {}
        self._asked_at = float("-inf")

    def known(self, floor: Floor, span: str) -> dict[str, str]:
        """By leg; what acdd does not tell is missing."""
        states = floor.channels.get(span)
        legs = {one.leg for one in states.channels if one.leg} if states else set()
        if legs - self._contacts.keys() and time.monotonic() - self._asked_at >= AGAIN_S:
            self._asked_at = time.monotonic()
            try:
                self._contacts = parts().exchange.ask(GetLegContacts()).contacts
            except BusError:
                self._contacts = {}
        return self._contacts
