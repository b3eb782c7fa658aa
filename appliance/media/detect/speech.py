"""Whether somebody speaks: "voice" and "quiet" whenever that changes, and once at the beginning.

Steady noise is no speech: what is louder than it has been for the last seconds is. A change counts when it
has lasted for 0.3 s, so that the pauses between words do not.
"""

from collections.abc import Sequence

import numpy as np

from appliance.media.detect.runs import OFF, OTHER, Kinds, Runs
from appliance.media.g711 import PEAK_0DBM0, Linear
from e1_driver import BLOCK

MIN_LEVEL_DBM0 = -45.0
_HOLD = 30                                        # ticks
_FULL_DB = 20 * np.log10(PEAK_0DBM0) - 10 * np.log10(2)          # of 0 dBm0
_ABOVE_FLOOR_DB = 6.0
_FLOOR_RISE_DB = 0.05                             # a tick, while it is louder; 5 dB a second
_WORDS = {OFF: "quiet", OTHER: "voice"}


class Speech:
    def __init__(self, rows: int) -> None:
        self._runs = Runs(rows, 2, _HOLD)
        self._floor_db = np.zeros(rows)

    def reset(self, row: int) -> None:
        self._runs.reset(row)
        self._floor_db[row] = 0.0

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        n = len(samples)
        block = samples.astype(np.float32)
        power = np.einsum("ij,ij->i", block, block) / BLOCK
        level_db = 10 * np.log10(np.maximum(power, 1)) - _FULL_DB
        np.minimum(self._floor_db[:n] + _FLOOR_RISE_DB, level_db, out=self._floor_db[:n])
        voice = (level_db > MIN_LEVEL_DBM0) & (level_db > self._floor_db[:n] + _ABOVE_FLOOR_DB)
        kinds: Kinds = np.where(voice, OTHER, OFF).astype(np.int8)
        return [(int(row), _WORDS[int(self._runs.kinds[row, -1])]) for row in self._runs.feed(kinds)]
