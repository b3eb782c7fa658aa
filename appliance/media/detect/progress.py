"""Call progress for outbound calls: dial tone, ringback, busy, congestion and the special information tone.

A tone is sines of the country's frequencies and nothing else, steady, in its cadence; music and speech are
neither busy nor answer, so colour ring-back says nothing here. With no country known the frequencies are any
that E.180 accepts and the cadence alone decides: then the short ones are congestion, the long ones busy,
whatever the network meant.

Ref: ITU-T E.180 (03/98). North America's special information tones also say why a call failed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media.detect.bands import Band, Floats
from appliance.media.detect.runs import HOLD, NOTHING, OFF, OTHER, TONE, Kinds, Rows, ToneRuns
from appliance.media.g711 import Linear
from appliance.media.tones import COUNTRIES, SAMPLE_RATE_HZ, Tone
from e1_driver import BLOCK

NAMES = ("ringback", "busy", "congestion", "dial", "sit")

TOLERANCE_HZ = 25.0                               # China's; most have less
MIN_LEVEL_DBM0 = -40.0
STEADY = 2.5                                      # power against the tone's as it began, either way: 4 dB
SIT = TONE + 1                                    # kind of run; SIT, SIT + 1, SIT + 2 are its three sines

_TICK_MS = 10
_LOOSE, _LOOSE_TICKS = 0.1, 2                     # of a time in a cadence, and of measuring it
_LONG = 1 << 20                                   # ticks without a limit
_ANY = 1e9                                        # power's ratio without one, for tones that swing
_OVER = {OTHER: 25, OFF: 700}                     # ticks of it after which a tone may be said anew

_SIT_BANDS: tuple[Band, ...] = ((890, 1010), (1340, 1460), (1740, 1860))     # 50 Hz either way, and leeway
_SIT_HZ = np.array([950, 1400, 1800], np.float32)
_SIT_TICKS = (24, 43)                             # 330 ms, 70 less or more, of the first two
_SIT_THIRD = 20                                   # is enough of it
_SIT_OFFSET_HZ = 8.0                              # of North America's frequencies
_SIT_CODED_HZ = 1776.7                            # its third sine, which tells its tones from E.180's
_SIT_LONG = 33                                    # ticks; 274 ms are short, 380 long
_SIT_CODES = {                                    # (Hz, long), first and second sine
    ((913.8, False), (1370.6, False)): "sit intercept", ((985.2, True), (1370.6, False)): "sit vacant",
    ((913.8, False), (1428.5, True)): "sit reorder", ((985.2, False), (1370.6, True)): "sit reorder",
    ((985.2, True), (1428.5, True)): "sit no circuit", ((913.8, True), (1370.6, True)): "sit no circuit",
}
_SIT_TURN = np.exp(-2j * np.pi * np.outer(_SIT_HZ, np.arange(BLOCK)) / SAMPLE_RATE_HZ).astype(np.complex64)
_SIT_STEP = np.exp(-2j * np.pi * _SIT_HZ * BLOCK / SAMPLE_RATE_HZ).astype(np.complex64)

_Ticks = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Runs (kind, least ticks, most ticks), the last one running; `even`: every second is alike."""

    name: str
    runs: tuple[tuple[int, int, int], ...]
    even: bool = False


_SIT_PATTERN = Pattern("sit", ((SIT, *_SIT_TICKS), (SIT + 1, *_SIT_TICKS), (SIT + 2, _SIT_THIRD, _LONG)))
_WORLD_BANDS: tuple[Band, ...] = ((325, 525), (595, 645))        # E.180's, and North America's 620 Hz
_WORLD = (                                        # what countries do, from E.180's limits and Supplement 2
    Pattern("ringback", ((TONE, 60, 260), (OFF, 165, _LONG))),
    Pattern("ringback", ((TONE, 30, 60), (OFF, 10, 35), (TONE, 30, 60), (OFF, 120, _LONG))),
    Pattern("busy", ((TONE, 28, 86), (OFF, 26, 86)) * 3 + ((TONE, HOLD, 86),), even=True),
    Pattern("congestion", ((TONE, 9, 28), (OFF, 9, 34)) * 3 + ((TONE, HOLD, 28),), even=True),
    Pattern("dial", ((TONE, 300, _LONG),)),
)


