"""Two adaptive filters of each seat in the frequency domain: a background one that learns, and the foreground
one that cancels, which takes over the background's taps when those have proved better.

A filter of PARTITIONS * BLOCK taps is PARTITIONS spectra, by overlap and save without a delay (partitioned
block frequency domain adaptive filter). Steps are normalised by bin and shared out among partitions by their
size, since an echo path is a delay and a few milliseconds of dispersion. A background's partitions are
constrained in turn to the taps that overlap and save can use, and all of them when they are taken over.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.media.echo import spectra
from appliance.media.echo.spectra import BINS, Complexes, Floats
from e1_driver import BLOCK

PARTITIONS = 13                                   # of 10 ms: a tail of 130 ms, 128 are wanted
EVEN_SHARE = 0.3                                  # of the step goes to all partitions alike
REGULAR = 3e-3                                    # of the mean power of all bins: a floor under each bin's
NARROW = 0.35                                     # power spectrum's length against its sum: eight equal bins
STEADY = 0.98                                     # cosine between one tick's power spectrum and the next's
STEADY_TICKS = 10
MODEM_TICKS = 50                                  # of few lines: no voice has them for so long
AT_ONCE = 64                                      # seats: their changes fit the cache
QUIET_POWER = np.float32(100.0 * 2 * BLOCK)       # of a bin that holds next to nothing
_PLACES = 2 * tuple(range(PARTITIONS))
_PARTITIONS = np.arange(PARTITIONS)
_NO_SIZE = 1e-4                                   # of a partition's taps
_ONES = np.ones(BINS, np.float32)
_MOST_TICKS = np.array([[MODEM_TICKS], [STEADY_TICKS]], np.int16)

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class FilterBank:
    """A tick that pushed n blocks uses seats 0 to n-1; the others rest."""

    def __init__(self, seats: int) -> None:
        self._head = 0                                            # newest frame's place; older ones follow
        self._sent = np.zeros((PARTITIONS, seats, BINS), np.complex64)         # spectra of the last frames
        self._power = np.zeros((PARTITIONS, seats, BINS), np.float32)
        self._last = np.zeros((1, seats, BINS), np.complex64)     # of the last block alone
        self._length = np.zeros((1, seats), np.float32)           # of the last power spectrum, as a vector
        self._lines = np.zeros((2, seats), np.int16)              # ticks of few lines, of tones
        self._filters = np.zeros((2 * PARTITIONS, seats, BINS), np.complex64)
        self._background, self._foreground = self._filters[:PARTITIONS], self._filters[PARTITIONS:]
        self.spectra = np.zeros((seats, BINS), np.complex64)      # of the last echoes
        self._size = np.zeros((PARTITIONS, seats), np.float32)    # of the background's partitions
        self._share = np.ones((PARTITIONS, seats), np.float32)    # of the step
        self._change = np.empty((PARTITIONS, AT_ONCE, BINS), np.complex64)

    def exchange(self, one: int, other: int) -> None:
        """What the two seats have learnt and what they were sent."""
        self.exchange_learnt(one, other)
        for state in (self._sent, self._power, self._last, self._length, self._lines):
            _exchange(state, one, other)

    def exchange_learnt(self, one: int, other: int) -> None:
        for state in (self._filters, self._size, self._share):
            _exchange(state, one, other)

    def quiet(self, seat: int) -> None:
        """The seat was sent nothing."""
        for state in (self._sent, self._power, self._last, self._length, self._lines):
            state[:, seat] = 0

    def reset(self, seat: int) -> None:
        self.quiet(seat)
        self._background[:, seat] = self._foreground[:, seat] = self._size[:, seat] = 0
        self._share[:, seat] = 1

    def push(self, blocks: Floats) -> None:
        """The blocks float32[n, BLOCK] that seats 0 to n-1 were sent."""
        n = len(blocks)
        alone = spectra.of_first(blocks)
        self._head = at = (self._head - 1) % PARTITIONS
        frame = self._sent[at, :n]
        parts = frame.view(np.float32)
        np.multiply(alone.view(np.float32), spectra.ALTERNATING, out=parts)
        frame += self._last[0, :n]
        self._last[0, :n] = alone
        power = spectra.squares(frame, out=self._power[at, :n])
        self._find_tones(power, self._power[(at + 1) % PARTITIONS, :n])

    def _find_tones(self, power: Floats, before: Floats) -> None:
        """Counts the ticks that each seat was sent steady lines and nothing else."""
        n = len(power)
        known, length = self._length[0, :n], np.sqrt(np.vecdot(power, power))
        now = np.empty((2, n), bool)
        np.greater(length, NARROW * (power @ _ONES), out=now[0])
        np.greater(np.vecdot(power, before), STEADY * length * known, out=now[1])
        now[1] &= now[0]
        known[:] = length
        ticks = self._lines[:, :n]
        ticks += 1
        ticks *= now
        np.minimum(ticks, _MOST_TICKS, out=ticks)

    def narrow(self, n: int) -> Flags:
        """Of seats 0 to n-1: had the last frame few lines?"""
        return self._lines[0, :n] > 0

    def modems(self, n: int) -> Flags:
        """Of seats 0 to n-1: were all frames so for longer than a voice's?"""
        return self._lines[0, :n] >= MODEM_TICKS

    def tonal(self, n: int) -> Flags:
        """Of seats 0 to n-1: are they sent steady tones?"""
        return self._lines[1, :n] >= STEADY_TICKS

    def echoes(self, n: int) -> Floats:
        """float32[n, BLOCK]: the echoes by the foregrounds of seats 0 to n-1."""
        return self._hear(self._foreground, self.spectra[:n])

    def guesses(self, n: int) -> Floats:
        """The same by the backgrounds."""
        return self._hear(self._background, np.empty_like(self.spectra[:n]))

    def _hear(self, filters: Complexes, echo: Complexes) -> Floats:
        n = len(echo)
        sent, filters = self._sent[:, :n], filters[:, :n]
        newest, *places = _PLACES[self._head:self._head + PARTITIONS]
        np.multiply(sent[newest], filters[0], out=echo)
        part = np.empty_like(echo)
        for place, taps in zip(places, filters[1:], strict=True):
            np.multiply(sent[place], taps, out=part)
            echo += part
        return spectra.second(echo)

    def learn(self, errors: Floats, step: Floats) -> None:
        """Adapt the first n backgrounds by their errors float32[n, BLOCK] and a step float32[n] of 0 to 1."""
        n = len(errors)
        head, met = self._head, PARTITIONS - self._head           # the newest frame's place; how many follow
        share = self._share[(_PARTITIONS - head) % PARTITIONS, :n]          # by places, as what was sent
        norm = np.einsum("psb,ps->sb", self._power[:, :n], share)
        norm += (REGULAR / BINS * (norm @ _ONES) + QUIET_POWER)[:, None]
        np.divide(step[:, None], norm, out=norm)
        error = spectra.of_second(errors)
        np.conjugate(error, out=error)
        error *= norm.astype(np.complex64)
        for start in range(0, n, AT_ONCE):
            seats = slice(start, min(start + AT_ONCE, n))
            change = self._change[:, :seats.stop - start]
            parts = error[seats].view(np.float32)
            np.einsum("sb,ps->psb", parts, share[:, seats], out=change.view(np.float32))
            np.multiply(change, self._sent[:, seats], out=change)
            np.conjugate(change, out=change)
            newer, older = self._background[:met, seats], self._background[met:, seats]
            np.add(newer, change[head:], out=newer)
            np.add(older, change[:head], out=older)

    def constrain(self, n: int, partition: int) -> None:
        """Of the first n backgrounds: taps that overlap and save cannot use become zero, shares are set."""
        spectrum = self._background[partition, :n]
        taps = spectra.first(spectrum)
        spectrum[:] = spectra.of_first(taps)
        np.sqrt(np.einsum("st,st->s", taps, taps), out=self._size[partition, :n])
        whole = self._size[:, :n].sum(axis=0) + PARTITIONS * _NO_SIZE
        share = (1 - EVEN_SHARE) * PARTITIONS * (self._size[partition, :n] + _NO_SIZE) / whole
        self._share[partition, :n] = EVEN_SHARE + share

    def take_over(self, seats: Rows) -> None:
        """The background has proved better: the foreground becomes like it."""
        spectrum = self._background[:, seats]
        usable = spectra.of_first(spectra.first(spectrum.reshape(-1, BINS))).reshape(spectrum.shape)
        self._background[:, seats] = self._foreground[:, seats] = usable

    def fall_back(self, seats: Rows) -> None:
        """The background has gone astray: it becomes like the foreground."""
        self._background[:, seats] = self._foreground[:, seats]

    def forget(self, seats: Rows) -> None:
        """What the foreground knows harms: it begins anew."""
        self._foreground[:, seats] = 0

    def taps(self, seat: int) -> Floats:
        """float32[PARTITIONS * BLOCK]: the foreground's impulse response."""
        return spectra.first(self._foreground[:, seat]).reshape(-1)


def _exchange(state: npt.NDArray[Any], one: int, other: int) -> None:
    kept = state[:, one].copy()
    state[:, one] = state[:, other]
    state[:, other] = kept


