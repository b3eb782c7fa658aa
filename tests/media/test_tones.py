"""Tones as an analyser on the line would see them."""

import numpy as np
import pytest

from appliance.media import g711, tones
from e1_driver import IDLE

EXPECTED = [                                      # ITU-T Supplement 2 to the E.100 series (01/94), by country
    ("cn", "dial", [450], []), ("cn", "ringback", [450], [1.0, 4.0]),
    ("cn", "busy", [450], [0.35, 0.35]), ("cn", "congestion", [450], [0.7, 0.7]),
    ("gb", "dial", [350, 440], []), ("gb", "ringback", [400, 450], [0.4, 0.2, 0.4, 2.0]),
    ("gb", "busy", [400], [0.375, 0.375]), ("gb", "congestion", [400], [0.4, 0.35, 0.225, 0.525]),
    ("de", "dial", [425], []), ("de", "ringback", [425], [1.0, 4.0]),
    ("de", "busy", [425], [0.48, 0.48]), ("de", "congestion", [425], [0.24, 0.24]),
    ("us", "dial", [350, 440], []), ("us", "ringback", [440, 480], [2.0, 4.0]),
    ("us", "busy", [480, 620], [0.5, 0.5]), ("us", "congestion", [480, 620], [0.25, 0.25]),
]


def level_dbm0(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples ** 2)) * np.sqrt(2) / g711.PEAK_0DBM0))


def test_every_country_has_every_tone() -> None:
    there = {(country, name) for country, plan in tones.COUNTRIES.items() for name in plan}
    assert there == {(country, name) for country, name, _, _ in EXPECTED}


@pytest.mark.parametrize(("country", "name", "hz", "cadence_s"), EXPECTED)
def test_frequencies_cadence_and_level(
    country: str, name: str, hz: list[int], cadence_s: list[float],
) -> None:
    octets = tones.loop(country, name)
    silent = octets == IDLE
    edges_s = np.flatnonzero(np.diff(np.convolve(~silent, np.ones(40), "same") > 0)) / 8000
    twice = np.concatenate([octets, octets])
    if cadence_s:
        assert octets.size == round(sum(cadence_s) * 8000)
        assert edges_s == pytest.approx(np.cumsum(cadence_s)[:-1], abs=0.006)
    else:
        assert not edges_s.size
    on = g711.decode(twice[:round(cadence_s[0] * 8000)] if cadence_s else twice).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(on * np.hanning(on.size)))
    peaks = np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] >= spectrum[2:])
                           & (spectrum[1:-1] > 0.3 * spectrum.max())) + 1
    assert peaks * 8000 / on.size == pytest.approx(hz, abs=3)
    expected_dbm0 = {"us": {"dial": -10, "ringback": -16}.get(name, -21)}.get(country, -10)
    assert level_dbm0(on) == pytest.approx(expected_dbm0, abs=0.3)


@pytest.mark.parametrize("country", list(tones.COUNTRIES))
def test_a_continuous_tone_has_no_seam(country: str) -> None:
    octets = tones.loop(country, "dial")
    jump = np.abs(np.diff(g711.decode(np.concatenate([octets, octets])).astype(np.int32)))
    assert jump[octets.size - 1] <= np.abs(jump[:octets.size - 1]).max()
    assert (np.roll(octets, 1600) == octets)[:1600].all()     # a fifth of a second is whole cycles


def test_dtmf_is_two_sines_of_the_asked_level_and_a_pause() -> None:
    octets = tones.dtmf("5", on_ms=100, off_ms=50, level_dbm0=-9)
    assert octets.size == 1200
    assert (octets[800:] == IDLE).all()
    spectrum = np.abs(np.fft.rfft(g711.decode(octets[:800]).astype(np.float64))) / 400
    assert sorted((np.argsort(spectrum)[-2:] * 10).tolist()) == [770, 1340]      # the bin of 1336 Hz
    assert 20 * np.log10(spectrum[77] / g711.PEAK_0DBM0) == pytest.approx(-9, abs=0.2)


def test_what_is_no_digit_is_refused() -> None:
    with pytest.raises(ValueError, match="'X'"):
        tones.dtmf("12x")
