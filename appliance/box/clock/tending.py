"""The wall clock, as boxd says it; and set by hand where nothing better does."""

import asyncio
import contextlib
import logging
import time
from dataclasses import asdict
from pathlib import Path

from appliance.box.area import Answers, Area
from appliance.box.clock import kernel
from appliance.box.clock.state import ClockFacts, Facts
from appliance.box.clock.state import WallClock as Watched
from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import VerbError
from appliance.box.provision import verbs
from appliance.box.provision.plan import PTP4L
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CallAnswered,
    Done,
    Event,
    GetWallClock,
    SetWallClock,
    WallClock,
    WallClockReply,
)
from appliance.bus.runner import Context

LOOK_S, SAY_S = 5.0, 60.0

log = logging.getLogger(__name__)


class Clock(Area):
    def __init__(self, context: Context) -> None:
        self._context, self._watched, self._refused = context, Watched(), False
        self.answers: Answers = {GetWallClock: self._get, SetWallClock: self._set}

    async def hear(self, event: Event) -> None:
        if isinstance(event, CallAnswered) and event.network_time:
            self._watched.heard_of_line(event.network_time, time.time())

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        said: tuple[str, int, str] | None = None
        say_at = loop.time()
        while not stop.is_set():
            state = self._look()
            worth = (state.source, state.steps, state.sentence)
            if worth != said or loop.time() >= say_at:
                if said is not None and state.steps != said[1]:
                    log.warning("the wall clock was set by %+.1f s", state.step_s)
                if worth != said:
                    log.info("the wall clock: %s", state.sentence or f"follows {state.source}")
                await self._context.bus.say(self._message(state))
                said, say_at = worth, loop.time() + SAY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)

    def _look(self) -> ClockFacts:
        try:
            found = kernel.look()
        except OSError as error:
            if not self._refused:
                log.error("the kernel does not say what its clock is worth: %s", error)
            self._refused = True
            return self._watched.state
        return self._watched.look(Facts(
            time.monotonic(), time.time(), found.synchronised, found.error_s, found.offset_s,
            (Path("/") / PTP4L).exists(), kernel.rtc_offset_s()))

    def _message(self, state: ClockFacts) -> WallClock:
        return WallClock(at=time.time(), sentence=state.sentence, **asdict(state))

    async def _get(self, request: GetWallClock) -> WallClockReply:
        return WallClockReply(clock=self._message(self._look()))

    async def _set(self, request: SetWallClock) -> Done:
        try:
            await ask(self._context.run_dir, "set-time", verbs.SetTime(request.to))
        except VerbError as error:
            raise Refused(str(error)) from None
        return Done()
