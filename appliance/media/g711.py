"""A-law octets <-> linear samples, A-law <-> µ-law octets; whole arrays at once.

Ref: ITU-T G.711 (11/88), tables 1 and 2. Linear is int16: the Recommendation's 13 bits shifted left by 3. A
sine of full scale is +3.14 dBm0, in µ-law +3.17 dBm0 (clause 4). Tables 3 and 4, from one law to the other,
are the nearest values at equal dBm0.
"""

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Linear = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

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
_DECODE_FLOAT = _DECODE.astype(np.float64)
_ENCODE = _encode_table()                         # index: the sample's 16 bits taken as unsigned


_MU_LAW_PEAK = 8159.0                             # table 2: the virtual decision value of +3.17 dBm0
_A_LAW_PEAK = 32768.0


def _between_laws() -> tuple[Octets, Octets]:
    """[256] A-law octets by µ-law ones, and the other way."""
    number = np.arange(128)
    segment, step = number >> 4, number & 15
    mu_values = ((2 * step + 33) << segment) - 33                # table 2, in its 14 bits
    a_values = _DECODE[(number | 0x80) ^ _EVEN_BITS]
    distance = np.abs(mu_values[:, None] * (10 ** (0.03 / 20) * _A_LAW_PEAK / _MU_LAW_PEAK) - a_values)
    a_of_mu, mu_of_a = np.empty(256, np.uint8), np.empty(256, np.uint8)
    for sign in (0, 0x80):                        # set: positive; µ-law octets have the others inverted
        a_of_mu[(number ^ 0x7F) | sign] = (distance.argmin(axis=1) | sign) ^ _EVEN_BITS
        mu_of_a[(number | sign) ^ _EVEN_BITS] = (distance.argmin(axis=0) ^ 0x7F) | sign
    return a_of_mu, mu_of_a


_A_LAW, _MU_LAW = _between_laws()                 # index: the other law's octet


# With mode "clip" numpy writes into `out` directly; no index is out of range.

def decode(octets: Octets, out: Linear | None = None) -> Linear:
    """int16 samples of the same shape, in `out` if given."""
    return _DECODE.take(octets, None, out, "clip")


def decode_float(octets: Octets, out: Floats | None = None) -> Floats:
    """float64 samples of the same shape, in the same steps."""
    return _DECODE_FLOAT.take(octets, None, out, "clip")


def encode(samples: Linear, out: Octets | None = None) -> Octets:
    """A-law octets of the same shape."""
    return _ENCODE.take(samples.view(np.uint16), None, out, "clip")


def a_law(mu_law: Octets, out: Octets | None = None) -> Octets:
    """A-law octets of µ-law ones, table 3."""
    return _A_LAW.take(mu_law, None, out, "clip")


def mu_law(a_law: Octets, out: Octets | None = None) -> Octets:
    """µ-law octets of A-law ones, table 4."""
    return _MU_LAW.take(a_law, None, out, "clip")
