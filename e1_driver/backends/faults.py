"""Faults of a line, on purpose and repeatable: the same seed damages the same bits."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

import numpy as np
import numpy.typing as npt

from e1_driver import BLOCK, IDLE, TIMESLOTS
from e1_driver.backends.faults_url import asked_faults

Frames = npt.NDArray[np.uint8]                    # [n, 32], a row is what the line carries in 125 us
Places = npt.NDArray[np.int64]

FRAMES_PER_S = 8000
FRAMES_PER_MS = 8
FRAME_BITS = 8 * TIMESLOTS
_NONE: Places = np.empty(0, np.int64)


@dataclass(slots=True)
class Faults:
    """What the line does wrong when asked to, with what this end sends unless it says "each way".

    Nothing unless a test or the URL says so; may be changed at any time, by any thread.
    """

    ber: float = 0.0                              # bit errors: share of all bits of the line
    bursts: float = 0.0                           # bursts of errors per second, a wrong bit at both ends
    burst_bits: int = 100                         # ... each between them wrong or right by chance
    slips: float = 0.0                            # per second: in turn a frame repeated, a frame left out
    d_loss: float = 0.0                           # share of D-channel frames, each way, with one bit inverted
    d_cut: bool = False                           # timeslot 16 is all ones, each way
    los: bool = False                             # this end sends nothing
    lof: bool = False                             # ... frames without the frame alignment word
    ais: bool = False                             # ... all ones
    rai: bool = False                             # ... the remote alarm, whatever it hears
    delay_ms: int = 0                             # on the way; a change leaves out what no longer fits
    ppm: float = 0.0                              # this clock is so much faster than time.monotonic()
    seed: int = 0
    bits_inverted: int = 0                        # so far, by ber, bursts and invert()
    asked_slips: int = field(default=0, init=False)
    asked_bits: deque[Places] = field(default_factory=deque, init=False)
    chance: "Chance" = field(init=False)

    def __post_init__(self) -> None:
        self.reseed(self.seed)

    @property
    def none(self) -> bool:
        """Whether frames are carried as they are."""
        return not (self.ber or self.bursts or self.slips or self.lof or self.ais or self.delay_ms
                    or self.asked_slips or self.asked_bits)

    def reseed(self, seed: int) -> None:
        """Begin anew with `seed`."""
        self.seed, self.chance = seed, Chance(seed)

    def slip(self) -> None:
        """One slip with the next block: a frame repeated, the next time a frame left out."""
        self.asked_slips += 1

    def invert(self, bits: Iterable[int]) -> None:
        """Invert these bits, counted in line order from the first bit of the next block: 256 to a frame."""
        self.asked_bits.append(np.unique(np.fromiter(bits, np.int64)))

    def damage_sent(self, bits: int) -> int | None:
        """The bit to invert in a D-channel frame of `bits` with its FCS, or None."""
        return self._one_of(bits, self.chance.d_sent)

    def damage_received(self, bits: int) -> int | None:
        return self._one_of(bits, self.chance.d_received)

    def _one_of(self, bits: int, chance: Random) -> int | None:
        return chance.randrange(bits) if self.d_loss and chance.random() < self.d_loss else None


class Chance:
    """A sequence of its own for each fault, so that one does not move another."""

    def __init__(self, seed: int) -> None:
        self.ber, self.bursts, self.slips = (np.random.default_rng((seed, fault)) for fault in range(3))
        self.d_sent, self.d_received = (Random(f"{seed} {way}") for way in ("sent", "received"))


def faults_of(url: str, options: Mapping[str, str]) -> Faults:
    """The faults that the URL's options ask for. ValueError: the option, and what is allowed."""
    asked = asked_faults(url, options)
    faults = Faults(seed=int(asked["seed"]))
    for name, value in asked.items():
        setattr(faults, name, value)
    return faults


