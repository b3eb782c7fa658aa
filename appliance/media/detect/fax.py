"""Fax machines and modems by their first tones: CNG, CED or ANSam, a phase reversal, the flags of V.21.

"cng": a calling fax machine. "ced": 2100 Hz of an answering one, or ANS of a modem; "ansam": the same, its
amplitude modulated. "reversal": that tone turned its phase, so echo cancellers shall keep out of the way.
"v21": a preamble of T.30, the machines talk. Each once while it lasts.

Ref: ITU-T T.30 (09/05), 4.3.3 CED and CNG, 5.3.1 preamble; V.8 (11/00), 7.2 ANSam; G.168 (04/15), 7.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.media.detect.bands import Band, product
from appliance.media.detect.runs import OFF, OTHER, TONE, Rows, ToneRuns
from appliance.media.g711 import Linear
from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import BLOCK

CNG, ANS, FSK = TONE, TONE + 1, TONE + 2          # kinds of run

MIN_LEVEL_DBM0 = -43.0                            # T.30: what its receivers must hear
_BANDS: tuple[tuple[Band, ...], ...] = (
    ((1060, 1140),),                              # 1100 Hz, 38 more or less
    ((2070, 2130),),                              # 2100 Hz, 15 more or less, 15 to either side in ANSam
    ((1550, 1950),),                              # channel 2 of V.21: 1650 and 1850 Hz
)

_CNG_TICKS = (40, 60)                             # 0.5 s on, 15 % more or less
_CNG_PAUSE = 20                                   # ticks of the 3 s off that are enough
_ANS_TICKS = 40                                   # of 2.6 to 4 s
_AGAIN = {OFF: 500, OTHER: 100}                   # ticks of it after which all may be said anew

_AM_HZ = 15.0
_AM_TURN = np.exp(-2j * np.pi * _AM_HZ * BLOCK / SAMPLE_RATE_HZ)
_MIN_AM = 0.15                                    # swing of the power against its mean; ANSam's is about 0.35

_ANS_SINE = np.exp(-2j * np.pi * 2100 * np.arange(BLOCK) / SAMPLE_RATE_HZ).astype(np.complex64)
_REVERSED = np.cos(np.radians(180 - 45))          # at least so far from what would have come
_STRAIGHT = np.cos(np.radians(25))                # and that little before and after
_WHOLE = 0.5                                      # of the strongest block's amplitude

_BITS = 3                                         # of V.21, 300 bit/s, in a block
_FLAG = 8                                         # bits: 01111110, again and again
_FLAGS = 5                                        # that are looked at
_MIN_LIKENESS = 0.8                               # of a bit to the one a flag before
_SPACES = (0.15, 0.35)                            # of the bits: two of eight

_Turns = npt.NDArray[np.complexfloating[Any, Any]]


def _bit_sines() -> npt.NDArray[np.float32]:
    """[BLOCK, 12]: samples -> for each bit's third of a block the sines of space and mark."""
    at = np.arange(BLOCK)
    sines = np.exp(-2j * np.pi * np.outer(at, [1850, 1650]) / SAMPLE_RATE_HZ)
    third = at[:, None] * _BITS // BLOCK == np.arange(_BITS)
    columns = (third[:, :, None] * sines[:, None]).reshape(BLOCK, -1)
    real: npt.NDArray[np.float32] = columns.astype(np.complex64).view(np.float32)
    return real


_BIT_SINES = _bit_sines()


