"""branchline trace-malicious, with a player for acdd."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    CallerTrace,
    ContactFacts,
    GetContactFacts,
    Reply,
    Request,
    TraceBegun,
    TraceCaller,
)
from appliance.launch.malicious import NotTraced, trace_caller
from tests.launch.test_cli import branchline


class Centre:
    """acdd; what came of a trace is known at the third look."""

    def __init__(self, done: bool | None = None, why: str = "") -> None:
        self.over = CallerTrace(at=1.0, by="", done=done, why=why)
        self.looks = 0

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case TraceCaller(name="gone"):
                raise Refused("gone: no contact or leg of this name is there")
            case TraceCaller():
                return TraceBegun(contact="c1")
            case GetContactFacts(contact="c1"):
                self.looks += 1
                return ContactFacts(traces=[self.over if self.looks > 2 else CallerTrace(at=1.0, by="")])
        raise AssertionError(request)


async def told(run_dir: Path, centre: Centre, ask: Callable[[Bus], Any]) -> Any:
    acdd, webui = await Bus.connect(run_dir, "acdd"), await Bus.connect(run_dir, "webui")
    try:
        await acdd.answer(centre.answer)
        return await ask(webui)
    finally:
        await acdd.close()
        await webui.close()


async def test_what_came_of_it_is_told(bus_server: Path) -> None:
    assert await told(bus_server, Centre(True), lambda bus: trace_caller(bus, "leg")) == (
        "contact c1: the network has registered the caller")
    with pytest.raises(NotTraced, match="contact c1: the caller is not registered: not subscribed"):
        await told(bus_server, Centre(False, "not subscribed"), lambda bus: trace_caller(bus, "leg"))
    later = await told(bus_server, Centre(), lambda bus: trace_caller(bus, "leg", wait_s=0.8))
    assert "has not answered yet" in later


async def test_the_command_says_why_not(bus_server: Path) -> None:
    async def command(_: Bus) -> Any:
        return await asyncio.to_thread(
            branchline, bus_server, "trace-malicious", "gone", "--run-dir", str(bus_server))
    done = await told(bus_server, Centre(), command)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == "gone: no contact or leg of this name is there\n"