class Progress:
    """Rows are independent; a row's state begins anew with reset(). KeyError: a country that no table has."""

    def __init__(self, rows: int, country: str | None = None) -> None:
        tones = [] if country is None else _cadenced(country)
        patterns = (*(country_patterns(tones) or _WORLD), _SIT_PATTERN)
        bands = tuple(sorted({
            (hz - tone.modulated_hz - TOLERANCE_HZ, hz + tone.modulated_hz + TOLERANCE_HZ)
            for _, tone in tones for hz in tone.hz}))
        self._names = [pattern.name for pattern in patterns]
        depth = max(len(pattern.runs) for pattern in patterns)
        self._limits = _limits(patterns, depth)
        self._even = np.array([pattern.even for pattern in patterns])
        steady = _ANY if any(tone.modulated_hz for _, tone in tones) else STEADY
        self._runs = ToneRuns(
            rows, [bands or _WORLD_BANDS, *((band,) for band in _SIT_BANDS)], depth, MIN_LEVEL_DBM0, steady)
        self._said: list[str] = [""] * rows
        due = {*_OVER.values(), *(pattern.runs[-1][1] for pattern in patterns)}
        self._due = np.zeros(max(due) + 2, np.bool_)             # ticks of the running run that may settle it
        self._due[list(due)] = True
        self._sine = np.zeros(rows, np.complex64)                # of SIT in the last block
        self._turned = np.zeros((rows, 3), np.complex64)         # from block to block, summed, by sine

    def reset(self, row: int) -> None:
        self._runs.reset(row)
        self._sine[row] = self._turned[row] = 0
        self._said[row] = ""

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, tone) for each that became certain."""
        n = len(samples)
        linear = samples.astype(np.float32)
        kinds, _, ended = self._runs.hear(linear)
        of_sit = (kinds >= SIT).nonzero()[0]
        if of_sit.size:
            self._follow(of_sit, kinds[of_sit] - SIT, linear[of_sit])
        due = self._due.take(self._runs.ticks[:n, -1], mode="clip")
        due[ended] = True
        rows = due.nonzero()[0]
        return list(self._recognize(rows)) if rows.size else ()

    def _follow(self, rows: Rows, sine: Kinds, linear: Floats) -> None:
        """Sum up how the sines of the special information tone turn from one block to the next."""
        now = np.einsum("ij,ij->i", linear, _SIT_TURN[sine])
        fresh = self._runs.kinds[rows, -1] != sine + SIT
        self._turned[rows[fresh], sine[fresh]] = 0
        self._turned[rows, sine] += np.where(fresh, 0, now * self._sine[rows].conj() * _SIT_STEP[sine])
        self._sine[rows] = now

    def _recognize(self, rows: Rows) -> Iterator[tuple[int, str]]:
        kinds, ticks = self._runs.kinds[rows], self._runs.ticks[rows]
        like, least, most = self._limits
        fits = (like == NOTHING) | (
            (kinds[:, None] == like) & (ticks[:, None] >= least) & (ticks[:, None] <= most))
        drift = np.abs(ticks[:, 2:-1] - ticks[:, :-3]) > np.maximum(3, ticks[:, :-3] * _LOOSE)
        found = fits.all(axis=2) & ~(self._even & drift.any(axis=1)[:, None])
        for at, row in enumerate(rows.tolist()):
            if found[at].any():
                name = self._names[found[at].argmax()]
                if name != self._said[row]:
                    self._said[row] = name
                    yield row, self._sit_code(row) if kinds[at, -1] == SIT + 2 else name
            elif ticks[at, -1] >= _OVER.get(int(kinds[at, -1]), _LONG):
                self._said[row] = ""

    def _sit_code(self, row: int) -> str:
        """By the first two sines' frequencies and times; E.180's own has none."""
        offsets_hz = np.angle(self._turned[row]) / (2 * np.pi * BLOCK / SAMPLE_RATE_HZ)
        hz, long = _SIT_HZ + offsets_hz, self._runs.ticks[row, -3:-1] >= _SIT_LONG
        for sines, name in _SIT_CODES.items() if abs(hz[2] - _SIT_CODED_HZ) <= _SIT_OFFSET_HZ else ():
            if all(abs(hz[at] - nominal) <= _SIT_OFFSET_HZ and long[at] == is_long
                   for at, (nominal, is_long) in enumerate(sines)):
                return name
        return "sit"


def _cadenced(country: str) -> list[tuple[str, Tone]]:
    """The tones that differ by their cadence: not the special information tone of three sines."""
    return [(name, COUNTRIES[country][name]) for name in NAMES if not COUNTRIES[country][name].by_turns]


def country_patterns(tones: Iterable[tuple[str, Tone]]) -> list[Pattern]:
    """What a country's tones look like; one that sounds as long as one before it is left out."""
    cadences: dict[str, tuple[int, ...]] = {}
    for name, tone in tones:
        if tone.cadence_ms not in cadences.values():
            cadences[name] = tone.cadence_ms
    longest = {name: (max(cadence[0::2], default=0), max(cadence[1::2], default=0))
               for name, cadence in cadences.items()}
    patterns = []
    for name, cadence in cadences.items():
        others = [one for other, one in cadences.items() if other != name and one]
        most_on, most_off = (max((longest[other][which] for other in cadences if other != name), default=0)
                             for which in (0, 1))
        if not cadence:
            patterns.append(Pattern(name, ((TONE, max(100, _limit(most_on)[1] + 1), _LONG),)))
        elif longest[name][1] > _limit(most_off)[1] * _TICK_MS:      # as soon as no other tone is off so long
            at = 2 * cadence[1::2].index(longest[name][1]) + 1
            runs = _runs(cadence, at, at + 1)
            patterns.append(Pattern(name, (*runs[:-1], (OFF, max(60, _limit(most_off)[1] + 1), _LONG))))
        else:
            length = max(4, len(cadence))
            while length < 8 and any(_alike(cadence, other, length) for other in others):
                length += 2
            patterns += [Pattern(name, _runs(cadence, end, length + 1)) for end in range(len(cadence))]
    return patterns


