"""Card data keyed in while a talk is paused is nowhere: not at who listens, not in any file of the box."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.bus.messages import (
    GetContactFacts,
    GetRecording,
    OpenRecording,
    ReadRecording,
)
from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import branchline, contact_of, name_of, talk
from tests.e2e.rig import CONFIG, FLOW, PROMPT_HZ, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

PAN = "4012888888881881"
SECOND = "5105105105105100"
MOST_OCTETS = 1024 * 1024
SOON_S = 15.0
BIG_OCTETS = 256 * 1024 * 1024


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    paying = {**FLOW["nodes"], "greeting": {**FLOW["nodes"]["greeting"], "next": "menu"},
              "menu": {**FLOW["nodes"]["menu"], "digits": {
                  **FLOW["nodes"]["menu"]["digits"], "3": "quiet"}},
              "quiet": {"kind": "pause", "for_s": 60.0, "next": "card"},
              "card": {"kind": "menu", "prompt": "menu", "digits": {"*": "loud"}, "timeout_s": 20.0,
                       "retries": 10, "default": "loud"},
              "loud": {"kind": "resume", "next": "to-sales"}}
    return {"flow": {**FLOW, "nodes": paying}, "config": CONFIG}


def holding(folder: Path, *wanted: bytes) -> list[Path]:
    """Files that have one of these octets."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size < BIG_OCTETS:
            octets = path.read_bytes()
            found += [path for one in wanted if one in octets]
    return found


def sides_of(rig: Rig, recording: str) -> list[audio.Octets]:
    """Caller and agent as recordd gives them to a player."""
    rig.bus.ask_until(GetRecording(recording=recording), lambda info: info.finished, SOON_S)
    opened = rig.bus.ask(OpenRecording(recording=recording, by="auditor", purpose="listen"))
    octets = b""
    while len(octets) < opened.octets:
        octets += rig.bus.ask(
            ReadRecording(ticket=opened.ticket, at=len(octets), most_octets=MOST_OCTETS)).octets
    sound = np.frombuffer(octets[octets.index(b"data") + 8:], np.uint8)
    return [sound[side:sound.size // 2 * 2:2] for side in (0, 1)]


def keys(caller: Call, digits: str, at: Call) -> str:
    """Those of them that are heard there."""
    from_s = at.heard_s
    caller.dtmf(digits)
    caller.wait_said()
    at.wait_to_have_heard(at.heard_s + 0.5, SOON_S)
    return at.heard_keys(from_s)


@pytest.mark.need(17)
def test_what_is_keyed_in_while_the_agent_paused_is_nowhere(box: Rig) -> None:
    caller, agent = talk(box)
    name = name_of(box, agent.called)
    branchline(box, "control", "listen", name, "803")
    supervisor = box.pbx.wait_for_call()
    supervisor.answer()
    assert keys(caller, "7", agent) == "7"        # what is not hidden is heard
    branchline(box, "control", "hide", name)
    at_supervisor_s, from_s = supervisor.heard_s, agent.heard_s
    caller.dtmf(PAN[:8])
    caller.wait_said()
    box.kill("acdd")                              # the pause outlives it
    box.start("acdd")
    keys(caller, PAN[8:], agent)
    assert agent.heard_keys(from_s) == "" and supervisor.heard_keys(at_supervisor_s) == ""
    branchline(box, "control", "show", name)
    assert keys(caller, "9", agent) == "9"
    caller.hang_up()
    contact = contact_of(box, caller.calling)
    [recording] = {segment.recording for segment in contact.segments if segment.recording}
    left, right = sides_of(box, recording)
    assert audio.dtmf_keys(left) == "79" and audio.dtmf_keys(right) == ""
    [told] = box.bus.ask(GetContactFacts(contact=contact.contact)).recordings
    [pause] = told.pauses
    assert 0 < pause.tick < pause.end_tick and pause.ended_at > pause.at
    said = branchline(box, "trace", "--call", contact.contact, "--details")
    assert not re.search(PAN[:8], said) and contact.digits == "1"
    for folder in (box.run_dir, box.state_dir):
        assert holding(folder, PAN.encode(), PAN[:8].encode(), PAN[8:].encode()) == []


@pytest.mark.need(17)
def test_what_is_keyed_in_between_the_flow_s_pause_and_resume_is_nowhere(box: Rig) -> None:
    caller = box.telco.place_call(called="5001", calling="13899990000").answered()
    caller.wait_to_hear(hz=PROMPT_HZ["menu"])
    caller.dtmf("3" + SECOND)
    caller.wait_said()
    caller.dtmf("*")
    agent = box.pbx.wait_for_call()
    agent.alert()
    assert contact_of(box, "13899990000", "ringing").digits == "3"
    caller.hang_up()
    contact_of(box, "13899990000")
    pressed = [f'"digit":"{digit}"'.encode() for digit in "50"]
    for folder in (box.run_dir, box.state_dir):
        assert holding(folder, SECOND.encode(), SECOND[:8].encode(), *pressed) == []
