"""Blocks <-> spectra, as products with small real matrices: for 160 points faster than an FFT of many rows.

A frame is two blocks, the older one first; its spectrum has BINS bins of 50 Hz, from 0 to 4000.
"""

import numpy as np
import numpy.typing as npt

from e1_driver import BLOCK

Floats = npt.NDArray[np.float32]
Complexes = npt.NDArray[np.complex64]

FRAME = 2 * BLOCK
BINS = FRAME // 2 + 1
ALONE = 4 * 65536                                 # n k m: larger products go to threads without our priority


def _matrices() -> tuple[Floats, Floats, Floats]:
    """[BLOCK, 2 BINS]: a frame's first and second block -> spectrum; [2 BINS, FRAME]: spectrum -> frame."""
    turns = np.outer(np.arange(FRAME), np.arange(BINS)) / FRAME
    forth = np.exp(-2j * np.pi * turns).astype(np.complex64).view(np.float32)
    weight = np.full(BINS, 2 / FRAME)
    weight[[0, -1]] = 1 / FRAME
    back = np.stack([np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)], axis=2) * weight[:, None]
    return forth[:BLOCK].copy(), forth[BLOCK:].copy(), back.reshape(FRAME, -1).T.astype(np.float32)


_FIRST, _SECOND, _BACK = _matrices()
_BACK_FIRST, _BACK_SECOND = _BACK[:, :BLOCK].copy(), _BACK[:, BLOCK:].copy()
_BACK_WINDOWED = (_BACK * np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)).astype(np.float32, order="C")
ALTERNATING = np.resize([1, 1, -1, -1], 2 * BINS).astype(np.float32)      # a block's delay within a frame


def of_first(blocks: Floats) -> Complexes:
    """[n, BINS] of frames whose first block is given [n, BLOCK] and whose second is zero."""
    return product(blocks, _FIRST).view(np.complex64)


def of_second(blocks: Floats) -> Complexes:
    """[n, BINS] of frames whose second block is given and whose first is zero."""
    return product(blocks, _SECOND).view(np.complex64)


def first(spectra: Complexes) -> Floats:
    """[n, BLOCK]: the first block of each frame."""
    return product(spectra.view(np.float32), _BACK_FIRST)


def second(spectra: Complexes) -> Floats:
    return product(spectra.view(np.float32), _BACK_SECOND)


def noise(spectra: Complexes) -> Floats:
    """[n, FRAME]: whole frames under a sine's half, which overlap by a block to an even power."""
    return product(spectra.view(np.float32), _BACK_WINDOWED)


def squares(spectra: Complexes, out: Floats | None = None) -> Floats:
    """The power of each bin."""
    powers: Floats = np.square(spectra.real, out=out)
    powers += np.square(spectra.imag)
    return powers


def product(left: Floats, right: Floats) -> Floats:
    """[n, k] x [k, m]."""
    n, rows = len(left), ALONE // right.size
    if n <= rows:
        return left @ right
    result = np.empty((n, right.shape[1]), np.float32)
    even = n - n % rows
    np.matmul(left[:even].reshape(-1, rows, len(right)), right,
              out=result[:even].reshape(-1, rows, right.shape[1]))
    if even < n:
        np.matmul(left[even:], right, out=result[even:])
    return result
