"""branchline agents, queues, control: what they ask for and what they show, with a player for acdd."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    AgentInfo,
    AgentReply,
    Board,
    BoardReply,
    Consult,
    ContactInfo,
    ContactNamed,
    DisposeContact,
    Fetch,
    GetBoard,
    Hold,
    LogIn,
    Monitor,
    Park,
    ParkedAt,
    QueueInfo,
    Reply,
    Request,
    SetNotReady,
    TagContact,
    Transfer,
)
from appliance.launch.asking import beside
from tests.launch.test_cli import branchline


class Centre:
    """acdd: Anna talks and goes to lunch after it, Bo has been away for too long, nobody else is known."""

    def __init__(self) -> None:
        self.asked: list[Request[Any]] = []

    async def answer(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        match request:
            case GetBoard():
                return BoardReply(board=self.board())
            case LogIn(agent=name) | SetNotReady(agent=name):
                return AgentReply(agent=AgentInfo(
                    name=name, extension="8001", state="ready", since=time.time()))
            case Park():
                return ParkedAt(contact="c1", slot=3)
            case Hold(agent="nobody"):
                raise Refused("nobody: no agent is called so")
        return ContactNamed(contact="c1")

    def board(self) -> Board:
        now = time.time()
        return Board(
            at=now, agents=[
                AgentInfo(name="anna", extension="8001", state="talking", since=now - 75.0, calls=4,
                          contact="c1", wish="not-ready", wish_reason="lunch"),
                AgentInfo(name="bo", extension="", state="not-ready", since=now - 3700.0, reason="lunch",
                          overran=True)],
            queues=[QueueInfo(name="sales", waiting=["c2", "c3", "c4"], oldest_since=now - 9.0,
                              unreachable=["c3"]),
                    QueueInfo(name="service", waiting=[])],
            contacts=[ContactInfo(contact=name, direction=direction, calling=calling, called=called,
                                  state="queue", began_at=now)
                      for name, direction, calling, called in [
                          ("c2", "in", "13800138000", "5001"), ("c3", "in", "", "5001"),
                          ("c4", "out", "5001", "13900001111")]])


async def typed(run_dir: Path, centre: Centre, *lines: Sequence[str]) -> list[tuple[int, str, str]]:
    """Exit code, output and complaint of each command line, at that box."""
    acdd = await Bus.connect(run_dir, "acdd")
    try:
        await acdd.answer(centre.answer)
        done = [await asyncio.to_thread(branchline, run_dir, *line, "--run-dir", str(run_dir))
                for line in lines]
    finally:
        await acdd.close()
    return [(one.returncode, one.stdout, one.stderr) for one in done]


async def test_who_is_here_and_who_waits(bus_server: Path) -> None:
    (_, agents, _), (_, queues, _) = await typed(bus_server, Centre(), ["agents"], ["queues"])
    assert agents.splitlines() == [
        "anna            8001      talking         1:15    4 calls  then not-ready lunch",
        "bo              -         not-ready      61:40    0 calls  lunch, over the limit"]
    assert queues.splitlines() == [
        "sales: 3 waiting, the first for 9 s", "    1  c2  13800138000",
        "    2  c3  withheld  no agent may serve it: change its queue's agents or skills",
        "    3  c4  13900001111",                 # is called back: his number, not ours
        "service: 0 waiting"]


async def test_commands_ask_for_what_their_words_say(bus_server: Path) -> None:
    centre = Centre()
    said = await typed(
        bus_server, centre, ["agents", "log-in", "anna", "--extension", "8004", "--ready"],
        ["agents", "not-ready", "anna", "--reason", "lunch"], ["control", "consult", "anna", "bo"],
        ["control", "transfer", "anna"], ["control", "park", "anna"], ["control", "fetch", "bo", "3"],
        ["control", "barge", "anna", "boss"], ["control", "tag", "c1", "vip", "complaint"],
        ["control", "dispose", "c1", "sold", "--note", "two"])
    assert [(code, complaint) for code, _, complaint in said] == [(0, "")] * len(said)
    assert (said[0][1], said[4][1]) == (
        "anna            8001      ready           0:00    0 calls\n", "contact c1: slot 3\n")
    assert centre.asked == [
        LogIn(agent="anna", extension="8004", ready=True), SetNotReady(agent="anna", reason="lunch"),
        Consult(agent="anna", to="bo"), Transfer(agent="anna"), Park(agent="anna"), Fetch(agent="bo", slot=3),
        Monitor(agent="anna", at="boss", mode="barge"), TagContact(contact="c1", tags=["vip", "complaint"]),
        DisposeContact(contact="c1", code="sold", note="two")]


async def test_a_refusal_and_a_slip_of_the_hand_are_told(bus_server: Path) -> None:
    centre = Centre()
    refused, too_much, too_little, no_slot = await typed(
        bus_server, centre, ["control", "hold", "nobody"], ["control", "hold", "anna", "bo"],
        ["control", "consult", "anna"], ["control", "fetch", "anna", "x"])
    assert refused == (69, "", "nobody: no agent is called so\n")
    for (code, _, complaint), words in ((too_much, "extra argument (bo)"), (too_little, "argument 'TO'"),
                                        (no_slot, "'SLOT'")):
        assert (code, words in complaint) == (2, True), complaint
    assert centre.asked == [Hold(agent="nobody")]


def test_a_terminal_has_its_lines_beside_their_head_a_program_has_one() -> None:
    assert beside("  head  ", "one two " * 8, None) == "  head  " + "one two " * 8
    assert beside("  head  ", "one two " * 8, 42) == (
        "  head  one two one two one two one two\n        one two one two one two one two")


@pytest.mark.parametrize("line", [["agents"], ["control", "hold", "anna"], ["callbacks", "cancel", "c1"],
                                  ["voicemail"], ["survey", "quality"], ["figures", "queue"]])
def test_where_no_box_runs_it_is_said_what_to_do(tmp_path: Path, line: list[str]) -> None:
    done = branchline(tmp_path, *line, "--run-dir", str(tmp_path / "none"))
    assert done.returncode == 69
    assert done.stderr.endswith("is the box started? --run-dir says where it runs\n")


async def test_a_groups_run_dir_is_its_commands(bus_server: Path) -> None:
    centre = Centre()
    acdd = await Bus.connect(bus_server, "acdd")
    try:
        await acdd.answer(centre.answer)
        done = await asyncio.to_thread(
            branchline, bus_server, "control", "--run-dir", str(bus_server), "hold", "anna")
    finally:
        await acdd.close()
    assert (done.returncode, done.stdout, centre.asked) == (0, "contact c1\n", [Hold(agent="anna")])
