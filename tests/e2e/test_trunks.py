"""What an operator does with channels and settings of a box that carries calls, and what callers notice."""

import subprocess
import sys

import pytest
import yaml

from appliance.bus.messages import ChannelStates
from tests.e2e.calls import exchange_sequences, talk
from tests.e2e.rig import Rig

pytestmark = pytest.mark.usefixtures("left_idle")

CUSTOMER = "02187654321"
RINGING_HZ = 425
NORMAL = 16                                       # Q.850


def branchline(box: Rig, *arguments: str) -> str:
    """What the command prints. AssertionError: it fails."""
    command = [sys.executable, "-m", "appliance.launch", *arguments, "--run-dir", str(box.run_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pbx_is_told_of_an_announcement_before_the_ringing_and_at_the_end(box: Rig) -> None:
    agent = box.pbx.place_call(called=f"9{CUSTOMER}", calling="801")
    customer = box.telco.wait_for_call()
    customer.proceed()
    customer.tone(hz=RINGING_HZ, level_dbm0=-10)
    customer.progress()
    assert agent.wait_for("PROGRESS").in_band
    agent.wait_to_hear(hz=RINGING_HZ, level_dbm0=-10, tolerance_db=0.5)
    customer.hang_up(cause=NORMAL)
    assert agent.wait_for("RELEASED").cause == NORMAL


@pytest.mark.need(16)
def test_channels_go_out_of_use_and_settings_change_under_a_talk(box: Rig) -> None:
    caller, agent = talk(box)
    branchline(box, "busy-out", "telco1:1-15,17-30")
    states = box.bus.wait_event(ChannelStates, lambda states: states.span == "telco1" and any(
        channel.blocked for channel in states.channels))
    assert [channel.timeslot for channel in states.channels if not channel.blocked] == [caller.timeslot]
    dialled = box.pbx.place_call(called=f"9{CUSTOMER}", calling="802")
    assert dialled.wait_for("RELEASED").cause == 34              # there is no channel for it
    document = yaml.safe_load(box.config_path.read_text())
    document["spans"][0]["timers"] = {"t310_s": 20}
    document["trunks"] = [{"name": "telco", "hunting": "descending",
                           "caller_id": {"default": "5002", "allowed": ["5002"]}}]
    document["centre"]["outbound"][0]["called"] = "8([0-9]{3,})"
    box.config_path.write_text(yaml.safe_dump(document))
    assert branchline(box, "reload", "--config", str(box.config_path)).splitlines() == [
        "changed: spans.telco1.timers.t310_s", "changed: trunks.telco", "changed: centre.outbound"]
    branchline(box, "bring-back", "all")
    box.pbx.place_call(called=f"8{CUSTOMER}", calling="802")
    customer = box.telco.wait_for_call()
    assert (customer.calling, customer.timeslot) == ("5002", 30)
    exchange_sequences(caller, agent, seed=90)    # they have noticed nothing
