"""branchline recordings hold, release, holds, retention, space, purge, erase: as people see them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from appliance.bus.messages import MAY_ASK, REQUESTS
from appliance.config.archive import ArchiveConfig, OutboxConfig
from appliance.config.retention import QuotaConfig, RetentionConfig, RetentionRule
from appliance.launch import retention
from appliance.launch.recordings import recordings
from appliance.recording.life import tending
from appliance.recording.life.requests import ANSWERS
from tests.recording.life.shelf import Shelf

Run = Callable[..., str]


@pytest.fixture
def run(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Run:
    def ask(run_dir: Path, request: Any) -> Any:
        """As the bus carries it to recordd and back."""
        asked = msgspec.json.decode(msgspec.json.encode(request), type=REQUESTS[type(request).__name__])
        reply = ANSWERS[type(asked)](shelf.parts, asked)
        return msgspec.json.decode(msgspec.json.encode(reply), type=type(request).reply_type())
    monkeypatch.setattr(retention, "_ask", ask)

    def command(*words: str) -> str:
        result = CliRunner().invoke(recordings, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output
    return command


def test_a_case_from_its_beginning_to_its_end(shelf: Shelf, run: Run) -> None:
    name = shelf.add(400, calling="139")
    shelf.configure(RetentionConfig(rules=[RetentionRule(name="calls", kinds=["talk"], keep_days=180)],
                                    grace_days=0, quota=QuotaConfig(gib=1)))
    assert "1 held" in run("hold", "A-1", name, "--why", "court 17/26", "--by", "zhang")
    assert "zhang: court 17/26  holds 1, " in run("holds")
    table = run("purge")
    assert "dry run, nothing is deleted" in table
    assert table.splitlines()[2].split() == ["calls", "0", "0.0", "0.0", "-", "-", "1", "0", "0", "0"]
    assert "held by A-1" in run("retention", name)
    assert "1 let go" in run("release", "A-1", "--why", "closed", "--by", "li")
    assert run("holds") == "nothing is held\n" and "li: closed" in run("holds", "--all")
    rules = run("retention").splitlines()
    assert rules[1].split() == ["calls", "180", "days", "1", "0.0", "kind", "talk"]
    assert rules[2].split()[:4] == ["-", "for", "ever", "0"]
    assert "deleted" in run("purge", "--yes", "--by", "zhang")
    assert shelf.states() == {name: "erased"}
    assert "asked, zhang: deleted" in run("purge", "--reports", "5")


def test_room_and_a_recording_that_somebody_wants_erased(shelf: Shelf, run: Run) -> None:
    name = shelf.add(1, 2_000_000)
    shelf.configure(archive=ArchiveConfig(outbox=OutboxConfig(), key_file="k"))
    tending.tend(shelf.parts, shelf.now)
    shown = dict(line.split(maxsplit=1) for line in run("space").splitlines())
    assert shown["recordings"] == "1.9 MiB" and shown["not"] == "archived      1, 1.9 MiB"
    assert run("erase", name, "--why", "the customer asks", "--by", "zhang", "--yes") == f"{name}: erased\n"
    assert shelf.states() == {name: "erased"}


def test_the_command_line_may_ask_all_and_the_pages_may_not_purge() -> None:
    boxd, webui = set(MAY_ASK["boxd"]), set(MAY_ASK["webui"])
    assert set(ANSWERS) <= boxd
    assert {kind.__name__ for kind in set(ANSWERS) - webui} == {"Purge"}
