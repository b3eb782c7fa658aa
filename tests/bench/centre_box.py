"""acdd on a real bus with its log on the disk; trunkd and spand are stood in for by this process."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.bus.client import Bus
from appliance.bus.messages import (
    CallAnswered,
    CallIncoming,
    CallReleased,
    CallTable,
    DaemonUp,
    Dial,
    Done,
    Event,
    GetBoard,
    GetCalls,
    Hangup,
    Reply,
    Request,
)
from tests.conftest import bus_server_at

AGENTS, QUEUES = 120, 10
CALLS_PER_S = 10.0
FILLED_PER_S = 55.0                               # callers: a thousand in about position_every_s
MEASURED = 150                                    # hang-ups
READY_S = 30.0
FSYNC_EVERY = 5                                   # hang-ups


class Lines:
    """What trunkd would be: callers come, agents answer at once and hang up when they are told to."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._legs = 0
        self._talks: deque[tuple[str, str]] = deque()            # agent's leg, extension
        self._free_at: dict[str, float] = {}      # by extension
        self.took_ms: list[float] = []            # from the hang-up to the order to ring

    async def arrive(self) -> None:
        self._legs += 1
        await self._bus.say(CallIncoming(
            leg=f"c{self._legs}", trunk="telco", called=str(5000 + self._legs % QUEUES),
            calling=f"139{self._legs:08d}", calling_name="", complete=True, at=time.time()))

    async def hang_up(self) -> None:
        """The agent who has talked for the longest time."""
        leg, extension = self._talks.popleft()
        self._free_at[extension] = time.perf_counter()
        await self._bus.say(CallReleased(leg=leg, cause=16, by="far", at=time.time()))

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case GetCalls():
                return CallTable(calls=[], released=[])
            case Dial(leg=leg, called=extension):
                if extension in self._free_at:
                    self.took_ms.append((time.perf_counter() - self._free_at.pop(extension)) * 1000)
                self._talks.append((leg, extension))
                await self._bus.say(CallAnswered(leg=leg, at=time.time()))
            case Hangup(leg=leg):
                await self._bus.say(CallReleased(leg=leg, cause=16, by="near", at=time.time()))
        return Done()


async def reaction(waiting: int) -> tuple[list[float], list[float]]:
    """ms from an agent's hang-up to the order to ring with so many in line, and of a bare fsync beside it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as exits:
        folder = Path(name)
        run_dir = exits.enter_context(bus_server_at(lay_out(folder)))
        buses = [await Bus.connect(run_dir, user) for user in ("trunkd", "spand", "webui")]
        trunkd, spand, webui = buses
        lines, up = Lines(trunkd), asyncio.Event()

        async def hear(event: Event) -> None:
            if isinstance(event, DaemonUp):
                up.set()

        await trunkd.answer(lines.answer)
        await spand.answer(done)
        await webui.hear("acdd", hear)
        process = exits.enter_context(acdd(folder, run_dir))
        try:
            async with asyncio.timeout(READY_S):
                await up.wait()
            await filled(lines, webui, waiting)
            lines.took_ms.clear()
            return lines.took_ms, await _rush(lines, folder)
        finally:
            for bus in buses:
                await bus.close()
            process.terminate()
            process.wait(READY_S)


async def filled(lines: Lines, asking: Bus, waiting: int) -> None:
    """Everybody talks, and so many wait, who have come evenly: so are their places announced."""
    for _ in range(AGENTS + waiting):
        await lines.arrive()
        await asyncio.sleep(1 / FILLED_PER_S)
    await _until(asking, AGENTS + waiting)


async def _until(webui: Bus, contacts: int) -> None:
    """So many are there; asked one question after the other, which acdd answers between its turns."""
    async with asyncio.timeout(READY_S):
        while len((await webui.ask(GetBoard())).board.contacts) < contacts:
            pass


async def _rush(lines: Lines, folder: Path) -> list[float]:
    """One comes and one is served, at an even pace. ms of fsync."""
    fsync_ms: list[float] = []
    began = time.monotonic()
    for number in range(MEASURED):
        await asyncio.sleep(max(0.0, began + number / CALLS_PER_S - time.monotonic()))
        await lines.arrive()
        await asyncio.sleep(0.5 / CALLS_PER_S)
        await lines.hang_up()
        if number % FSYNC_EVERY == 0:
            fsync_ms.append(await asyncio.to_thread(_fsync_ms, folder / "state"))
    await asyncio.sleep(1.0)
    if len(lines.took_ms) < MEASURED:
        raise ValueError(f"{len(lines.took_ms)} of {MEASURED} agents were rung: this floor stands still")
    return fsync_ms


def _fsync_ms(folder: Path) -> float:
    with (folder / "fsync").open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


async def done(_: Request[Any]) -> Reply:
    return Done()


@contextlib.contextmanager
def acdd(folder: Path, run_dir: Path) -> Any:
    with (folder / "acdd.log").open("wb") as log, subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "appliance.centre.daemon",
             "--config", str(folder / "box.yaml"), "--state-dir", str(folder / "state"),
             "--run-dir", str(run_dir)], stdout=log, stderr=log) as process:
        yield process


def lay_out(folder: Path, serves: Callable[[int, int], bool] = lambda queue, agent: True) -> Path:
    """The run folder. serves: which agent which queue, by number."""
    for name in ("run", "state"):
        (folder / name).mkdir()
    queues = [f"q{number}" for number in range(QUEUES)]
    agents = [f"a{number}" for number in range(AGENTS)]
    for queue in queues:
        (folder / f"{queue}.yaml").write_text(json.dumps(
            {"start": "queue", "nodes": {"queue": {"kind": "queue", "queue": queue}}}), encoding="utf-8")
    (folder / "box.yaml").write_text(json.dumps({
        "spans": [{"name": "t", "url": "virtual:t/b", "side": "user", "trunk": "telco"},
                  {"name": "p", "url": "virtual:p/b", "side": "network", "trunk": "pbx"}],
        "centre": {
            "inbound": [{"trunk": "telco", "called": str(5000 + number), "flow": f"{queue}.yaml"}
                        for number, queue in enumerate(queues)],
            "queues": [{"name": queue, "wrap_up_s": 0.0, "agents": [
                agent for place, agent in enumerate(agents) if serves(number, place)]}
                for number, queue in enumerate(queues)],
            "agents": [{"name": agent, "extension": str(8000 + number), "trunk": "pbx"}
                       for number, agent in enumerate(agents)]}}), encoding="utf-8")
    return folder / "run"
