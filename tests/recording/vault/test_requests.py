"""What an auditor asks on the console, answered as recordd answers, through the bus's codec."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance.bus.messages import Request
from appliance.launch import trust
from appliance.launch.cli import main
from appliance.recording.vault.requests import ANSWERS
from tests.recording.vault.box import Box

Command = Callable[..., Result]


@pytest.fixture
def command(box: Box, monkeypatch: pytest.MonkeyPatch) -> Command:
    class Bus:
        async def ask(self, request: Request[Any], timeout_s: float) -> Any:
            kind = type(request)
            reply = ANSWERS[kind](box.parts, msgspec.json.decode(msgspec.json.encode(request), type=kind))
            return msgspec.json.decode(msgspec.json.encode(reply), type=kind.reply_type())

    def on_bus(run_dir: Path, ask: Callable[[Any], Awaitable[Any]], name: str) -> Any:
        assert name == "boxd"

        async def asked() -> Any:
            return await ask(Bus())
        return asyncio.run(asked())

    monkeypatch.setattr(trust, "on_bus", on_bus)
    return lambda *args: CliRunner().invoke(main, ["recordings", *args])


def test_the_chain_is_listed_and_checked(box: Box, command: Command) -> None:
    assert "nothing of the kind" in command("chain").output
    name = box.record(1, b"talk")
    box.say("listened", name, "王")
    listed = command("chain", "--recording", name).output.splitlines()
    assert [line.split()[0] for line in listed] == ["2", "1"]
    assert "王" in listed[0]
    assert "listened" not in command("chain", "--kind", "recorded").output
    assert command("chain", "--most", "1", "--before", "2").output.split()[0] == "1"
    held = command("verify-chain")
    assert (held.exit_code, "all 2 entries hold; none is signed yet" in held.output) == (0, True)
    with sqlite3.connect(box.parts.folder / "recordings.sqlite") as file:
        file.execute("DROP TRIGGER chain_no_delete")
        file.execute("DELETE FROM chain WHERE seq = 1")
    file.close()
    broken = command("verify-chain")
    assert (broken.exit_code, "entry 1 does not hold" in broken.output) == (1, True)


def test_the_boxs_key_is_shown_and_rotated(box: Box, command: Command) -> None:
    old = box.parts.keys.current
    shown = command("key").output
    assert f"sealing key    {old}" in shown
    assert "-----BEGIN PUBLIC KEY-----" in shown
    assert "PRIVATE" not in shown
    rotated = command("rotate-key", "--why", "yearly", "--by", "admin").output
    assert f"older key      {old}" in rotated
    assert box.parts.keys.current in rotated
    told = command("chain", "--kind", "key-rotated").output
    assert "admin" in told
    assert "yearly" in told
