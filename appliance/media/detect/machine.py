"""Who answered an outbound call: a person or a machine, by how long it talks and when it waits.

A person says a word or a sentence and waits; a machine goes on. Who waits is quiet, for longer after a
sentence than after a word, or only others are heard any more, not the voice that was the loudest. Once after
reset(), which is the moment of answer, and within `Settings.within_s`: "person", "machine" (also by the beep
after its words), "silence" (nobody spoke) or "unsure": treat that as a person. Until the next reset() also
"beep" whenever a tone is over that asks to speak.

It cannot know what is said. A person who talks on like a machine is taken for one, and a machine whose
greeting begins with a short sentence and a pause for a person; television nearby counts as speech until
somebody louder speaks. docs/detection-outbound.md says how often. To hang up on a person is a silent call,
which many countries punish: act on "machine" only as far as a wrong one does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.media.detect.bands import Floats
from appliance.media.detect.runs import OFF, OTHER, Kinds, Rows, Runs
from appliance.media.g711 import PEAK_0DBM0, Linear
from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import BLOCK

VOICE = OTHER                                     # kind of run; the other one is OFF


@dataclass(frozen=True, slots=True)
class Settings:
    """When to decide; media.machine of the configuration says what may be and means the same."""

    silence_s: float = 2.5                        # from the answer without a word
    pause_s: float = 0.7                          # after a word: somebody waits for us
    sentence_pause_s: float = 0.9                 # the same after a sentence, where machines pause, too
    greeting_s: float = 4.2                       # from the first word without such a pause: a machine
    within_s: float = 6.0                         # from the answer, whatever was heard


_TICKS_A_S = SAMPLE_RATE_HZ / BLOCK
_FULL_DB = 20 * np.log10(PEAK_0DBM0) - 10 * np.log10(2)          # of 0 dBm0

_WORD = 100                                       # ticks; who talks longer says a sentence
_HOLD = 8                                         # ticks; a word and the pause after it last at least so long
_MIN_LEVEL_DBM0 = -45.0                           # of speech
_ABOVE_FLOOR_DB = 6.0
_BELOW_PEAK_DB = 20.0                             # quieter than the loudest so far is background
_LOUD_DB = 8.0                                    # so near to the loudest so far it is the same voice
_OTHERS = 130                                     # ticks without that voice: only others talk, it waits
_FLOOR_RISE_DB = 0.05                             # a tick, while it is louder; 5 dB a second
_LEVELS = 25                                      # ticks that are looked back
_STEADY_DB = 5.0                                  # their range if nobody speaks: noise, or a tone

_BEEP_HZ = (350.0, 2500.0)
_BEEP_TICKS = (10, 200)
_BEEP_LEVEL_DBM0 = -38.0
_BEEP_SHARE = 0.85                                # of the power within a peak's few bins
_BEEP_STEADY = 5                                  # ticks with levels
_BEEP_STEADY_DB = 2.0                             # so near to each other
_BEEP_DRIFT_HZ = 6.0                              # from its beginning; a held vowel drifts more
_BEEP_GAP = 3                                     # ticks without it: it is over
_WINDOW = 4 * BLOCK
_BIN_HZ = SAMPLE_RATE_HZ / _WINDOW
_PEAK_BINS = 2                                    # to either side
_HANN = np.hanning(_WINDOW).astype(np.float32)


class Machine:
    """Rows are independent; a row's state begins anew with reset()."""

    def __init__(self, rows: int, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._runs = Runs(rows, 2, _HOLD)
        self._since = np.zeros(rows, np.int32)                   # ticks from the answer
        self._first = np.zeros(rows, np.int32)                   # at which the first word began; 0: none yet
        self._decided = np.zeros(rows, np.bool_)
        self._levels = np.zeros((rows, _LEVELS), np.float32)     # dBm0 of the last blocks, oldest first
        self._floor = np.zeros(rows, np.float32)                 # dBm0 of the line when nobody speaks
        self._peak = np.zeros(rows, np.float32)                  # dBm0 of the loudest word
        self._unheard = np.zeros(rows, np.int32)                 # ticks since that voice was heard
        self._samples = np.zeros((rows, _WINDOW), np.float32)
        self._beep_hz = np.zeros(rows, np.float32)
        self._beep = np.zeros(rows, np.int32)                    # ticks of it
        self._beep_gap = np.zeros(rows, np.int32)                # ticks since
        for row in range(rows):
            self.reset(row)

    def reset(self, row: int) -> None:
        self._runs.reset(row)
        for state in (self._since, self._first, self._decided, self._unheard, self._samples, self._beep_hz,
                      self._beep, self._beep_gap):
            state[row] = 0
        self._levels[row] = np.nan
        self._floor[row], self._peak[row] = 0, _MIN_LEVEL_DBM0

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, verdict) once and (row, "beep") for each."""
        n = len(samples)
        window = self._samples[:n]
        window[:, :-BLOCK] = window[:, BLOCK:]
        window[:, -BLOCK:] = samples
        linear = window[:, -BLOCK:]
        power = np.einsum("ij,ij->i", linear, linear) / np.float32(BLOCK)
        levels = self._levels[:n]
        levels[:, :-1] = levels[:, 1:]
        levels[:, -1] = 10 * np.log10(power + 1) - np.float32(_FULL_DB)
        self._since[:n] += 1

        ended = self._runs.feed(self._kinds(levels))
        begun = ended[self._runs.kinds[ended, -1] == VOICE]
        first = begun[self._first[begun] == 0]
        self._first[first] = self._since[first] - _HOLD
        beeped, proofs = self._beeps(n)
        return self._decide(n, proofs) + [(row, "beep") for row in beeped.tolist()]

    def _kinds(self, levels: Floats) -> Kinds:
        """OFF or VOICE for each row, by its noise floor and its loudest speech so far."""
        n = len(levels)
        floor, peak, now = self._floor[:n], self._peak[:n], levels[:, -1]
        lowest = np.minimum(np.maximum(now, levels[:, -2]), np.maximum(levels[:, -2], levels[:, -3]))
        np.fmin(floor + np.float32(_FLOOR_RISE_DB), np.where(np.isnan(lowest), now, lowest), out=floor)
        highest = levels.max(axis=1)
        steady = highest - levels.min(axis=1) <= _STEADY_DB
        floor[steady] = np.maximum(floor[steady], highest[steady])
        least = np.maximum(floor + np.float32(_ABOVE_FLOOR_DB), peak - np.float32(_BELOW_PEAK_DB))
        kinds: Kinds = (now > np.maximum(least, np.float32(_MIN_LEVEL_DBM0))).astype(np.int8)
        loud = kinds == VOICE
        peak[loud] = np.fmax(peak[loud], levels[loud, -_HOLD:].mean(axis=1))
        unheard = self._unheard[:n]
        unheard += 1
        unheard[now >= peak - np.float32(_LOUD_DB)] = 0
        return kinds

    def _decide(self, n: int, proofs: Rows) -> list[tuple[int, str]]:
        """`proofs`: rows in which a machine's beep is over."""
        settings, since, first = self._settings, self._since[:n], self._first[:n]
        running, ticks = self._runs.kinds[:n, -1], self._runs.ticks[:n, -1]
        spoke = first > 0
        open_ = ~self._decided[:n]
        pause_s = np.where(since - ticks - first <= _WORD, settings.pause_s, settings.sentence_pause_s)
        quiet = (running == OFF) & (ticks >= pause_s * _TICKS_A_S)
        waits = spoke & (quiet | (self._unheard[:n] >= _OTHERS))
        beeped = np.zeros(n, np.bool_)
        beeped[proofs] = True
        talks = spoke & (running == VOICE) & (since - first >= settings.greeting_s * _TICKS_A_S)
        silent = ~spoke & (since >= settings.silence_s * _TICKS_A_S)
        heard: list[tuple[int, str]] = []
        for rows, verdict in (
            (beeped, "machine"), (waits, "person"), (talks, "machine"), (silent, "silence"),
            (since >= settings.within_s * _TICKS_A_S, "unsure"),
        ):
            found = (rows & open_).nonzero()[0]
            if found.size:
                open_[found] = False
                self._decided[found] = True
                heard += [(row, verdict) for row in found.tolist()]
        return heard

    def _beeps(self, n: int) -> tuple[Rows, Rows]:
        """Follow a pure tone in each row to its end: rows in which one is over; those with words before."""
        last = self._levels[:n, -_BEEP_STEADY:]
        lowest = last.min(axis=1)
        steady = (lowest > _BEEP_LEVEL_DBM0) & (last.max(axis=1) - lowest <= _BEEP_STEADY_DB)
        rows = steady.nonzero()[0]
        gap = self._beep_gap[:n]
        gap += 1
        if rows.size:
            self._follow(rows)
        over = ((gap == _BEEP_GAP) & (self._beep[:n] > 0)).nonzero()[0]
        ticks = self._beep[over]
        self._beep[over] = 0
        least, most = _BEEP_TICKS
        right = (least <= ticks) & (ticks <= most)
        over, ticks = over[right], ticks[right]
        first = self._first[over]
        return over, over[(first > 0) & (self._since[over] - first - ticks >= 3 * _HOLD)]

    def _follow(self, rows: Rows) -> None:
        spectrum = np.square(np.abs(np.fft.rfft(self._samples[rows] * _HANN)))
        low, high = (int(hz / _BIN_HZ) for hz in _BEEP_HZ)
        bins = spectrum[:, low:high].argmax(axis=1) + low
        around = bins[:, None] + np.arange(-_PEAK_BINS, _PEAK_BINS + 1)
        parts = np.take_along_axis(spectrum, around, axis=1)
        inside = parts.sum(axis=1)
        hz = (parts * around).sum(axis=1) / np.maximum(inside, 1) * _BIN_HZ
        pure = inside >= _BEEP_SHARE * spectrum.sum(axis=1)
        rows, hz = rows[pure], hz[pure]
        other = (self._beep[rows] > 0) & (np.abs(hz - self._beep_hz[rows]) > _BEEP_DRIFT_HZ)
        self._beep[rows] = np.where(other, 1, self._beep[rows] + 1)
        self._beep_hz[rows] = np.where(self._beep[rows] == 1, hz, self._beep_hz[rows])
        self._beep_gap[rows] = 0
