"""The main job once, from SETUP to the recording."""

import subprocess
from pathlib import Path

import pytest

from appliance.bus.messages import GetContacts, GetRecording
from hil_tests.instruments import audio
from tests.e2e.rig import MUSIC_HZ, PROMPT_HZ, Rig
from tests.e2e.talk import wav_of


def test_a_call_is_answered_queued_bridged_recorded_and_shown(rig: Rig, tmp_path: Path) -> None:
    caller = rig.telco.place_call(called="5001", calling="13800138000")
    caller.answered()
    caller.wait_to_hear(hz=PROMPT_HZ["greeting"])
    caller.wait_to_hear(hz=PROMPT_HZ["menu"])
    caller.dtmf("1")
    caller.wait_to_hear(hz=PROMPT_HZ["queue"])
    agent = rig.pbx.wait_for_call()
    agent.alert()
    caller.wait_to_hear(hz=MUSIC_HZ)
    agent.answer()
    caller.tone(hz=450, level_dbm0=-14)
    agent.tone(hz=1700, level_dbm0=-18)
    agent.wait_to_hear(hz=450, level_dbm0=-14, tolerance_db=0.5)
    caller.wait_to_hear(hz=1700, level_dbm0=-18, tolerance_db=0.5)
    caller.wait_to_have_heard(caller.heard_s + 1.0, within_s=5)
    caller.hang_up()
    assert agent.wait_for("RELEASED").cause == 16
    reply = rig.bus.ask_until(GetContacts(), lambda reply: reply.total and reply.contacts[0].ended_at)
    contact = reply.contacts[0]
    assert (contact.outcome, contact.queue, contact.digits) == ("answered", "sales", "1")
    assert contact.agent == {"801": "zhang", "802": "li"}[agent.called]
    assert (contact.calling, contact.called, contact.ended_by) == ("13800138000", "5001", "caller")
    recording = next(segment.recording for segment in contact.segments if segment.recording)
    info = rig.bus.ask_until(GetRecording(recording=recording), lambda info: info.finished)
    assert info.duration_s == pytest.approx(1.3, abs=0.6)
    path = wav_of(rig.bus, recording, tmp_path)
    left, right = sox_channel(path, 1, tmp_path), sox_channel(path, 2, tmp_path)
    assert audio.level_dbm0(left[-8000:], 450) == pytest.approx(-14, abs=0.5)
    assert audio.level_dbm0(right[-8000:], 1700) == pytest.approx(-18, abs=0.5)
    assert audio.level_dbm0(left[-8000:], 1700) < -45 and audio.level_dbm0(right[-8000:], 450) < -45


def sox_channel(path: Path, channel: int, folder: Path) -> audio.Octets:
    """One channel of a file as sox reads it."""
    out = folder / f"{channel}.wav"
    subprocess.run(["sox", "-D", path, out, "remix", str(channel)], check=True)
    return audio.read_sound(out)
