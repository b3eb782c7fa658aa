"""`branchline trace` as a person types it, against a trunkd and an acdd played on a real bus."""
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.box.traces.drawing import ASCII, UNICODE, Drawing, pen_for
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    GetCallTrace,
    GetContactLegs,
    GetContacts,
    GetSpanTrace,
    Reply,
    Request,
    SpanTrace,
)
from appliance.isdn.ladder import Step, describe
from appliance.isdn.lapd import Side
from appliance.launch.cli import main
from e1_driver.watch import pcap
from tests.conftest import ROOT
from tests.isdn.captured import captured
from tests.webui.facts import CALLER, Branch, busy_branch, trace_frames


def branchline(*arguments: str, charset: str, columns: int) -> Result:
    runner = CliRunner(charset=charset, env={"COLUMNS": str(columns)})
    return runner.invoke(main, ["trace", *arguments])


class Box:
    """What trunkd and acdd answer; contact e1 has the legs l1 and l2."""

    def __init__(self, run_dir: Path) -> None:
        self.branch: Branch = busy_branch()
        self._run_dir = run_dir
        self.frames = trace_frames(captured(CALLER, Side.USER, time.time() - 60.0))

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case GetSpanTrace(span="telco", since=since, frames=most):
                found = [frame for frame in self.frames if frame.at >= since]
                return SpanTrace(network_side=False, frames=found[-most:], cut=False)
            case GetSpanTrace():
                raise Refused("no span has that name")
            case GetCallTrace() | GetContactLegs() | GetContacts():
                return self.branch.reply(request)
        raise Refused(f"nobody should ask {request}")

    async def trace(self, *arguments: str, code: int = 0, charset: str = "utf-8", columns: int = 120) -> str:
        """What it prints."""
        done = await asyncio.to_thread(
            branchline, *arguments, "--run-dir", str(self._run_dir), charset=charset, columns=columns)
        assert done.exit_code == code, done.output
        return done.output


@pytest.fixture
async def box(bus_server: Path) -> AsyncIterator[Box]:
    box = Box(bus_server)
    buses = [await Bus.connect(bus_server, name) for name in ("trunkd", "acdd")]
    for bus in buses:
        await bus.answer(box.answer)
    yield box
    for bus in buses:
        await bus.close()


async def test_a_contact_has_a_ladder_for_each_of_its_calls(box: Box) -> None:
    shown = await box.trace("--call", "e1")
    lines = shown.splitlines()
    assert [line.partition("  ")[2] for line in lines if " to " in line] == [
        "the caller's call: 13800138000 to 5001", "the call to agent anna: 13800138000 to 8001"]
    assert "box (user)" in lines[3] and lines[3].rstrip().endswith("far end (network)")
    [setup] = [line for line in lines if "◀" in line and " SETUP " in line and "called 5001" in line
               and "again" not in line]
    assert setup.split()[1].startswith("+") and "channel 17 exclusive" in setup
    [answer] = [line for line in lines if " CONNECT " in line and "connected 8001" in line]
    assert answer.index("▶") > answer.index("CONNECT")
    assert sum("cause 16 Normal call clearing" in line for line in lines) == 4     # heads and DISCONNECTs
    assert sum("sent again by layer 2" in line for line in lines) == 2
    assert all(len(line) <= 120 for line in lines)


async def test_a_narrow_terminal_of_few_characters_gets_it_all_below_the_arrows(box: Box) -> None:
    shown = await box.trace("--call", "l1", charset="ascii", columns=60)
    assert shown.isascii() and all(len(line) <= 60 for line in shown.splitlines() if "|" in line)
    assert "<--" in shown and "calling 13800138000" in shown


async def test_details_say_everything(box: Box) -> None:
    shown = await box.trace("--call", "e1", "--details", columns=200)
    assert "screening network provided" in shown and "layer 2: I command N(S)=0 N(R)=0 P=0" in shown


@pytest.mark.parametrize("name", ["e1", "last", "13800138000", "l1"])
async def test_ways_to_name_a_call(box: Box, name: str) -> None:
    box.branch.contacts = {"e1": box.branch.contacts["e1"]}
    found = json.loads(await box.trace("--call", name, "--json"))
    [first, *_] = found["calls"]
    assert (first["leg"], first["span"], first["cause"]) == ("l1", "telco", 16)
    setup = next(rung for rung in first["rungs"] if rung["message"] == "SETUP")
    assert {one["name"]: one["text"] for one in setup["elements"]}["Called party number"] == "called 5001"
    assert bytes.fromhex(setup["octets"])[4] == 8


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (("--call", "nobody"), 1, "nobody: no such call: give"), (("--call", "e2"), 1, "e2: no such call"),
    ((), 2, "SPAN, or --call CALL"), (("telco", "--call", "e1"), 2, "SPAN, or --call CALL"),
    (("--call", "e1", "--follow"), 2, "go with SPAN"), (("telco", "--last", "soon"), 2, "is no duration"),
    (("telco", "--pcap", "x", "--json"), 2, "--pcap writes a file"),
    (("other",), 69, "no span has that name"),
    (("telco", "--last", "5m", "--pcap", "/nowhere/x"), 1, "/nowhere/x: No such file"),
])
async def test_what_cannot_be_is_said(box: Box, arguments: tuple[str, ...], code: int, says: str) -> None:
    assert says in await box.trace(*arguments, code=code)


async def test_a_span_shows_what_it_said_lately(box: Box, tmp_path: Path) -> None:
    shown = await box.trace("telco", "--last", "10m")
    assert "DISCONNECT" in shown and "RR" not in shown and "upkeep" not in shown
    assert "RR response N(R)=1 F=0" in await box.trace("telco", "--upkeep")
    assert "SETUP" not in await box.trace("telco", "--last", "1s")
    span, call = (tmp_path / name for name in ("d.pcap", "c.pcap"))
    await box.trace("telco", "--last", "5m", "--pcap", str(span))
    await box.trace("--call", "e1", "--pcap", str(call))
    assert span.read_bytes() == pcap.write([(one.at, one.sent, one.octets) for one in box.frames], False)
    assert call.read_bytes().count(b"13800138000") == 4


async def test_a_span_is_followed_until_ctrl_c(box: Box, tmp_path: Path, bus_server: Path) -> None:
    frames, box.frames = box.frames, []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.launch", "trace", "telco", "--follow", "--json", "--last", "10m",
        "--run-dir", str(bus_server), cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout
    messages: list[str] = []
    for part in (frames[:6], frames):
        box.frames = part
        while len(messages) < sum(len(one.octets) > 4 for one in part[:-1]):
            said = json.loads(await asyncio.wait_for(process.stdout.readline(), 30.0))
            messages += [said["message"]] if said.get("message") else []
    assert messages[:3] == ["SETUP", "CALL PROCEEDING", "ALERTING"] and "RELEASE COMPLETE" in messages
    assert len(messages) == len(CALLER)           # none was said twice
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 30.0) == 0


def test_the_pen_fits_the_terminal() -> None:
    assert pen_for("utf-8") is UNICODE
    assert {pen_for(encoding) for encoding in ("ascii", "latin-1", "nonsense", None)} == {ASCII}


def test_what_a_far_end_says_moves_no_cursor() -> None:
    escape = bytes.fromhex("02 01 00 00 08 02 00 01 6e 28 06 b1 1b 5b 32 4a 41 27 01 80")
    lines = list(Drawing(120, ASCII, 0.0, details=True).lines(Step(1.0, describe(escape, False, False))))
    assert all(line.isprintable() for line in lines)
