"""The DTMF receiver tests of Mitel's CM7291 tape, side 1, synthesized, for any receiver; through A-law.

A receiver is a function: signals (int16, one line each) -> the digits heard on each line. Levels are of each
of the two sines. Between pulses a line is silent for 50 ms and up to 10 ms more, so that pulses fall anywhere
in a receiver's blocks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media import g711, tones
from appliance.media.g711 import Linear

Receiver = Callable[[Sequence[Linear]], list[str]]
Samples = npt.NDArray[np.float64]

MS = 8                                            # samples
DIAGONAL = "159D"                                 # every frequency once
SEED = 7291
LEAD_MS = 300                                     # before the first pulse: a dial tone stands for a while


@dataclass(frozen=True, slots=True)
class Pulse:
    """One digit. Levels and frequencies of the low and the high sine; durations in ms."""

    digit: str
    on_ms: float = 50
    dbm0: tuple[float, float] = (-4, -4)
    off: tuple[float, float] = (0, 0)             # of the frequency, as a part of it
    gap_ms: float = 50


def line(pulses: Sequence[Pulse], noise_dbm0: float | None = None, under: Samples | None = None,
         seed: int = SEED) -> Linear:
    """The pulses one after the other, with white noise and what is repeated `under` them, after A-law."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(LEAD_MS * MS)]
    for pulse in pulses:
        row, column = divmod(tones.DIGITS.index(pulse.digit), 4)
        hz = np.array([tones.LOW_HZ[row], tones.HIGH_HZ[column]]) * (1 + np.array(pulse.off))
        peaks = g711.PEAK_0DBM0 * 10 ** (np.array(pulse.dbm0) / 20)
        at = np.arange(round(pulse.on_ms * MS))
        phases = random.uniform(0, 2 * np.pi, (2, 1))
        parts += [peaks @ np.sin(2 * np.pi * hz[:, None] * at / tones.SAMPLE_RATE_HZ + phases),
                  np.zeros(round(pulse.gap_ms * MS) + random.integers(10 * MS))]
    whole = np.concatenate([*parts, np.zeros(60 * MS)])
    if noise_dbm0 is not None:
        whole += random.normal(0, g711.PEAK_0DBM0 / np.sqrt(2) * 10 ** (noise_dbm0 / 20), whole.size)
    if under is not None:
        whole += np.resize(under, whole.size)
    linear = np.rint(whole.clip(-32768, 32767)).astype(np.int16)
    return g711.decode(g711.encode(linear))


def decode_check(receiver: Receiver) -> float:
    """Test 2: every digit ten times; the share that is heard, once and right."""
    digits = tones.DIGITS
    said = receiver([line([Pulse(digit)] * 10, seed=SEED + place) for place, digit in enumerate(digits)])
    right = sum(min(heard.count(digit), 10) for digit, heard in zip(digits, said, strict=True))
    return (right - sum(max(len(heard) - 10, 0) for heard in said)) / 160


def bandwidth(receiver: Receiver) -> dict[str, tuple[float, float]]:
    """Test 3: how far below and above its frequency each sine is heard, in %; 0.1 % steps; of each digit."""
    steps = [step / 1000 for step in range(1, 61)]
    names = [(digit, group) for digit in DIAGONAL for group in ("low", "high")]
    said = receiver([
        line([Pulse(digit, dbm0=(-17, -17), off=(sign * off, 0) if group == "low" else (0, sign * off))
              for off in steps]) for digit, group in names for sign in (-1, 1)])
    heard = [len(each) / 10 for each in said]
    return {" ".join(name): (heard[2 * row], heard[2 * row + 1]) for row, name in enumerate(names)}


def twist(receiver: Receiver) -> dict[str, tuple[float, float]]:
    """Test 4: how much weaker than the high sine the low one may be, and the other way; dB, 0.1 dB steps."""
    steps = [step / 10 for step in range(0, 201)]
    said = receiver([
        line([Pulse(digit, dbm0=(-3 - down, -3) if weak == 0 else (-3, -3 - down)) for down in steps])
        for digit in DIAGONAL for weak in (0, 1)])
    heard = [max(len(each) - 1, 0) / 10 for each in said]
    return {digit: (heard[2 * row], heard[2 * row + 1]) for row, digit in enumerate(DIAGONAL)}


def dynamic_range(receiver: Receiver) -> tuple[int, int]:
    """Test 5: lowest and highest level, dBm0, between which digit 1 is always heard, of -50 to +3."""
    levels = range(-50, 4)
    said = receiver([line([Pulse("1", dbm0=(level, level))] * 10) for level in levels])
    good = [level for level, heard in zip(levels, said, strict=True) if heard == 10 * "1"]
    return (min(good), max(good)) if good else (0, 0)


def guard_time(receiver: Receiver) -> tuple[float, float]:
    """Test 6: from 10 to 49 ms, the longest pulse never heard and the shortest always heard, ms."""
    lengths = [length / 4 for length in range(40, 197)]
    said = receiver([
        line([Pulse("1", length, (-3, -3))] * 40, seed=place) for place, length in enumerate(lengths)])
    counts = [len(heard) for heard in said]
    never = max((length for length, count in zip(lengths, counts, strict=True) if not count), default=0)
    bad = [length for length, count in zip(lengths, counts, strict=True) if count < 40]
    return never, min((length for length in lengths if length > max(bad, default=0)), default=0)


def noise(receiver: Receiver, ratios_db: Sequence[float], pulses: int = 1000) -> list[float]:
    """Test 7: the share of pulses heard at each ratio of one sine's power to that of white noise."""
    said = receiver([line([Pulse("1")] * pulses, noise_dbm0=-4 - ratio) for ratio in ratios_db])
    return [min(heard.count("1"), pulses) / pulses for heard in said]


def dial_tone(receiver: Receiver, hz: tuple[float, ...], levels_dbm0: Sequence[float]) -> list[float]:
    """At each level of each frequency of the dial tone: the share of digits heard, of -15 dBm0 a sine."""
    digits = [Pulse(digit, dbm0=(-15, -15)) for digit in 3 * tones.DIGITS]
    said = receiver([line(digits, under=tones.sines(hz, (level,) * len(hz), tones.SAMPLE_RATE_HZ))
                     for level in levels_dbm0])
    return [sum(a == b for a, b in zip(heard, 3 * tones.DIGITS, strict=False)) / 48 for heard in said]
