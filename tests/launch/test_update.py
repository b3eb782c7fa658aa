"""What branchline update shows, and what it does not begin."""

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.box.update.words import lines
from appliance.bus.messages import UpdatePast, UpdateReply, UpdateState
from appliance.config.load import load
from appliance.errors import ConfigError
from appliance.launch.cli import main

PAST = UpdatePast(outcome="rolled back", why="the D-channel of span telco1 is down", at=1_800_000_000.0,
                  began_at=1_799_999_000.0, version_from="1.0", version_to="2.0", slot="B", trials=2,
                  figures={"outage_s": 91.5})
STATE = UpdateState(at=0.0, version="1.0", slot="A", confirmed="A")
DAY = time.strftime("%Y-%m-%d %H:%M", time.localtime(1_800_000_000.0))


@pytest.mark.parametrize(("state", "shown"), [
    (UpdateState(at=0.0, version="1.0", saying="no slots here"), ["version 1.0", "no slots here"]),
    (STATE, ["version 1.0 in slot A", "no update goes on"]),
    (UpdateState(at=0.0, version="1.0", slot="A", confirmed="A", unusable=["B"], phase="draining", percent=65,
                 saying="3 calls are left", version_to="2.0", calls_left=3),
     ["version 1.0 in slot A", "slot B holds nothing that can be started: its writing did not end",
      " 65 %  update to 2.0: draining: 3 calls are left"]),
    (UpdateState(at=0.0, version="2.0", slot="B", confirmed="A", trial="B", phase="on trial", percent=80),
     ["version 2.0 in slot B", "it is on trial", " 80 %  update: on trial"]),
    (UpdateState(at=0.0, version="2.0", slot="B", confirmed="A", phase="waiting", next_at=1_800_000_000.0),
     ["version 2.0 in slot B", "the confirmed slot A did not start",
      f"  0 %  update: waiting, goes on at {DAY}"]),
])
def test_how_it_stands(state: UpdateState, shown: list[str]) -> None:
    assert lines(UpdateReply(state=state, history=[])) == shown


def test_the_history_has_the_reason_and_what_was_measured() -> None:
    assert lines(UpdateReply(state=STATE, history=[PAST]))[-1] == (
        f"{DAY}  1.0 to 2.0: rolled back, 2 trials: the D-channel of span telco1 is down (outage_s 91.5)")


@pytest.mark.parametrize(("words", "code", "why"), [
    (["update", "install", "absent.raucb"], 66, "absent.raucb: no such file"),
    (["update", "install", "usb", "--now", "--quiet"], 2, "--now or --quiet, not both"),
    (["test-call"], 78, "branchline.yaml")])
def test_what_cannot_be_is_said_at_once(words: list[str], code: int, why: str, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, why in result.output) == (code, True), result.output


@pytest.mark.parametrize(("section", "why"), [
    ("{test_call: {trunk: other, number: '1'}}", "update.test_call: no span has trunk 'other'"),
    ("{quiet: {begins: '02:00', ends: '02:00'}}", "no time is left between them"),
    ("{gate_s: 1800}", "update.gate_s"), ("{drain: 3}", "update.drain")])
def test_a_mistake_in_the_document_is_named(section: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    spans = "spans: [{name: one, url: 'virtual:x/a', side: user, trunk: telco}]"
    path.write_text(f"{spans}\nupdate: {section}\n")
    with pytest.raises(ConfigError, match=why):
        load(path)
