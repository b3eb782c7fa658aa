"""What a row sounds like over time, as runs of one kind: the on and off of a cadence, words and pauses."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from appliance.media.detect.bands import Band, Bands, Floats
from appliance.media.g711 import PEAK_0DBM0

Kinds = npt.NDArray[np.int8]
Rows = npt.NDArray[np.intp]

NOTHING = -1                                      # the kind of what was before the first run
OFF, OTHER, TONE = 0, 1, 2                        # quiet, any sound, a tone of the first set; 3, 4 ...
UNKNOWN = 1 << 16                                 # ticks of a pause whose beginning was not heard
HOLD = 4                                          # ticks; the shortest run of a tone or a pause

MIN_SHARE = 0.8                                   # of the power in the tone's frequencies: 6 dB above noise
QUIET = 0.1                                       # of the tone's power: 10 dB less is a pause


class Runs:
    """The last `depth` runs of each row; what differs for less than `hold` ticks does not end one."""

    def __init__(self, rows: int, depth: int, hold: int) -> None:
        self.kinds: Kinds = np.full((rows, depth), NOTHING, np.int8)      # oldest first, the running one last
        self.ticks = np.zeros((rows, depth), np.int32)                    # the running one's so far
        self._hold = hold
        self._stray: Kinds = np.full(rows, NOTHING, np.int8)              # the kind that may be next
        self._strays = np.zeros(rows, np.int32)                           # ticks of it

    def reset(self, row: int) -> None:
        self.kinds[row] = self._stray[row] = NOTHING
        self.ticks[row] = self._strays[row] = 0

    def feed(self, kinds: Kinds) -> Rows:
        """This tick's kinds int8[n] of rows 0 to n-1: the rows in which a run ended, `hold` ticks ago."""
        n = len(kinds)
        self.ticks[:n, -1] += 1
        strays = self._strays[:n]
        strays *= kinds == self._stray[:n]
        strays += 1
        strays *= kinds != self.kinds[:n, -1]
        self._stray[:n] = kinds
        ended = (strays >= self._hold).nonzero()[0]
        if ended.size:
            self.ticks[ended, -1] -= self._hold
            self.kinds[ended, :-1], self.ticks[ended, :-1] = self.kinds[ended, 1:], self.ticks[ended, 1:]
            self.kinds[ended, -1], self.ticks[ended, -1] = kinds[ended], self._hold
            self._strays[ended] = 0
        return ended


class ToneRuns(Runs):
    """Runs of tones: kind TONE + i is a steady sound that is nothing but the sines of `sets[i]`.

    `steady`: the power of a tone against what it began with, either way, beyond which it is something else.
    """

    def __init__(self, rows: int, sets: Sequence[tuple[Band, ...]], depth: int, min_level_dbm0: float,
                 steady: float = 2.5) -> None:
        super().__init__(rows, depth, HOLD)
        self._bands = Bands(rows, sets)
        self._min_power = np.float32(PEAK_0DBM0 ** 2 / 2 * 10 ** (min_level_dbm0 / 10))
        self._steady = np.float32(steady)
        self._level = np.zeros(rows, np.float32)                          # power of the last tone as it began

    def reset(self, row: int) -> None:
        super().reset(row)
        self._bands.reset(row)
        self._level[row] = 0

    def hear(self, linear: Floats) -> tuple[Kinds, Floats, Rows]:
        """One block float32[n, BLOCK] of rows 0 to n-1: their kinds and powers [n], and where a run ended."""
        power, shares = self._bands.feed(linear)
        n = len(power)
        level = self._level[:n]
        kinds = (power > np.maximum(level * np.float32(QUIET), self._min_power)).astype(np.int8)
        pure = shares >= power[:, None] * np.float32(MIN_SHARE)
        for place in range(shares.shape[1]):
            kinds[pure[:, place] & (kinds == OTHER)] = TONE + place
        unsteady = (kinds >= TONE) & (kinds == self.kinds[:n, -1])
        unsteady &= (power > level * self._steady) | (power < level / self._steady)
        kinds[unsteady] = OTHER
        ended = self.feed(kinds)
        level[ended] = np.where(kinds[ended] >= TONE, power[ended], level[ended])
        first = ended[(self.kinds[ended, -2] == NOTHING) & (kinds[ended] == OFF)]
        self.ticks[first, -1] = UNKNOWN
        return kinds, power, ended
