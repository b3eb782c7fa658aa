"""Comfort noise like the background of each row: its level by bands of 50 Hz, its phases by chance.

Background is what is about as loud as the quietest blocks of the last second or two, and free of echo.

Ref: ITU-T G.168 (04/2015) clause 6.4.2.10, Test 9.
"""

import numpy as np
import numpy.typing as npt

from appliance.media.echo import spectra
from appliance.media.echo.spectra import BINS, Floats
from e1_driver import BLOCK

FLOOR_TICKS = 100                                 # the quietest block of one to two such times is the floor
ABOVE_FLOOR = 4.0                                 # so much louder, in power, background may be
SMOOTH = 0.25                                     # part of the newest block in the level that is compared
SLOW = 0.04                                       # part of a block in the spectrum
TURNS_TICKS = 4                                   # spectra are taken every so many ticks
_PHASES = 8192

Rows = npt.NDArray[np.intp]


class ComfortNoise:
    def __init__(self, rows: int) -> None:
        self._level = np.zeros((rows, BINS), np.float32)          # mean square of a block's spectrum
        self._amplitude = np.zeros((rows, BINS, 2), np.float32)   # its root, for both parts of a bin
        self.power = np.zeros(rows, np.float32)                   # mean square of the background
        self._taken = np.zeros(rows, np.float32)                  # blocks of background in it
        self._smooth = np.zeros(rows, np.float32)                 # mean square
        self._floor = np.full((2, rows), np.inf, np.float32)      # of the time before and this one
        self._tick = 0
        self._half = np.zeros((rows, BLOCK), np.float32)          # of the last frame made, the second block
        random = np.random.default_rng(TURNS_TICKS)
        self._chance = random.normal(size=(2 * (_PHASES + rows * BINS))).astype(np.float32)
        self._at = 0

    def reset(self, row: int) -> None:
        self._level[row] = self._amplitude[row] = self._half[row] = 0
        self._smooth[row] = self._taken[row] = self.power[row] = 0
        self._floor[:, row] = np.inf

    def listen(self, blocks: Floats, power: Floats, free: npt.NDArray[np.bool_]) -> None:
        """`blocks` float32[n, BLOCK] of rows 0 to n-1, their mean squares; those `free` of echo are heard."""
        n = len(blocks)
        self._tick += 1
        if self._tick % FLOOR_TICKS == 0:
            self._floor[0] = self._floor[1]
            self._floor[1] = np.inf
        smooth = self._smooth[:n]
        smooth += SMOOTH * (power - smooth)
        running = self._floor[1, :n]
        np.minimum(running, smooth, out=running)                  # echo adds to it, and never takes away
        if self._tick % TURNS_TICKS:
            return
        floor = np.minimum(running, self._floor[0, :n])
        background = free & (power <= ABOVE_FLOOR * floor) & np.isfinite(self._floor[0, :n])
        rows = np.flatnonzero(background)
        if rows.size:
            spectrum = spectra.of_first(blocks[rows])
            strength = np.abs(spectrum) ** 2
            taken = self._taken[rows] + 1
            self._taken[rows] = taken
            rate = np.maximum(SLOW, 1 / taken)
            self.power[rows] += rate * (power[rows] - self.power[rows])
            level = self._level[rows]
            level += rate[:, None] * (strength - level)
            self._level[rows] = level
            self._amplitude[rows] = np.sqrt(level)[:, :, None]

    def make(self, rows: Rows) -> Floats:
        """float32[len(rows), BLOCK] of noise like the rows' background."""
        self._at = (self._at * 1103515245 + 12345) % 2 ** 31
        start = 2 * (self._at % _PHASES)
        parts = self._amplitude[rows].reshape(-1, 2 * BINS)
        parts *= self._chance[start:start + parts.size].reshape(parts.shape)
        frames = spectra.noise(parts.view(np.complex64))
        blocks: Floats = frames[:, :BLOCK] + self._half[rows]
        self._half[rows] = frames[:, BLOCK:]
        return blocks
