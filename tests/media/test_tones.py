"""Tones as an analyser on the line would see them."""

import typing

import numpy as np
import pytest

from appliance.config.schema import Country
from appliance.media import g711, tones
from e1_driver import IDLE

EXPECTED = [                                      # ITU-T Supplement 2 to E.180 (04/98), by country
    ("cn", "dial", [450], []), ("cn", "ringback", [450], [1.0, 4.0]),
    ("cn", "busy", [450], [0.35, 0.35]), ("cn", "congestion", [450], [0.7, 0.7]),
    ("cn", "sit", [450], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4]),
    ("gb", "dial", [350, 440], []), ("gb", "ringback", [400, 450], [0.4, 0.2, 0.4, 2.0]),
    ("gb", "busy", [400], [0.375, 0.375]), ("gb", "congestion", [400], [0.4, 0.35, 0.225, 0.525]),
    ("de", "dial", [425], []), ("de", "ringback", [425], [1.0, 4.0]),
    ("de", "busy", [425], [0.48, 0.48]), ("de", "congestion", [425], [0.24, 0.24]),
    ("us", "dial", [350, 440], []), ("us", "ringback", [440, 480], [2.0, 4.0]),
    ("us", "busy", [480, 620], [0.5, 0.5]), ("us", "congestion", [480, 620], [0.25, 0.25]),
    ("fr", "ringback", [440], [1.5, 3.5]), ("hk", "ringback", [440, 480], [0.4, 0.2, 0.4, 3.0]),
    ("it", "dial", [425], [0.2, 0.2, 0.6, 1.0]), ("tw", "busy", [480, 620], [0.5, 0.5]),
    ("au", "dial", [413, 438], []), ("tr", "busy", [450], [0.5, 0.5]), ("jp", "busy", [400], [0.5, 0.5]),
    ("za", "dial", [367, 400, 433], []), ("in", "ringback", [375, 400, 425], [0.4, 0.2, 0.4, 2.0]),
    ("sg", "ringback", [401, 425, 449], [0.4, 0.2, 0.4, 2.0]),
]
TOTAL_DBM0 = {("us", "ringback"): -16, ("us", "busy"): -21, ("us", "congestion"): -21}       # else -10
KINDS = {"dial", "second-dial", "ringback", "busy", "congestion", "call-waiting", "confirmation", "sit",
         "record-warning", "howler"}


def level_dbm0(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples ** 2)) * np.sqrt(2) / g711.PEAK_0DBM0))


def peaks_hz(samples: np.ndarray, least: float = 0.3) -> list[float]:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    peaks = np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] >= spectrum[2:])
                           & (spectrum[1:-1] > least * spectrum.max())) + 1
    return [float(peak * 8000 / samples.size) for peak in peaks]


def test_every_country_has_every_tone_and_the_settings_know_it() -> None:
    assert {frozenset(plan) for plan in tones.COUNTRIES.values()} == {frozenset(KINDS)}
    assert set(typing.get_args(Country)) == tones.COUNTRIES.keys()


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
    assert peaks_hz(on) == pytest.approx(hz, abs=5)
    assert level_dbm0(on[100:-100]) == pytest.approx(TOTAL_DBM0.get((country, name), -10), abs=0.3)


@pytest.mark.parametrize("country", list(tones.COUNTRIES))
def test_no_tone_clicks_where_it_begins_ends_or_begins_again(country: str) -> None:
    for name, tone in tones.COUNTRIES[country].items():
        octets = tones.loop(country, name)
        samples = g711.decode(np.concatenate([octets, octets])).astype(np.int32)
        steepest = sum(2 * np.pi * hz / 8000 for hz in ([max(tone.hz)] if tone.by_turns else tone.hz))
        most = (1 + bool(tone.modulated_hz)) * steepest * g711.PEAK_0DBM0 * 10 ** (tone.level_dbm0 / 20)
        assert np.abs(np.diff(samples)).max() <= 1.1 * most, name    # A-law's steps are 3 % of the amplitude
        assert np.abs(samples).max() < 32000, name


@pytest.mark.parametrize("ms", [5, 333, 1200])
def test_a_tone_that_is_cut_ends_softly(ms: int) -> None:
    whole = tones.loop("cn", "dial")
    octets = tones.cut(whole, 8 * ms)
    edge = min(8 * tones.EDGE_MS, octets.size)
    assert octets.size == 8 * ms and (octets[:-edge] == np.resize(whole, 8 * ms)[:-edge]).all()
    assert abs(int(g711.decode(octets)[-1])) < 0.05 * g711.PEAK_0DBM0 * 10 ** (tones.TOTAL_DBM0 / 20)


def test_the_special_information_tone_rises_in_three_steps() -> None:
    samples = g711.decode(tones.loop("gb", "sit")).astype(np.float64)
    assert samples.size == 8 * (3 * 330 + 1000)
    steps = [peaks_hz(samples[8 * 330 * step:8 * 330 * (step + 1)]) for step in range(3)]
    assert [hz for step in steps for hz in step] == pytest.approx([950, 1400, 1800], abs=3)
    assert np.abs(samples[8 * 990:]).max() <= 8   # A-law has no zero


def test_a_warning_in_a_call_is_softer_than_a_tone_in_place_of_one() -> None:
    for country, plan in tones.COUNTRIES.items():
        assert plan["record-warning"].hz == (1400,), country
        assert plan["record-warning"].level_dbm0 <= -20, country


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
