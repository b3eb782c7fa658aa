"""Actions on their way to one owner: in order, one at a time, and a slow owner keeps nobody else waiting."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import Reply, Request

log = logging.getLogger(__name__)


class Lane:
    """`refused` hears of an action that the owner said no to, `lost` that one may not have arrived,
    `answered` of what came back."""

    def __init__(self, bus: Bus, refused: Callable[[Request[Any]], None], lost: Callable[[], None],
                 answered: Callable[[Request[Any], Reply], None] = lambda action, reply: None) -> None:
        self._bus, self._refused, self._lost, self._answered = bus, refused, lost, answered
        self._actions: asyncio.Queue[Request[Any]] = asyncio.Queue()
        self._patience: asyncio.Timeout | None = None            # with what is asked now

    def put(self, action: Request[Any]) -> None:
        self._actions.put_nowait(action)

    def clear(self) -> None:
        """Forget what has not been sent."""
        while not self._actions.empty():
            self._actions.get_nowait()
            self._actions.task_done()

    def give_up(self) -> None:
        """The owner began a new life: what is asked now is not answered any more."""
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def idle(self) -> None:
        """Until everything put so far is answered or given up."""
        await self._actions.join()

    async def run(self) -> None:
        while True:
            action = await self._actions.get()
            try:
                async with asyncio.timeout(None) as self._patience:
                    reply = await self._bus.ask(action)
                self._answered(action, reply)
            except Refused as no:
                log.warning("%s: %s", type(action).__name__, no)
                self._refused(action)
            except BusError as error:
                log.warning("%s", error)
                self._lost()
            except TimeoutError:
                log.warning("%s: %s died before it answered", type(action).__name__, action.owner)
                self._lost()
            finally:
                self._patience = None
                self._actions.task_done()
