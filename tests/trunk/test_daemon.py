"""trunkd as a process on a real bus, with spand and an exchange played on the other side of its sockets."""
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    Alert,
    Answer,
    BindLeg,
    BusyOut,
    CallAlerting,
    CallAnswered,
    CallDigits,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallReleased,
    ChannelStates,
    DaemonUp,
    Dial,
    Done,
    Event,
    GetCalls,
    GetChannels,
    GetTrace,
    Hangup,
    Heartbeat,
    LinkState,
    Proceed,
    ReloadTrunks,
    Reply,
    Request,
    SpanState,
    UnbindLeg,
)
from appliance.isdn import events as isdn
from appliance.isdn.lapd import Side
from tests.trunk.far_end import FarEnd

E = TypeVar("E", bound=Event)
CONFIG = """
spans:
  - {name: telco-1, url: "virtual:/x/a", side: user, trunk: telco}
  - {name: pbx-1, url: "virtual:/y/a", side: network, trunk: pbx, overlap: true}
"""


class Listener:
    """acdd's ears: trunkd's events, in order."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    async def hear(self, event: Event) -> None:
        self._events.put_nowait(event)

    def forget(self) -> None:
        """What was heard and not waited for."""
        while not self._events.empty():
            self._events.get_nowait()

    async def wait_for(self, kind: type[E], within_s: float = 15.0, **fields: object) -> E:
        async with asyncio.timeout(within_s):
            while True:
                event = await self._events.get()
                if isinstance(event, kind) and all(getattr(event, name) == fields[name] for name in fields):
                    return event


class Spand:
    """What trunkd asked for, in order."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[Request[Any]] = asyncio.Queue()

    async def answer(self, request: Request[Any]) -> Reply:
        self._asked.put_nowait(request)
        return Done()

    async def asked(self) -> Request[Any]:
        """The next one."""
        return await asyncio.wait_for(self._asked.get(), 10.0)


