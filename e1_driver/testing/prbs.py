"""Test patterns: their octets from any phase, and the phase of octets that came.

Ref: ITU-T O.150 (05/96) 5.2 (2^11-1), 5.3 (2^15-1), 5.5 (2^20-1 with zero suppression), in use by O.152,
O.151 and O.153. A register's first stage takes the sum of stages `tap` and `stages`, the last stage is the
output. A timeslot's first bit is its most significant.

The period of a sequence in bits is odd, so the sequence repeats after as many octets, and every bit phase is
the start of one of these octets: a phase is counted in octets of that table and is never a part of one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.uint8]

FOUND = 0.1                                       # fewer errors than this share: it is the pattern
SEARCH_OCTETS = 160
CANDIDATES = 4                                    # phases that a search proposes before it gives up


@dataclass(frozen=True, slots=True)
class Register:
    """A row of O.150 table 1."""

    stages: int
    tap: int
    inverted: bool = False
    longest_zeros: int | None = None              # let through; None: as long as they come


_REGISTERS = {
    "prbs11": Register(11, 9),
    "prbs15": Register(15, 14, inverted=True),
    "qrss": Register(20, 17, longest_zeros=14),
}
_WORDS = {"ones": b"\xff", "alternating": b"\xaa"}
NAMES = (*_REGISTERS, *_WORDS)


class Pattern(ABC):
    """A periodic sequence of octets. `octets` is one period; `phased` when a phase in it tells a delay."""

    def __init__(self, name: str, octets: Octets, phased: bool) -> None:
        self.name, self.octets, self.phased = name, octets, phased

    @property
    def period(self) -> int:
        """In octets."""
        return len(self.octets)

    def take(self, phase: npt.NDArray[np.int64], n_octets: int) -> Octets:
        """uint8[len(phase), n_octets]: as many octets from each phase on."""
        octets: Octets = self.octets[(phase[:, None] + np.arange(n_octets)) % self.period]
        return octets

    def wrong_bits(self, phase: int, line: Octets) -> npt.NDArray[np.int64]:
        """In each octet of `line`, were the first one at `phase`."""
        expected = self.take(np.array([phase]), len(line))[0]
        wrong: npt.NDArray[np.int64] = np.bitwise_count(expected ^ line).astype(np.int64)
        return wrong

    def find(self, line: Octets) -> int | None:
        """The phase of the first octet of `line`; None: this is something else."""
        for phase in self.phases(line[:SEARCH_OCTETS]):
            if self.wrong_bits(phase, line).sum() < FOUND * 8 * len(line):
                return phase
        return None

    @abstractmethod
    def phases(self, line: Octets) -> Iterator[int]:
        """Phases that the first octet of `line` may have, most likely first; none: this is something else."""


class Prbs(Pattern):
    """A pseudo-random sequence of 2^stages - 1 bits."""

    def __init__(self, name: str, register: Register) -> None:
        self._stages = stages = register.stages
        plain = sequence(stages, register.tap)
        bits = plain if register.longest_zeros is None else suppressed(plain, register.longest_zeros)
        self._inversion = np.uint8(register.inverted)
        period = len(bits)
        super().__init__(name, np.packbits(np.tile(bits ^ self._inversion, 8)), phased=True)
        self._octet_at_bit = pow(8, -1, period)   # bit phase times this is the octet phase
        self._bit_phase = np.full(1 << stages, -1, np.int32)
        self._bit_phase[words(np.append(plain, plain[:stages - 1]), stages)] = np.arange(period)

    def phases(self, line: Octets) -> Iterator[int]:
        """What most pairs of adjoining words of `stages` bits agree on: single errors do no harm."""
        bits = np.unpackbits(line) ^ self._inversion
        if len(bits) < 2 * self._stages:
            return
        at = self._bit_phase[words(bits, self._stages)]
        starts = np.where(at < 0, -1, (at - np.arange(len(at))) % self.period)
        first, second = starts[:-self._stages], starts[self._stages:]
        found, counts = np.unique(first[(first == second) & (first >= 0)], return_counts=True)
        for start in found[np.argsort(-counts, kind="stable")][:CANDIDATES]:
            yield int(start) * self._octet_at_bit % self.period


class Fixed(Pattern):
    """Octets repeated: all ones, 1010, or a user's word (O.151 2.4). It has no phase that tells a delay."""

    def __init__(self, name: str, word: bytes) -> None:
        super().__init__(name, np.frombuffer(word, np.uint8), phased=False)

    def phases(self, line: Octets) -> Iterator[int]:
        yield from range(self.period)


@cache
def pattern(name: str) -> Pattern:
    """The pattern called `name`: one of NAMES, or `octets:` and a user's word in hex. ValueError: neither."""
    if name in _REGISTERS:
        return Prbs(name, _REGISTERS[name])
    word = _WORDS.get(name)
    if word is None and name.startswith("octets:"):
        try:
            word = bytes.fromhex(name.removeprefix("octets:"))
        except ValueError:
            word = None
    if not word:
        raise ValueError(f"unknown test pattern {name!r}: write one of {', '.join(NAMES)}, or octets:7e81")
    return Fixed(name, word)


def sequence(stages: int, tap: int) -> Bits:
    """The register's output over one period, from all stages at one."""
    bits = np.ones(2 ** stages - 1, np.uint8)
    have = stages
    while have < len(bits):
        power = 1 << (have // stages).bit_length() - 1      # the recurrence squared holds at twice its lags
        count = min(tap * power, len(bits) - have)
        first, last = have - tap * power, have - stages * power
        bits[have:have + count] = bits[first:first + count] ^ bits[last:last + count]
        have += count
    return bits


def suppressed(bits: Bits, longest_zeros: int) -> Bits:
    """O.150 5.5: a bit is one whenever the `longest_zeros` bits after it are all zero."""
    following = np.lib.stride_tricks.sliding_window_view(np.append(bits, bits[:longest_zeros]), longest_zeros)
    return bits | ~following[1:].any(axis=1)


def words(bits: Bits, length: int) -> npt.NDArray[np.int64]:
    """Each run of `length` bits as a number, the first bit most significant."""
    found = np.zeros(len(bits) - length + 1, np.int64)
    for place in range(length):
        found = found << 1 | bits[place:place + len(found)]
    return found
