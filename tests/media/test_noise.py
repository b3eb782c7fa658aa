"""Comfort noise: its level, its shape, and that nobody hears it begin again."""

import numpy as np
import pytest

from appliance.media import g711, noise
from e1_driver import IDLE


def level_dbm0(octets: g711.Octets) -> float:
    samples = g711.decode(octets).astype(np.float64)
    return float(20 * np.log10(np.sqrt(np.mean(samples ** 2)) * np.sqrt(2) / g711.PEAK_0DBM0))


@pytest.mark.parametrize("wanted", range(-64, -19, 4))
def test_the_level_is_the_one_asked_for(wanted: int) -> None:
    assert level_dbm0(noise.comfort(wanted)) == pytest.approx(wanted, abs=1 if wanted < -60 else 0.5)


def test_the_shape_falls_by_5_db_an_octave_within_the_telephone_band() -> None:
    power = np.abs(np.fft.rfft(noise.shaped())) ** 2
    per_hz = power.size / 4000
    octave_db = [10 * np.log10(power[round(hz * 0.9 * per_hz):round(hz * 1.1 * per_hz)].mean())
                 for hz in (300, 600, 1200, 2400)]
    assert np.diff(octave_db) == pytest.approx([-5, -5, -5], abs=0.7)
    assert power[:round(190 * per_hz)].max() < 1e-6 * power.max()
    assert power[round(3410 * per_hz):].max() < 1e-6 * power.max()


def test_the_end_leads_into_the_beginning_and_nothing_repeats_sooner() -> None:
    one = noise.shaped().astype(np.float64)
    steps = np.abs(np.diff(np.concatenate([one, one])))
    assert steps[one.size - 1] <= steps.max() and steps[one.size - 1] < 6 * steps.mean()
    spectrum = np.fft.rfft(one)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2) / np.sum(one ** 2)
    assert np.abs(likeness[800:-800]).max() < 0.1            # beyond 100 ms it is like nothing that it was
    loudness = np.mean(one.reshape(-1, 2048) ** 2, axis=1)   # no swell by which an ear would know it again
    assert loudness.max() / loudness.min() < 2


def test_a_seed_is_a_noise() -> None:
    assert (noise.shaped(seed=3) == noise.shaped(seed=3)).all()
    assert abs(np.mean(noise.shaped(seed=3) * noise.shaped(seed=4))) < 0.05
    assert (noise.comfort(-50, 800) != IDLE).mean() > 0.5
