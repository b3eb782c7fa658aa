"""Fragments to sounds."""

import subprocess
from pathlib import Path

import pytest

from appliance.media import tones
from appliance.media.prompts import Library
from appliance.span import sounds as module
from appliance.span.sounds import Sounds


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    for name, seconds in (("one", "0.1"), ("two", "0.2")):
        subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-e", "a-law", str(tmp_path / f"{name}.wav"),
                        "synth", seconds, "sine", "440"], check=True, capture_output=True)
    return Sounds(Library(tmp_path), "gb")


def test_fragments_are_joined_in_order(sounds: Sounds) -> None:
    sound, wrong = sounds.compile(["prompt:one", "tone:busy", "prompt:two"], False)
    assert sound is not None
    assert (sound.octets.size, wrong) == (800 + 6000 + 1600, "")
    assert (sound.octets[800:6800] == tones.loop("gb", "busy")).all()


def test_equal_plays_share_a_sound_until_a_file_changes(sounds: Sounds, tmp_path: Path) -> None:
    first, again = (sounds.compile(["prompt:one", "prompt:two"], True)[0] for _ in range(2))
    assert first is again
    assert sounds.compile(["prompt:one", "prompt:two"], False)[0] is not first
    (tmp_path / "one.wav").write_bytes((tmp_path / "two.wav").read_bytes())
    changed, _ = sounds.compile(["prompt:one", "prompt:two"], True)
    assert changed is not None
    assert changed.octets.size == 3200


@pytest.mark.parametrize(("fragments", "said"), [
    ([], "nothing to play"), (["prompt:gone"], "gone.wav: No such file"), (["tone:siren"], "dial, ringback"),
    (["one"], "write prompt:NAME"), (["prompt:../one"], "no prompt's name"),
])
def test_what_cannot_be_played_is_explained(sounds: Sounds, fragments: list[str], said: str) -> None:
    sound, wrong = sounds.compile(fragments, True)
    assert sound is None
    assert said in wrong


def test_a_play_has_a_bound(sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OCTETS", 1000)
    sound, wrong = sounds.compile(["prompt:one"] * 3, False)
    assert sound is not None
    assert sound.octets.size == 800
    assert "longer than" in wrong
