"""What a player shows of a recording: the peaks of both sides, and stretches in which nobody speaks.

Both are made block by block while the audio passes, of a length that nobody knows beforehand; memory is
bounded. What is written is kept in the catalogue.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.recording.wav import CHANNELS, TICKS_PER_S
from e1_driver import BLOCK

MOST_PARTS = 1000                                 # of a waveform
FULL_PEAK = 255
QUIET_PEAK = 4                                    # -36 dB of full scale: an office behind a speaker has less
SILENCE_TICKS = 2 * TICKS_PER_S                   # a shorter one is a pause for thought
MOST_SILENCES = 1000                              # then the shortest go

Loudness = npt.NDArray[np.uint8]

# An octet's bits but the first, of which the line inverts the even ones, are the louder the greater: G.711.
_INVERTED, _MAGNITUDE = np.uint8(0x55), np.uint8(0x7F)
_SAMPLES = np.abs(g711.decode(np.arange(128, dtype=np.uint8) ^ _INVERTED).astype(np.int32))
_LOUDNESS: Loudness = (_SAMPLES * FULL_PEAK // _SAMPLES.max()).astype(np.uint8)


class Waveform(NamedTuple):
    """The peak of each part of equal length, 0 to FULL_PEAK; the last part may be shorter."""

    caller: bytes
    agent: bytes


class Peaks:
    """Up to MOST_PARTS parts: each gets twice as long whenever there would be more."""

    def __init__(self) -> None:
        self._parts = np.zeros((MOST_PARTS, CHANNELS), np.uint8)
        self._part_ticks = 1
        self._ticks = 0

    def add(self, block: bytes) -> None:
        """Whole ticks, interleaved."""
        ticks = tick_peaks(block)
        while len(ticks):
            if self._ticks == MOST_PARTS * self._part_ticks:
                halves = self._parts.reshape(-1, 2, CHANNELS).max(axis=1)
                self._parts = np.concatenate((halves, np.zeros_like(halves)))
                self._part_ticks *= 2
            now = ticks[:MOST_PARTS * self._part_ticks - self._ticks]
            first, into = divmod(self._ticks, self._part_ticks)
            peaks = np.maximum.reduceat(now, np.arange(-into, len(now), self._part_ticks).clip(0))
            parts = self._parts[first:first + len(peaks)]
            np.maximum(parts, peaks, out=parts)
            self._ticks += len(now)
            ticks = ticks[len(now):]

    def write(self) -> bytes:
        parts = self._parts[:-(-self._ticks // self._part_ticks)]
        return parts.T.tobytes()

    @staticmethod
    def read(octets: bytes) -> Waveform:
        parts = len(octets) // CHANNELS
        return Waveform(octets[:parts], octets[parts:])


class Silences:
    """Where neither side is louder than QUIET_PEAK for SILENCE_TICKS or more."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int]] = []   # first tick, end
        self._since = 0                           # the tick after the last one that was loud
        self._ticks = 0

    def add(self, block: bytes) -> None:
        """Whole ticks, interleaved."""
        ticks = tick_peaks(block)
        loud = np.flatnonzero((ticks > QUIET_PEAK).any(axis=1)) + self._ticks
        self._ticks += len(ticks)
        if not len(loud):
            return
        since = np.concatenate(((self._since,), loud[:-1] + 1))
        long = loud - since >= SILENCE_TICKS
        self._found += zip(since[long].tolist(), loud[long].tolist(), strict=True)
        self._since = int(loud[-1]) + 1
        if len(self._found) > MOST_SILENCES:
            longest = sorted(self._found, key=lambda one: one[0] - one[1])[:MOST_SILENCES]
            self._found = sorted(longest)

    def write(self) -> bytes:
        last = [(self._since, self._ticks)] if self._ticks - self._since >= SILENCE_TICKS else []
        return np.array(self._found + last, "<u4").tobytes()

    @staticmethod
    def read(octets: bytes) -> list[tuple[int, int]]:
        """First tick and the tick after the last one of each, in order of time."""
        return [(int(first), int(end)) for first, end in np.frombuffer(octets, "<u4").reshape(-1, 2)]


def tick_peaks(block: bytes) -> Loudness:
    """[tick, side]: of whole ticks, interleaved."""
    octets = np.frombuffer(block, np.uint8).reshape(-1, BLOCK, CHANNELS)
    sides = np.ascontiguousarray(octets.transpose(0, 2, 1))
    loudest: Loudness = ((sides ^ _INVERTED) & _MAGNITUDE).max(axis=2)
    return _LOUDNESS.take(loudest)


def looked_at(blocks: Iterable[bytes], *looking: Peaks | Silences) -> Iterator[bytes]:
    """The blocks as they are, which each of these has seen."""
    for block in blocks:
        for one in looking:
            one.add(block)
        yield block
