"""An installed box's journal as it is followed."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from appliance.box.logs.lines import Raw
from appliance.box.syslog.following import follow
from appliance.errors import Unavailable

ENTRY = {"__REALTIME_TIMESTAMP": "1795000500250000", "__CURSOR": "s=1;i=2", "MESSAGE": "WARNING span down",
         "_SYSTEMD_UNIT": "branchline-spand.service", "_TRANSPORT": "stdout"}


def journalctl(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> Path:
    """One that says three lines, of which one is nobody's and one is too long."""
    tool, asked = folder / "journalctl", folder / "asked"
    (folder / "lines").write_text("\n".join([
        json.dumps({**ENTRY, "MESSAGE": "x" * 300_000}),
        json.dumps({**ENTRY, "_SYSTEMD_UNIT": "cron.service"}), json.dumps(ENTRY), ""]))
    tool.write_text(f"#!/bin/sh\necho $$ \"$@\" > {asked}\ncat {folder}/lines\n{then}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return asked


async def test_lines_of_the_journal_come_as_they_are_written(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = journalctl(tmp_path, monkeypatch, "exec sleep 600")
    lines = follow(tmp_path)
    raw = await asyncio.wait_for(anext(lines), 20)
    assert raw == Raw(1_795_000_500.25, "spand", "WARNING span down", "s=1;i=2")
    await lines.aclose()
    process, *options = asked.read_text().split()
    assert not Path(f"/proc/{process}").exists(), "it ends with who follows"
    assert {"--follow", "--lines=0", "--output=json", "_SYSTEMD_UNIT=branchline-boxd.service",
            "_TRANSPORT=kernel"} <= set(options)


async def test_a_follower_that_ends_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journalctl(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(Unavailable, match="journalctl has ended: status 1"):
        async for _ in follow(tmp_path):
            pass


async def test_a_box_without_a_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="keeps no log"):
        await anext(follow(tmp_path))
