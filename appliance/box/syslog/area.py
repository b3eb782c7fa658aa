"""The log to syslog servers, as the configuration has them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

from appliance.box.area import Area
from appliance.box.logs.lines import line
from appliance.box.syslog.following import follow
from appliance.box.syslog.message import Box, TimeQuality
from appliance.box.syslog.sending import Sending
from appliance.bus.messages import Event, WallClock
from appliance.bus.runner import Context
from appliance.config.syslog import SyslogConfig, SyslogServerConfig
from appliance.errors import Unavailable

AGAIN_S = 10.0                                    # the follower of the log has ended

log = logging.getLogger(__name__)


class Syslog(Area):
    """Nothing runs while no server is configured. Lines are cleaned of secrets and numbers, as everywhere."""

    def __init__(self, context: Context, hostname: Callable[[], str]) -> None:
        self._context, self._hostname = context, hostname
        self.config = context.config.syslog
        self._changed = asyncio.Event()
        self._quality: TimeQuality | None = None
        self._box = Box("", version("branchline"))
        self._servers: dict[str, tuple[SyslogServerConfig, Sending, asyncio.Task[None]]] = {}    # by name
        self._following: asyncio.Task[None] | None = None

    def take(self, config: SyslogConfig) -> None:
        """Servers that are as they were go on; of one that is not, what waits for it goes."""
        if config != self.config:
            self.config = config
            self._changed.set()

    async def hear(self, event: Event) -> None:
        if isinstance(event, WallClock):
            self._quality = TimeQuality(event.source in ("ntp", "ptp"), event.error_s)

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._changed.set())
        try:
            while not stop.is_set():
                self._changed.clear()
                await self._settle()
                changed = asyncio.create_task(self._changed.wait())
                done, _ = await asyncio.wait([changed, *self._tasks()], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                for task in done.intersection(self._tasks()):
                    task.result()                 # none of them ends by itself but by an error of ours
        finally:
            await _end(self._tasks())

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [*(task for _, _, task in self._servers.values()),
                *([] if self._following is None else [self._following])]

    async def _settle(self) -> None:
        """What runs is what the configuration has."""
        wanted = {one.name: one for one in self.config.servers}
        box = replace(self._box, hostname=self.config.hostname or self._hostname())
        ended = [(name, task) for name, (config, _, task) in self._servers.items()
                 if box != self._box or wanted.get(name) != config]
        self._box = box
        for name, _ in ended:
            del self._servers[name]
        for name in wanted.keys() - self._servers.keys():
            sending = Sending(wanted[name], box, lambda: self._quality)
            self._servers[name] = wanted[name], sending, asyncio.create_task(sending.run())
        tasks = [task for _, task in ended]
        if self._servers and self._following is None:
            self._following = asyncio.create_task(self._follow())
        elif not self._servers and self._following is not None:
            tasks.append(self._following)
            self._following = None
        await _end(tasks)

    async def _follow(self) -> None:
        """Until it is cancelled."""
        said = ""
        while True:
            try:
                async with contextlib.aclosing(follow(self._context.state_dir)) as raws:
                    async for raw in raws:
                        found = line(raw)
                        for _, sending, _ in self._servers.values():
                            sending.add(found)
            except Unavailable as error:
                if str(error) != said:
                    log.error("%s", error)
                said = str(error)
            await asyncio.sleep(AGAIN_S)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
