"""The record ring as runs: stretches of consecutive ticks of one recording, interleaved as in the file."""

import itertools
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from appliance.media.ring import Ring
from appliance.recording.wav import TICK_OCTETS


class Run(NamedTuple):
    tick: int                                     # of its first sample
    octets: bytes                                 # TICK_OCTETS a tick, caller and agent in turn

    @property
    def end(self) -> int:
        """The tick after its last."""
        return self.tick + len(self.octets) // TICK_OCTETS


def read_runs(ring: Ring, first: int, end: int) -> tuple[list[int], dict[str, list[Run]]]:
    """Which of the ticks first to end - 1 the ring has, and their runs by recording, in order of time."""
    ticks, ids, audio = ring.read_many(first, end)
    if not ticks:
        return [], {}
    names = ids.view(np.uint64)                   # [tick, row, 2]
    words = np.left_shift(audio[:, :, 1], 8, dtype=np.uint16)        # both sides of a sample, as in the file
    words |= audio[:, :, 0]
    words = words.astype("<u2", copy=False)
    jumps = np.diff(ticks) != 1
    runs: dict[str, list[Run]] = defaultdict(list)
    for row in np.flatnonzero(names.any(axis=(0, 2))):
        of_row = names[:, row]
        cuts = np.flatnonzero(jumps | (of_row[1:] != of_row[:-1]).any(axis=1)) + 1
        for begin, stop in itertools.pairwise([0, *cuts.tolist(), len(ticks)]):
            if of_row[begin].any():
                octets = words[begin:stop, row].tobytes()
                runs[of_row[begin].tobytes().hex()].append(Run(ticks[begin], octets))
    for of_recording in runs.values():
        of_recording.sort()                       # a recording that changed its row
    return ticks, runs


class Losses:
    """`ticks`: those that were gone from the ring before they were read, as their sequence numbers tell."""

    def __init__(self) -> None:
        self.ticks = 0
        self._ring: Ring | None = None
        self._base = 0                            # sequence number of the next tick, without any loss

    def read(self, ring: Ring, ticks: list[int]) -> None:
        """These were read of `ring`, each once and in order. Its first ones are no loss."""
        if not ticks or (last := ring.stamp(ticks[-1])) is None:
            self._base += len(ticks)
            return
        if ring is not self._ring:
            self._ring, self._base = ring, last.sequence - len(ticks) + 1
        self.ticks += last.sequence + 1 - self._base - len(ticks)
        self._base = last.sequence + 1


class Tap:
    """The ring as it comes and goes with spand. Rings to read now, in order; none while there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring: Ring | None = None
        self.problem = ""                         # why there is nothing to read, "" when there is

    def rings(self) -> list[Ring]:
        if self._ring is not None and not self._ring.replaced():
            return [self._ring]
        last = [] if self._ring is None else [self._ring]            # its last ticks are not read yet
        try:
            self._ring, self.problem = Ring.open(self._path), ""
        except (OSError, ValueError) as error:
            self._ring, self.problem = None, str(error)
            return last
        return [*last, self._ring]
