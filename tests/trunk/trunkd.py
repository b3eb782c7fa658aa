"""trunkd's service in this process: no bus, a far end at every D-channel socket."""
import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from appliance.bus.messages import CallInfo, Done, Event, GetCalls, Request
from appliance.config.schema import Config
from appliance.isdn.lapd import Side
from appliance.trunk.binding import Bindings
from appliance.trunk.busy_out import BusyOutFile
from appliance.trunk.legs import LegTable
from appliance.trunk.service import TrunkService
from tests.trunk.far_end import FarEnd

E = TypeVar("E", bound=Event)


class Said:
    """What goes to the bus."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def __call__(self, event: Event) -> None:
        self._events.put_nowait(event)

    async def wait_for(self, kind: type[E], within_s: float = 10.0, **fields: object) -> E:
        async with asyncio.timeout(within_s):
            while True:
                event = await self._events.get()
                if isinstance(event, kind) and all(getattr(event, name) == fields[name] for name in fields):
                    return event


class Trunkd:
    """`far`: the other ends of the spans, in their order. `document` is what a reload reads."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.said, self.document = Said(), config
        self.table = LegTable(folder / "trunkd.sqlite")
        other = {"user": Side.NETWORK, "network": Side.USER}
        self.far = [FarEnd(folder / f"{span.name}.sock", other[span.side]) for span in config.spans]
        self.bindings = Bindings(self._bind)
        self.service = TrunkService(
            config, folder, self.table, BusyOutFile(folder / "busy-out.json"), self.bindings, self.said,
            read=lambda candidate: self.document, claim_within_s=0.3)

    async def _bind(self, request: Request[Done]) -> Done:
        return Done()

    async def calls(self) -> dict[str, CallInfo]:
        table = await self.service.answer(GetCalls())
        return {call.leg: call for call in table.calls}          # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def running(folder: Path, config: Config) -> AsyncIterator[Trunkd]:
    """All links up and all channels idle, at both ends."""
    trunkd = Trunkd(folder, config)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(trunkd.table.close)
        for far in trunkd.far:
            await stack.enter_async_context(far)
        trunkd.service.restore()
        task = asyncio.create_task(trunkd.service.run())
        for far in trunkd.far:
            await far.wait_idle()
        yield trunkd
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
