"""Speech comes and goes; steady noise, and the pauses between words, change nothing."""

import numpy as np

from appliance.media.detect.speech import Speech
from e1_driver import BLOCK


def told(*parts: tuple[float, float]) -> list[tuple[float, str]]:
    """(seconds, rms of noise) one after the other: when something was said, and what; in the second row."""
    detector, random, found, tick = Speech(2), np.random.default_rng(1), [], 0
    for seconds, rms in parts:
        for _ in range(round(seconds * 100)):
            block = np.zeros((2, BLOCK), np.int16)
            block[1] = random.normal(0, rms, BLOCK).astype(np.int16)
            found += [(tick / 100, what) for row, what in detector.feed(block) if row == 1]
            tick += 1
    return found


def test_a_sentence_and_the_silence_after_it() -> None:
    said = told((1.0, 5), (0.5, 3000), (0.2, 5), (0.8, 3000), (3.0, 5))
    assert [what for _, what in said] == ["quiet", "voice", "quiet"]
    assert [round(at, 1) for at, _ in said] == [0.3, 1.3, 2.8]


def test_steady_noise_is_no_speech_once_it_is_known() -> None:
    assert [what for _, what in told((2.0, 5), (10.0, 400))] == ["quiet", "voice", "quiet"]


def test_a_row_begins_anew() -> None:
    detector = Speech(1)
    for _ in range(2):
        detector.reset(0)
        quiet = [detector.feed(np.zeros((1, BLOCK), np.int16)) for _ in range(50)]
        assert [one for one in quiet if one] == [[(0, "quiet")]]
