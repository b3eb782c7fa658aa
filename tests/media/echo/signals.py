"""Signals, echo paths and the level meter of the Recommendation.

Ref: ITU-T G.168 (04/2015) clause 6.4.1.2.1 (level measurement), annex C (composite source signals), annex D
(echo path models); P.501 (composite source signal).
"""

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from tests.media.echo.annexes import PATHS, VOICED_FAR, VOICED_NEAR

RATE_HZ = 8000
_ANNEX_HZ = 44100
_METER_S = 0.035
_RMS_0DBM0 = g711.PEAK_0DBM0 / np.sqrt(2)

Samples = npt.NDArray[np.float64]

# Spectrum of the pseudo noise: Hz, dB (figure C.2).
_SHAPE = ((0, -60), (50, -25.8), (100, -12.8), (200, 17.4), (215, 17.8), (500, 12.2), (1000, 7.2), (2850, 0),
          (3600, -2), (3660, -20), (3680, -30), (4000, -60))


def of_level(signal: Samples, dbm0: float) -> Samples:
    """The same signal with an rms level of `dbm0` over all of it."""
    louder: Samples = signal * (_RMS_0DBM0 * 10 ** (dbm0 / 20) / np.sqrt(np.mean(signal ** 2)))
    return louder


def _voiced(period: tuple[int, ...], times: int) -> Samples:
    """At 8 kHz, by the Fourier series of the period."""
    series = np.fft.rfft(period)
    seconds = len(period) * times / _ANNEX_HZ
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    base_hz = _ANNEX_HZ / len(period)
    kept = np.arange(1, int(3700 / base_hz) + 1)
    waves = np.exp(2j * np.pi * base_hz * np.outer(t, kept)) * series[kept]
    voiced: Samples = 2 * waves.real.sum(axis=1) / len(period)
    return voiced


def _noise(seconds: float, seed: int, gaussian: bool) -> Samples:
    random, size = np.random.default_rng(seed), 8192
    hz = np.arange(size // 2 + 1) * RATE_HZ / size
    shape = 10 ** (np.interp(hz, *np.array(_SHAPE).T) / 20)
    spectrum = shape * (np.fft.rfft(random.normal(size=size)) if gaussian
                        else 1j * random.choice([-1.0, 1.0], hz.size))
    return np.fft.irfft(spectrum)[:round(seconds * RATE_HZ)]


def css(seconds: float, dbm0: float, *, near: bool = False) -> Samples:
    """Composite source signal of the far end (350 ms a period) or near end (400 ms), every other inverted.

    `dbm0` is the level of its active parts, without the pauses.
    """
    period, times, pause_s = (VOICED_NEAR, 14, 0.12731) if near else (VOICED_FAR, 16, 0.10138)
    voiced = of_level(_voiced(period, times), dbm0)
    noise = of_level(_noise(0.2, 5 + near, near), dbm0)
    one = np.concatenate([voiced, noise, np.zeros(round(pause_s * RATE_HZ))])
    return np.resize(np.concatenate([one, -one]), round(seconds * RATE_HZ))


def hoth(seconds: float, dbm0: float, seed: int = 3) -> Samples:
    """Room noise: about -5 dB an octave (annex B of P.800 in a telephone's band)."""
    size = round(seconds * RATE_HZ)
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    shape = np.where((hz > 100) & (hz < 3600), (np.maximum(hz, 1) / 1000) ** (-5 / 6.02), 0)
    chance = np.fft.rfft(np.random.default_rng(seed).normal(size=size))
    return of_level(np.fft.irfft(chance * shape, size), dbm0)


def tones(seconds: float, dbm0: float, *hz: float) -> Samples:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return of_level(np.sum([np.sin(2 * np.pi * each * t) for each in hz], axis=0), dbm0)


def path(model: int, erl_db: float, delay_ms: float) -> Samples:
    """Impulse response of the model with its echo return loss behind a pure delay."""
    gain, taps = PATHS[model]
    return np.concatenate([np.zeros(round(delay_ms * 8)), np.array(taps) * gain * 10 ** (-erl_db / 20)])


def echoed(sent: Samples, impulse_response: Samples) -> Samples:
    size = 1 << (sent.size + impulse_response.size).bit_length()
    spectra = np.fft.rfft(sent, size) * np.fft.rfft(impulse_response, size)
    return np.fft.irfft(spectra, size)[:sent.size]


def coded(signal: Samples) -> g711.Linear:
    """Through A-law and back."""
    return g711.decode(g711.encode(np.clip(np.rint(signal), -32768, 32767).astype(np.int16)))


def level_dbm0(signal: npt.ArrayLike) -> Samples:
    """The meter's reading at the end of every millisecond: exponential, 35 ms."""
    power = np.asarray(signal, np.float64) ** 2
    keep = np.exp(-1 / (RATE_HZ / 1000 * _METER_S * 1000))
    within = keep ** np.arange(7, -1, -1) * (1 - keep)
    steps = power[:power.size // 8 * 8].reshape(-1, 8) @ within
    reading, readings = 0.0, np.empty(steps.size)
    for at, step in enumerate(steps):
        readings[at] = reading = reading * keep ** 8 + step
    dbm0: Samples = 10 * np.log10(readings / _RMS_0DBM0 ** 2 + 1e-12)
    return dbm0


def mean_dbm0(signal: npt.ArrayLike) -> float:
    power = np.mean(np.asarray(signal, np.float64) ** 2)
    return float(10 * np.log10(power / _RMS_0DBM0 ** 2 + 1e-12))


def white(seconds: float, dbm0: float, seed: int = 7) -> Samples:
    return of_level(np.random.default_rng(seed).normal(size=round(seconds * RATE_HZ)), dbm0)


def v21(seconds: float, dbm0: float) -> Samples:
    """Channel 2 of V.21, 300 bit/s: HDLC flags, then chance."""
    bits = np.random.default_rng(21).integers(0, 2, round(seconds * 300) + 1)
    flags = np.resize([0, 1, 1, 1, 1, 1, 1, 0], min(bits.size, 300))
    bits[:flags.size] = flags
    at = (np.arange(round(seconds * RATE_HZ)) * 300 / RATE_HZ).astype(int)
    turns = np.cumsum(np.where(bits[at] == 1, 1650, 1850)) / RATE_HZ
    return of_level(np.sin(2 * np.pi * turns), dbm0)


def answer_tone(seconds: float, dbm0: float, hz: float = 2100) -> Samples:
    """ANS of V.25: its phase is reversed every 450 ms."""
    tone = tones(seconds, dbm0, hz)
    reversals = (np.arange(tone.size) / RATE_HZ / 0.45).astype(int) % 2
    return np.where(reversals, -tone, tone)
