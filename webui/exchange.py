"""The rest of the box as the pages see it: a mirror of what is said on the bus, and questions to it."""

import asyncio
import concurrent.futures
import contextlib
import time
from typing import Any, Protocol, TypeVar

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    ChannelStates,
    DaemonUp,
    Event,
    GetBoard,
    GetCalls,
    GetCards,
    GetChannels,
    GetDocumentHistory,
    GetFitness,
    GetHardware,
    GetHealth,
    GetLineTests,
    GetPromptTakes,
    GetRecorder,
    GetSpans,
    GetUpdate,
    GetWallClock,
    Reply,
    Request,
    UpdateState,
)
from webui.mirror import Mirror

R = TypeVar("R", bound=Reply)

REFRESH_S = 10.0                                  # a lost event is put right within this time
ROUND_S = 0.5                                     # at most one round of questions in this time
WATCH_S = 0.5

STATE: dict[str, tuple[Request[Any], ...]] = {
    "acdd": (GetBoard(), GetPromptTakes()), "trunkd": (GetChannels(),), "spand": (GetSpans(),),
    "recordd": (GetRecorder(),),
    "boxd": (GetHealth(), GetFitness(), GetHardware(), GetCards(), GetUpdate(), GetWallClock(),
             GetDocumentHistory(most=1), GetLineTests()),
}


class Exchange(Protocol):
    """What create_app() needs; a test brings its own."""

    @property
    def mirror(self) -> Mirror:
        """What was said last."""

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """From any thread: the owner's reply; BusError when there is none, Refused when it said no."""


class BusExchange:
    """Exchange over the bus of this process. run() belongs to the event loop, ask() to the page threads."""

    def __init__(self, bus: Bus) -> None:
        self.mirror = Mirror(time.monotonic())
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._wanted: dict[type[Request[Any]], Request[Any]] = {}
        self._wake = asyncio.Event()

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        question = self._bus.ask(request, timeout_s)
        try:
            future = asyncio.run_coroutine_threadsafe(question, self._loop)
        except RuntimeError:                      # the loop has ended: this process is about to
            question.close()
            raise BusError(f"{type(request).__name__}: this daemon is ending") from None
        try:
            return future.result(timeout_s + 1.0)
        except (TimeoutError, concurrent.futures.CancelledError):
            future.cancel()
            raise BusError(f"{type(request).__name__}: no answer in {timeout_s:g} s") from None

    async def run(self) -> None:
        """Keep the mirror until cancelled."""
        self._bus.on_back(self._want_all)
        await self._bus.hear("*", self._hear)
        await self._want_all()
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._refresh())
            parts.create_task(self._watch())

    async def _hear(self, event: Event) -> None:
        self.mirror.hear(event, time.monotonic())
        if isinstance(event, DaemonUp) and event.daemon in STATE:
            self._want(*STATE[event.daemon])
        if isinstance(event, ChannelStates) and self.mirror.unknown_legs():
            self._want(GetCalls())
        if isinstance(event, UpdateState) and event.phase == "idle":
            self._want(GetUpdate())               # one may have ended: the history has it

    def _want(self, *requests: Request[Any]) -> None:
        for request in requests:
            self._wanted[type(request)] = request
        self._wake.set()

    async def _want_all(self) -> None:
        self._want(GetCalls(), *(request for requests in STATE.values() for request in requests))

    async def _refresh(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._wake.wait()
            if not self._wake.is_set():
                await self._want_all()
            self._wake.clear()
            wanted, self._wanted = self._wanted, {}
            await asyncio.gather(*(self._load(request) for request in wanted.values()))
            await asyncio.sleep(ROUND_S)

    async def _load(self, request: Request[Any]) -> None:
        try:
            self.mirror.load(await self._bus.ask(request))
        except BusError:
            self._want(request)                   # its daemon is not up yet: next round

    async def _watch(self) -> None:
        while True:
            self.mirror.check(time.monotonic())
            await asyncio.sleep(WATCH_S)
