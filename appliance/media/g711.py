"""A-law octets <-> linear samples, whole arrays at once.

Ref: ITU-T G.711 (11/88), table 1. Linear is int16: the Recommendation's 13 bits shifted left by 3. A sine of
full scale is +3.14 dBm0 (clause 4).
"""

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Linear = npt.NDArray[np.int16]

PEAK_0DBM0 = 32768 * 10 ** (-3.14 / 20)           # peak of a sine of 0 dBm0, in linear steps

_EVEN_BITS = 0x55                                 # inverted on the line, table 1a note 2


def _decode_table() -> Linear:
    octets = np.arange(256) ^ _EVEN_BITS
    segment, step = octets >> 4 & 7, octets & 15
    magnitude = np.where(segment == 0, 16 * step + 8, (16 * step + 264) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, magnitude, -magnitude).astype(np.int16)


def _encode_table() -> Octets:
    linear = np.arange(1 << 16).astype(np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(linear < 0, ~linear, linear) >> 4       # 0-2047: decision values are 16 steps apart
    segment = np.maximum(np.frexp(magnitude)[1] - 4, 0)
    step = magnitude >> np.maximum(segment - 1, 0) & 15
    octets: Octets = ((np.where(linear < 0, 0, 0x80) | segment << 4 | step) ^ _EVEN_BITS).astype(np.uint8)
    return octets


_DECODE = _decode_table()
_ENCODE = _encode_table()                         # index: the sample's 16 bits taken as unsigned


def decode(octets: Octets) -> Linear:
    """int16 samples of the same shape."""
    return _DECODE.take(octets)


def encode(samples: Linear) -> Octets:
    """A-law octets of the same shape."""
    return _ENCODE.take(samples.view(np.uint16))
