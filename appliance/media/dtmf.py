"""DTMF receiver for all ports at once: 10 ms of samples in, digits out.

Two blocks make a Hann window of 20 ms, a new one every 10 ms. From one window to the next a sine's phase says
its frequency far better than the window resolves it; the amplitude is then corrected for that offset. A digit
is certain when two windows in a row (30 ms) hold the same two sines and next to nothing else.

Ref: ITU-T Q.23 (11/88) frequencies; Q.24 (11/88) annex A: the administrations' limits, the tightest of each.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import PEAK_0DBM0, Linear
from appliance.media.tones import DIGITS, HIGH_HZ, LOW_HZ, SAMPLE_RATE_HZ
from e1_driver import BLOCK

MAX_OFFSET = 0.020                                # of a frequency: 1.5 % must pass, 3.5 % must not
MIN_LEVEL_DBM0 = -29.0                            # of each sine: -25 must pass
MAX_TWIST_DB = 10.0                               # either way: 8 must pass
MIN_PURITY = 0.85                                 # the two sines' part of the power; speech has harmonics
MIN_STEADINESS = 0.65                             # of a sine's power from window to window; speech glides
MIN_EVENNESS = 0.55                               # of any 5 ms against the mean of 30: 23 ms cannot fill them
GONE = 0.1                                        # power against the recognized digit's
GONE_WINDOWS = 2                                  # 10 ms of interruption empty one, a pause of 40 ms two

_HZ = np.array(LOW_HZ + HIGH_HZ, np.float32)
_WINDOW = 2 * BLOCK
_BIN_HZ = SAMPLE_RATE_HZ / _WINDOW
_TICK_S = BLOCK / SAMPLE_RATE_HZ
_HALVES = 2                                       # a block's energy is kept for each 5 ms
_SPAN = 3 * _HALVES                               # two windows are three blocks
_ROWS_AT_ONCE = 64                                # BLAS gives larger products to threads without our priority

_Floats = npt.NDArray[np.float32]
_Complexes = npt.NDArray[np.complex64]
_Indices = npt.NDArray[np.intp]


def _projections() -> tuple[_Floats, _Floats]:
    """[BLOCK, 32]: samples -> sines under the window's halves; [BLOCK, 4]: squares -> energies."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    halves = hann.reshape(2, BLOCK, 1)
    turning = np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), _HZ) / SAMPLE_RATE_HZ)
    sines = np.concatenate([halves[0] * turning, halves[1] * turning], axis=1).astype(np.complex64)
    energies = np.zeros((BLOCK, 2 + _HALVES), np.float32)
    energies[:, :2] = halves[:, :, 0].T ** 2
    for half, rows in enumerate(np.split(np.arange(BLOCK), _HALVES)):
        energies[rows, 2 + half] = 1
    return sines.view(np.float32), energies


_SINES, _ENERGIES = _projections()
_TURN = np.exp(-2j * np.pi * _HZ * _TICK_S).astype(np.complex64)      # a block's worth of phase
_TONE_POWER = np.float32(8 / _WINDOW ** 2)        # |X|^2 -> a sine's mean square; the window sums to N/2
_ENERGY_POWER = np.float32(8 / 3 / _WINDOW)       # windowed energy -> mean square; its squares sum to 3/8 N
_MIN_POWER = np.float32(PEAK_0DBM0 ** 2 / 2 * 10 ** (MIN_LEVEL_DBM0 / 10))
_MAX_RATIO = np.float32(10 ** (MAX_TWIST_DB / 10))
_SCALLOPED = np.float32(0.7)                      # what an offset of MAX_OFFSET leaves of the power, about


