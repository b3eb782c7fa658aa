"""Register signals of two frequencies out of six: System R2 in both directions, System R1.

A signal is certain when two windows in a row (30 ms) hold the same two of the six and the other four are far
weaker. Only the six are looked at closely: signals of the other direction may come back as an echo. Said are
the signal's name at its beginning and OFF at its end, as compelled signalling needs it.

Ref: ITU-T Q.441 (11/88) table 5 frequencies and signals; Q.455 (11/88) limits of the receiving part; Q.320
(11/88) System R1.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from appliance.media.detect.mf import Floats, Indices, Windows, power, ratio
from appliance.media.g711 import Linear

OFF = "off"
MIN_LEVEL = power(-38)                            # of each sine: -35 dBm0 must pass
MAX_DIFFERENCE = ratio(10)                        # of the two: 7 dB must pass, 20 dB must not
MIN_CLEARANCE = ratio(6)                          # of the weaker one from the third
MIN_STEADINESS = np.float32(0.5)                  # of a sine's power from window to window
MIN_PART = np.float32(0.3)                        # of all the power: an echo may be stronger by 3 dB
MIN_EVENNESS = np.float32(0.15)                   # of any 5 ms against the mean of 20: 7 ms cannot fill them
GONE = np.float32(0.03)                           # power against the signal's: a gap of 7 ms leaves more

_NONE = np.int8(-1)


class TwoOfSix:
    """Rows are independent; a row's state begins anew with reset()."""

    HZ: ClassVar[tuple[float, ...]]               # the six, in the order of the signals' table
    SIGNALS: ClassVar[tuple[str, ...]]            # of frequencies 0 and 1, 0 and 2, 1 and 2, 0 and 3, ...
    MAX_OFFSET_HZ: ClassVar[float]

    def __init__(self, rows: int) -> None:
        self._windows = Windows(rows, self.HZ)
        self._sounding = np.full(rows, _NONE)                    # place in SIGNALS
        self._pair = np.zeros((rows, 2), np.intp)                # its frequencies
        self._power = np.zeros(rows, np.float32)                 # of its weaker sine

    def reset(self, row: int) -> None:
        self._windows.reset(row)
        self._sounding[row] = _NONE

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, signal) where one begins, (row, OFF) then."""
        n = len(samples)
        self._windows.feed(samples)
        tones, sounding = self._windows.tones[:, :n].T, self._sounding[:n]
        heard = np.full(n, _NONE)
        enough = tones.sum(axis=1) >= np.maximum(MIN_PART * self._windows.power[:n], MIN_LEVEL)
        found, pair, weaker = self._examine(enough.nonzero()[0], tones)
        heard[found] = pair[:, 1] * (pair[:, 1] - 1) // 2 + pair[:, 0]
        silent = ((heard < 0) & (sounding >= 0)).nonzero()[0]
        there = tones[silent[:, None], self._pair[silent]].min(axis=1)
        heard[silent[there >= GONE * self._power[silent]]] = _NONE - 1      # neither heard nor gone
        changed = ((heard != sounding) & (heard >= _NONE)).nonzero()[0]
        said = []
        for row in changed.tolist():
            if sounding[row] >= 0:
                said.append((row, OFF))
            if heard[row] >= 0:
                said.append((row, self.SIGNALS[heard[row]]))
        sounding[changed] = heard[changed]
        self._pair[found], self._power[found] = pair, weaker
        return said

    def _examine(self, rows: Indices, tones: Floats) -> tuple[Indices, Indices, Floats]:
        """Which of `rows` hold a signal for certain, its two frequencies, the power of its weaker sine."""
        order = tones[rows].argsort(axis=1)
        pair = np.sort(order[:, -2:], axis=1)
        offset_hz, now, before = self._windows.exact(rows, pair)
        least, most = np.minimum(now, before), np.maximum(now, before)
        weaker = least.min(axis=1)
        third = tones[rows, order[:, -3]]
        sure = (np.abs(offset_hz) <= self.MAX_OFFSET_HZ).all(axis=1)
        sure &= (least >= MIN_STEADINESS * most).all(axis=1)
        sure &= (weaker >= MIN_LEVEL) & (most.max(axis=1) <= MAX_DIFFERENCE * weaker)
        sure &= weaker >= MIN_CLEARANCE * third
        lately = self._windows.halves(rows, 2)
        sure &= lately.min(axis=0) >= MIN_EVENNESS / len(lately) * lately.sum(axis=0)
        return rows[sure], pair[sure], weaker[sure]


class R2Forward(TwoOfSix):
    HZ = (1380, 1500, 1620, 1740, 1860, 1980)
    SIGNALS = tuple(str(number) for number in range(1, 16))
    MAX_OFFSET_HZ = 20                            # 10, and the sender's 4, must pass


class R2Backward(R2Forward):
    HZ = (1140, 1020, 900, 780, 660, 540)


class R1(TwoOfSix):
    HZ = (700, 900, 1100, 1300, 1500, 1700)
    SIGNALS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "ST3P", "STP", "KP", "ST2P", "ST")
    MAX_OFFSET_HZ = 35                            # 1.5 % and 5 Hz must pass
