"""The measures as of now, for whoever has the door."""

from collections.abc import Awaitable, Callable

from appliance.box.area import Answers, Area
from appliance.box.exposed.exposition import exposition
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import Exposition, GetExposition


class Exposing(Area):
    """`refresh`: what was heard, with what nobody says by itself."""

    def __init__(self, refresh: Callable[[], Awaitable[Seen]]) -> None:
        self._refresh = refresh
        self.answers: Answers = {GetExposition: self._answer}
        self.beside = (GetExposition,)            # it asks acdd

    async def _answer(self, request: GetExposition) -> Exposition:
        return Exposition(text=exposition(MEASURES, await self._refresh()))