class Fax:
    """Rows are independent; a row's state begins anew with reset()."""

    def __init__(self, rows: int) -> None:
        self._runs = ToneRuns(rows, _BANDS, 2, MIN_LEVEL_DBM0)
        self._sine = np.zeros((rows, 6), np.complex64)           # 2100 Hz in the last blocks, oldest first
        self._swing = np.zeros((rows, 2), np.complex128)         # of ANS's power at 15 Hz, and its sum
        self._bits = np.zeros((rows, _FLAGS * _FLAG), np.float32)        # the last ones: space 1, mark -1
        self._said: list[set[str]] = [set() for _ in range(rows)]

    def reset(self, row: int) -> None:
        self._runs.reset(row)
        self._sine[row] = self._swing[row] = self._bits[row] = 0
        self._said[row].clear()

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, what) for each that became certain."""
        n = len(samples)
        linear = samples.astype(np.float32)
        kinds, power, ended = self._runs.hear(linear)
        running, ticks = self._runs.kinds[:n], self._runs.ticks[:n, -1]
        self._sine[ended] = self._swing[ended] = self._bits[ended] = 0
        heard: list[tuple[Rows, str]] = []

        least, most = _CNG_TICKS
        paused = ((ticks == _CNG_PAUSE) & (running[:, -1] == OFF) & (running[:, -2] == CNG)).nonzero()[0]
        bursts = self._runs.ticks[paused, -2]
        heard.append((paused[(bursts >= least) & (bursts <= most)], "cng"))
        answering = (running[:, -1] == ANS).nonzero()[0]
        if answering.size:
            self._swing[answering] *= (_AM_TURN, 1)
            self._swing[answering] += power[answering, None]
            swing = self._swing[answering]
            long = ticks[answering] == _ANS_TICKS
            modulated = 2 * np.abs(swing[:, 0]) > _MIN_AM * swing[:, 1].real
            heard += [(answering[long & modulated], "ansam"), (answering[long & ~modulated], "ced"),
                      (answering[self._reversed(answering, linear)], "reversal")]
        talking = ((running[:, -1] == FSK) & (kinds == FSK)).nonzero()[0]
        if talking.size:
            long = ticks[talking] > _FLAGS * _FLAG // _BITS
            heard.append((talking[self._flags(talking, linear) & long], "v21"))
        for row in ((ticks == _AGAIN[OFF]) | (ticks == _AGAIN[OTHER])).nonzero()[0]:
            if ticks[row] == _AGAIN.get(int(running[row, -1])):
                self._said[row].clear()
        return list(self._once(heard))

    def _once(self, heard: Sequence[tuple[Rows, str]]) -> Iterator[tuple[int, str]]:
        for rows, what in heard:
            for row in rows.tolist():
                if what not in self._said[row]:
                    self._said[row].add(what)
                    yield row, what

    def _reversed(self, rows: Rows, linear: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Did the phase of 2100 Hz turn in the fourth of the last six blocks, and nowhere else?"""
        sines = self._sine[rows]
        sines[:, :-1] = sines[:, 1:]
        sines[:, -1] = np.einsum("ij,j->i", linear[rows], _ANS_SINE)
        self._sine[rows] = sines
        steps = sines[:, 1:] * sines[:, :-1].conj()
        ahead = _unit(steps[:, 0] + steps[:, 1])                 # a block's worth at the exact frequency
        across = _unit(sines[:, 4] * sines[:, 2].conj()) * (ahead * ahead).conj()
        straight = (_unit(steps[:, [0, 1, 4]]) * ahead.conj()[:, None]).real.min(axis=1)
        sizes = np.abs(sines[:, [0, 1, 2, 4, 5]])
        whole = sizes.min(axis=1) > _WHOLE * sizes.max(axis=1)
        turned: npt.NDArray[np.bool_] = (across.real < _REVERSED) & (straight > _STRAIGHT) & whole
        return turned

    def _flags(self, rows: Rows, linear: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Are the last bits of V.21 the same as a flag's length before, with a flag's share of spaces?"""
        power = np.square(product(linear[rows], _BIT_SINES)).reshape(-1, _BITS, 2, 2).sum(axis=3)
        bits = self._bits[rows]
        bits[:, :-_BITS] = bits[:, _BITS:]
        bits[:, -_BITS:] = (power[:, :, 0] - power[:, :, 1]) / (power.sum(axis=2) + 1)
        self._bits[rows] = bits
        likeness = (bits[:, _FLAG:] * bits[:, :-_FLAG]).sum(axis=1)
        least, most = _SPACES
        alike: npt.NDArray[np.bool_] = likeness >= _MIN_LIKENESS * np.square(bits[:, _FLAG:]).sum(axis=1)
        spaces = (bits > 0).mean(axis=1)
        alike &= (spaces >= least) & (spaces <= most)
        return alike


def _unit(turns: _Turns) -> _Turns:
    """The same directions, of length 1; nothing stays nothing."""
    return turns / np.maximum(np.abs(turns), np.float32(1e-9))
