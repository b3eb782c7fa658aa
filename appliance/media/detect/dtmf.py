"""DTMF receiver for all ports at once: 10 ms of samples in, digits out.

A digit is certain when two windows in a row (30 ms) hold the same two sines and next to nothing else, or
four (50 ms) hold them and not much else, as when a prompt comes back as an echo. One window (20 ms) that
seems to is reason enough to suspect a digit, so that it can be kept from a recording.
A dial tone that stood alone before is not held against a digit that sounds together with it.

Ref: ITU-T Q.23 (11/88) frequencies; Q.24 (11/88) annex A: the administrations' limits, the tightest of each.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from appliance.media.detect.mf import BLOCKS, Flags, Floats, Indices, Windows, power, ratio
from appliance.media.g711 import Linear
from appliance.media.tones import DIGITS, HIGH_HZ, LOW_HZ

MAX_OFFSET = 0.020                                # of a frequency: 1.5 % must pass, 3.5 % must not
MIN_LEVEL = power(-32)                            # of each sine: -25 dBm0 must pass
MAX_TWIST = ratio(10)                             # either way: 8 dB must pass
MIN_STEADINESS = np.float32(0.65)                 # of a sine's power from window to window; speech glides
MIN_PURITY = np.float32(0.85)                     # the two sines' part of the power; speech has harmonics
MIN_EVENNESS = np.float32(0.60)                   # of any 5 ms against the mean of 30: 23 ms cannot fill them
LONG_PAIRS = 3                                    # of windows, in a row, for which this is enough:
LONG_PURITY = np.float32(0.75)
LONG_EVENNESS = np.float32(0.40)
GONE = np.float32(0.1)                            # power against the recognized digit's
GONE_WINDOWS = 2                                  # 10 ms of interruption empty one, a pause of 40 ms two

DIAL_HZ = (300, 350, 400, 450, 500)               # a window's width apart: every dial tone of 340 to 460 Hz
DIAL_ALONE = np.float32(0.9)                      # its part of the power
DIAL_WINDOWS = 10                                 # alone for so long
DIAL_GONE = np.float32(0.1)                       # power against the dial tone's
DIAL_BEAT = np.float32(2)                         # two frequencies: the power of a window against another's

_LOW = len(LOW_HZ)
_PAIR = _LOW + len(HIGH_HZ)
_SCALLOPED = np.float32(0.7)                      # what an offset of MAX_OFFSET leaves of the power, about
_LIKELY = _SCALLOPED * LONG_PURITY
_AUDIBLE = _SCALLOPED * 2 * MIN_LEVEL
_SPREAD = np.float32(1.5)                         # a sine shows at its own frequency and both next
_NONE = np.int8(-1)
_NOBODY, _NOTHING = np.empty(0, np.intp), np.empty(0, np.float32)


class Dtmf:
    """Rows are independent; a row's state begins anew with reset().

    After feed() `suspects` bool[rows] says whose block belongs to a digit, or may; `sounding` int8[rows] is
    the place in DIGITS of the certain digit that goes on, or -1: its end to a tick or two.
    """

    def __init__(self, rows: int) -> None:
        self.suspects = np.zeros(rows, np.bool_)
        self.sounding = np.full(rows, _NONE)
        self._windows = Windows(rows, LOW_HZ + HIGH_HZ + DIAL_HZ)
        self._rest = np.zeros(rows, np.float32)                  # power of the last window without dial tone
        self._candidate = np.zeros(rows, np.int8)                # place in DIGITS
        self._pairs = np.zeros(rows, np.int8)                    # of windows in a row that may hold it
        self._digit_power = np.zeros(rows, np.float32)           # of the sounding digit's weaker sine
        self._absent = np.zeros(rows, np.int8)                   # windows without it
        self._dial = np.zeros(rows, np.float32)                  # power of the dial tone that stands, or 0
        self._alone = np.zeros(rows, np.int8)                    # windows with nothing but what may be one
        self._sounds = self._recognized = self._dials = False    # whether any row did with the last block

    def reset(self, row: int) -> None:
        self._windows.reset(row)
        for state in (self.suspects, self._rest, self._pairs, self._digit_power, self._absent, self._dial,
                      self._alone):
            state[row] = 0
        self.sounding[row] = _NONE

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, digit) for each digit that it made certain."""
        n, windows = len(samples), self._windows
        windows.feed(samples)
        tones = windows.tones[:, :n]
        rest = self._without_dial_tone(np.add.reduce(tones[_PAIR:]), windows.power[:n])
        both = np.maximum.reduce(tones[:_LOW]) + np.maximum.reduce(tones[_LOW:_PAIR])
        likely = (both >= np.maximum(_LIKELY * rest, _AUDIBLE)).nonzero()[0]
        digits: list[tuple[int, str]] = []
        if likely.size or self._sounds:
            digits = self._recognize(likely, tones, rest)
            self._recognized = True
        elif self._recognized:
            self.suspects[:] = self._recognized = False
            self._pairs[:] = 0
        self._rest[:n] = rest
        return digits

    def _without_dial_tone(self, spread: Floats, total: Floats) -> Floats:
        """What there is besides a dial tone that stood alone for a while, of which `spread` may be."""
        n = len(total)
        alone = (spread >= DIAL_ALONE * _SPREAD * total) & (total >= MIN_LEVEL)
        if not (self._dials or alone.nonzero()[0].size):
            return total
        low, dial, count = spread / _SPREAD, self._dial[:n], self._alone[:n]
        count[:] = np.where(alone, np.minimum(count + 1, DIAL_WINDOWS), 0)
        dial[:] = np.where(count == DIAL_WINDOWS, low, np.where(low < DIAL_GONE * dial, 0, dial))
        self._dials = bool(count.any() or dial.any())
        rest: Floats = total - np.minimum(low, DIAL_BEAT * dial)
        return rest

    def _recognize(self, likely: Indices, tones: Floats, rest: Floats) -> list[tuple[int, str]]:
        """What the windows of the `likely` rows hold, against the digits that sound already."""
        n = len(rest)
        heard = np.full(n, _NONE)
        found, weaker, unsure = self._examine(likely, heard, tones[:, likely], rest)
        digits: list[tuple[int, str]] = []
        self.suspects[:n] = False
        if found.size or self._sounds:
            digits = [(int(row), DIGITS[heard[row]]) for row in found[heard[found] != self.sounding[found]]]
            self._end_absent(heard, tones)
            self.sounding[found] = heard[found]
            self._absent[found] = 0
            self._digit_power[found] = weaker
            sounds = self.sounding[:n] >= 0
            self._sounds = bool(sounds.any())
            self.suspects[:n] = sounds & (self._absent[:n] == 0)
        self.suspects[unsure] = True
        return digits

    def _examine(
        self, rows: Indices, heard: npt.NDArray[np.int8], tones: Floats, rest: Floats,
    ) -> tuple[Indices, Floats, Indices]:
        """Which of `rows` hold a digit, put into `heard`; its weaker sine's power; which may hold one."""
        pair = np.empty((len(rows), 2), np.intp)
        tones[:_LOW].argmax(axis=0, out=pair[:, 0])
        tones[_LOW:_PAIR].argmax(axis=0, out=pair[:, 1])
        place = 4 * pair[:, 0] + pair[:, 1]
        pair[:, 1] += _LOW
        offset_hz, now, before = self._windows.exact(rows, pair)
        unsure = now.max(axis=1) <= MAX_TWIST * now.min(axis=1)
        unsure &= now.sum(axis=1) >= LONG_PURITY * rest[rows]
        if not unsure.any():                      # as with nearly all speech: a digit is no less
            self._pairs[:len(heard)] = 0
            return _NOBODY, _NOTHING, _NOBODY
        rows, pair, place = rows[unsure], pair[unsure], place[unsure]
        offset_hz, now, before = offset_hz[unsure], now[unsure], before[unsure]
        least, most = np.minimum(now, before), np.maximum(now, before)
        weaker, stronger = least.min(axis=1), most.max(axis=1)
        both, both_before = now.sum(axis=1), before.sum(axis=1)
        rest, rest_before = rest[rows], self._rest[rows]
        halves = self._windows.halves(rows, BLOCKS)
        emptiest, mean, dial = halves.min(axis=0), halves.sum(axis=0) / len(halves), self._dial[rows] > 0

        def filled(purity: np.float32, evenness: np.float32) -> Flags:
            full: Flags = (emptiest >= evenness * mean) | dial
            full &= (both >= purity * rest) & (both_before >= purity * rest_before)
            return full

        fair = (np.abs(offset_hz) <= MAX_OFFSET * self._windows.hz[pair]).all(axis=1)
        fair &= (least >= MIN_STEADINESS * most).all(axis=1)
        fair &= (weaker >= MIN_LEVEL) & (stronger <= weaker * MAX_TWIST)
        fair &= filled(LONG_PURITY, LONG_EVENNESS)
        pairs = np.where(self._candidate[rows] == place, np.minimum(self._pairs[rows] + 1, LONG_PAIRS), 1)
        self._pairs[:len(heard)] = 0
        self._pairs[rows], self._candidate[rows] = pairs * fair, place
        sure = fair & (filled(MIN_PURITY, MIN_EVENNESS) | (pairs == LONG_PAIRS))
        found = rows[sure]
        heard[found] = place[sure]
        return found, weaker[sure], rows

    def _end_absent(self, heard: npt.NDArray[np.int8], tones: Floats) -> None:
        """Count the windows without the digit that sounded; after enough of them the same one is new."""
        silent = np.flatnonzero((self.sounding[:len(heard)] >= 0) & (heard < 0))
        if silent.size:
            digit = self.sounding[silent]
            weaker = np.minimum(tones[digit >> 2, silent], tones[_LOW + (digit & 3), silent])
            gone = weaker < GONE * self._digit_power[silent]
            absent = np.where(gone, self._absent[silent] + 1, 0)
            self._absent[silent] = absent
            self.sounding[silent[absent >= GONE_WINDOWS]] = _NONE