class _Rare:
    """Places that chance picks of an endless row, each with the same small probability."""

    def __init__(self) -> None:
        self._share = 0.0
        self._next = 0

    def within(self, places: int, share: float, chance: np.random.Generator) -> Places:
        """Those among the next `places` of the row, in order."""
        if share != self._share:
            self._share = share
            self._next = int(chance.geometric(share)) - 1 if share else 0
        if not share:
            return _NONE
        if self._next >= places:
            self._next -= places
            return _NONE
        picked = np.array((self._next,), np.int64)
        while picked[-1] < places:
            more = chance.geometric(share, 16 + int(places * share))
            picked = np.concatenate((picked, picked[-1] + np.cumsum(more)))
        count = int(np.searchsorted(picked, places))
        self._next = int(picked[count]) - places
        return picked[:count]


class Cable:
    """One direction of a line, at its sending end: frames as they were sent in, as they arrive out.

    Clean frames pass as they are; what is put in is not changed. What waits on the way is bounded by the
    delay and one frame.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.slips = 0                            # frames repeated or left out
        self._ber, self._bursts, self._slips = _Rare(), _Rare(), _Rare()
        self._bits: Places = _NONE                # to be inverted, from the next block's first bit on, sorted
        self._on_the_way: Frames = np.zeros((0, TIMESLOTS), np.uint8)
        self._delay_ms = 0
        self._repeated = False                    # one frame more is on the way than the delay says
        self._clean = False                       # no fault is on, and none is left of one

    def carry(self, frames: Frames) -> Frames:
        """What arrives while `frames`, uint8[BLOCK, 32], are sent."""
        if self._clean and self._faults.none:
            return frames
        carried = self._carry(frames)
        self._clean = self._faults.none and not len(self._bits) and not len(self._on_the_way)
        return carried

    def _carry(self, frames: Frames) -> Frames:
        faults = self._faults
        if faults.delay_ms != self._delay_ms:
            self._change_delay(faults.delay_ms)
        slips = self._slips.within(BLOCK, faults.slips / FRAMES_PER_S, faults.chance.slips)
        if faults.asked_slips:
            faults.asked_slips -= 1
            slips = np.append(0, slips)
        if len(self._on_the_way) or len(slips):
            frames = np.concatenate((self._on_the_way, frames))
            for place in slips:
                frames = self._slip(frames, int(place))
            frames, self._on_the_way = frames[:BLOCK], frames[BLOCK:]
        if faults.lof:
            frames = frames.copy()
            frames[:, 0] = IDLE                   # bit 2 is one: it can be neither the word nor a part of it
        if faults.ais:
            frames = np.full_like(frames, 0xFF)
        bits = self._wrong_bits(faults)
        return self._inverted(frames, bits) if len(bits) else frames

    def _change_delay(self, delay_ms: int) -> None:
        more = FRAMES_PER_MS * (delay_ms - self._delay_ms)
        self._delay_ms = delay_ms
        if more > 0:
            nothing = np.zeros((more, TIMESLOTS), np.uint8)
            self._on_the_way = np.concatenate((nothing, self._on_the_way))
        else:
            self._on_the_way = self._on_the_way[-more:]

    def _slip(self, frames: Frames, place: int) -> Frames:
        self.slips += 1
        self._repeated = not self._repeated
        if self._repeated:
            return np.insert(frames, place, frames[place], axis=0)
        return np.delete(frames, place, axis=0)

    def _wrong_bits(self, faults: Faults) -> Places:
        """Of this block, in order, each once."""
        here = BLOCK * FRAME_BITS
        more = [self._ber.within(here, faults.ber, faults.chance.ber)]
        share = faults.bursts / (FRAMES_PER_S * FRAME_BITS)
        for start in self._bursts.within(here, share, faults.chance.bursts):
            wrong = faults.chance.bursts.random(faults.burst_bits) < 0.5
            wrong[[0, -1]] = True
            more.append(start + np.flatnonzero(wrong))
        while faults.asked_bits:
            more.append(faults.asked_bits.popleft())
        if any(len(bits) for bits in more):
            self._bits = np.unique(np.concatenate((self._bits, *more)))
        if not len(self._bits):
            return _NONE
        count = int(np.searchsorted(self._bits, here))
        bits, self._bits = self._bits[:count], self._bits[count:] - here
        faults.bits_inverted += count
        return bits

    def _inverted(self, frames: Frames, bits: Places) -> Frames:
        octets = frames.flatten()
        np.bitwise_xor.at(octets, bits >> 3, (0x80 >> (bits & 7)).astype(np.uint8))
        return octets.reshape(-1, TIMESLOTS)
