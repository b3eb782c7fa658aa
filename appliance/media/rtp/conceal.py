"""What would have come next: the waveform that covers lost packets, many legs at once.

Ref: ITU-T G.711 Appendix I (09/99): pitch of 66 to 200 Hz by cross-correlation over 20 ms, one pitch period
repeated for 10 ms, then two, then three, each joined to itself over a quarter of a period, 20 % weaker every
10 ms from the second on, silent after 60.

The Appendix delays all audio by 3.75 ms to bend the last samples before the loss towards the repetition. Here
nothing is delayed: the step from the last sample to the first repeated one is added to the repetition and
taken back over a quarter of a period.
"""

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import Linear

LEAST_PITCH, MOST_PITCH = 40, 120                 # samples: 200 and 66 Hz
HISTORY = 3 * MOST_PITCH + MOST_PITCH // 4        # what continuation() looks at: 48.75 ms
SAME = 80                                         # samples at one period and at full strength
ATTENUATION = 0.2                                 # more for each SAME from then on
AUDIBLE = 6 * SAME                                # then silence
LENGTH = AUDIBLE + 2 * SAME                       # the end is zeros, to fade from

_MATCH = 160                                      # samples compared
_LAGS = np.arange(LEAST_PITCH, MOST_PITCH + 1)
_FLOOR = 1.0                                      # keeps silence from being divided by

Floats = npt.NDArray[np.float32]
Lags = npt.NDArray[np.intp]


def _envelope() -> Floats:
    at = np.arange(LENGTH)
    strength = np.clip(1 - ATTENUATION * (at - SAME) / SAME, 0, 1)
    return np.where(at < AUDIBLE, strength, 0).astype(np.float32)


_ENVELOPE = _envelope()
_AT = np.arange(LENGTH)
_PERIODS = np.minimum(_AT // SAME, 2) + 1         # how many are repeated there


def pitch(history: Floats) -> tuple[Lags, Floats]:
    """Of [n, HISTORY], newest sample last: each row's best lag and its normalized correlation, -1 to 1."""
    newest = np.ascontiguousarray(history[:, -_MATCH:])
    start = history.shape[1] - _MATCH - MOST_PITCH
    shifted = np.lib.stride_tricks.sliding_window_view(history[:, start:], _MATCH, axis=1)
    shifted = shifted[:, MOST_PITCH - _LAGS]                     # [n, lags, _MATCH]
    match = np.matmul(shifted, newest[:, :, None])[:, :, 0]
    energy = np.einsum("nlm,nlm->nl", shifted, shifted)
    score = match / np.sqrt(np.maximum(energy, _FLOOR))
    best = score.argmax(axis=1)
    rows = np.arange(len(history))
    strength = score[rows, best] / np.sqrt(np.maximum((newest * newest).sum(axis=1), _FLOOR))
    return _LAGS[best], strength


def continuation(history: Linear) -> tuple[Floats, Lags]:
    """Of int16[n, HISTORY]: [n, LENGTH] samples that may follow, and each row's pitch period in samples."""
    heard = history.astype(np.float32)
    lag, _ = pitch(heard)
    quarter = lag // 4
    rows = np.arange(len(heard))[:, None]
    made = np.empty((len(heard), LENGTH), np.float32)
    for periods in (1, 2, 3):
        there = _PERIODS == periods
        made[:, there] = _repeated(heard, rows, _AT[there], lag * periods, quarter)
    for start, periods in ((SAME, 1), (2 * SAME, 2)):            # the old repetition goes out under the new
        at = np.arange(start, start + MOST_PITCH // 4)
        old = _repeated(heard, rows, at, lag * periods, quarter)
        weight = np.clip((at - start + 1) / (quarter[:, None] + 1), 0, 1).astype(np.float32)
        made[:, at] = weight * made[:, at] + (1 - weight) * old
    step = heard[:, -1] - heard[rows[:, 0], HISTORY - 1 - lag]
    at = np.arange(MOST_PITCH // 4)
    made[:, at] += step[:, None] * np.clip(1 - (at + 1) / (quarter[:, None] + 1), 0, 1).astype(np.float32)
    made *= _ENVELOPE
    return made, lag


def _repeated(heard: Floats, rows: Lags, at: Lags, length: Lags, quarter: Lags) -> Floats:
    """The last `length` samples of each row repeated, at positions `at`; each end leads over to the start."""
    place = at % length[:, None]
    from_end = length[:, None] - place            # 1: the last sample
    samples = heard[rows, HISTORY - from_end]
    before = heard[rows, np.maximum(HISTORY - from_end - length[:, None], 0)]
    weight = np.clip((quarter[:, None] - from_end + 1) / (quarter[:, None] + 1), 0, 1).astype(np.float32)
    joined: Floats = (1 - weight) * samples + weight * before
    return joined
