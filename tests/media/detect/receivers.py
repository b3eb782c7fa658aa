"""Receivers of both sides as functions: lines (int16 samples) -> what is said on each."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from appliance.media import g711, tones
from appliance.media.detect import Detector
from appliance.media.detect.dtmf import Dtmf
from appliance.media.detect.r2 import OFF, TwoOfSix
from appliance.media.g711 import PEAK_0DBM0, Linear
from e1_driver import BLOCK
from tests.media import spandsp

MS = tones.SAMPLE_RATE_HZ // 1000                 # samples
LEAD = 30 * MS                                    # of silence before a register signal
ROWS = 64                                         # at once

Samples = npt.NDArray[np.float64]


def alaw(samples: npt.ArrayLike) -> Linear:
    """What arrives of linear samples: rounded, clipped and through A-law."""
    linear = np.rint(np.clip(samples, -32768, 32767)).astype(np.int16)
    return g711.decode(g711.encode(linear))


def of_level(speech: Linear, dbm0: float) -> Samples:
    """Speech whose active parts have that level together."""
    active = speech[np.abs(speech) > 300].astype(np.float64)
    scaled: Samples = speech / np.sqrt((active ** 2).mean()) * PEAK_0DBM0 / np.sqrt(2) * 10 ** (dbm0 / 20)
    return scaled


def said(detector: Detector, lines: Sequence[Linear]) -> list[list[tuple[int, str]]]:
    """For each line what its row says, with the number of samples fed until then."""
    blocks = -(-max(line.size for line in lines) // BLOCK)
    rows = np.zeros((len(lines), blocks * BLOCK), np.int16)
    for row, line in enumerate(lines):
        rows[row, :line.size] = line
    heard: list[list[tuple[int, str]]] = [[] for _ in lines]
    for end in range(BLOCK, rows.shape[1] + 1, BLOCK):
        for row, what in detector.feed(rows[:, end - BLOCK:end]):
            heard[row].append((end, what))
    return heard


def ours(lines: Sequence[Linear]) -> list[str]:
    """Digits of our DTMF receiver."""
    parts = [lines[start:start + ROWS] for start in range(0, len(lines), ROWS)]
    return ["".join(what for _, what in heard) for part in parts for heard in said(Dtmf(len(part)), part)]


def spandsps(lines: Sequence[Linear]) -> list[str]:
    """Digits of spandsp's DTMF receiver with its own settings."""
    return [spandsp.dtmf_digits(line) for line in lines]


def spandsps_without_dial_tone(lines: Sequence[Linear]) -> list[str]:
    """The same with its filter against dial tone."""
    return [spandsp.dtmf_digits(line, filter_dial_tone=True) for line in lines]


def cut(samples: Linear, rows: int = ROWS) -> list[Linear]:
    """So many pieces, each of which begins a second before the one before it ends."""
    length, before = -(-samples.size // rows), tones.SAMPLE_RATE_HZ
    return [samples[max(start - before, 0):start + length] for start in range(0, samples.size, length)]


def suspected(lines: Sequence[Linear]) -> float:
    """The share of their blocks that our DTMF receiver suspects."""
    detector, hits, blocks = Dtmf(len(lines)), 0, min(line.size for line in lines) // BLOCK
    rows = np.stack([line[:blocks * BLOCK] for line in lines])
    for start in range(0, blocks * BLOCK, BLOCK):
        detector.feed(rows[:, start:start + BLOCK])
        hits += int(detector.suspects.sum())
    return hits / blocks / len(lines)


def register_signal(
    kind: type[TwoOfSix], place: int, on: int = 60 * MS, *, start: int = 0, gap: int = 0, seed: int = 0,
    dbm0: tuple[float, float] = (-11, -11), off_hz: tuple[float, float] = (0, 0),
) -> Linear:
    """The signal of that place in the table: `on` samples after LEAD and `start`, a `gap` in its middle."""
    first, second = [(low, high) for high in range(6) for low in range(high)][place]
    hz = np.array([kind.HZ[first], kind.HZ[second]]) + off_hz
    peaks = PEAK_0DBM0 * 10 ** (np.array(dbm0) / 20)
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (2, 1))
    tone = peaks @ np.sin(2 * np.pi * hz[:, None] * np.arange(on) / tones.SAMPLE_RATE_HZ + phases)
    tone[on // 2:on // 2 + gap] = 0
    return alaw(np.concatenate([np.zeros(LEAD + start), tone, np.zeros(50 * MS)]))


def register_times(
    kind: type[TwoOfSix], lines: Sequence[Linear], places: Sequence[int], starts: Sequence[int], on: int,
) -> list[tuple[float, float] | None]:
    """Of each line that says its signal once and its end once: operate and release time in ms; else None."""
    return [
        ((heard[0][0] - LEAD - start) / MS, (heard[1][0] - LEAD - start - on) / MS)
        if [what for _, what in heard] == [kind.SIGNALS[place], OFF] else None
        for heard, place, start in zip(said(kind(len(lines)), lines), places, starts, strict=True)]
