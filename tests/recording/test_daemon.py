"""recordd as a process: killed at random moments while the ring goes on, asked and heard over the bus."""

import asyncio
import random
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    MAY_ASK,
    DaemonUp,
    Event,
    GetRecorder,
    GetRecording,
    GetRecordingFacts,
    GetToBeRecorded,
    Heartbeat,
    RecordedFacts,
    RecordingFacts,
    RecordingFinished,
    RecordingInfo,
    Reply,
    Request,
    SearchRecordings,
    ToBeRecordedList,
)
from appliance.recording.journal.taker import END_TICKS
from appliance.recording.wav import TICKS_PER_S
from tests.recording.bending import OURS, SENTENCE, beyond_all
from tests.recording.fetching import fetch
from tests.recording.rings import ONE, TWO, Feeder, channel, figures_of_ffprobe, figures_of_sox, said

CONFIG = "spans: [{name: e1, url: 'virtual:/tmp/none/a', side: user, trunk: telco}]\n"
E = TypeVar("E", bound=Event)

MOST_OCTETS = 400 * 1024 * 1024                   # of recordd, whatever it was asked
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

    async def audio(self, recording: str) -> Path:
        return await fetch(self.bus.ask, recording, self.folder / f"{recording}.wav")


async def log_of_nothing(request: Request[Any]) -> Reply:
    """acdd's part: no contact names these recordings; they are to be kept as they are."""
    if isinstance(request, GetToBeRecorded):
        return ToBeRecordedList(recordings=[])
    assert isinstance(request, GetRecordingFacts)
    return RecordedFacts(seq=1, changed=[], changed_to=1, facts=[
        RecordingFacts(recording=one, format="original") for one in request.recordings])


@pytest.fixture
async def box(tmp_path: Path, bus_server: Path) -> AsyncIterator[Box]:
    (tmp_path / "box.yaml").write_text(CONFIG)
    bus, acdd = await Bus.connect(bus_server, "webui"), await Bus.connect(bus_server, "acdd")
    await acdd.answer(log_of_nothing)
    box = Box(tmp_path, bus)
    await bus.hear("recordd", box.heard.put)
    try:
        yield box
    finally:
        if box.process is not None and box.process.returncode is None:
            box.process.kill()
            await box.process.wait()
        await bus.close()
        await acdd.close()


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
    await box.start()
    ended = box.feeder.tick
    await box.feed(END_TICKS + TICKS_PER_WRITE)
    for _ in range(2):
        info = (await box.hear(RecordingFinished)).info
        assert (info.duration_s, info.gap_s, info.finished) == ((ended - began) / TICKS_PER_S, 0.0, True)
        assert await box.bus.ask(GetRecording(recording=info.recording)) == info
        path = await box.audio(info.recording)
        assert figures_of_sox(path)[:3] == ("A-law", "2", "8000")
        assert figures_of_ffprobe(path)["codec_name"] == "pcm_alaw"
        for number in (0, 1):
            assert channel(path, number + 1) == said(range(began, ended), info.recording, number)


async def test_stops_on_request_with_everything_written_and_tells_its_figures(box: Box) -> None:
    await box.start()
    ticks = await box.feed(200, ONE)
    assert box.process is not None
    box.process.terminate()
    assert await box.end() == 0
    await box.start()
    info = await box.bus.ask(GetRecording(recording=ONE))
    assert info == RecordingInfo(recording=ONE, known=True, duration_s=2.0)
    assert channel(await box.audio(ONE), 1) == said(ticks, ONE, 0)
    assert not (await box.bus.ask(GetRecording(recording="../" + ONE))).known
    while "open_recordings" not in (beat := await box.hear(Heartbeat)).facts:
        pass
    assert (beat.facts["open_recordings"], beat.facts["lag_ticks"], beat.facts["failing"]) == (1, 0, 0)
    box.process.terminate()
    assert await box.end() == 0
    with sqlite3.connect(box.folder / "var" / "recordings" / "recordings.sqlite") as database:
        [(listened, signed)] = database.execute(
            "SELECT (SELECT max(seq) FROM chain), (SELECT max(seq) FROM chain_heads)")
    assert 0 < listened == signed                 # the chain's end, too


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


async def test_a_catalogue_that_is_damaged_stops_no_recording_and_nothing_is_lost_by_it(box: Box) -> None:
    await box.start()
    assert box.process is not None
    box.process.terminate()
    await box.end()
    catalogue = box.folder / "var" / "recordings" / "recordings.sqlite"
    whole = catalogue.read_bytes()
    catalogue.write_bytes(b"not a database" + whole[14:])
    await box.start()
    ticks = await box.feed(200, ONE)
    (warning,) = (await box.bus.ask(GetRecorder())).warnings
    assert "recordings.sqlite" in warning.text
    await box.feed(END_TICKS + TICKS_PER_WRITE)
    box.process.terminate()
    await box.end()
    catalogue.write_bytes(whole)                  # from a backup
    await box.start()
    await box.feed(END_TICKS)
    assert (await box.hear(RecordingFinished)).info.recording == ONE
    assert channel(await box.audio(ONE), 2) == said(ticks, ONE, 1)
    assert (await box.bus.ask(GetRecorder())).warnings == []


async def test_lives_on_whatever_it_is_asked(box: Box, bus_server: Path) -> None:
    await box.start()
    boxd, acdd = await Bus.connect(bus_server, "boxd"), await Bus.connect(bus_server, "acdd")
    for kind in OURS:
        bus = next(bus for bus in (box.bus, boxd, acdd) if kind in MAY_ASK[bus.name])
        for request in beyond_all(kind):
            with pytest.raises(Refused) as no:
                await bus.ask(request, 10)
            assert len(str(no.value)) <= SENTENCE
    assert (await box.hear(Heartbeat)).rss_octets < MOST_OCTETS
    # Of a kind that takes long only so many wait; what is quick is answered beside them.
    async with asyncio.TaskGroup() as group:
        flood = [group.create_task(refusal(boxd, SearchRecordings(number="138"))) for _ in range(500)]
        await boxd.ask(GetRecorder(), 10)
    assert {one.result() for one in flood} == {
        "", "SearchRecordings: too many wait for an answer: ask again later"}
    assert box.process is not None
    assert box.process.returncode is None
    limits = Path(f"/proc/{box.process.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)            # nor its keys in a dump
    await boxd.close()
    await acdd.close()


async def refusal(bus: Bus, request: Request[Any]) -> str:
    try:
        await bus.ask(request, 30)
    except Refused as no:
        return str(no)
    return ""