class Box:
    """A bus, trunkd, and everything around it."""

    def __init__(self, run_dir: Path, acdd: Bus, spand_bus: Bus, telco: FarEnd, pbx: FarEnd) -> None:
        self.run_dir, self.acdd, self.spand_bus, self.telco, self.pbx = run_dir, acdd, spand_bus, telco, pbx
        self.listener, self.spand = Listener(), Spand()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.listener.forget()
        config = self.run_dir / "box.yaml"
        config.write_text(CONFIG)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "appliance.trunk.daemon", "--config", str(config),
             "--state-dir", str(self.run_dir / "state"), "--run-dir", str(self.run_dir)])

    async def up(self) -> None:
        """trunkd runs, both links are up, and the RESTARTs of both ends' cold starts are answered."""
        idle: set[str] = set()
        while idle != {"telco-1", "pbx-1"}:
            states = await self.listener.wait_for(ChannelStates, link_up=True)
            if all(channel.state == "idle" for channel in states.channels):
                idle.add(states.span)
        for end in (self.telco, self.pbx):
            await end.wait_idle()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def terminate(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(10)

    async def calls(self) -> list[CallInfo]:
        return (await self.acdd.ask(GetCalls())).calls

    async def offer(self, far_end: FarEnd, key: str, called: str = "5001", **options: Any) -> CallIncoming:
        """A call from the far end, until trunkd says it."""
        far_end.signalling.setup(key, called, far_end.now(), **options)
        far_end.poke()
        return await self.listener.wait_for(CallIncoming)


@pytest.fixture
async def box(bus_server: Path) -> AsyncIterator[Box]:
    async with contextlib.AsyncExitStack() as stack:
        acdd, spand = await Bus.connect(bus_server, "acdd"), await Bus.connect(bus_server, "spand")
        stack.push_async_callback(acdd.close)
        stack.push_async_callback(spand.close)
        telco = await stack.enter_async_context(FarEnd(bus_server / "dchan" / "telco-1.sock", Side.NETWORK))
        pbx = await stack.enter_async_context(FarEnd(bus_server / "dchan" / "pbx-1.sock", Side.USER))
        box = Box(bus_server, acdd, spand, telco, pbx)
        await acdd.hear("trunkd", box.listener.hear)
        await spand.answer(box.spand.answer)
        stack.callback(box.kill)
        box.start()
        await box.up()
        yield box


async def test_a_call_comes_in_is_answered_and_released(box: Box) -> None:
    incoming = await box.offer(box.telco, "far", calling="13800138000", name="Li")
    leg = incoming.leg
    assert (incoming.trunk, incoming.called, incoming.calling, incoming.calling_name, incoming.complete) == (
        "telco", "5001", "13800138000", "Li", True)
    await box.telco.wait_for(isdn.Proceeding)     # nobody asked for it
    [call] = await box.calls()
    assert (call.state, call.span, call.timeslot, call.inbound) == ("offered", "telco-1", 1, True)
    await box.acdd.ask(Alert(leg=leg))
    await box.telco.wait_for(isdn.Alerting)
    await box.acdd.ask(Answer(leg=leg))
    await box.telco.wait_for(isdn.Answered)
    await box.listener.wait_for(CallAnswered, leg=leg)
    [call] = await box.calls()
    assert call.state == "answered"
    await box.acdd.ask(Hangup(leg=leg, cause=16))
    released = await box.listener.wait_for(CallReleased)
    assert (released.leg, released.cause, released.by) == (leg, 16, "near")
    assert (await box.telco.wait_for(isdn.Released)).cause == 16
    states = await box.listener.wait_for(ChannelStates, span="telco-1")
    assert {channel.state for channel in states.channels} == {"idle"}
    table = await box.acdd.ask(GetCalls())
    assert table.calls == [] and [call.leg for call in table.released] == [leg]
    assert await box.spand.asked() == BindLeg(leg=leg, span="telco-1", timeslot=1)
    assert await box.spand.asked() == UnbindLeg(leg=leg)


async def test_a_call_goes_out_and_the_far_end_hangs_up(box: Box) -> None:
    await box.acdd.ask(Dial(leg="out-1", trunk="pbx", called="801", calling="13800138000", calling_name="Li"))
    incoming = await box.pbx.wait_for(isdn.Incoming)
    assert (incoming.called, incoming.calling, incoming.name) == ("801", "13800138000", "Li")
    await box.listener.wait_for(CallProceeding, leg="out-1")
    box.pbx.signalling.alert(incoming.key, box.pbx.now())
    box.pbx.poke()
    await box.listener.wait_for(CallAlerting, leg="out-1")
    box.pbx.signalling.answer(incoming.key, box.pbx.now())
    box.pbx.poke()
    await box.listener.wait_for(CallAnswered, leg="out-1")
    box.pbx.signalling.hang_up(incoming.key, 17, box.pbx.now())
    box.pbx.poke()
    released = await box.listener.wait_for(CallReleased)
    assert (released.leg, released.cause, released.by) == ("out-1", 17, "far")
    assert await box.spand.asked() == BindLeg(leg="out-1", span="pbx-1", timeslot=1)
    assert await box.spand.asked() == UnbindLeg(leg="out-1")


async def test_what_cannot_be_asked_is_refused_in_words(box: Box) -> None:
    asked: list[tuple[Request[Done], str]] = [
            (Dial(leg="a", trunk="moon", called="1"), "no trunk 'moon', there are pbx, telco"),
            (Dial(leg="a", trunk="pbx", called="一"), "not printable"),
            (Answer(leg="gone"), "no leg gone")]
    for request, words in asked:
        with pytest.raises(Refused, match=words):
            await box.acdd.ask(request)
    with pytest.raises(Refused, match="no span 'x'"):
        await box.acdd.ask(GetTrace(span="x"))
    await box.acdd.ask(Hangup(leg="gone"))
    await box.acdd.ask(Dial(leg="a", trunk="pbx", called="801"))
    with pytest.raises(Refused, match="there already"):
        await box.acdd.ask(Dial(leg="a", trunk="pbx", called="801"))
    with pytest.raises(Refused, match="cannot do that"):
        await box.acdd.ask(Answer(leg="a"))


async def test_digits_come_one_by_one_and_proceed_ends_them(box: Box) -> None:
    incoming = await box.offer(box.pbx, "far", "9", complete=False)
    assert not incoming.complete
    await box.pbx.wait_for(isdn.ChannelChosen)
    box.pbx.signalling.more_digits("far", "5", box.pbx.now())
    box.pbx.poke()
    digits = await box.listener.wait_for(CallDigits)
    assert (digits.leg, digits.called, digits.complete) == (incoming.leg, "95", False)
    await box.acdd.ask(Proceed(leg=incoming.leg))
    await box.pbx.wait_for(isdn.Proceeding)
    [call] = await box.calls()
    assert (call.state, call.called, call.complete) == ("proceeding", "95", True)


async def test_a_trunk_that_is_full_or_down_says_so(box: Box) -> None:
    for number in range(30):
        await box.acdd.ask(Dial(leg=f"out-{number}", trunk="telco", called="1"))
    await box.acdd.ask(Dial(leg="too many", trunk="telco", called="1"))
    assert (await box.listener.wait_for(CallReleased)).cause == 34
    for far_end in (box.telco, box.pbx):
        await far_end.__aexit__()
    for _ in range(2):
        await box.listener.wait_for(LinkState, up=False)
    for trunk, cause in (("telco", 38), ("pbx", 27)):
        await box.acdd.ask(Dial(leg=f"down {trunk}", trunk=trunk, called="1"))
        assert (await box.listener.wait_for(CallReleased, leg=f"down {trunk}")).cause == cause


@pytest.mark.need(16)
async def test_calls_live_through_kill_9_of_trunkd(box: Box) -> None:
    talking = await box.offer(box.telco, "talks")
    await box.acdd.ask(Answer(leg=talking.leg))
    await box.listener.wait_for(CallAnswered)
    ringing = await box.offer(box.telco, "rings")
    await box.acdd.ask(Alert(leg=ringing.leg))
    await box.telco.wait_for(isdn.Alerting)
    await box.acdd.ask(Dial(leg="out", trunk="pbx", called="801"))
    dialled = await box.pbx.wait_for(isdn.Incoming)
    box.pbx.signalling.alert(dialled.key, box.pbx.now())
    box.pbx.poke()
    await box.listener.wait_for(CallAlerting, leg="out")
    bindings = [BindLeg(leg=talking.leg, span="telco-1", timeslot=1),
                BindLeg(leg=ringing.leg, span="telco-1", timeslot=2),
                BindLeg(leg="out", span="pbx-1", timeslot=1)]
    assert [await box.spand.asked() for _ in bindings] == bindings
    box.kill()
    box.pbx.signalling.answer(dialled.key, box.pbx.now())        # while nobody hears it
    box.pbx.poke()
    box.start()
    await box.listener.wait_for(CallAnswered, leg="out")
    calls = {call.leg: call for call in await box.calls()}
    assert {leg: (call.state, call.timeslot) for leg, call in calls.items()} == {
        talking.leg: ("answered", 1), ringing.leg: ("alerting", 2), "out": ("answered", 1)}
    [telco, _] = (await box.acdd.ask(GetChannels())).spans
    assert [(channel.timeslot, channel.leg) for channel in telco.channels if channel.state == "busy"] == [
        (1, talking.leg), (2, ringing.leg)]
    assert [await box.spand.asked() for _ in bindings] == bindings
    await box.acdd.ask(Answer(leg=ringing.leg))
    await box.listener.wait_for(CallAnswered, leg=ringing.leg)
    box.telco.signalling.hang_up("talks", 16, box.telco.now())
    box.telco.poke()
    released = await box.listener.wait_for(CallReleased)
    assert (released.leg, released.by) == (talking.leg, "far")
    assert [call.leg for call in (await box.acdd.ask(GetCalls())).released] == [talking.leg]


@pytest.mark.need(16)
async def test_busy_out_lives_through_kill_9_and_settings_change_by_the_bus(box: Box) -> None:
    async with contextlib.AsyncExitStack() as stack:
        boxd = await Bus.connect(box.run_dir, "boxd")
        stack.push_async_callback(boxd.close)
        await _busy_out_and_reload(box, boxd)


async def _busy_out_and_reload(box: Box, boxd: Bus) -> None:
    talking = await box.offer(box.telco, "talks")
    await box.acdd.ask(Answer(leg=talking.leg))
    await box.listener.wait_for(CallAnswered)
    await boxd.ask(BusyOut(span="telco-1", timeslots=[1, 2]))
    box.kill()
    box.start()
    states = await box.listener.wait_for(ChannelStates, span="telco-1", link_up=True)
    assert [(channel.state, channel.leg, channel.blocked) for channel in states.channels[:3]] == [
        ("busy", talking.leg, True), ("blocked", "", True), ("idle", "", False)]
    document = box.run_dir / "box.yaml"
    document.write_text(CONFIG.replace("side: user", "side: user, channels: down"))
    assert (await boxd.ask(ReloadTrunks())).changed == ["spans.telco-1.channels"]
    document.write_text(CONFIG + "trunks: [{name: telko}]\n")
    with pytest.raises(Refused, match=r"box\.yaml:5: trunks\[0\]\.name: no span has trunk 'telko'"):
        await boxd.ask(ReloadTrunks())
    await box.acdd.ask(Dial(leg="out", trunk="telco", called="1"))
    assert (await box.telco.wait_for(isdn.Incoming)).timeslot == 31
    box.telco.signalling.hang_up("talks", 16, box.telco.now())
    box.telco.poke()
    assert (await box.listener.wait_for(CallReleased)).leg == talking.leg


async def test_no_call_ends_with_spands_life_and_the_next_spand_is_told_of_them(box: Box) -> None:
    talking = await box.offer(box.telco, "talks")
    await box.acdd.ask(Answer(leg=talking.leg))
    await box.listener.wait_for(CallAnswered)
    ringing = await box.offer(box.telco, "rings")
    await box.acdd.ask(Alert(leg=ringing.leg))
    await box.telco.wait_for(isdn.Alerting)
    bindings = [BindLeg(leg=talking.leg, span="telco-1", timeslot=1),
                BindLeg(leg=ringing.leg, span="telco-1", timeslot=2)]
    assert [await box.spand.asked() for _ in bindings] == bindings
    await box.telco.hang_connection_up()
    box.telco.signalling.hang_up("rings", 16, box.telco.now())
    box.telco.poke()
    released = await box.listener.wait_for(CallReleased)         # that was said while nobody carried it
    assert (released.leg, released.cause, released.by) == (ringing.leg, 16, "far")
    assert await box.spand.asked() == UnbindLeg(leg=ringing.leg)
    assert [call.state for call in await box.calls()] == ["answered"]
    await box.spand_bus.say(DaemonUp(daemon="spand", pid=1, started_at=0.0))
    assert await box.spand.asked() == bindings[0]


async def test_a_line_that_is_down_takes_no_call_and_keeps_those_that_talk(box: Box) -> None:
    talking = await box.offer(box.telco, "talks")
    await box.acdd.ask(Answer(leg=talking.leg))
    await box.listener.wait_for(CallAnswered)

    async def say(up: bool) -> None:
        await box.spand_bus.say(SpanState(
            span="telco-1", up=up, alarms=[] if up else ["los"], counters={}, at=0.0))

    await say(False)
    await box.listener.wait_for(LinkState, span="telco-1", up=False, within_s=3.0)
    await box.acdd.ask(Dial(leg="out", trunk="telco", called="1"))
    assert (await box.listener.wait_for(CallReleased)).cause == 38
    await say(True)
    await box.listener.wait_for(LinkState, span="telco-1", up=True, within_s=3.0)
    [call] = await box.calls()
    assert (call.leg, call.state) == (talking.leg, "answered")


async def test_the_trace_is_a_capture_and_the_heartbeat_has_figures(box: Box, tmp_path: Path) -> None:
    await box.offer(box.telco, "far")
    capture = tmp_path / "d.pcap"
    capture.write_bytes((await box.acdd.ask(GetTrace(span="telco-1", frames=50))).pcap)
    fields = ["-T", "fields", "-e", "q931.message_type", "-e", "_ws.malformed"]
    read = await asyncio.to_thread(
        subprocess.run, ["tshark", "-r", str(capture), *fields],
        capture_output=True, text=True, check=True)
    kinds = read.stdout.split()
    assert "0x05" in kinds and "0x02" in kinds    # SETUP, CALL PROCEEDING
    assert "malformed" not in read.stdout.lower()
    beat = await box.listener.wait_for(Heartbeat)
    while not beat.facts.get("calls"):
        beat = await box.listener.wait_for(Heartbeat)
    assert beat.facts["links_up"] == 2 and beat.facts["frames_in"] > 0


async def test_terminated_it_leaves_at_once_and_in_order(box: Box) -> None:
    assert await asyncio.to_thread(box.terminate) == 0
