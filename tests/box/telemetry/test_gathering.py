"""What nobody says by itself: figures asked at most so often, a disk that is silent, daemons that come."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.box import network_cards
from appliance.box.telemetry import gathering as room
from appliance.box.telemetry.gathering import Gathering
from appliance.box.telemetry.machine import machine
from appliance.bus.client import BusError
from appliance.bus.messages import (
    Board,
    BoardReply,
    DaemonUp,
    FigureDefinition,
    FigureRow,
    Figures,
    FigureValue,
    GetBoard,
    GetFigures,
    QueueInfo,
    StorageState,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from tests.box.telemetry.a_box import AT

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])
STORAGE = StorageState(at=AT, total=5, free=1, uses={"logs": 2}, read_only=False, trouble="", errors=0,
                       written_octets=None, devices=[], growth_octets_day=None, days=0, full_at=0.0)
FLOOR = Board(at=AT, contacts=[], agents=[], queues=[QueueInfo(name=name, waiting=[]) for name in ("a", "b")])
FIGURES = Figures(at=AT, definitions=[
    FigureDefinition(name=name, zh="", en="", unit="", formula="") for name in ("offered", "service_level")],
    rows=[FigureRow(name=name, since=0.0, until=AT, sums=[], values=[
        FigureValue(value=7.0, top=7.0, bottom=1.0), FigureValue(value=None, top=0.0, bottom=0.0)])
        for name in ("", "a")])


class Asking:
    """A bus of which only some answer."""

    def __init__(self, answers: dict[type, Any]) -> None:
        self.answers, self.asked = answers, asyncio.Queue[type]()

    async def ask(self, request: Any, within_s: float) -> Any:
        self.asked.put_nowait(type(request))
        if type(request) not in self.answers:
            raise BusError("nobody is there")
        return self.answers[type(request)]


class Disk:
    def __init__(self) -> None:
        self.looks, self.answers = 0, asyncio.Event()
        self.answers.set()

    async def state(self) -> StorageState:
        self.looks += 1
        await self.answers.wait()
        return STORAGE


def gathering(folder: Path, asking: Asking, disk: Disk) -> Gathering:
    lines: Any = SimpleNamespace(spans=["e1"], bins=lambda span, at: (None, None))
    bus: Any = asking
    return Gathering(Context("boxd", CONFIG, folder, folder, bus, asyncio.Event()), lines, disk.state)


async def test_figures_are_asked_once_a_minute_and_of_an_idle_queue_they_are_0(tmp_path: Path) -> None:
    asking = Asking({GetFigures: FIGURES})
    one = gathering(tmp_path, asking, Disk())
    one.seen.hear(FLOOR)
    for _ in range(3):
        seen = await one.refresh()
    assert asking.asked.get_nowait() is GetFigures and asking.asked.empty()
    assert seen.queues == {"a": {"offered": 7.0}, "b": {"offered": 0.0, "answered": 0.0, "abandoned": 0.0}}
    assert list(seen.performance) == ["e1"] and seen.at > AT


async def test_while_acdd_is_away_there_are_no_figures(tmp_path: Path) -> None:
    assert (await gathering(tmp_path, Asking({}), Disk()).refresh()).queues == {}


async def test_files_are_looked_at_now_and_then_and_room_every_time(tmp_path: Path) -> None:
    disk = Disk()
    one = gathering(tmp_path, Asking({}), disk)
    assert (await one.refresh()).storage == STORAGE
    storage = (await one.refresh()).storage
    assert storage is not None and storage.uses == STORAGE.uses
    assert storage.total > 5 and storage.at > AT
    assert disk.looks == 1


async def test_a_disk_that_does_not_answer_stops_nobody_and_is_looked_at_once(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.telemetry.gathering.DISK_S", 0.001)
    disk = Disk()
    disk.answers.clear()
    one = gathering(tmp_path, Asking({}), disk)
    for _ in range(3):
        assert (await one.refresh()).storage is None
    disk.answers.set()
    monkeypatch.setattr("appliance.box.telemetry.gathering.DISK_S", 10.0)
    assert (await one.refresh()).storage == STORAGE
    assert disk.looks == 1


async def test_cards_and_the_machine_are_read_each_time_and_a_loop_is_no_traffic(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def card(name: str, kind: int, **told: object) -> None:
        whole = {"flags": "0x1003", "type": kind, "ifindex": 2, "operstate": "up"} | told
        for file, value in whole.items():
            path = tmp_path / name / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")
    card("eth0", network_cards.ETHERNET, address="02:00:00:00:00:07", statistics__rx_bytes=2**40)
    card("lo", network_cards.LOOPBACK, address="00:00:00:00:00:00", statistics__rx_bytes=7)
    monkeypatch.setattr(room, "outside", lambda: network_cards.outside(tmp_path))
    one = gathering(tmp_path, Asking({}), Disk())
    seen = await one.refresh()
    assert [(found.name, found.counts["rx_bytes"], found.mac) for found in seen.network] == [
        ("eth0", 2**40, "02:00:00:00:00:07")]
    assert seen.machine is not None and 0 < seen.machine.available_octets < seen.machine.memory_octets
    card("eth0", network_cards.ETHERNET, address="02:00:00:00:00:07", statistics__rx_bytes=2**40 + 1)
    assert (await one.refresh()).network[0].counts["rx_bytes"] == 2**40 + 1


def test_the_machine_as_the_kernel_tells_it(tmp_path: Path) -> None:
    assert machine(tmp_path) is None
    (tmp_path / "meminfo").write_text("MemTotal:         396120 kB\nMemFree: 7 kB\nMemAvailable:  96 kB\n")
    assert machine(tmp_path) is None
    (tmp_path / "stat").write_text("cpu  1000 200 300 90000 5000 10 20 70 400 0\ncpu0 1 2 3 4 5\n")
    found = machine(tmp_path)
    assert found is not None and (found.memory_octets, found.available_octets) == (396120 << 10, 96 << 10)
    assert found.busy_s == pytest.approx(1600 / os.sysconf("SC_CLK_TCK")), "guests are in user already"
    (tmp_path / "meminfo").write_text("MemTotal: many\nMemAvailable: 1 kB\n")
    assert machine(tmp_path) is None


async def test_who_comes_later_is_asked_when_it_says_so(tmp_path: Path) -> None:
    asking = Asking({})
    one = gathering(tmp_path, asking, Disk())
    stop = asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    for _ in range(4):                            # spand, trunkd, acdd, recordd: none is there yet
        await asyncio.wait_for(asking.asked.get(), 5)
    assert one.seen.floor is None
    asking.answers[GetBoard] = BoardReply(board=FLOOR)
    await one.hear(DaemonUp(daemon="acdd", pid=1, started_at=AT))
    assert await asyncio.wait_for(asking.asked.get(), 5) is GetBoard
    assert one.seen.floor == FLOOR
    stop.set()
    await asyncio.wait_for(running, 5)
