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
BLOCKS = 3                                        # that two windows are made of

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

    After feed() of n rows the first n hold: `tones` float32[hz, rows] powers at the frequencies (short axes
    are slow, so rows are the last one), `power` float32[rows] that of the whole window.
    """

    def __init__(self, rows: int, hz: tuple[float, ...]) -> None:
        self.hz = np.array(hz, np.float32)
        self._sines, self._energies = _projections(self.hz)
        self._turn = np.exp(-2j * np.pi * self.hz * _TICK_S).astype(np.complex64)    # a block's phase
        self.tones = np.zeros((len(hz), rows), np.float32)
        self.power = np.zeros(rows, np.float32)
        self._at = 0                              # where the last block is of BLOCKS
        self._parts = np.zeros((BLOCKS, rows, 4 * len(hz)), np.float32)      # of a block, in two windows
        self._energy = np.zeros((BLOCKS, rows, 2 + HALVES), np.float32)
        self._now = np.zeros((rows, 2 * len(hz)), np.float32)        # the last window, real and imaginary
        self._before = np.zeros((rows, 2 * len(hz)), np.float32)     # the one before
        self._linear = np.zeros((min(rows, _ROWS_AT_ONCE), BLOCK), np.float32)       # these are room
        self._parts_squared = np.zeros((rows, 2 * len(hz)), np.float32)

    def reset(self, row: int) -> None:
        for state in (self._parts, self._energy, self._now, self._before):
            state[..., row, :] = 0

    def feed(self, samples: Linear) -> None:
        """One block int16[n, BLOCK] of rows 0 to n-1."""
        n, hz = len(samples), len(self.hz)
        last, last_energy = self._parts[self._at], self._energy[self._at]
        self._at = at = (self._at + 1) % BLOCKS
        parts, energy = self._parts[at], self._energy[at]
        for start in range(0, n, _ROWS_AT_ONCE):
            chosen = slice(start, min(start + _ROWS_AT_ONCE, n))
            linear = self._linear[:chosen.stop - start]
            np.copyto(linear, samples[chosen])
            np.matmul(linear, self._sines, out=parts[chosen])
            np.multiply(linear, linear, out=linear)
            np.matmul(linear, self._energies, out=energy[chosen])

        self._now, self._before = self._before, self._now
        now, squared = self._now[:n], self._parts_squared[:n]
        np.add(last[:n, :2 * hz], parts[:n, 2 * hz:], out=now)
        np.multiply(now, now, out=squared)
        np.add(squared[:, :hz].T, squared[:, hz:].T, out=self.tones[:, :n])
        np.add(last_energy[:n, 0], energy[:n, 1], out=self.power[:n])

    def halves(self, rows: Indices, blocks: int) -> Floats:
        """Energies of each 5 ms of the last `blocks`, in any order: float32[blocks * HALVES, n]."""
        return np.concatenate([self._energy[self._at - back, rows, 2:].T for back in range(blocks)])

    def exact(self, rows: Indices, which: Indices) -> tuple[Floats, Floats, Floats]:
        """For `which` intp[rows, k] of each row's frequencies, from its last two windows; float32[rows, k].

        Offsets in Hz of the sines that are there; their powers in the last window and in the one before.
        """
        now, before = (_complex(window, rows[:, None], which) for window in (self._now, self._before))
        offset_hz = np.angle(now * before.conj() * self._turn[which]) * _HZ_PER_RADIAN
        bins = np.minimum(np.abs(offset_hz) * np.float32(1 / _BIN_HZ), _FARTHEST)
        gain = (np.sinc(bins) / (1 - bins ** 2)) ** 2            # what a Hann window leaves of such a power
        return offset_hz, np.abs(now) ** 2 / gain, np.abs(before) ** 2 / gain


def _complex(window: Floats, rows: Indices, which: Indices) -> Complexes:
    real, imaginary = window[rows, which], window[rows, window.shape[1] // 2 + which]
    numbers: Complexes = real + np.complex64(1j) * imaginary
    return numbers


def _projections(hz: Floats) -> tuple[Floats, Floats]:
    """[BLOCK, 4 hz]: samples -> sines under the window's halves, real and imaginary; the second half's as the
    window's beginning sees them. [BLOCK, 2 + HALVES]: squares -> energies.
    """
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    turning = np.exp(-2j * np.pi * np.outer(np.arange(_WINDOW), hz) / SAMPLE_RATE_HZ) * _TONE_GAIN
    opening, closing = np.split(turning * hann[:, None], 2)
    sines = np.concatenate([opening.real, opening.imag, closing.real, closing.imag], axis=1)
    energies = np.zeros((BLOCK, 2 + HALVES), np.float32)
    energies[:, :2] = hann.reshape(2, BLOCK).T ** 2 * _ENERGY_GAIN
    for half, samples in enumerate(np.split(np.arange(BLOCK), HALVES)):
        energies[samples, 2 + half] = 1
    return sines.astype(np.float32), energies
