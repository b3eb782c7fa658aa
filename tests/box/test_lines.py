"""boxd keeps the history of the lines: what spand said, and what it said while boxd was away."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.box import daemon
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    DaemonUp,
    Event,
    GetLineHistory,
    GetSpanSeconds,
    Health,
    LineFailure,
    LineHistory,
    Reply,
    Request,
    SpanSecond,
    SpanSeconds,
    SpanState,
)
from appliance.bus.runner import Context
from appliance.store import LINES_FILE
from e1_driver import Alarm
from e1_driver.watch.history import Store, read
from e1_driver.watch.performance import Second
from tests.box.test_daemon import CONFIG

NOW = int(time.time())
TOLD = frozenset({Alarm.LOS, Alarm.RAI})


def second(at: int, crc_errors: int = 0) -> SpanSecond:
    return SpanSecond(span="e1", source="e1",
                      second=Second(at=at, told=TOLD, crc_errors=crc_errors, fas_errors=0, e_bits=0, slips=1))


def state(*alarms: str) -> SpanState:
    return SpanState(span="e1", up=not alarms, alarms=list(alarms), counters={}, at=time.time())


class Box:
    """boxd in this process, and a spand that keeps `seconds`."""

    def __init__(self, run_dir: Path, state_dir: Path) -> None:
        self.run_dir, self.state_dir = run_dir, state_dir
        self.seconds: list[SpanSecond] = []
        self.events: asyncio.Queue[Event] = asyncio.Queue()

    async def __aenter__(self) -> "Box":
        self.boxd, self.spand, self.webui = [
            await Bus.connect(self.run_dir, name) for name in ("boxd", "spand", "webui")]
        await self.spand.answer(self._answer)
        await self.webui.hear("boxd", self.events.put)
        self.context = Context("boxd", CONFIG, self.state_dir, self.run_dir, self.boxd, asyncio.Event())
        self.serving = asyncio.create_task(daemon.serve(self.context))
        await self.until(Health)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.context.stop.set()
        await asyncio.wait_for(self.serving, 5.0)
        for bus in (self.boxd, self.spand, self.webui):
            await bus.close()

    async def _answer(self, request: Request[Any]) -> Reply:
        assert isinstance(request, GetSpanSeconds)
        return SpanSeconds(seconds=[one for one in self.seconds if one.second.at >= request.since])

    async def until(self, kind: type[Event]) -> Event:
        async with asyncio.timeout(10):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event

    async def measured(self, seconds: int) -> LineHistory:
        """The history once it has so many seconds in it."""
        async with asyncio.timeout(10):
            while True:
                history = await self.webui.ask(GetLineHistory(span="e1"))
                if sum(one.measured_s for one in history.quarters) >= seconds:
                    return history
                await self.until(Health)


async def test_seconds_are_counted_once_and_those_missed_are_asked_for(
        bus_server: Path, tmp_path: Path) -> None:
    seconds = [second(NOW - 60 + number, crc_errors=number % 2) for number in range(40)]
    async with Box(bus_server, tmp_path) as box:
        for one in seconds[:10]:
            await box.spand.say(one)
        await box.spand.say(seconds[9])
        assert sum(one.near.es or 0 for one in (await box.measured(10)).quarters) == 5
    async with Box(bus_server, tmp_path) as box:  # was away for 20 of them, then spand was for 10
        box.seconds = seconds[:30]
        await box.spand.say(DaemonUp(daemon="spand", pid=1, started_at=1.0))
        history = await box.measured(30)
        assert sum(one.measured_s for one in history.quarters) == 30
        assert sum(one.near.es or 0 for one in history.quarters) == 15
        assert sum(sum(one.slips.values()) for one in history.days) == 30
        box.seconds = seconds                     # the bus lost some: the next one tells
        await box.spand.say(seconds[39])
        history = await box.measured(40)
        assert sum(one.measured_s for one in history.quarters) == 40
        with pytest.raises(Refused, match="there are e1"):
            await box.webui.ask(GetLineHistory(span="e2"))


async def test_the_history_of_a_span_that_is_configured_no_more_goes_after_30_days(
        bus_server: Path, tmp_path: Path) -> None:
    with Store(tmp_path / LINES_FILE) as store:
        for span, at in (("e1", NOW - 60), ("mistyped", NOW - 60), ("sold", NOW - 31 * 86_400)):
            store.observe(span, second(at).second, None)
    async with Box(bus_server, tmp_path) as box:
        await box.measured(1)
    assert sorted(read(tmp_path / LINES_FILE)) == ["e1", "mistyped"]


async def test_a_defect_that_lasts_is_a_failure(bus_server: Path, tmp_path: Path) -> None:
    async with Box(bus_server, tmp_path) as box:
        told: list[LineFailure] = []
        began = time.time()
        async with asyncio.timeout(15):
            while not told:
                await box.spand.say(state("los", "lof"))
                event = await box.until(Event)
                told += [event] if isinstance(event, LineFailure) else []
        assert (told[0].alarm, told[0].declared) == ("los", True)
        assert told[0].since == pytest.approx(began, abs=1.0)
        assert (await box.webui.ask(GetLineHistory(span="e1"))).failures == ["los"]
