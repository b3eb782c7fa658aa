"""Comfort noise: what a quiet room sounds like, made from numbers. Endless: its end leads into its beginning.

Ref: the shape is Hoth's room noise, 5 dB an octave down, in the telephone band; G.711 Appendix II only says
how a level and a shape travel.
"""

import numpy as np
import numpy.typing as npt

from appliance.media import g711

PERIOD = 1 << 16                                  # samples, 8.2 s: longer than an ear remembers noise
BAND_HZ = (200.0, 3400.0)
SLOPE_DB = -5.0                                   # an octave

_Floats = npt.NDArray[np.float32]


def shaped(samples: int = PERIOD, seed: int = 1) -> _Floats:
    """float32[samples] of mean power 1, to be scaled and to be read from anywhere, round and round."""
    hz = np.fft.rfftfreq(samples, 1 / 8000)
    octaves = np.log2(np.maximum(hz, 1) / 1000)
    size = np.where((hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1]), 10 ** (SLOPE_DB / 20 * octaves), 0)
    random = np.random.default_rng(seed)
    spectrum = size * (random.standard_normal(hz.size) + 1j * random.standard_normal(hz.size))
    noise = np.fft.irfft(spectrum, samples)
    noise /= np.sqrt(np.mean(noise ** 2))
    return noise.astype(np.float32)


def step(level_dbm0: float) -> float:
    """The root mean square of that level in linear steps: what shaped() is multiplied with."""
    return float(g711.PEAK_0DBM0 / np.sqrt(2) * 10 ** (level_dbm0 / 20))


def comfort(level_dbm0: float, samples: int = PERIOD, seed: int = 1) -> g711.Octets:
    """A-law noise of that level. Below -66 dBm0 it stays there: A-law has no smaller step than that."""
    linear = shaped(samples, seed) * step(level_dbm0)
    return g711.encode(np.rint(np.clip(linear, -32768, 32767)).astype(np.int16))