def _limit(ms: int) -> tuple[int, int]:
    """Least and most ticks that a nominal time may take."""
    return (int(ms * (1 - _LOOSE)) // _TICK_MS - _LOOSE_TICKS,
            int(ms * (1 + _LOOSE)) // _TICK_MS + _LOOSE_TICKS)


def _runs(cadence_ms: tuple[int, ...], end: int, length: int) -> tuple[tuple[int, int, int], ...]:
    """`length` runs of the cadence, the last one at `end` just begun."""
    places = [place % len(cadence_ms) for place in range(end - length + 1, end + 1)]
    runs = [(TONE if place % 2 == 0 else OFF, *_limit(cadence_ms[place])) for place in places]
    return (*runs[:-1], (runs[-1][0], HOLD, runs[-1][2]))


def _alike(cadence_ms: tuple[int, ...], other_ms: tuple[int, ...], length: int) -> bool:
    """Does `length` of the other cadence's times in a row pass for this one's?"""
    return any(
        all(least <= other_ms[(start + place) % len(other_ms)] // _TICK_MS <= most
            for place, (_, least, most) in enumerate(_runs(cadence_ms, end, length + 1)[:-1]))
        for start in range(len(other_ms)) for end in range(len(cadence_ms))
        if (start - (end - length)) % 2 == 0)


def _limits(patterns: Sequence[Pattern], depth: int) -> tuple[Kinds, _Ticks, _Ticks]:
    """[patterns, depth] of kinds, NOTHING where none is asked for, least and most ticks."""
    table = np.full((3, len(patterns), depth), NOTHING, np.int32)
    for row, pattern in enumerate(patterns):
        table[:, row, depth - len(pattern.runs):] = np.array(pattern.runs).T
    return table[0].astype(np.int8), table[1], table[2]
