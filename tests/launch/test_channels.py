"""branchline channels, busy-out, bring-back and reload, with players for the daemons that they ask."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    BringBack,
    BusyOut,
    CallInfo,
    CallTable,
    ChannelInfo,
    ChannelList,
    ChannelStates,
    Done,
    GetCalls,
    GetChannels,
    NoticeDocument,
    ReloadBackup,
    ReloadCentre,
    Reloaded,
    ReloadRecorder,
    ReloadSpans,
    ReloadTrunks,
    ReloadUpdate,
    Reply,
    Request,
)
from appliance.errors import ConfigError
from appliance.launch.channels import place
from appliance.launch.reload import reload
from tests.launch.test_cli import branchline

DOCUMENT = """\
spans: [{name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}]
web: {port: 8081}
"""


class Daemons:
    """Those that are asked. `no` is what acdd says to a reload."""

    def __init__(self, document: Path) -> None:
        self.document, self.no = document, ""
        self.asked: list[Request[Any]] = []

    async def answer(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        now = time.time()
        idle = [ChannelInfo(timeslot=timeslot, state="idle") for timeslot in (*range(5, 16), *range(17, 31))]
        match request:
            case GetChannels():
                return ChannelList(spans=[ChannelStates(span="telco1", trunk="telco", link_up=True, channels=[
                    ChannelInfo(timeslot=1, state="busy", leg="a"),
                    ChannelInfo(timeslot=2, state="busy", leg="b", blocked=True),
                    ChannelInfo(timeslot=3, state="blocked", blocked=True),
                    ChannelInfo(timeslot=4, state="idle", direction="in"),
                    *idle, ChannelInfo(timeslot=31, state="out-of-service")])])
            case GetCalls():
                return CallTable(released=[], calls=[
                    CallInfo(leg=leg, trunk="telco", span="telco1", timeslot=1, inbound=leg == "a",
                             state="answered", called="5001", calling=calling, calling_name="",
                             complete=True, since=now - 65, emergency=leg == "b")
                    for leg, calling in (("a", "139"), ("b", ""))])
            case ReloadCentre() if self.no:
                raise Refused(self.no)
            case ReloadTrunks():
                return Reloaded(document=str(self.document), changed=["trunks.telco"])
            case ReloadCentre():
                return Reloaded(document=str(self.document), changed=["centre.inbound"])
            case ReloadSpans():
                return Reloaded(document=str(self.document), changed=[])
            case ReloadRecorder() | ReloadBackup() | ReloadUpdate():
                return Reloaded(document=str(self.document), changed=["centre.inbound"])
        return Done()


@pytest.fixture
async def daemons(bus_server: Path, tmp_path: Path) -> AsyncIterator[Daemons]:
    daemons = Daemons(tmp_path / "box.yaml")
    daemons.document.write_text(DOCUMENT)
    async with contextlib.AsyncExitStack() as stack:
        for name in ("spand", "trunkd", "acdd", "recordd", "boxd"):
            bus = await Bus.connect(bus_server, name)
            stack.push_async_callback(bus.close)
            await bus.answer(daemons.answer)
        yield daemons


async def test_the_table_of_channels_and_taking_them_out_of_use(
        daemons: Daemons, bus_server: Path, tmp_path: Path) -> None:
    run = "--run-dir", str(bus_server)
    done = await asyncio.to_thread(branchline, tmp_path, "channels", *run)
    assert done.stdout.splitlines() == [
        "telco1: trunk telco, D-channel up: 2 busy, 26 idle, 1 no answer to RESTART, 1 out of use",
        "  1           busy                    in  139 -> 5001, answered for 1:05",
        "  2           busy, then out of use   out - -> 5001 emergency, answered for 1:05",
        "  3           out of use",
        "  4           idle                    incoming only",
        "  5-30        idle",
        "  31          no answer to RESTART"]
    for arguments, request, words in (
            (("busy-out", "telco1:1-3", "--now"), BusyOut(span="telco1", timeslots=[1, 2, 3], now=True),
             "telco1:1-3: out of use until bring-back, calls there were ended, but emergency calls\n"),
            (("busy-out", "all"), BusyOut(),
             "all: out of use until bring-back, calls there go on to their end\n"),
            (("bring-back", "telco1"), BringBack(span="telco1"), "telco1: in use\n")):
        done = await asyncio.to_thread(branchline, tmp_path, *arguments, *run)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", words)
        assert daemons.asked[-1] == request


@pytest.mark.parametrize("text", ["telco1:", "telco1:0", "telco1:16", "telco1:3-1", "telco1:a", "all:1"])
def test_no_such_channels(text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        place(text)


async def test_a_reload_is_asked_of_all_and_done_by_all_or_none(
        daemons: Daemons, bus_server: Path, tmp_path: Path) -> None:
    bus = await Bus.connect(bus_server, "boxd")
    copy = bus_server / "branchline.yaml"         # the launcher's, with a port of its own
    copy.write_text(DOCUMENT.replace("8081", "4711"))
    before = copy.read_text()
    try:
        daemons.no = "callers are in the way"
        with pytest.raises(Refused, match=daemons.no):
            await reload(bus, daemons.document, bus_server)
        assert daemons.asked == [ReloadSpans(check=True, candidate=True),
                                 ReloadTrunks(check=True, candidate=True),
                                 ReloadCentre(check=True, candidate=True)]
        assert copy.read_text() == before
        daemons.no = ""
        daemons.document.write_text(DOCUMENT.replace("telco}", "telco, overlap: true}"))
        assert await reload(bus, daemons.document, bus_server) == ["trunks.telco", "centre.inbound"]
        assert daemons.asked[-7:-1] == [
            ReloadSpans(), ReloadTrunks(), ReloadCentre(), ReloadRecorder(), ReloadBackup(), ReloadUpdate()]
        assert isinstance(daemons.asked[-1], NoticeDocument)
        assert "overlap: true" in copy.read_text() and "port: 4711" in copy.read_text()
        other = tmp_path / "other.yaml"
        other.write_text(DOCUMENT)
        with pytest.raises(ConfigError, match=r"other\.yaml: the box reads .*box\.yaml: name that one"):
            await reload(bus, other, bus_server)
        asked = len(daemons.asked)
        daemons.document.write_text("spans: []")
        with pytest.raises(ConfigError, match=r"box\.yaml:1: spans"):
            await reload(bus, daemons.document, bus_server)
        assert len(daemons.asked) == asked        # nobody was asked
    finally:
        await bus.close()
