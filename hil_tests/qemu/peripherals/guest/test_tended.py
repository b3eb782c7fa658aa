"""boxd's own area of the board, all of it, on devices of the kernel. Only the bus is not there."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest

import board
from appliance.box.board.tending import HEARD_S, Tended
from appliance.bus.client import Bus
from appliance.bus.messages import Event, Fitness, GetHardware, Hardware, Identify
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from hil_tests.qemu.peripherals.guest.simulated import Lamp, celsius, pull

EXPIRED = "Reboot ignored"                        # softdog, with soft_noboot


class Said:
    """A bus that keeps what is said."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()

    async def say(self, event: Event) -> None:
        await self.events.put(event)

    async def hardware(self, **inputs: bool) -> Hardware:
        """The next with these inputs."""
        async with asyncio.timeout(60):
            while True:
                event = await self.events.get()
                if isinstance(event, Hardware) and inputs.items() <= event.inputs.items():
                    return event


class Box:
    def __init__(self, tended: Tended, said: Said, lamps: dict[str, Lamp]) -> None:
        self.tended, self.said, self._lamps = tended, said, lamps

    async def is_judged(self, state: str, for_s: float = 1.0) -> None:
        """boxd hears its own Fitness every few seconds, for so long."""
        end = asyncio.get_running_loop().time() + for_s
        while asyncio.get_running_loop().time() < end:
            await self.tended.hear(Fitness(
                at=time.time(), state=state, since=0.0, fit=state != "unfit", reasons=[]))  # type: ignore[arg-type]
            await asyncio.sleep(1)

    async def shows(self, lamp: str, for_s: float = 2.2) -> list[int]:
        """The changes of a lamp's brightness meanwhile."""
        seen: list[int] = []
        end = asyncio.get_running_loop().time() + for_s
        while asyncio.get_running_loop().time() < end:
            if (brightness := self._lamps[lamp].brightness()) is not None:
                seen.append(brightness)
            await asyncio.sleep(0.1)
        return seen


@pytest.fixture
def lamps() -> Iterator[dict[str, Lamp]]:
    description = board.of_this_box()
    assert description is not None
    lamps = {part: Lamp(getattr(description.leds, part)) for part in description.leds.__struct_fields__}
    yield lamps
    for lamp in lamps.values():
        lamp.close()


@contextlib.asynccontextmanager
async def running(lamps: dict[str, Lamp]) -> AsyncIterator[Box]:
    said = Said()
    config = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])
    stop = asyncio.Event()
    context = Context("boxd", config, board.FOLDER, board.FOLDER, cast(Bus, said), stop)
    tended = Tended.of_this_box(context)
    task = asyncio.create_task(tended.run(stop))
    try:
        yield Box(tended, said, lamps)
    finally:
        stop.set()
        await task


async def test_inputs_and_figures_are_said(lamps: dict[str, Lamp]) -> None:
    celsius(31.0)
    async with running(lamps) as box:
        first = await box.said.hardware()
        assert (first.board, first.watchdog_s) == ("bench", 6)
        assert [(one.name, one.value, one.low, one.high) for one in first.readings] == [
            ("board", 31.0, 60.0, 75.0)]
        for name in ("relay", "on_battery", "battery_low", "power_fail"):
            pull(name, True)
            assert (await box.said.hardware(**{name: True})).inputs[name]
            pull(name, False)
            assert not (await box.said.hardware(**{name: False})).inputs[name]
        celsius(66.0)
        while (await box.said.hardware()).readings[0].value != 66.0:
            pass
        reply = await box.tended.answers[GetHardware](GetHardware())
        assert reply.hardware.readings[0].value == 66.0              # type: ignore[attr-defined]
    celsius(31.0)


async def test_lights_show_the_verdict(lamps: dict[str, Lamp]) -> None:
    async with running(lamps) as box:
        assert (await box.shows("fault"))[-1] == 1                   # nothing is known yet
        await box.is_judged("ok")
        assert (await box.shows("fault"))[-1] == 0
        assert (await box.shows("status"))[-1] == 1
        await box.is_judged("degraded")
        assert len(await box.shows("status")) >= 4                   # every half second
        await box.is_judged("unfit")
        assert (await box.shows("fault"))[-1] == 1
        assert (await box.shows("status"))[-1] == 0
    assert (await box.shows("fault"))[-1] == 0    # boxd is not there


async def test_a_press_of_the_button_lets_the_box_say_where_it_is(lamps: dict[str, Lamp]) -> None:
    async def press(for_s: float) -> None:
        pull("button", True)
        await asyncio.sleep(for_s)
        pull("button", False)
        await asyncio.sleep(0.5)

    async with running(lamps) as box:
        await box.said.hardware()
        await box.shows("identify")
        await press(0.2)
        assert len(await box.shows("identify")) >= 4
        await press(0.2)                          # again: no more
        await box.shows("identify")
        assert await box.shows("identify") == []
        await press(4.0)                          # too long
        assert await box.shows("identify") == []
        await box.tended.answers[Identify](Identify(for_s=5))
        assert len(await box.shows("identify")) >= 4


def expired() -> int:
    return subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout.count(EXPIRED)


async def test_the_watchdog_is_fed_while_boxd_hears_itself_and_no_longer(lamps: dict[str, Lamp]) -> None:
    before = expired()
    async with running(lamps) as box:
        assert (await box.said.hardware()).watchdog_s == 6
        await box.is_judged("ok", for_s=20)
        assert expired() == before
        await asyncio.sleep(HEARD_S + 10)         # the loop still turns, but nobody judges
        assert expired() == before + 1
    await asyncio.sleep(10)
    assert expired() == before + 1                # stopped in order
