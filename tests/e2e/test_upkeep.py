"""The box's own upkeep, on the demonstration: log, disk, entries, a day played again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus.messages import (
    AddMaintenance,
    BeginRehearsal,
    Board,
    DaemonUp,
    GetHealth,
    GetLogs,
    GetMaintenance,
    GetMaintenanceLists,
    GetRehearsal,
    GetRehearsals,
    GetStorage,
    LogLines,
    RehearsalOrder,
    RehearsalState,
)
from tests.e2e.observer import Observer
from tests.e2e.talk import SOON_S
from tests.e2e.test_launch import BRANCHLINE, PATIENCE_S, Up, folder

__all__ = ["folder"]
PLAYED_S = 60.0                                   # by a child that gets what nobody else wants


@pytest.fixture
def box(folder: Path) -> Iterator[Up]:
    box = Up(folder)
    yield box
    box.close()


def command(box: Up, *words: str) -> str:
    """What `branchline maintenance` prints."""
    return subprocess.run([BRANCHLINE, "maintenance", *words, "--run-dir", box.run_dir], check=True,
                          capture_output=True, text=True).stdout


def test_the_log_is_found_and_the_day_is_played_again(box: Up) -> None:
    box.wait_ready()
    with Observer(box.run_dir) as bus:
        killed = next(one.pid for one in bus.ask(GetHealth()).health.daemons if one.daemon == "trunkd")
        mark = bus.mark()
        os.kill(killed, signal.SIGKILL)
        bus.wait_event(DaemonUp, lambda up: up.daemon == "trunkd", SOON_S, mark)
        asked = GetLogs(programs=["trunkd"], level="warning", text="sigkill")
        found = bus.ask_until(asked, lambda reply: reply.lines, SOON_S)
        assert isinstance(found, LogLines) and found.source == "files"
        assert "killed by SIGKILL; starts again" in found.lines[0].text
        told = bus.ask(GetLogs(most=500)).lines
        assert {"spand", "boxd", "telco"} <= {one.program for one in told}
        calls = bus.ask_until(GetLogs(programs=["telco"], text="calls 5001"), lambda reply: reply.lines,
                              PATIENCE_S).lines
        assert all(" xxxxxxxx" in one.text for one in calls)         # numbers as in the bundle

        assert bus.ask(GetStorage()).uses["events"] > 0
        lists = bus.ask(GetMaintenanceLists()).items["weekly"]
        assert {one.item: one.found for one in lists}["daemons"] in ("good", "bad")
        number = bus.ask(AddMaintenance(kind="repair", by="li", text="fan")).number
        assert [one.number for one in bus.ask(GetMaintenance()).entries] == [number]
        assert command(box, "add", "correction", "it was the card", "--of", str(number)) == "entry 2\n"
        assert f"puts {number} right" in command(box, "show")

        def answered(board: Board) -> bool:
            return any(one.state == "ended" and one.agent for one in board.contacts) or any(
                one.state == "talking" for one in board.contacts)
        bus.wait_event(Board, answered, PATIENCE_S)
        (day,) = bus.ask(GetRehearsals()).days
        order = RehearsalOrder(days=[day], changes=["agents=+2"], seeds=2, interval_min=60)
        mark = bus.mark()
        one = bus.ask(BeginRehearsal(order=order, by="li")).rehearsal
        ended = bus.wait_event(RehearsalState, lambda said: said.rehearsal.phase in ("done", "failed"),
                               PLAYED_S, mark)
        assert (ended.rehearsal.phase, ended.rehearsal.trouble) == ("done", "")
        result = bus.ask(GetRehearsal(rehearsal=one.rehearsal)).result
        offered = result["queues"][""]["figures"]["offered"]
        assert offered["base"][0] > 0 and offered["base"] == offered["changed"]
    assert box.stop() == 0
