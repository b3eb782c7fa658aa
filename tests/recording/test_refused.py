"""recordd as a process on a disk that refuses at its start, or later: it says so, and goes on by itself."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.bus.client import Bus
from appliance.bus.messages import GetRecorder, RecorderChanged, RecordingFinished
from appliance.bus.runner import EX_UNAVAILABLE
from appliance.recording.journal.taker import END_TICKS
from tests.recording.rings import ONE, channel, said
from tests.recording.test_daemon import CONFIG, TICKS_PER_WRITE, Box, log_of_nothing

pytestmark = pytest.mark.need(5)


@pytest.fixture
async def box(tmp_path: Path, bus_server: Path) -> AsyncIterator[Box]:
    (tmp_path / "box.yaml").write_text(CONFIG)
    bus, acdd = await Bus.connect(bus_server, "webui"), await Bus.connect(bus_server, "acdd")
    await acdd.answer(log_of_nothing)
    box = Box(tmp_path, bus)
    await bus.hear("recordd", box.heard.put)
    yield box
    if box.process is not None and box.process.returncode is None:
        box.process.kill()
        await box.process.wait()
    await bus.close()
    await acdd.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for recordd's state."""
    folder = tmp_path / "var"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", str(folder)],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def told(box: Box, *kinds: str) -> None:
    """Until exactly these are warned of, beside that the disk is a small one."""
    state = await box.bus.ask(GetRecorder())
    while {one.kind for one in state.warnings} - {"low-space"} != set(kinds):
        state = (await box.hear(RecorderChanged)).state


@pytest.mark.parametrize("name", ["keys", "journal"])
def test_what_it_cannot_do_without_is_said_in_a_line_and_tried_again(
        tmp_path: Path, bus_server: Path, name: str) -> None:
    (tmp_path / "box.yaml").write_text(CONFIG)
    (tmp_path / "var" / "recordings").mkdir(parents=True)
    (tmp_path / "var" / "recordings" / name).write_text("not a folder")
    done = subprocess.run(
        [sys.executable, "-m", "appliance.recording.daemon", "--config", str(tmp_path / "box.yaml"),
         "--state-dir", str(tmp_path / "var"), "--run-dir", str(bus_server)],
        capture_output=True, text=True, timeout=20)
    assert done.returncode == EX_UNAVAILABLE      # not the configuration's: that would end the whole box
    assert "mend the disk, or its owner and mode" in done.stderr
    assert "Traceback" not in done.stderr


async def test_on_a_disk_that_is_read_only_at_the_start_it_waits_for_it_and_loses_nothing(
        box: Box, disk: Path) -> None:
    await box.start()
    assert box.process is not None
    box.process.terminate()
    await box.end()
    remount(disk, "ro")
    await box.start()
    begin = box.feeder.tick
    await box.feed(200, ONE)
    await told(box, "catalogue", "disk-refuses")
    remount(disk, "rw")
    await told(box, "catalogue")
    assert await box.end() == 0                   # to be started anew, with its catalogue
    await box.start()
    end = box.feeder.tick
    await box.feed(END_TICKS + TICKS_PER_WRITE)
    await box.hear(RecordingFinished)
    assert channel(await box.audio(ONE), 1) == said(range(begin, end), ONE, 0)
    await told(box)


async def test_a_full_disk_is_told_of_and_all_is_finished_when_there_is_room(box: Box, disk: Path) -> None:
    await box.start()
    ticks = await box.feed(200, ONE)
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            pass
    await box.feed(END_TICKS + TICKS_PER_WRITE)
    async with asyncio.timeout(20):
        while not any(one.kind == "unfinished" for one in (await box.bus.ask(GetRecorder())).warnings):
            await box.hear(RecorderChanged)
    filler.unlink()
    await box.hear(RecordingFinished)
    assert channel(await box.audio(ONE), 2) == said(ticks, ONE, 1)
    assert not any(one.kind == "unfinished" for one in (await box.bus.ask(GetRecorder())).warnings)
