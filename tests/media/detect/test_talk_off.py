"""Talk-off: no digit where nobody dials. Minutes here, a day in `python -m tests.media.detect.compare`."""

import numpy as np
import pytest

from appliance.media import tones
from appliance.media.g711 import Linear
from tests.media.detect import corpus, mitel
from tests.media.detect.mitel import Pulse
from tests.media.detect.receivers import Samples, alaw, cut, of_level, ours, suspected

VOICES = (("en", "+m3", 35), ("en-us", "+f4", 75), ("cmn", "+f2", 60), ("de", "+m1", 50), ("fr", "+f1", 30),
          ("es", "+m7", 90))
SPEEDS = (0.8, 1.0, 1.25)


@pytest.fixture(scope="module")
def speech() -> Linear:
    """Six languages, each at three speeds of its recording."""
    said = [corpus.speech(name + variant, corpus.TEXTS[name], pitch) for name, variant, pitch in VOICES]
    return np.concatenate([alaw(np.interp(np.arange(0, one.size - 1, speed), np.arange(one.size), one))
                           for one in said for speed in SPEEDS])


def test_speech_is_no_digit(speech: Linear) -> None:
    quieter = alaw(0.3 * speech)
    for place in range(0, 80, 20):
        assert "".join(ours(cut(speech[place:]) + cut(quieter[place:]))) == ""


def test_digits_while_a_prompt_comes_back(speech: Linear) -> None:
    """As loud as an echo that is 6 dB weaker than it went out, from a prompt of -16 dBm0."""
    digits = [Pulse(digit, 70, (-13, -13)) for digit in 20 * tones.DIGITS]
    heard = ours([mitel.line(digits, under=of_level(speech, -22))])[0]
    assert len(heard) >= 0.98 * len(digits)


def test_few_blocks_of_speech_are_suspected(speech: Linear) -> None:
    assert suspected(cut(speech)) < 0.001


def test_music_is_no_digit() -> None:
    """Chords and runs of plucked strings over four octaves, 50 s at each of eight places of a block."""
    music = alaw(4000 * plucked())
    assert "".join(ours([music[start:] for start in range(0, 80, 10)])) == ""


def plucked() -> Samples:
    random, length = np.random.default_rng(7), tones.SAMPLE_RATE_HZ // 2
    music = np.zeros(100 * length)
    at_s = np.arange(length) / tones.SAMPLE_RATE_HZ
    for start in range(0, music.size - length, length // 4):
        for note in random.integers(40, 88, 3):
            hz = 440 * 2 ** ((note - 69) / 12)
            partials = np.arange(1, int(3800 / hz) + 1)[:, None]
            string = (np.sin(2 * np.pi * hz * partials * at_s) / partials).sum(axis=0)
            music[start:start + length] += string * np.exp(-6 * at_s)
    return music
