"""Flow files on the bus. Acts come one after the other."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.box.area import Answers, Area
from appliance.box.flows.book import open_book
from appliance.box.flows.ground import BoxGround
from appliance.box.flows.keeper import Keeper
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CompareFlow,
    DaemonUp,
    DiscardFlow,
    Done,
    EditFlow,
    Event,
    FlowDifference,
    FlowHistory,
    FlowKinds,
    FlowList,
    FlowPublished,
    FlowReply,
    FlowsChanged,
    FlowTrial,
    GetFlow,
    GetFlowHistory,
    GetFlowKinds,
    GetFlows,
    PublishFlow,
    Reply,
    Request,
    RollBackFlow,
    StepFlow,
    TryFlow,
    WriteFlow,
)
from appliance.bus.runner import Context
from appliance.config.backup import origin
from appliance.errors import ConfigError

MOST_VERSIONS = 200                               # in one answer
RETRY_S = 30.0                                    # what acdd was not told is told again

log = logging.getLogger(__name__)


class Flows(Area):
    def __init__(self, context: Context, clock: Callable[[], float] = time.time,
                 ground: type[BoxGround] = BoxGround) -> None:
        """Unavailable: the history cannot be opened."""
        self._context, self._clock = context, clock
        self._ground = ground(context.bus, origin(context.config_path, context.run_dir),
                              context.state_dir, context.run_dir)
        self._book = open_book(context.state_dir)
        self._keeper = Keeper(self._book, self._ground)
        self._alone, self._wake = asyncio.Lock(), asyncio.Event()
        self.answers: Answers = {
            kind: self._one_by_one(act) for kind, act in (
                (GetFlows, self._list), (GetFlow, self._get), (GetFlowKinds, self._kinds),
                (GetFlowHistory, self._history), (EditFlow, self._edit), (WriteFlow, self._write),
                (StepFlow, self._step), (DiscardFlow, self._discard), (CompareFlow, self._compare),
                (PublishFlow, self._publish), (RollBackFlow, self._roll_back), (TryFlow, self._try))}
        # They ask acdd, or the bench, which takes its time.
        self.beside = tuple(self.answers)

    def close(self) -> None:
        self._book.close()

    async def hear(self, event: Event) -> None:
        if isinstance(event, DaemonUp) and event.daemon == "acdd":
            self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        while not stop.is_set():
            self._wake.clear()
            left_s = await self._tend()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left_s)
        await self._ground.close()

    async def _tend(self) -> float | None:
        """For how long nothing needs to be done; None: until something happens."""
        async with self._alone:
            try:
                self._keeper.mend()
                await asyncio.to_thread(self._keeper.notice, self._clock())
                if self._keeper.untold():
                    await self._keeper.tell(self._clock())
                return None
            except (BusError, ConfigError, sqlite3.Error, OSError) as error:
                log.error("flows: %s: tried again in %g s", error, RETRY_S)
                return RETRY_S
            finally:
                await self._say()

    def _one_by_one(self, act: Callable[[Any], Awaitable[Reply]]) -> Callable[[Any], Awaitable[Reply]]:
        async def answer(request: Request[Any]) -> Reply:
            async with self._alone:
                try:
                    self._keeper.mend()
                    await asyncio.to_thread(self._keeper.notice, self._clock(), getattr(request, "file", ""))
                    return await act(request)
                except (sqlite3.Error, OSError) as error:
                    raise Refused(f"the disk refuses: {error}") from None
                except ConfigError as error:
                    raise Refused(str(error)) from None
                finally:
                    await self._say()
                    if self._keeper.untold():
                        self._wake.set()
        return answer

    async def _say(self) -> None:
        changed, self._keeper.changed = self._keeper.changed, set()
        if changed:
            await self._context.bus.say(FlowsChanged(file=changed.pop() if len(changed) == 1 else ""))

    # --- answers

    async def _list(self, request: GetFlows) -> FlowList:
        return FlowList(flows=await asyncio.to_thread(self._keeper.files))

    async def _get(self, request: GetFlow) -> FlowReply:
        return await self._shown(request.file, request.number, request.draft)

    async def _shown(self, file: str, number: int = 0, draft: bool = True) -> FlowReply:
        version, text = (None, self._keeper.draft(file)[1]) if draft else self._keeper.version(file, number)
        shown = await asyncio.to_thread(self._keeper.file, file)
        return FlowReply(file=shown, version=version, text=text,
                         picture=await self._keeper.draw(file, text))

    async def _kinds(self, request: GetFlowKinds) -> FlowKinds:
        return await self._ground.kinds()

    async def _history(self, request: GetFlowHistory) -> FlowHistory:
        most = min(max(request.most, 1), MOST_VERSIONS)
        return FlowHistory(versions=self._keeper.history(request.file, most))

    async def _edit(self, request: EditFlow) -> FlowReply:
        await self._keeper.edit(self._clock(), request.by, request.file, request.edits, request.sha256,
                                request.take)
        return await self._shown(request.file)

    async def _write(self, request: WriteFlow) -> FlowReply:
        self._keeper.write(self._clock(), request.by, request.file, request.text, request.sha256,
                           request.take)
        return await self._shown(request.file)

    async def _step(self, request: StepFlow) -> FlowReply:
        self._keeper.step(self._clock(), request.by, request.file, request.steps)
        return await self._shown(request.file)

    async def _discard(self, request: DiscardFlow) -> Done:
        self._keeper.discard(request.by, request.file, request.take)
        return Done()

    async def _compare(self, request: CompareFlow) -> FlowDifference:
        return await asyncio.to_thread(self._keeper.compare, request.file, request.old, request.new)

    async def _publish(self, request: PublishFlow) -> FlowPublished:
        return self._published(request.file, await self._keeper.publish(
            self._clock(), request.by, request.file, request.comment, request.base, request.sha256))

    async def _roll_back(self, request: RollBackFlow) -> FlowPublished:
        return self._published(request.file, await self._keeper.roll_back(
            self._clock(), request.by, request.file, request.to, request.comment))

    def _published(self, file: str, version: Any) -> FlowPublished:
        log.info("flow %s: version %d by %s", file, version.number, version.by)
        return FlowPublished(version=version)

    async def _try(self, request: TryFlow) -> FlowTrial:
        text = self._keeper.draft(request.file)[1] if request.draft else \
            self._keeper.version(request.file, 0)[1]
        return await self._ground.run(text, request)
