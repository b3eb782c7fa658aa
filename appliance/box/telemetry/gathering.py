"""What boxd hears of the box, gathered for whoever tells it as series: InfluxDB, Prometheus."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.metadata import version

import msgspec

from appliance.box.area import Area
from appliance.box.lines import Lines
from appliance.box.network_cards import NetworkCard, outside
from appliance.box.telemetry.machine import Machine, machine
from appliance.box.telemetry.rows_centre import COUNTED, TODAY
from appliance.box.telemetry.seen import Performance, Seen
from appliance.bus.client import BusError
from appliance.bus.messages import (
    DaemonUp,
    Event,
    GetBoard,
    GetChannels,
    GetFigures,
    GetRecorder,
    GetSpans,
    StorageState,
)
from appliance.bus.runner import Context

FIGURES_S = 60.0                                  # acdd counts the day anew: at most so often
LOOK_S = 900.0                                    # what takes how much of the disk: every file is looked at
DISK_S = 2.0                                      # it is waited for; a disk that takes longer stops nobody
ASK_S = 5.0

log = logging.getLogger(__name__)


class Gathering(Area):
    """`storage`: looks at the whole disk; OSError."""

    def __init__(self, context: Context, lines: Lines,
                 storage: Callable[[], Awaitable[StorageState]]) -> None:
        self.seen = Seen(version=version("branchline"))
        self._context, self._lines, self._storage = context, lines, storage
        self._to_ask = {"spand", "trunkd", "acdd", "recordd"}        # what they say on change only
        self._ask = asyncio.Event()
        self._figures_at = self._looked_at = float("-inf")           # of the loop's time
        self._looking: asyncio.Task[StorageState | None] | None = None
        self._refreshing = asyncio.Lock()

    async def hear(self, event: Event) -> None:
        self.seen.hear(event)
        if isinstance(event, DaemonUp):
            self._to_ask.add(event.daemon)
            self._ask.set()

    async def run(self, stop: asyncio.Event) -> None:
        self._ask.set()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._ask.set())
        while True:
            await self._ask.wait()
            if stop.is_set():
                return
            self._ask.clear()
            asked, self._to_ask = self._to_ask, set()
            for daemon in sorted(asked):
                with contextlib.suppress(BusError):                  # it says DaemonUp when it is there
                    await self._catch_up(daemon)

    async def refresh(self) -> Seen:
        """With what nobody says by itself, as of now."""
        async with self._refreshing:
            await self._look_at_disk()
            await self._count_queues()
            self.seen.network, self.seen.machine = await asyncio.to_thread(_kernel)
            seen, now = self.seen, time.time()
            seen.at = now
            seen.performance = {
                span: Performance(*self._lines.bins(span, now)) for span in self._lines.spans}
            return seen

    async def _catch_up(self, daemon: str) -> None:
        bus, seen = self._context.bus, self.seen
        match daemon:
            case "spand":
                spans = await bus.ask(GetSpans(), ASK_S)
                for state in spans.spans:
                    seen.hear(state)
                if spans.clock is not None:
                    seen.hear(spans.clock)
            case "trunkd":
                for states in (await bus.ask(GetChannels(), ASK_S)).spans:
                    seen.hear(states)
            case "acdd":
                seen.hear((await bus.ask(GetBoard(), ASK_S)).board)
            case "recordd":
                seen.recorder = await bus.ask(GetRecorder(), ASK_S)

    async def _look_at_disk(self) -> None:
        """Its room every time, its files now and then; one look at a time, and nobody waits for long."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        await asyncio.wait([self._looking], timeout=DISK_S)
        if self._looking.done():
            self.seen.storage, self._looking = self._looking.result(), None
        elif self.seen.storage is not None and time.time() - self.seen.storage.at > LOOK_S:
            self.seen.storage = None

    async def _look(self) -> StorageState | None:
        now, known = asyncio.get_running_loop().time(), self.seen.storage
        try:
            if known is None or now >= self._looked_at + LOOK_S:
                self._looked_at = now
                return await self._storage()
            room = await asyncio.to_thread(os.statvfs, self._context.state_dir)
        except OSError:
            return None
        return msgspec.structs.replace(
            known, at=time.time(), total=room.f_blocks * room.f_frsize, free=room.f_bavail * room.f_frsize,
            read_only=bool(room.f_flag & os.ST_RDONLY))

    async def _count_queues(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._figures_at + FIGURES_S:
            return
        self._figures_at = now
        until = datetime.now().astimezone()
        since = until.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        try:
            found = await self._context.bus.ask(GetFigures(
                of="queue", since=since, until=until.timestamp(), figures=list(TODAY)), ASK_S)
        except BusError as error:
            log.debug("figures of the queues: %s", error)
            self.seen.queues = {}
            return
        names = [definition.name for definition in found.definitions]
        idle = dict.fromkeys(COUNTED, 0.0)        # of a queue that had nobody today there is no row
        self.seen.queues = {queue.name: idle for queue in self.seen.floor.queues} if self.seen.floor else {}
        self.seen.queues |= {
            row.name: {name: figure.value for name, figure in zip(names, row.values, strict=True)
                       if figure.value is not None}
            for row in found.rows if row.name}


def _kernel() -> tuple[tuple[NetworkCard, ...], Machine | None]:
    return tuple(outside()), machine()
