"""recordd is killed again and again while short calls begin and end: each is finished, once, and whole."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.bus.client import Bus
from appliance.bus.messages import GetRecording, RecordingFinished
from appliance.config.load import load
from appliance.recording.catalogue.schema import recordings
from appliance.recording.journal.taker import END_TICKS
from appliance.recording.vault.chain import page, verify
from tests.recording.power.subject import build
from tests.recording.power.test_power import heard, spoken
from tests.recording.test_daemon import CONFIG, TICKS_PER_WRITE, Box, log_of_nothing

KILLS = int(os.environ.get("KILLS", "3"))         # more of them by hand
ROWS = 3
FASTER = 2                                        # than life: the ring's 30 s are 15 s of the test's


class Calls:
    """Calls of half a second to two on each row, one after the other; `said`: the ticks of each."""

    def __init__(self, box: Box, chance: random.Random) -> None:
        self.said: dict[str, range] = {}
        self._box, self._chance = box, chance
        self._rows: list[tuple[str, int]] = [("", 0)] * ROWS         # what runs, for how many writes more

    def write(self) -> None:
        for row, (name, left) in enumerate(self._rows):
            if not left:
                name = "" if name else f"{row + 1:016x}{len(self.said) + 1:016x}"
                self._rows[row] = name, self._chance.randrange(3, 10)
            else:
                self._rows[row] = name, left - 1
        names = [name for name, _ in self._rows if name]
        ticks = self._box.feeder.write(TICKS_PER_WRITE, *names)
        for name in names:
            self.said[name] = range(self.said.get(name, ticks).start, ticks.stop)

    async def go_on(self) -> None:
        while True:
            self.write()
            await asyncio.sleep(TICKS_PER_WRITE / 100 / FASTER)


@pytest.mark.need(5)
@pytest.mark.timeout(600)
async def test_each_call_is_finished_once_and_whole_whenever_recordd_is_killed(
        tmp_path: Path, bus_server: Path) -> None:
    (tmp_path / "box.yaml").write_text(CONFIG)
    bus, acdd = await Bus.connect(bus_server, "webui"), await Bus.connect(bus_server, "acdd")
    await acdd.answer(log_of_nothing)
    box, chance = Box(tmp_path, bus), random.Random(5)
    await bus.hear("recordd", box.heard.put)
    calls = Calls(box, chance)
    going = asyncio.create_task(calls.go_on())
    try:
        for number in range(KILLS):
            starting = asyncio.create_task(box.start())
            if number % 2:                        # else it may be killed while it starts, too
                await starting
                await asyncio.sleep(1.0)          # the ring ends: it has to be looked at now and then
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            assert box.process is not None
            box.process.kill()
            await box.end()
            starting.cancel()
        going.cancel()
        await box.start()
        await box.feed(END_TICKS + TICKS_PER_WRITE)
        for name in calls.said:
            while not (await bus.ask(GetRecording(recording=name))).finished:
                await box.hear(RecordingFinished)                    # the next of all
        assert box.process is not None
        box.process.terminate()
        assert await box.end() == 0
    finally:
        going.cancel()
        if box.process is not None and box.process.returncode is None:
            box.process.kill()
            await box.process.wait()
        await bus.close()
        await acdd.close()
    assert len(calls.said) > KILLS
    parts = build(tmp_path / "var", load(tmp_path / "box.yaml"))
    with parts.database.read() as connection:
        found = {row.recording: row for row in connection.execute(select(recordings))}
        chained = Counter(one.recording for one in page(connection) if one.kind == "recorded")
        assert verify(connection) is None
    assert found.keys() == calls.said.keys()
    assert chained == Counter(calls.said.keys())
    for name, ticks in calls.said.items():
        assert (found[name].duration_ticks, found[name].gap_ticks) == (len(ticks), 0)
        assert heard(parts, name) == spoken(name, (ticks,))
    assert parts.taker.figures()["open_recordings"] == 0
    assert {str(path.relative_to(parts.folder)) for path in parts.folder.rglob("*.blr*")} == {
        row.path for row in found.values()}
    parts.database.close()
