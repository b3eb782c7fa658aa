"""Comfort noise like the background of each row: its level by bands of 50 Hz, its phases by chance.

A few frames of it are kept for each row and played in random order, every one overlapping the one before.

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
FRAME_TICKS = 16                                  # for a new frame of noise
FRAMES = 8                                        # kept
_PHASES = 8192
_ORDER = tuple(np.random.default_rng(FRAMES).integers(FRAMES, size=1009).tolist())       # for ten seconds
_SIGNS = np.resize(np.array([1, -1], np.float32), FRAMES)[:, None, None, None]

Rows = npt.NDArray[np.intp]


class ComfortNoise:
    def __init__(self, rows: int) -> None:
        self._level = np.zeros((rows, BINS), np.float32)          # mean square of a block's spectrum
        self._frames = np.zeros((FRAMES, 2, rows, BLOCK), np.float32)     # like it, the last made, by halves
        self.power = np.zeros(rows, np.float32)                   # mean square of the background
        self._taken = np.zeros(rows, np.float32)                  # blocks of background in it
        self._smooth = np.zeros(rows, np.float32)                 # mean square
        self._floor = np.full((2, rows), np.inf, np.float32)      # of the time before and this one
        self._tick = 0
        self._random = np.random.default_rng(FRAMES)
        self._chance = self._random.normal(size=_PHASES + 2 * BINS * rows).astype(np.float32)
        self._made = 0                                            # frames
        self._heard = 0                                           # the frame whose first block was given out

    def reset(self, row: int) -> None:
        self._level[row] = self._frames[:, :, row] = 0
        self._smooth[row] = self._taken[row] = self.power[row] = 0
        self._floor[:, row] = np.inf

    def follow(self, power: Floats) -> bool:
        """Mean squares of the blocks of rows 0 to n-1, once a tick; is it time to listen to them?"""
        n = len(power)
        self._tick += 1
        if self._tick % FLOOR_TICKS == 0:
            self._floor[0] = self._floor[1]
            self._floor[1] = np.inf
        smooth = self._smooth[:n]
        smooth += SMOOTH * (power - smooth)
        running = self._floor[1, :n]
        np.minimum(running, smooth, out=running)                  # echo adds to it, and never takes away
        return self._tick % TURNS_TICKS == 0

    def listen(self, blocks: Floats, power: Floats, free: npt.NDArray[np.bool_]) -> None:
        """To blocks float32[n, BLOCK] of rows 0 to n-1, and their mean squares, where `free` of echo."""
        n = len(blocks)
        before, running = self._floor[:, :n]
        background = free & (power <= ABOVE_FLOOR * np.minimum(before, running)) & np.isfinite(before)
        rows, = background.nonzero()
        if rows.size:
            spectrum = spectra.of_first(blocks[rows])
            strength = spectra.squares(spectrum)
            taken = self._taken[rows] + 1
            self._taken[rows] = taken
            rate = np.maximum(SLOW, 1 / taken)
            self.power[rows] += rate * (power[rows] - self.power[rows])
            level = self._level[rows]
            level += rate[:, None] * (strength - level)
            self._level[rows] = level
            if self._tick % FRAME_TICKS == 0:
                self._make(rows, np.sqrt(level))

    def _make(self, rows: Rows, amplitude: Floats) -> None:
        """A new frame for each row; who had none has only that, every other inverted."""
        first = self._frames[self._made, 0, rows, 0] == 0
        start = int(self._random.integers(_PHASES))
        parts = np.repeat(amplitude, 2, axis=1)
        parts *= self._chance[start:start + parts.size].reshape(parts.shape)
        frames = spectra.noise(parts.view(np.complex64)).reshape(-1, 2, BLOCK)
        self._made = (self._made + 1) % FRAMES
        self._frames[self._made, :, rows] = frames
        self._frames[:, :, rows[first]] = _SIGNS * frames[first].swapaxes(0, 1)

    def next(self, rows: Rows) -> Floats:
        """float32[len(rows), BLOCK] of noise like the rows' background."""
        before, self._heard = self._heard, _ORDER[self._tick % len(_ORDER)]
        blocks: Floats = self._frames[self._heard, 0].take(rows, axis=0)
        blocks += self._frames[before, 1].take(rows, axis=0)
        return blocks
