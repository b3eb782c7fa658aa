"""The line as the box reads it: framed with CRC-4, its history, its clock, a span given away for tests."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import ClockState, GetLineHistory, GetSpans, SpanState
from e1_driver import Alarm
from tests.e2e.calls import exchange_sequences, talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import SOON_S, wait_all_idle

FRAMED = "?framing=g704&crc4=on"
BRANCHLINE = Path(sys.executable).with_name("branchline")
BLOCK_BITS = 256 * 8                              # of a CRC-4 block


def framed() -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    for span in config["spans"]:
        span["url"] += FRAMED
    return config


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": framed(), "line": FRAMED}


def span_of(box: Rig, name: str) -> SpanState:
    [state] = [one for one in box.bus.ask(GetSpans()).spans if one.span == name]
    return state


def call_and_end(box: Rig, seed: int) -> None:
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=seed, seconds=0.5)
    caller.hang_up()
    agent.wait_for("RELEASED", SOON_S)
    wait_all_idle(box)


pytestmark = pytest.mark.usefixtures("left_idle")


@pytest.mark.need(11)
def test_wrong_bits_on_the_line_are_counted_and_in_its_history(box: Rig) -> None:
    call_and_end(box, seed=1)
    before = span_of(box, "telco1")
    assert before.crc4 and not before.alarms and before.counters["crc_errors"] == 0
    box.telco.faults.invert(300 + 8 * BLOCK_BITS * number for number in range(5))      # of timeslots 5, apart
    box.bus.wait_event(
        SpanState, lambda span: span.span == "telco1" and span.counters["crc_errors"] == 5, SOON_S)
    history = box.bus.ask_until(
        GetLineHistory(span="telco1"), lambda history: any(one.near.es for one in history.quarters))
    assert sum(one.near.eb or 0 for one in history.quarters) == 5
    assert sum(one.near.es or 0 for one in history.quarters) in (1, 2)
    assert {source for one in history.days for source in one.clock_s} >= {"telco1"}
    call_and_end(box, seed=2)


@pytest.mark.need(13)
def test_the_clock_is_the_telcos_until_its_line_is_lost_and_again_when_it_is_back(box: Rig) -> None:
    mark = box.bus.mark()
    assert (clock := box.bus.ask(GetSpans()).clock) and clock.source == "telco1"
    box.telco.faults.los = True
    lost = box.bus.wait_event(ClockState, lambda clock: clock.source is None, SOON_S, mark)
    assert lost.why == "failed"
    box.telco.faults.los = False
    box.bus.wait_event(ClockState, lambda clock: clock.source == "telco1", SOON_S, mark)
    box.wait_links_up()
    call_and_end(box, seed=3)


@pytest.mark.need(12)
def test_a_span_is_given_away_for_tests_when_no_call_is_on_it_and_comes_back(
        box: Rig, tmp_path: Path) -> None:
    def e1ctl(span: str, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BRANCHLINE, "e1ctl", "--config", box.config_path, "--run-dir", box.run_dir,
             "--state-dir", box.state_dir, span, *command],
            capture_output=True, text=True, timeout=60, check=False)

    def lost_s() -> int:
        history = box.bus.ask(GetLineHistory(span="telco1"))
        return sum(one.alarm_s.get(Alarm.LOS, 0) for one in history.days)

    talking = talk(box)
    refused = e1ctl("telco1", "status", "--json")
    assert refused.returncode != 0 and "carries 1 call" in refused.stderr
    kept = e1ctl("telco1", "history", "--json")   # needs no line
    assert kept.returncode == 0 and json.loads(kept.stdout)["days"], kept.stderr
    talking.caller.hang_up()
    wait_all_idle(box)
    mark, lost_before_s = box.bus.mark(), lost_s()
    done = e1ctl("telco1", "status", "--for", "2", "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["crc4"] is True and not any(seen["alarms"].values())
    paper = tmp_path / "line.pdf"
    judged = e1ctl("telco1", "verdict", "--for", "1", "--no-plug", "--yes", "--pdf", str(paper))
    assert judged.returncode in (0, 1), judged.stderr
    words = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True)
    assert "Last 24 hours, seconds of each 15 minutes" in words.stdout        # of the box's history
    box.bus.wait_event(
        SpanState, lambda span: span.span == "telco1" and "for tests" in span.trouble, SOON_S, mark)
    box.bus.wait_event(SpanState, lambda span: span.span == "telco1" and span.up, SOON_S, mark)
    box.wait_links_up()
    call_and_end(box, seed=5)
    assert lost_s() <= lost_before_s + 1          # the line was well: only its coming back may be in a second
    assert "no span is called 'nowhere'" in e1ctl("nowhere", "status").stderr