class Receiver:
    """Rows are independent; a row's state begins anew with reset()."""

    def __init__(self, rows: int) -> None:
        self._opening = np.zeros((rows, 8), np.complex64)        # last block under the window's first half
        self._opening_energy = np.zeros(rows, np.float32)
        self._window = np.zeros((rows, 8), np.complex64)         # last whole window
        self._power = np.zeros(rows, np.float32)                 # its, all frequencies together
        self._halves = np.zeros((rows, _SPAN), np.float32)       # energies, oldest first
        self._digit = np.full(rows, -1, np.int8)                 # sounding now
        self._digit_power = np.zeros(rows, np.float32)           # of its weaker sine
        self._absent = np.zeros(rows, np.int8)                   # windows without it

    def reset(self, row: int) -> None:
        for state in (self._opening, self._window, self._opening_energy, self._power, self._halves,
                      self._digit_power, self._absent):
            state[row] = 0
        self._digit[row] = -1

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, digit) for each digit that it made certain."""
        n = len(samples)
        linear = samples.astype(np.float32)
        sines, energies = _product(linear, _SINES).view(np.complex64), _product(linear * linear, _ENERGIES)
        window = self._opening[:n] + sines[:, 8:] * _TURN
        power = (self._opening_energy[:n] + energies[:, 1]) * _ENERGY_POWER
        halves = self._halves[:n]
        halves[:, :-_HALVES] = halves[:, _HALVES:]
        halves[:, -_HALVES:] = energies[:, 2:]

        tones = (window.real ** 2 + window.imag ** 2) * _TONE_POWER
        best = np.maximum(tones[:, 0::2], tones[:, 1::2])        # by halves: max() over a short axis is slow
        best = np.maximum(best[:, 0::2], best[:, 1::2])          # [n, 2], the strongest low and high one
        both = best[:, 0] + best[:, 1]
        likely = ((both >= MIN_PURITY * _SCALLOPED * power) & (power >= 2 * _MIN_POWER)).nonzero()[0]
        digits: list[tuple[int, str]] = []
        if likely.size or (self._digit[:n] >= 0).any():
            digits = self._recognize(likely, tones, window, power)

        self._opening[:n], self._opening_energy[:n] = sines[:, :8], energies[:, 0]
        self._window[:n], self._power[:n] = window, power
        return digits

    def _recognize(
        self, likely: _Indices, tones: _Floats, window: _Complexes, power: _Floats,
    ) -> list[tuple[int, str]]:
        """What the windows of the `likely` rows hold, against the digits that sound already."""
        heard = np.full(len(tones), -1, np.int8)
        low, high = tones[likely, :4].argmax(axis=1), tones[likely, 4:].argmax(axis=1) + 4
        sure, weaker = self._examine(likely, low, high, window, power)
        found = likely[sure]
        heard[found] = (4 * low + high - 4)[sure]
        new = found[heard[found] != self._digit[found]]
        self._end_absent(len(tones), heard, tones)
        self._digit[found] = heard[found]
        self._absent[found] = 0
        self._digit_power[found] = weaker[sure]
        return [(int(row), DIGITS[heard[row]]) for row in new]

    def _examine(
        self, rows: _Indices, low: _Indices, high: _Indices, window: _Complexes, power: _Floats,
    ) -> tuple[npt.NDArray[np.bool_], _Floats]:
        """For each of `rows`: is it a digit, and the power of its weaker sine."""
        pair = np.stack([low, high], axis=1)
        now, before = window[rows[:, None], pair], self._window[rows[:, None], pair]
        offset_hz = np.angle(now * before.conj() * _TURN[pair]) / np.float32(2 * np.pi * _TICK_S)
        gain = _hann_gain(offset_hz / _BIN_HZ) ** 2
        powers = np.stack([np.abs(now), np.abs(before)]) ** 2 * _TONE_POWER / gain     # [window, row, sine]
        weaker, stronger = powers.min(axis=(0, 2)), powers.max(axis=(0, 2))
        total = np.stack([power[rows], self._power[rows]])
        halves = self._halves[rows]
        sure = (np.abs(offset_hz) <= MAX_OFFSET * _HZ[pair]).all(axis=1)
        sure &= (powers.sum(axis=2) >= MIN_PURITY * total).all(axis=0)
        sure &= (powers.min(axis=0) >= MIN_STEADINESS * powers.max(axis=0)).all(axis=1)
        sure &= (weaker >= _MIN_POWER) & (stronger <= weaker * _MAX_RATIO)
        sure &= halves.min(axis=1) >= MIN_EVENNESS * halves.mean(axis=1)
        return sure, weaker

    def _end_absent(self, n: int, heard: npt.NDArray[np.int8], tones: _Floats) -> None:
        """Count the windows without the digit that sounded; after enough of them the same one is new."""
        sounding = np.flatnonzero((self._digit[:n] >= 0) & (heard < 0))
        if sounding.size:
            digit = self._digit[sounding]
            weaker = np.minimum(tones[sounding, digit >> 2], tones[sounding, 4 + (digit & 3)])
            gone = weaker < GONE * self._digit_power[sounding]
            absent = np.where(gone, self._absent[sounding] + 1, 0)
            self._absent[sounding] = absent
            self._digit[sounding[absent >= GONE_WINDOWS]] = -1


def _hann_gain(bins: _Floats) -> _Floats:
    """Amplitude that a Hann window leaves of a sine `bins` away from the frequency looked at."""
    gain: _Floats = np.sinc(bins) / (1 - bins ** 2)
    return gain


def _product(left: _Floats, right: _Floats) -> _Floats:
    product = np.empty((len(left), right.shape[1]), np.float32)
    for start in range(0, len(left), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        np.matmul(left[part], right, out=product[part])
    return product
