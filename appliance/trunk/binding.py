"""Tells spand which timeslot is whose leg, in order, and all of it again when spand is new."""
import asyncio
import logging
from collections.abc import Awaitable, Callable

from appliance.bus.client import BusError
from appliance.bus.messages import BindLeg, Done, Request, UnbindLeg

log = logging.getLogger(__name__)


class Bindings:
    """bind() and unbind() return at once; run() asks spand one by one. A call goes on whatever spand says."""

    def __init__(self, ask: Callable[[Request[Done]], Awaitable[Done]]) -> None:
        self._ask = ask
        self._bound: dict[str, BindLeg] = {}
        self._queue: asyncio.Queue[Request[Done]] = asyncio.Queue()

    def bind(self, leg: str, span: str, timeslot: int) -> None:
        request = self._bound[leg] = BindLeg(leg=leg, span=span, timeslot=timeslot)
        self._queue.put_nowait(request)

    def unbind(self, leg: str) -> None:
        if self._bound.pop(leg, None):
            self._queue.put_nowait(UnbindLeg(leg=leg))

    def again(self) -> None:
        """spand is new: it knows of nothing."""
        while not self._queue.empty():
            self._queue.get_nowait()
        for request in self._bound.values():
            self._queue.put_nowait(request)

    async def run(self) -> None:
        while True:
            request = await self._queue.get()
            try:
                await self._ask(request)
            except BusError as error:
                log.warning("%s not done, until spand comes up: %s", request, error)
