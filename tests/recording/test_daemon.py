"""recordd as a process: killed at random moments while the ring goes on, asked and heard over the bus."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.bus.client import Bus
from appliance.bus.messages import DaemonUp, Event, GetRecording, Heartbeat, RecordingFinished, RecordingInfo
from appliance.recording.wav import TICKS_PER_S
from appliance.recording.writer import END_TICKS
from tests.recording.rings import ONE, TWO, Feeder, channel, figures_of_ffprobe, figures_of_sox, said

CONFIG = "spans: [{name: e1, url: 'virtual:/tmp/none/a', side: user, trunk: telco}]\n"
E = TypeVar("E", bound=Event)

TICKS_PER_WRITE = 20                              # the test's spand runs some ten times faster than life


class Box:
    """A bus, a ring that is being written, and recordd, dead or alive."""

    def __init__(self, folder: Path, bus: Bus) -> None:
        self.folder, self.bus = folder, bus
        self.feeder = Feeder(folder / "run" / "ring")
        self.heard: asyncio.Queue[Event] = asyncio.Queue()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.recording.daemon", "--config", str(self.folder / "box.yaml"),
            "--state-dir", str(self.folder / "var"), "--run-dir", str(self.folder / "run"))
        await self.hear(DaemonUp)

    async def hear(self, kind: type[E]) -> E:
        async with asyncio.timeout(20):
            while not isinstance(event := await self.heard.get(), kind):
                pass
        return event

    async def feed(self, ticks: int, *recordings: str) -> range:
        begin = self.feeder.tick
        for _ in range(ticks // TICKS_PER_WRITE):
            self.feeder.write(TICKS_PER_WRITE, *recordings)
            await asyncio.sleep(TICKS_PER_WRITE / TICKS_PER_S / 10)
        return range(begin, self.feeder.tick)

    async def end(self) -> int:
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), 10)

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "var").rglob("*.wav") if not path.name.startswith(".")]


@pytest.fixture
async def box(tmp_path: Path, bus_server: Path) -> AsyncIterator[Box]:
    (tmp_path / "box.yaml").write_text(CONFIG)
    bus = await Bus.connect(bus_server, "webui")
    box = Box(tmp_path, bus)
    await bus.hear("recordd", box.heard.put)
    try:
        yield box
    finally:
        if box.process is not None and box.process.returncode is None:
            box.process.kill()
            await box.process.wait()
        await bus.close()


async def test_kills_at_random_moments_lose_nothing(box: Box) -> None:
    moments = random.Random(7)
    began = box.feeder.tick
    for _ in range(4):
        await box.start()
        await box.feed(moments.randrange(100, 1000), ONE, TWO)
        assert box.process is not None
        box.process.kill()
        await box.feed(100, ONE, TWO)             # life goes on
        await box.end()
        for path in box.files():
            assert figures_of_sox(path)[:3] == ("A-law", "2", "8000")
            assert figures_of_ffprobe(path)["codec_name"] == "pcm_alaw"
    await box.start()
    ended = box.feeder.tick
    await box.feed(END_TICKS + TICKS_PER_WRITE)
    for _ in range(2):
        info = (await box.hear(RecordingFinished)).info
        assert (info.duration_s, info.gap_s, info.finished) == ((ended - began) / TICKS_PER_S, 0.0, True)
        assert await box.bus.ask(GetRecording(recording=info.recording)) == info
        for number in (0, 1):
            assert channel(Path(info.file), number + 1) == said(range(began, ended), info.recording, number)


async def test_stops_on_request_with_everything_written_and_tells_its_figures(box: Box) -> None:
    await box.start()
    ticks = await box.feed(200, ONE)
    assert box.process is not None
    box.process.terminate()
    assert await box.end() == 0
    (path,) = box.files()
    assert channel(path, 1) == said(ticks, ONE, 0)
    await box.start()
    info = await box.bus.ask(GetRecording(recording=ONE))
    assert info == RecordingInfo(recording=ONE, file=str(path), duration_s=2.0, gap_s=0.0, finished=False)
    assert (await box.bus.ask(GetRecording(recording="../" + ONE))).file == ""
    while "open_recordings" not in (beat := await box.hear(Heartbeat)).facts:
        pass
    assert (beat.facts["open_recordings"], beat.facts["lag_ticks"], beat.facts["failing"]) == (1, 0, 0)


async def test_waits_for_the_ring_and_survives_one_that_is_none(box: Box) -> None:
    ring = box.folder / "run" / "ring"
    ring.write_bytes(b"\0" * 100000)
    await box.start()
    await box.hear(Heartbeat)
    ring.unlink()
    box.feeder = Feeder(ring)
    await box.feed(100, ONE)
    await box.feed(END_TICKS)
    assert (await box.hear(RecordingFinished)).info.duration_s == 1.0
