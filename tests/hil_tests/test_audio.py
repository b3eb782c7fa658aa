"""The instrument's ears and voice, held to G.711's own signal and to sox."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from hil_tests.instruments import audio

REFERENCE = np.frombuffer(bytes.fromhex("34 21 21 34 b4 a1 a1 b4"), np.uint8)     # G.711 table 5: 0 dBm0


def test_the_reference_sequence_of_g711_is_0_dbm0() -> None:
    octets = np.tile(REFERENCE, 1000)
    assert audio.level_dbm0(octets, 1000) == pytest.approx(0.0, abs=0.05)
    assert audio.level_dbm0(octets) == pytest.approx(0.0, abs=0.05)
    assert audio.level_dbm0(octets, 1500) < -60


def test_every_octet_survives_expansion_and_compression() -> None:
    octets = np.arange(256, dtype=np.uint8)
    assert (audio.compress(audio.expand(octets)) == octets).all()


def test_expansion_is_what_sox_makes_of_it() -> None:
    octets = np.arange(256, dtype=np.uint8)
    pcm = subprocess.run(["sox", "-D", "-t", "al", "-r", "8000", "-c", "1", "-", "-t", "s16", "-"],
                         input=octets.tobytes(), capture_output=True, check=True).stdout
    assert (audio.expand(octets) == np.frombuffer(pcm, "<i2")).all()


@pytest.mark.parametrize("level_dbm0", [0.0, -10.0, -30.0])
@pytest.mark.parametrize("hz", [425, 1004, 3000])
def test_a_tone_has_the_level_that_was_asked_for(hz: int, level_dbm0: float) -> None:
    octets = audio.tone(hz, level_dbm0, 0.3)
    assert audio.level_dbm0(octets, hz) == pytest.approx(level_dbm0, abs=0.2)
    assert audio.level_dbm0(octets, hz + 200) < level_dbm0 - 30


def test_silence_has_no_level() -> None:
    assert audio.level_dbm0(audio.silence(0.1)) < -60
    assert audio.level_dbm0(np.zeros(0, np.uint8)) == audio.SILENT_DBM0


def test_all_keys_are_made_and_heard() -> None:
    keys = "1234567890*#ABCD1155"
    assert audio.dtmf_keys(audio.dtmf(keys)) == keys
    assert audio.dtmf_keys(audio.dtmf(keys, on_s=0.05, off_s=0.05, low_dbm0=-20, high_dbm0=-14)) == keys


def test_keys_made_by_sox_are_heard(tmp_path: Path) -> None:
    path = tmp_path / "five.wav"
    subprocess.run([
        "sox", "-n", "-r", "8000", "-c", "1", path, "synth", "0.1", "sine", "770", "synth", "0.1", "sine",
        "mix", "1336", "gain", "-6", "pad", "0.1", "0.1"], check=True, capture_output=True)
    assert audio.dtmf_keys(audio.read_sound(path)) == "5"


def test_noise_speech_like_tones_and_short_bursts_are_no_keys() -> None:
    assert audio.dtmf_keys(audio.sequence(1, 2.0)) == ""
    assert audio.dtmf_keys(audio.tone(770, -10, 0.5)) == ""
    assert audio.dtmf_keys(audio.compress(
        audio.sine(770, -8, 0.5) + audio.sine(1336, -8, 0.5) + audio.sine(440, -4, 0.5))) == ""
    assert audio.dtmf_keys(audio.dtmf("5", on_s=0.02)) == ""
    with pytest.raises(ValueError, match="'x' is not a DTMF key"):
        audio.dtmf("1x")


def test_a_sequence_is_found_where_it_is() -> None:
    said = audio.sequence(7, 0.5)
    heard = np.concatenate([audio.silence(0.3), said, audio.silence(0.2)])
    assert audio.find(said, heard) == 2400
    assert audio.find(audio.sequence(8, 0.5), heard) == -1


def test_wav_files_are_read_by_sox_octet_for_octet(tmp_path: Path) -> None:
    left, right = audio.tone(500, -10, 0.5), audio.tone(900, -20, 0.6)
    audio.write_wav(tmp_path / "two.wav", left, right)
    said = subprocess.run(["soxi", tmp_path / "two.wav"], capture_output=True, text=True, check=True).stdout
    assert "A-law" in said and "Channels       : 2" in said and "4000 samples" in said
    audio.write_wav(tmp_path / "one.wav", left)
    assert (audio.read_sound(tmp_path / "one.wav") == left).all()
    (tmp_path / "no.wav").write_text("no sound")
    with pytest.raises(ValueError, match=r"no\.wav"):
        audio.read_sound(tmp_path / "no.wav")
