"""What the detectors of tone pairs share: Hann windows of 20 ms, a new one every 10 ms, of all rows at once.

Two blocks make a window. One product of a block with the rising and the falling half of the window gives the
block's part in two windows for all frequencies. From one window to the next a sine's phase says its frequency
far better than the window resolves it; its power is then corrected for that offset.

Detectors share this code and not each other's figures: a port seldom has two of them at a time.
"""

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import PEAK_0DBM0, Linear
from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import BLOCK

HALVES = 2                                        # a block's energy is kept for each 5 ms
SPAN = 3 * HALVES                                 # two windows are three blocks

Floats = npt.NDArray[np.float32]
Complexes = npt.NDArray[np.complex64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_WINDOW = 2 * BLOCK
_BIN_HZ = SAMPLE_RATE_HZ / _WINDOW
_TICK_S = BLOCK / SAMPLE_RATE_HZ
_HZ_PER_RADIAN = np.float32(1 / (2 * np.pi * _TICK_S))
_FARTHEST = np.float32(0.9)                       # bins: who is farther off is refused whatever its power
_ROWS_AT_ONCE = 64                                # BLAS gives larger products to threads without our priority
_TONE_GAIN = 8 ** 0.5 / _WINDOW                   # |X|^2 becomes a sine's mean square: the window sums to N/2
_ENERGY_GAIN = 8 / 3 / _WINDOW                    # energy becomes mean square: its squares sum to 3/8 N


def power(level_dbm0: float) -> np.float32:
    """Mean square of a sine, in linear steps."""
    return np.float32(PEAK_0DBM0 ** 2 / 2 * 10 ** (level_dbm0 / 10))


def ratio(decibels: float) -> np.float32:
    """Of powers."""
    return np.float32(10 ** (decibels / 10))


class Windows:
    """Rows are independent; a row begins anew with reset(). All powers are mean squares in linear steps.

    After feed() of n rows the first n rows hold: `tones` float32[rows, hz] powers at the frequencies, `power`
    float32[rows] that of the whole window, `halves` float32[rows, SPAN] energies of 5 ms, oldest first.
    """

    def __init__(self, rows: int, hz: tuple[float, ...]) -> None:
        self.hz = np.array(hz, np.float32)
        self._sines, self._energies = _projections(self.hz)
        self._turn = np.exp(-2j * np.pi * self.hz * _TICK_S).astype(np.complex64)    # a block's phase
        self.tones = np.zeros((rows, len(hz)), np.float32)
        self.power = np.zeros(rows, np.float32)
        self.halves = np.zeros((rows, SPAN), np.float32)
        self._now = np.zeros((rows, len(hz)), np.complex64)          # the last window
        self._before = np.zeros((rows, len(hz)), np.complex64)       # the one before
        self._opening = np.zeros((rows, len(hz)), np.complex64)      # last block under a window's first half
        self._opening_energy = np.zeros(rows, np.float32)
        self._linear = np.zeros((rows, BLOCK), np.float32)           # these four are room to work in
        self._found = np.zeros((rows, 4 * len(hz)), np.float32)
        self._squares = np.zeros((rows, BLOCK), np.float32)
        self._found_energy = np.zeros((rows, 2 + HALVES), np.float32)

    def reset(self, row: int) -> None:
        for state in (self._now, self._before, self._opening, self._opening_energy, self.halves):
            state[row] = 0

    def feed(self, samples: Linear) -> None:
        """One block int16[n, BLOCK] of rows 0 to n-1."""
        n, hz = len(samples), len(self.hz)
        linear, squares = self._linear[:n], self._squares[:n]
        np.copyto(linear, samples)
        np.multiply(linear, linear, out=squares)
        for start in range(0, n, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, n))
            np.matmul(linear[part], self._sines, out=self._found[part])
            np.matmul(squares[part], self._energies, out=self._found_energy[part])

        sines, energies = self._found[:n].view(np.complex64), self._found_energy[:n]
        self._now, self._before = self._before, self._now
        now = self._now[:n]
        np.multiply(sines[:, hz:], self._turn, out=now)
        now += self._opening[:n]
        self._opening[:n] = sines[:, :hz]
        np.add(self._opening_energy[:n], energies[:, 1], out=self.power[:n])
        self._opening_energy[:n] = energies[:, 0]
        parts = now.view(np.float32) ** 2
        np.add(parts[:, 0::2], parts[:, 1::2], out=self.tones[:n])
        halves = self.halves[:n]
        halves[:, :-HALVES] = halves[:, HALVES:]
        halves[:, -HALVES:] = energies[:, 2:]

    def exact(self, rows: Indices, which: Indices) -> tuple[Floats, Floats, Floats]:
        """For `which` intp[rows, k] of each row's frequencies, from its last two windows; float32[rows, k].

        Offsets in Hz of the sines that are there; their powers in the last window and in the one before.
        """
        each = rows[:, None]
        now, before = self._now[each, which], self._before[each, which]
        offset_hz = np.angle(now * before.conj() * self._turn[which]) * _HZ_PER_RADIAN
        bins = np.minimum(np.abs(offset_hz) * np.float32(1 / _BIN_HZ), _FARTHEST)
        gain = (np.sinc(bins) / (1 - bins ** 2)) ** 2            # what a Hann window leaves of such a power
        return offset_hz, np.abs(now) ** 2 / gain, np.abs(before) ** 2 / gain


def _projections(hz: Floats) -> tuple[Floats, Floats]:
    """[BLOCK, 4 hz]: samples -> sines under the window's halves; [BLOCK, 2 + HALVES]: squares -> energies."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    halves = hann.reshape(2, BLOCK, 1)
    turning = np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), hz) / SAMPLE_RATE_HZ) * _TONE_GAIN
    sines = np.concatenate([halves[0] * turning, halves[1] * turning], axis=1).astype(np.complex64)
    energies = np.zeros((BLOCK, 2 + HALVES), np.float32)
    energies[:, :2] = halves[:, :, 0].T ** 2 * _ENERGY_GAIN
    for half, rows in enumerate(np.split(np.arange(BLOCK), HALVES)):
        energies[rows, 2 + half] = 1
    return sines.view(np.float32), energies
