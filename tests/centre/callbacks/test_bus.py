"""Callbacks and voicemail of a running acdd, from the command line; its disk outlives it."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from click.testing import CliRunner

from appliance.bus.messages import (
    Bridge,
    CallAnswered,
    CallIncoming,
    CallReleased,
    DaemonUp,
    Dial,
    Digit,
    LogIn,
    LogOut,
    MessageLeft,
    Play,
    PlayEnded,
    StartRecording,
)
from appliance.config.load import load
from appliance.launch.cli import main
from tests.centre.test_daemon import CONFIG, Player, acdd, write

CENTRE: dict[str, Any] = {
    **CONFIG["centre"],
    "inbound": [{"trunk": "telco", "called": "5000", "flow": "flow.yaml"},
                {"trunk": "telco", "called": "5001", "flow": "night.yaml"}],
    "callbacks": {"numbers": "[0-9]{3,15}"},
    "voicemail": [{"name": "night", "tell": ["ann"], "least_s": 0, "queue": "sales"}]}
NIGHT = {"start": "box", "nodes": {"box": {"kind": "voicemail", "box": "night", "next": "bye"},
                                   "bye": {"kind": "hangup"}}}


async def branchline(run_dir: Path, *words: str) -> list[str]:
    """What the command says."""
    group, *rest = words
    result = await asyncio.to_thread(CliRunner().invoke, main, [group, "--run-dir", str(run_dir), *rest])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.mark.need(23)
async def test_who_gave_up_is_called_back_by_a_command_across_a_restart(
        bus_server: Path, tmp_path: Path) -> None:
    config = load(write(tmp_path, config={**CONFIG, "centre": {**CENTRE, "inbound": CENTRE["inbound"][:1]}}))
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "boxd") as desk:
        async with acdd(bus_server, tmp_path, config):
            await up(desk, 1)
            await desk.bus.ask(LogOut(agent="ann"))
            await offer(trunkd, "c1", "5000")
            await spand.until_asked(Play)
            await spand.say(Digit(leg="c1", digit="1", at=11.0))
            await desk.until(lambda: desk.boards() and desk.boards()[-1].queues[0].waiting)
            del trunkd.calls["c1"]
            await trunkd.say(CallReleased(leg="c1", cause=16, by="far", at=time.time()))
            await desk.until(lambda: not desk.boards()[-1].contacts)
            [lost] = await branchline(bus_server, "abandoned")
            contact, number = lost.split()[0], lost.split()[3]
            assert (number, "sales" in lost) == ("139", True)
            [booked] = await branchline(bus_server, "abandoned", "call", contact, "--note", "angry")
            assert "139" in booked and "1. in line" in booked and "angry" in booked
            await desk.until(lambda: desk.boards()[-1].queues[0].callbacks == 1)
        async with acdd(bus_server, tmp_path, config):
            await up(desk, 2)
            assert await branchline(bus_server, "callbacks") == [booked]
            [again] = await branchline(bus_server, "abandoned")
            assert again == f"{lost}  is to be called back"
            before = len(trunkd.asked)
            await desk.bus.ask(LogIn(agent="ann", ready=True))
            agent = await trunkd.until_asked(Dial, before)
            assert agent.called == "8001"
            await answer(trunkd, agent.leg)
            customer = await trunkd.until(lambda: next((
                one for one in trunkd.asked[before:] if isinstance(one, Dial) and one.called == "139"), None))
            assert (customer.trunk, customer.calling) == ("telco", "5000")
            await answer(trunkd, customer.leg)
            await spand.until_asked(Bridge)
            assert await branchline(bus_server, "callbacks") == ["nobody is to be called back"]
            assert await branchline(bus_server, "abandoned") == ["nobody"]
            [closed] = await branchline(bus_server, "abandoned", "--all")
            assert closed.endswith("ann") and "called back" in closed and "closed" in closed


async def test_a_message_is_told_listed_and_done_with(bus_server: Path, tmp_path: Path) -> None:
    (tmp_path / "night.yaml").write_text(yaml.safe_dump(NIGHT))
    config = load(write(tmp_path, config={**CONFIG, "centre": CENTRE}))
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "boxd") as desk, acdd(bus_server, tmp_path, config):
        await up(desk, 1)
        await offer(trunkd, "c1", "5001")
        play = await spand.until_asked(Play)
        await spand.say(PlayEnded(leg="c1", play=play.play, finished=True))
        recording = await spand.until_asked(StartRecording)
        await spand.say(Digit(leg="c1", digit="#", at=12.0))
        told = await desk.until(lambda: next((
            one for one in desk.heard if isinstance(one, MessageLeft)), None))
        assert (told.message, told.box, told.tell) == (recording.recording, "night", ["ann"])
        await desk.until(lambda: desk.boards()[-1].messages == {"night": 1})
        [line] = await branchline(bus_server, "voicemail")
        assert line.startswith(told.message) and line.endswith("new")
        await branchline(bus_server, "voicemail", "heard", told.message, "--by", "ann")
        assert (await branchline(bus_server, "voicemail"))[0].endswith("heard by ann")
        [booked] = await branchline(bus_server, "abandoned", "call", told.contact)
        assert "139" in booked
        await branchline(bus_server, "callbacks", "cancel", booked.split()[0])
        await branchline(bus_server, "voicemail", "done", told.message)
        assert await branchline(bus_server, "voicemail") == ["no messages"]


async def up(desk: Player, times: int) -> None:
    """acdd has been started so often."""
    await desk.until(lambda: sum(isinstance(one, DaemonUp) for one in desk.heard) == times)


async def offer(trunkd: Player, leg: str, called: str) -> None:
    """A call arrives now: the list of who gave up looks back some days."""
    trunkd._call(leg, "telco", called, inbound=True)
    await trunkd.say(CallIncoming(leg=leg, trunk="telco", called=called, calling="139", calling_name="",
                                  complete=True, at=time.time()))


async def answer(trunkd: Player, leg: str) -> None:
    trunkd.calls[leg] = msgspec.structs.replace(trunkd.calls[leg], state="answered")
    await trunkd.say(CallAnswered(leg=leg, at=12.0))
