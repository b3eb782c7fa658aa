"""Lines of the pages over the bus, against boxd's own area."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.box.commands.area import Commands
from appliance.box.commands.box import MOST_HEARD, Box
from appliance.box.ssh.area import Console
from appliance.box.ssh.door import Door
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CommandRan,
    GetBoard,
    GetHealth,
    Health,
    HealthReply,
    Heartbeat,
    OfferCommands,
    Reply,
    Request,
    RunCommand,
)
from appliance.bus.messages.commands import MOST_COMMAND_OUTPUT
from appliance.config.console import ConsoleConfig
from appliance.store.audit import Asked, Audit
from tests.box.commands.acting import BoxdAnswers, Bus, box
from tests.webui.facts import busy_branch


@pytest.fixture
def made(tmp_path: Path) -> Box:
    return box(tmp_path, Bus(busy_branch().reply))


async def ran(made: Box, line: str, role: str = "watch", language: str = "en") -> CommandRan:
    reply = await Commands(made).answers[RunCommand](RunCommand(
        line=line, who="li", role=role, language=language, origin="192.0.2.7"))      # type: ignore[arg-type]
    assert isinstance(reply, CommandRan)
    return reply


async def test_a_line_of_a_page(made: Box) -> None:
    reply = await ran(made, "sh qu | match sales")
    assert (reply.status, reply.wrong, reply.cut) == (0, "", False)
    assert "sales" in reply.text
    assert (await ran(made, "sh qu | m sales", language="zh")).text.startswith("队列")
    wrong = await ran(made, "show quues")
    assert wrong.status == 64 and wrong.text == "" and "queues" in wrong.wrong
    assert (await ran(made, "show log")).status == 77
    assert made.sessions == []


async def test_what_goes_on_and_what_is_of_a_session_are_for_ssh(made: Box) -> None:
    reply = await ran(made, "monitor calls")
    assert (reply.status, reply.wrong) == (64, "this goes on until Ctrl-C: give it by ssh\n")
    for line in ("configure", "exit"):
        reply = await ran(made, line, "admin")
        assert reply.status == 64 and "configure set KEY VALUE" in reply.wrong


async def test_what_nobody_waits_for_any_more_is_not_done(made: Box) -> None:
    commands = Commands(made)
    with pytest.raises(Refused, match="nothing was done"):
        await commands.answers[RunCommand](RunCommand(line="help", who="li", role="admin",
                                                      until=time.time() - 1))
    late: Any = await commands.answers[RunCommand](RunCommand(line="help", who="li", role="admin",
                                                              until=time.time() + 60))
    assert late.status == 0


async def test_one_line_does_not_hold_the_others_for_ever(made: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(request: Request[Any]) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError
    monkeypatch.setattr(made, "ask", lambda request, timeout_s: never(request))
    reply: Any = await Commands(made).answers[RunCommand](RunCommand(
        line="show queues", who="li", role="watch", until=time.time() + 0.05))
    assert reply.status == 69 and "longer ones are for ssh" in reply.wrong
    assert made.sessions == []


async def test_what_a_page_changes_is_in_the_consoles_log(tmp_path: Path) -> None:
    async def refuse(request: Request[Any]) -> Reply:
        raise Refused("there is no such key")
    console = Opened()
    made = box(tmp_path, Bus(busy_branch().reply), [console, BoxdAnswers(SetDocumentKey=refuse)])
    audit = Audit(tmp_path / "audit.sqlite", 30)
    console.door = Door(ConsoleConfig(), made, audit, lambda: 1.7e9, time.monotonic)
    reply = await ran(made, "configure set mail.password hunter2", "admin")
    assert (reply.status, reply.wrong, reply.secret) == (1, "there is no such key\n", True)
    assert not (await ran(made, "show queues", "admin")).secret
    assert (await ran(made, "clear call x", "watch")).status == 77
    entries = audit.entries(Asked(), 10)
    assert [(one.by, one.address, one.what, one.outcome) for one in entries] == [
        ("li", "192.0.2.7", "clear call x", "the role is too low"),
        ("li", "192.0.2.7", "configure set mail.password (not shown)", "status 1")]


class Opened(Console):
    """Whose door a test makes."""

    def __init__(self) -> None:
        self.door = None


async def test_limits(made: Box) -> None:
    with pytest.raises(Refused, match="64"):
        await Commands(made).answers[RunCommand](RunCommand(line="help", who="x" * 65, role="admin"))
    reply = await ran(made, "help", "admin")
    assert 0 < len(reply.text) < MOST_COMMAND_OUTPUT


async def test_offers(made: Box) -> None:
    reply = await Commands(made).answers[OfferCommands](OfferCommands(line="show queues s", role="watch"))
    assert [one.word for one in reply.offers] == ["sales", "service"]        # type: ignore[attr-defined]
    assert reply.at == 12                                                    # type: ignore[attr-defined]


async def test_an_own_subject_needs_no_bus_and_others_are_asked_over_it(tmp_path: Path) -> None:
    async def health(request: Request[Any]) -> Reply:
        return HealthReply(health=Health(at=7.0, daemons=[]))
    bus = Bus(busy_branch().reply)
    made = box(tmp_path, bus, [BoxdAnswers(GetHealth=health)])
    assert (await made.ask(GetHealth())).health.at == 7.0
    assert bus.asked == []
    assert (await made.ask(GetBoard())).board.queues
    assert bus.asked == [GetBoard()]
    with pytest.raises(BusError, match="boxd does not do that"):
        await made.ask(RunCommand(line="help", who="li", role="watch"))


async def test_live_commands_hear_the_newest_events(made: Box) -> None:
    def beat(pid: int) -> Heartbeat:
        return Heartbeat(daemon="spand", pid=pid, started_at=0, at=0, rss_octets=0, cpu_s=0)
    async with made.hearing() as events:
        for pid in range(MOST_HEARD + 10):
            await Commands(made).hear(beat(pid))
        assert events.get_nowait() == beat(10)
    made.hear(beat(1))
