"""The board and the fitness of the box, in a boxd on a real bus; a board that is not there moves by hand."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import board
from appliance.box import daemon, fitness_rules
from appliance.box.board.parts import Parts
from appliance.box.board.tending import Tended
from appliance.box.judging import look_at
from appliance.box.privileged.verb import SOCKET, Order, Outcome
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    Event,
    Fitness,
    GetFitness,
    GetHardware,
    Hardware,
    Heartbeat,
    Identify,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from tests.box.test_board import NoKernel, pin

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])
UPS = board.Board(id="cm", name="x", arch="arm64", inputs=board.Inputs(
    on_battery=pin(1), battery_low=pin(2), button=pin(3)))


def beat(name: str) -> Heartbeat:
    return Heartbeat(daemon=name, pid=1, started_at=1.0, at=time.time(), rss_octets=1, cpu_s=0.1)


class Heard:
    def __init__(self, bus: Bus, run_dir: Path) -> None:
        self.bus, self.run_dir = bus, run_dir
        self.events: asyncio.Queue[Event] = asyncio.Queue()

    async def fitness(self, state: str) -> Fitness:
        async with asyncio.timeout(20):
            while True:
                event = await self.events.get()
                if isinstance(event, Fitness) and event.state == state:
                    return event

    async def hardware(self, **inputs: bool) -> Hardware:
        async with asyncio.timeout(20):
            while True:
                event = await self.events.get()
                if isinstance(event, Hardware) and inputs.items() <= event.inputs.items():
                    return event

    async def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        def run() -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-m", "appliance.launch", *words, "--run-dir", str(self.run_dir)]
            return subprocess.run(command, capture_output=True, text=True)
        return await asyncio.to_thread(run)


@contextlib.asynccontextmanager
async def boxd(run_dir: Path, state_dir: Path) -> AsyncIterator[Heard]:
    own, webui = [await Bus.connect(run_dir, name) for name in ("boxd", "webui")]
    heard = Heard(webui, run_dir)
    await webui.hear("boxd", heard.events.put)
    context = Context("boxd", CONFIG, state_dir, run_dir, own, asyncio.Event())
    serving = asyncio.create_task(daemon.serve(context))
    try:
        yield heard
    finally:
        context.stop.set()
        await asyncio.wait_for(serving, 5.0)
        await own.close()
        await webui.close()


async def test_a_laptop_is_fit_as_soon_as_its_daemons_are_up(bus_server: Path, tmp_path: Path) -> None:
    async with boxd(bus_server, tmp_path) as box:
        starting = await box.fitness("unfit")
        assert not starting.fit and "is starting" in starting.reasons[0].text["en"]
        for name in ("spand", "trunkd", "acdd"):
            daemon_bus = await Bus.connect(bus_server, name)
            await daemon_bus.say(beat(name))
            await daemon_bus.close()
        assert (await box.fitness("ok")).fit
        assert (await box.bus.ask(GetFitness())).fitness.state == "ok"
        said = await box.command("health")
        assert said.returncode == 0 and "the telephone line is the box's" in said.stdout
        hardware = (await box.bus.ask(GetHardware())).hardware
        assert (hardware.board, hardware.trouble) == ("", {})
        said = await box.command("hardware")
        assert said.returncode == 0 and "no appliance" in said.stdout
        own = await Bus.connect(bus_server, "boxd")
        with pytest.raises(Refused, match="no light to identify it by"):
            await own.ask(Identify())
        await own.close()
    assert not (tmp_path / ".writable").exists()


async def test_an_empty_battery_stops_the_box_in_order(bus_server: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, orders = NoKernel(), asyncio.Queue[Order]()
    monkeypatch.setattr(Tended, "of_this_box", lambda context: Tended(context, Parts(UPS, kernel)))
    for code in ("on-battery", "battery-low"):
        rule = fitness_rules.RULES[code]
        monkeypatch.setitem(fitness_rules.RULES, code, replace(rule, hold_s=0.0))

    async def root(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await orders.put(msgspec.json.decode(await reader.readline(), type=Order))
        writer.write(msgspec.json.encode(Outcome()) + b"\n")
        writer.close()

    async with await asyncio.start_unix_server(root, bus_server / SOCKET), boxd(bus_server, tmp_path) as box:
        await box.hardware(on_battery=False, battery_low=False)
        kernel.wires[1].move(True)
        assert (await box.hardware(on_battery=True)).board == "cm"
        fitness = await box.fitness("unfit")      # starting still; the battery is one more reason
        while "on-battery" not in [reason.code for reason in fitness.reasons]:
            fitness = await box.fitness("unfit")
        assert not fitness.powering_off
        kernel.wires[2].move(True)
        while not (await box.fitness("unfit")).powering_off:
            pass
        async with asyncio.timeout(20):
            assert (await orders.get()).verb == "power-off"
        said = await box.command("health")
        assert said.returncode == 2 and "the box stops by itself" in said.stdout
        assert orders.empty()                     # asked for once


def test_a_disk_is_looked_at_with_a_file_that_does_not_stay(tmp_path: Path) -> None:
    error, free_share = look_at(tmp_path)
    assert error == "" and free_share is not None and 0 < free_share < 1
    assert os.listdir(tmp_path) == []
    assert look_at(tmp_path / "gone") == (f"No such file or directory: {tmp_path / 'gone'}", None)
    full, _ = look_at(Path("/proc/self"))         # no file can be made there, whoever asks
    assert full.endswith(": /proc/self")
