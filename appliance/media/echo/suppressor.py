"""What is left of echo while the near end talks: each band of 50 Hz is made quieter by its share of it.

It adds no delay: a block's gains are a filter of minimum phase, into which the last block's is faded.

Ref: Y. Ephraim, D. Malah: "Speech enhancement using a minimum mean-square error short-time spectral amplitude
estimator", IEEE Trans. ASSP-32 (1984), its decision-directed estimate.
"""

import numpy as np
import numpy.typing as npt

from appliance.media.echo import spectra
from appliance.media.echo.spectra import BINS, FRAME, Floats
from e1_driver import BLOCK

LEAST = np.float32(0.2)                           # gain
LEAK = np.float32(3.0)                            # times the echo expected may be in one band
FALLS = np.float32(0.5)                           # echo's power in a block, at most
BEFORE = np.float32(0.8)                          # weight of what passed in the last block
NEVER = -2                                        # tick
_NOTHING = np.float32(1e3)                        # power of a band
_RAMP = ((np.arange(BLOCK) + 1) / BLOCK).astype(np.float32)

Rows = npt.NDArray[np.intp]


def _phases() -> Floats:
    """[BINS, BINS]: logarithms of gains -> phases of the minimum phase filter, by its cepstrum."""
    both_sides = np.zeros((BINS, FRAME))
    bins = np.arange(BINS)
    both_sides[bins, bins] = both_sides[bins, -bins] = 1
    causal = np.repeat([1.0, 2.0, 1.0, 0.0], [1, FRAME // 2 - 1, 1, FRAME // 2 - 1])
    spectrum = np.fft.fft(np.fft.ifft(both_sides).real * causal)
    return np.ascontiguousarray(spectrum.imag[:, :BINS], np.float32)


_PHASES = _phases()
_DELAYED = spectra.ALTERNATING[::2].copy()        # a block's delay within a frame


class Suppressor:
    """Rows are independent; one that was not fed in the tick before begins anew."""

    def __init__(self, rows: int) -> None:
        self._fed = np.full(rows, NEVER)                          # the last tick
        self._block = np.zeros((rows, BINS), np.complex64)        # the last one's spectrum
        self._filter = np.zeros((rows, BINS), np.complex64)
        self._powers = np.zeros((2, rows, BINS), np.float32)      # of what passed, of the echo in it

    def reset(self, row: int) -> None:
        self._fed[row] = NEVER

    def feed(self, residual: Floats, echo: Floats, rows: Rows, tick: int) -> Floats:
        """Blocks float32[len(rows), BLOCK] of a tick; `echo` is the power expected in their bands."""
        new = rows[self._fed[rows] != tick - 1]
        if new.size:
            self._block[new] = self._powers[:, new] = 0
            self._filter[new] = 1
        self._fed[rows] = tick
        n = rows.size
        block = spectra.of_first(residual)
        frame = block * _DELAYED + self._block[rows]
        self._block[rows] = block
        power = spectra.squares(frame)
        powers = self._powers[:, rows]
        passed, lasting = powers
        np.maximum(LEAK * echo + _NOTHING, FALLS * lasting, out=lasting)
        clean = BEFORE * passed + (1 - BEFORE) * np.maximum(power - lasting, 0)
        gain = np.maximum(clean / (clean + lasting), LEAST)
        np.multiply(np.square(gain), power, out=passed)
        self._powers[:, rows] = powers
        phase = spectra.product(np.log(gain), _PHASES)
        filters = np.empty((2, n, BINS), np.complex64)            # the last block's, and this one's
        filters[0] = self._filter[rows]
        now = filters[1]
        np.multiply(gain, np.cos(phase), out=now.real)
        np.multiply(gain, np.sin(phase), out=now.imag)
        self._filter[rows] = now
        filters *= frame
        heard = spectra.second(filters.reshape(2 * n, BINS))
        before, after = heard[:n], heard[n:]
        after -= before
        after *= _RAMP
        before += after
        return before
