"""How much of a signal is sines of given frequencies: the share of each set of bands in the last 20 ms.

All that sines within a band can make of 160 samples lies in very few dimensions; what a row's samples have in
those is what such sines explain, whatever their number, phase and exact frequency.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import BLOCK

Band = tuple[float, float]                        # lowest and highest frequency, Hz
Floats = npt.NDArray[np.float32]

WINDOW = 2 * BLOCK

_EXPLAINED = 0.99                                 # of the power of any sine within its bands
_STEP_HZ = 2.0                                    # between the sines that are tried
_ROWS_AT_ONCE = 64                                # BLAS gives larger products to threads without our priority


class Bands:
    """For each row the last two blocks' mean square, and what of it lies in each of `sets`."""

    def __init__(self, rows: int, sets: Sequence[tuple[Band, ...]]) -> None:
        bases = [_basis(bands) for bands in sets]
        self._dimensions = sum(basis.shape[1] for basis in bases)
        self._begins = np.cumsum([0, *(basis.shape[1] for basis in bases[:-1])])
        halves = np.concatenate(bases, axis=1).reshape(2, BLOCK, -1)
        self._halves = np.concatenate([halves[0], halves[1]], axis=1)     # [BLOCK, 2 * dimensions]
        self._opening = np.zeros((rows, self._dimensions), np.float32)   # of the last block, as a first half
        self._energy = np.zeros(rows, np.float32)                        # of the last block

    def reset(self, row: int) -> None:
        self._opening[row] = self._energy[row] = 0

    def feed(self, linear: Floats) -> tuple[Floats, Floats]:
        """One block float32[n, BLOCK] of rows 0 to n-1: mean squares [n] of all and [n, sets] of the sets."""
        n, width = len(linear), self._dimensions
        seen = product(linear, self._halves)
        energy = np.einsum("ij,ij->i", linear, linear)
        inside = self._opening[:n] + seen[:, width:]
        np.square(inside, out=inside)
        shares = np.add.reduceat(inside, self._begins, axis=1)
        shares *= np.float32(1 / WINDOW)
        power = (self._energy[:n] + energy) * np.float32(1 / WINDOW)
        self._opening[:n], self._energy[:n] = seen[:, :width], energy
        return power, shares


def product(left: Floats, right: Floats) -> Floats:
    """Matrix product [n, BLOCK] by [BLOCK, m] by a thread of ours alone."""
    out = np.empty((len(left), right.shape[1]), np.float32)
    for start in range(0, len(left), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        np.matmul(left[part], right, out=out[part])
    return out


@cache
def _basis(bands: tuple[Band, ...]) -> Floats:
    """[WINDOW, d], orthonormal, of the fewest dimensions that explain every sine of the bands."""
    hz = np.concatenate([np.arange(low, high + _STEP_HZ, _STEP_HZ) for low, high in bands])
    angles = 2 * np.pi / SAMPLE_RATE_HZ * np.outer(np.arange(WINDOW) - (WINDOW - 1) / 2, hz)
    sines = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    sines /= np.sqrt(np.square(sines).sum(axis=0))
    vectors = np.linalg.eigh(sines @ sines.T)[1][:, ::-1]        # the most explaining one first
    explained = np.cumsum(np.square(vectors.T @ sines), axis=0).min(axis=1)
    return vectors[:, :np.argmax(explained >= _EXPLAINED) + 1].astype(np.float32)
