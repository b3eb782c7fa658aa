"""The tone disabler: a modem's answer tone of 2100 Hz with its phase reversed takes the canceller out of a
call, one without reversals (a fax machine's) takes out the non-linear processor, until the line falls silent.

A block holds 21 periods of 2100 Hz: from one to the next the phase stands still, and turns for a reversal.

Ref: ITU-T G.168 (04/2015) clause 7; V.25 (ANS, reversed every 450 +/- 25 ms), V.8 (ANSam).
"""

import numpy as np
import numpy.typing as npt

from appliance.media.echo.spectra import Floats, product
from appliance.media.g711 import PEAK_0DBM0
from e1_driver import BLOCK

TONE_HZ = 2100
MIN_DBM0 = -33.0                                  # -31 must do
PURITY = 0.7                                      # of a block's power; V.8 modulates by 20 %
MAX_TURN = 1.5                                    # radians in a block: 24 Hz off, 21 must do
OPPOSED = -0.5                                    # cosine: 180 +/- 60 degrees, 155 must do and 110 must not
SLOW = 0.1                                        # cosine of a frequency's turn; a reversal's own is none
HELD_TICKS = 20                                   # make it a tone
MISSED_TICKS = 2                                  # that a reversal spoils
RELEASE_DBM0 = -36.0
RELEASE_TICKS = 25                                # of less in both directions

_MEAN_SQUARE_0DBM0 = PEAK_0DBM0 ** 2 / 2
_MIN_POWER = np.float32(_MEAN_SQUARE_0DBM0 * 10 ** (MIN_DBM0 / 10))
_RELEASE_POWER = np.float32(_MEAN_SQUARE_0DBM0 * 10 ** (RELEASE_DBM0 / 10))
_TURNS = 2 * np.pi * TONE_HZ * np.arange(BLOCK) / 8000
_SINE = np.stack([np.cos(_TURNS), -np.sin(_TURNS)], axis=1).astype(np.float32)
_TONE = np.float32(PURITY * BLOCK ** 2 / 2)       # a sine's mean square -> the product's square

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class ToneDisabler:
    """States of both directions are [2, rows]: sent and received."""

    def __init__(self, rows: int) -> None:
        self.tone = np.zeros(rows, bool)                          # was heard
        self.disabled = np.zeros(rows, bool)                      # it was reversed
        self._phases = np.zeros((3, 2, rows), np.complex64)       # of the last blocks, newest first
        self._held = np.zeros((2, rows), np.int16)                # ticks of tone, with a reversal's
        self._missed = np.zeros((2, rows), np.int16)              # ticks without it
        self._silent = np.zeros(rows, np.int16)                   # ticks

    def reset(self, row: int) -> None:
        self.tone[row] = self.disabled[row] = False
        self._phases[:, :, row] = 0
        self._held[:, row] = self._missed[:, row] = self._silent[row] = 0

    def feed(self, both: Floats, power: Floats) -> None:
        """One block float32[2, n, BLOCK] of rows 0 to n-1 and its mean squares [2, n]."""
        n = power.shape[1]
        sine = product(both.reshape(-1, BLOCK), _SINE).view(np.complex64).reshape(2, n)
        strength = np.square(sine.real) + np.square(sine.imag)
        sounds = (strength > _TONE * power) & (power > _MIN_POWER)
        concerned = sounds | (self._held[:, :n] > 0)
        rows, = (concerned[0] | concerned[1] | self.tone[:n]).nonzero()
        if rows.size:
            self._listen(rows, sounds[:, rows], sine[:, rows], power[:, rows])

    def _listen(self, rows: Rows, sounds: Flags, sine: npt.NDArray[np.complex64], power: Floats) -> None:
        phase = np.where(sounds, sine / (np.abs(sine) + 1), 0)
        newest, middle, oldest = self._phases[:, :, rows]
        turn = middle * oldest.conj()                             # of one block, when the frequency is off
        expected = middle * turn * turn
        held = self._held[:, rows]
        reversal = (held >= HELD_TICKS) & (turn.real > SLOW) & ((phase * expected.conj()).real < OPPOSED)
        steady = sounds & (reversal | (np.abs(np.angle(phase * newest.conj())) < MAX_TURN))
        missed = np.where(steady, 0, self._missed[:, rows] + 1)
        held = np.where(missed > MISSED_TICKS, 0, held + 1)
        self._held[:, rows], self._missed[:, rows] = held, missed
        self._phases[:, :, rows] = phase, newest, middle
        self.tone[rows] |= (held >= HELD_TICKS).any(axis=0)
        self.disabled[rows] |= reversal.any(axis=0)
        loud = (power > _RELEASE_POWER).any(axis=0)
        silent = np.where(loud, 0, self._silent[rows] + 1)
        self._silent[rows] = silent
        over = rows[silent >= RELEASE_TICKS]
        self.tone[over] = self.disabled[over] = False
