"""debug, trace and capture against a trunkd that is played, with frames as they were captured."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.box.traces import found
from appliance.bus.client import Refused
from appliance.bus.messages import GetSpanTrace, Reply, Request, SpanTrace
from appliance.isdn.lapd import Side
from e1_driver.watch import pcap
from tests.box.commands.acting import Bus, Live, Person, box
from tests.isdn.captured import captured
from tests.webui.facts import CALLER, busy_branch, trace_frames


class Line:
    """Its frames; those behind `shown` are still to come."""

    def __init__(self) -> None:
        self.branch = busy_branch()
        self.frames = trace_frames(captured(CALLER, Side.USER, time.time() - 60.0))
        self.shown = len(self.frames)

    def __call__(self, request: Request[Any]) -> Reply:
        match request:
            case GetSpanTrace(span="telco", since=since, frames=most):
                kept = [one for one in self.frames[:self.shown] if one.at >= since]
                return SpanTrace(network_side=False, frames=kept[-most:], cut=False)
            case GetSpanTrace():
                raise Refused("no span has that name")
        return self.branch.reply(request)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(found, "LOOK_EVERY_S", 0.001)
    return Line()


@pytest.fixture
def li(tmp_path: Path, line: Line) -> Person:
    return Person(box(tmp_path, Bus(line)))


async def test_a_call_has_a_ladder_for_each_leg(li: Person) -> None:
    said = await li.does("trace call e1")
    assert "the caller's call: 13800138000 to 5001" in said and "the call to agent anna" in said
    assert "SETUP" in said and "cause 16 Normal call clearing" in said
    calls = (await li.json("trace call 13800138000"))["calls"]
    assert [one["leg"] for one in calls] == ["l1", "l2"]
    assert "SETUP" in [one["message"] for one in calls[0]["rungs"]]
    li.session.width = 200
    assert "screening network provided" in await li.does("trace call l1 details")
    assert "no such call" in await li.does("trace call nobody", status=1)
    wang = Person(li.box, language="zh")
    said = await wang.does("trace call e1")
    assert "主叫的呼叫：13800138000 到 5001" in said and "呼叫座席 anna" in said
    assert "已结束，原因值 16" in said and "本机 (用户侧)" in said and "没有该呼叫" in await wang.does(
        "trace call nobody", status=1)


async def test_what_a_far_end_says_moves_no_cursor(li: Person, line: Line) -> None:
    trace = line.branch.traces["l1"][0]
    evil = msgspec.structs.replace(trace.call, calling="1\x1b[2J", called="2\x9b5n\u202e")
    line.branch.traces["l1"] = [msgspec.structs.replace(trace, call=evil)]
    for said in (await li.does("trace call l1"), await li.does("trace call l1 | json")):
        assert "[2J" in said and not set("\x1b\x9b\u202e") & set(said)


async def test_a_d_channel_is_decoded_as_it_comes(li: Person, line: Line) -> None:
    line.shown = 0
    live = Live(li.begin("debug isdn span 1 layer 3 last 5m"))
    assert "box (user)" in await live.next()
    line.shown = 6
    first = await live.next()
    assert "SETUP" in first and "RR" not in first
    line.shown = len(line.frames)
    later = await live.next()
    while "RELEASE COMPLETE" not in later:
        later += await live.next()
    assert "SETUP " not in later                  # nothing is said twice
    await live.cancel()


async def test_layer_2_shows_what_keeps_the_link(li: Person) -> None:
    live = Live(li.begin("debug isdn span telco layer 2 last 5m"))
    assert "box (user)" in await live.next()
    assert "RR response" in await live.next()
    await live.cancel()


async def test_a_capture_is_a_file_for_wireshark(li: Person, line: Line, tmp_path: Path) -> None:
    whole = pcap.write([(one.at, one.sent, one.octets) for one in line.frames], False)
    assert await li.octets("capture span telco last 5m") == whole
    assert "saved: d.pcap" in await li.does("capture span 1 | save d.pcap")
    assert (tmp_path / "saved" / "d.pcap").read_bytes() == whole
    assert (await li.octets("capture call e1")).count(b"13800138000") == 4
    assert "no frame in that time" in await li.does("capture span telco last 1s", status=1)
    assert "not both" in await li.does("capture span telco last 1s for 1s", status=1)


async def test_a_capture_of_what_comes_from_now_on_ends_by_itself(li: Person, line: Line) -> None:
    line.frames = trace_frames(captured(CALLER, Side.USER, time.time() + 5.0))
    assert await li.octets("capture span telco for 0.05s") == pcap.write(
        [(one.at, one.sent, one.octets) for one in line.frames], False)
    await li.does("capture span telco for 2h", status=64)
    await li.does("capture span telco last 1h", status=64)           # so long nothing is kept


async def test_many_frames_come_in_pieces(li: Person, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "AT_ONCE", 2)
    live = Live(li.begin("debug isdn span telco layer 2 last 5m | json"))
    pieces = [json.loads(await live.next())["frames"]]
    while sum(map(len, pieces)) < len(line.frames):
        pieces.append(json.loads(await live.next())["frames"])
    assert max(map(len, pieces)) == 2
    assert [one["at"] for piece in pieces for one in piece] == [one.at for one in line.frames]
    await live.cancel()
