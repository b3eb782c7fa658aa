"""Telemetry in boxd: a sample of the box every interval, kept on the disk, written as soon as it can be."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from appliance.box.area import Area
from appliance.box.telemetry import client
from appliance.box.telemetry.client import Server, Write
from appliance.box.telemetry.gathering import Gathering
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import BOX, sample
from appliance.box.telemetry.seen import OwnCounts
from appliance.box.telemetry.series import Series
from appliance.box.telemetry.spool import Spool
from appliance.bus.runner import Context
from appliance.config.telemetry import TelemetryConfig
from appliance.store.private import open_to_all

FOLDER = "telemetry"                              # in the state folder
AGAIN_S = 60.0                                    # a folder, token or certificate that fails: looked again
MOST_TOKEN = 4096                                 # octets of its file

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Telemetry(Area):
    """Nothing is imported, made or sent while the configuration has no `telemetry.url`."""

    def __init__(self, context: Context, gathering: Gathering, name: Callable[[], str]) -> None:
        """`name`: of this box, for the tag `box` where the configuration has none."""
        self._context, self._gathering, self._name = context, gathering, name
        self.config = context.config.telemetry
        self._changed = asyncio.Event()

    def take(self, config: TelemetryConfig) -> None:
        """Another configuration: begun anew with it when it is one. What waits goes to the new server."""
        if config != self.config:
            self.config = config
            self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._changed.set())
        while not stop.is_set():
            self._changed.clear()
            await self._tell(self.config, self._changed)

    async def _tell(self, config: TelemetryConfig, stop: asyncio.Event) -> None:
        """With one configuration, until `stop`."""
        if not config.url:
            await stop.wait()
            return
        counts = OwnCounts()
        tags = {BOX: self._name(), **config.tags}
        series = await _until_it_can(stop, "nothing is kept", _open, self._context.state_dir / FOLDER, config,
                                     tags, counts)
        if series is None:
            return
        self._gathering.seen.own = counts
        news = asyncio.Event()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: news.set())
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._sample(series, config.interval_s, news, stop))
                both.create_task(self._send(series, config, news, stop))
        finally:
            stopping.cancel()
            self._gathering.seen.own = None
            await asyncio.to_thread(series.close)

    async def _sample(self, series: Series, interval_s: float, news: asyncio.Event,
                      stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + interval_s            # the first when the others have spoken
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await stop.wait()
                return
            due = max(due + interval_s, loop.time())
            if (seen := await _unless(stop, self._gathering.refresh())) is not None:
                await asyncio.to_thread(series.keep, sample(MEASURES, seen), seen.at)
                news.set()

    async def _send(self, series: Series, config: TelemetryConfig, news: asyncio.Event,
                    stop: asyncio.Event) -> None:
        """What waited over a restart at once, then whenever there is a new sample."""
        folder = self._context.config_path.parent
        write: Write | None = None
        while not stop.is_set():
            if write is None and (write := await _until_it_can(
                    stop, "points are kept, not written", _connect, config, folder)) is None:
                return
            news.clear()
            while not stop.is_set() and await _unless(stop, _left_alone(series.send, write)):
                pass
            if series.counts.away:                # its token or its certificate may be another one by now
                write = None
            if not stop.is_set():
                await news.wait()


async def _until_it_can(stop: asyncio.Event, meanwhile: str, makes: Callable[..., Result],
                        *how: object) -> Result | None:
    """What it makes. None: it is stopped before that was possible. Why it is not is said once."""
    said = ""
    while not stop.is_set():
        try:
            return await asyncio.to_thread(makes, *how)
        except (OSError, ImportError, ValueError) as error:          # calls go on without it
            if str(error) != said:
                log.error("telemetry: %s: %s", meanwhile, error)
            said = str(error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AGAIN_S)
    return None


async def _unless(stop: asyncio.Event, work: Awaitable[Result]) -> Result | None:
    """None: it is stopped first, and the work not waited for."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopped.cancel()


async def _left_alone(send: Callable[[Write], bool], write: Write) -> bool:
    """As asyncio.to_thread(), but boxd ends without it: a name that nobody resolves takes half a minute."""
    loop = asyncio.get_running_loop()
    sent: asyncio.Future[bool] = loop.create_future()

    def ended(more: bool, error: Exception | None) -> None:
        if sent.done():
            return
        if error is not None:
            sent.set_exception(error)
        else:
            sent.set_result(more)

    def run() -> None:
        more = False
        failed: Exception | None = None
        try:
            more = send(write)
        except Exception as error:
            failed = error
        with contextlib.suppress(RuntimeError):   # the loop has ended meanwhile
            loop.call_soon_threadsafe(ended, more, failed)

    threading.Thread(target=run, name="telemetry", daemon=True).start()
    return await sent


def _open(folder: Path, config: TelemetryConfig, tags: dict[str, str], counts: OwnCounts) -> Series:
    spool = Spool(folder, int(config.spool_mebibytes * (1 << 20)), config.spool_days * 86_400)
    return Series(spool, tags, client.point(), counts)


def _connect(config: TelemetryConfig, folder: Path) -> Write:
    """Paths are from `folder` on. OSError, ValueError: what cannot be read."""
    token = config.token
    if config.token_file:
        path = folder / config.token_file
        with path.open("rb") as file:
            if open_to_all(os.fstat(file.fileno()).st_mode):
                raise ValueError(f"{path}: anybody on the box can read it: chmod 600 {path}")
            token = file.read(MOST_TOKEN).decode("ascii", "replace").strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError(f"{path}: a token is one line of ASCII without a space")
    ca_file = str(folder / config.ca_file) if config.ca_file else ""
    return client.writer(Server(config.url, config.org, config.bucket, token, ca_file))
