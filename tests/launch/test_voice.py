"""Spoken words as they join: measured, not believed."""

import numpy as np
import pytest

from appliance.launch.voice import speak
from appliance.media import g711, speech, voice
from appliance.media.voice import CannotSpeak

FRAME = 40                                        # samples, 5 ms


def frames_dbm0(octets: g711.Octets) -> np.ndarray:
    samples = g711.decode(octets[:octets.size // FRAME * FRAME]).astype(np.float64).reshape(-1, FRAME)
    rms = np.sqrt(np.mean(samples ** 2, axis=1))
    loudness: np.ndarray = 20 * np.log10(rms * np.sqrt(2) / g711.PEAK_0DBM0)
    return loudness


@pytest.mark.parametrize("language", speech.LANGUAGES)
def test_every_word_has_one_level_no_silence_around_it_and_soft_edges(language: str) -> None:
    texts = speech.vocabulary(language)
    for name, octets in zip(texts, speak(language, list(texts.values())), strict=True):
        loudness = frames_dbm0(octets)
        speaking = loudness[loudness > loudness.max() - 20]
        level_dbm0 = 10 * np.log10(np.mean(10 ** (speaking / 10)))
        assert level_dbm0 == pytest.approx(voice.LEVEL_DBM0, abs=0.5), name
        heard = np.flatnonzero(loudness > loudness.max() - 41)       # A-law hides the weakest consonants
        assert heard[0] * 5 <= voice.BEFORE_MS + 15, name
        assert (loudness.size - 1 - heard[-1]) * 5 <= voice.AFTER_MS + 15, name
        samples = g711.decode(octets).astype(np.int32)
        assert np.abs(samples[[0, -1]]).max() <= 8, name             # A-law's smallest: no click at joins
        assert 0.1 < octets.size / 8000 < 3, name
        assert np.abs(samples).max() < 32256, name                   # not clipped


def test_one_run_speaks_as_many_runs_do() -> None:
    texts = ["twelve", "You are number five. Please hold.", "a.m.", "dollars & <cents>"]
    together, alone = speak("en", texts), [speak("en", [text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert one.size == pytest.approx(other.size, rel=0.15)   # espeak-ng varies a little by itself


def test_a_text_without_a_sound_is_named() -> None:
    with pytest.raises(CannotSpeak, match="nothing for ' ': write another text"):
        speak("en", ["one", " ", "two"])
