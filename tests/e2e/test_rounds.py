"""A box looks itself over: a real call, disk, chain and restore; boxd is killed in the middle."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import (
    AddMaintenance,
    BackUp,
    BeginSelfCheck,
    GetBackups,
    GetCalls,
    GetContacts,
    GetFitness,
    GetMaintenance,
    GetRoutine,
    MaintenanceWritten,
    RoutineReply,
)
from tests.e2e.rig import CONFIG, FLOW, Rig
from tests.e2e.test_backup import command

CLOCK = "12117"                                   # the speaking clock
SOON_S = 30.0


@pytest.fixture
def rig_options(tmp_path: Path) -> dict[str, Any]:
    return {"flow": FLOW, "config": {
        **CONFIG, "backup": {"path": str(tmp_path / "stick"), "mounted": False},
        "maintenance": {"test_call": {"trunk": "telco", "number": CLOCK, "hear_within_s": 5}}}}


def results(reply: RoutineReply, kind: str = "monthly") -> dict[str, str]:
    last = next(one.last for one in reply.rounds if one.kind == kind)
    assert last is not None and last.check is not None
    assert len({one.item for one in last.check.results}) == len(last.check.results)
    return {one.item: one.result for one in last.check.results}


def maintenance(rig: Rig, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "appliance.launch", "maintenance", *words, "--run-dir", rig.run_dir],
        check=True, capture_output=True, text=True).stdout


@pytest.mark.need(12)
def test_a_round_of_everything_over_a_kill(rig: Rig) -> None:
    command("passphrase", "--state-dir", rig.state_dir, "--passphrase-file", "-")
    rig.bus.ask(BackUp())
    rig.bus.ask_until(GetBackups(), lambda reply: reply.backups and not reply.running, SOON_S)
    contacts = rig.bus.ask(GetContacts()).total
    mark = rig.bus.mark()
    rig.bus.ask(BeginSelfCheck(kind="monthly", by="li"))
    first = rig.telco.wait_for_call(SOON_S, CLOCK)
    rig.kill("boxd")                              # in the middle of the call
    first.reject(17)                              # which nobody hears
    rig.start("boxd")
    rig.bus.ask_until(GetRoutine(), lambda reply: reply.rounds[1].state == "running", SOON_S)
    again = rig.telco.wait_for_call(SOON_S, CLOCK)
    again.answer()
    again.tone(1000, -20.0)
    written = rig.bus.wait_event(MaintenanceWritten, lambda said: True, 2 * SOON_S, mark)
    reply = rig.bus.ask(GetRoutine())
    found = results(reply)
    for item in ("call", "disk", "chain", "restore", "backup", "programs", "lines", "recordings"):
        assert found[item] == "good", (item, reply)
    assert found["certificate"] == "undone"       # on loopback without TLS, and it says so
    assert first.wait_for("RELEASED")
    assert rig.bus.ask_until(GetCalls(), lambda table: not table.calls)
    assert rig.bus.ask(GetContacts()).total == contacts
    entries = rig.bus.ask(GetMaintenance()).entries
    assert [one.number for one in entries if one.check] == [written.number]

    rig.bus.ask(BeginSelfCheck(kind="weekly", by="li"))
    rig.telco.wait_for_call(SOON_S, CLOCK).reject(17)                # and once nobody takes it
    failing = rig.bus.ask_until(GetFitness(), lambda told: [
        one for one in told.fitness.reasons if one.code == "check-call"], SOON_S)
    assert failing.fitness.state == "degraded"
    assert results(rig.bus.ask(GetRoutine()), "weekly")["call"] == "failed"
    rig.bus.ask(AddMaintenance(kind="signature", by="wang", text="", signs=written.number))
    said = maintenance(rig, "rounds")
    for part in ("weekly", "monthly", "failed", "call it from a telephone", "signed by wang"):
        assert part in said, said
    assert json.loads(maintenance(rig, "rounds", "--json"))["rounds"][0]["kind"] == "weekly"
