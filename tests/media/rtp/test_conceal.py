"""G.711 Appendix I by its properties, on signals whose continuation is known."""

import numpy as np
import pytest

from appliance.media.rtp import conceal
from appliance.media.rtp.conceal import AUDIBLE, HISTORY, LENGTH


def voice(hz: float, samples: int, start: int = 0) -> conceal.Floats:
    at = np.arange(start, start + samples) / 8000
    harmonics = [3000 / k * np.sin(2 * np.pi * hz * k * at + k) for k in range(1, 6)]
    whole: conceal.Floats = np.sum(harmonics, axis=0, dtype=np.float32)
    return whole


@pytest.mark.parametrize("period", [40, 57, 80, 99, 120])
def test_a_steady_voice_goes_on_in_step(period: int) -> None:
    made, lag = conceal.continuation(voice(8000 / period, HISTORY).astype(np.int16)[None])
    assert lag[0] == period
    follows = voice(8000 / period, 80, HISTORY)
    assert np.abs(made[0, :80] - follows).max() < 0.02 * np.abs(follows).max()


def test_it_fades_as_the_appendix_says_and_ends_in_silence() -> None:
    made, _ = conceal.continuation(voice(100, HISTORY).astype(np.int16)[None])
    power = (made[0].reshape(-1, 80) ** 2).mean(axis=1) ** 0.5
    assert power[:6] / power[0] == pytest.approx([1, 0.9, 0.7, 0.5, 0.3, 0.1], abs=0.04)
    assert not made[0, AUDIBLE:].any()
    assert made.shape == (1, LENGTH)


def test_there_is_no_click_where_it_begins_or_joins() -> None:
    """The steepest step of what is made is not above that of the voice itself, over many phases."""
    random = np.random.default_rng(1)
    said = voice(111.3, 4000) * (1 + 0.3 * np.sin(np.arange(4000) / 300)).astype(np.float32)
    said += random.normal(0, 30, 4000).astype(np.float32)
    ends = range(HISTORY, 4000, 37)
    history = np.stack([said[end - HISTORY:end] for end in ends]).astype(np.int16)
    made, _ = conceal.continuation(history)
    whole = np.concatenate([history[:, -1:], made], axis=1)
    steepest = np.abs(np.diff(said)).max()
    assert np.abs(np.diff(whole, axis=1)).max() < 1.3 * steepest


def test_rows_do_not_touch_each_other_and_silence_stays_silence() -> None:
    one = voice(133, HISTORY).astype(np.int16)
    rows = np.stack([np.zeros(HISTORY, np.int16), one, np.full(HISTORY, 8, np.int16)])
    made, _ = conceal.continuation(rows)
    assert (made[1] == conceal.continuation(one[None])[0][0]).all()
    assert not made[0].any()
    assert np.abs(made[2]).max() <= 8.001
