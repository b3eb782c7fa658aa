"""A bit error rate test over a span's timeslots: sends a pattern, finds it in what comes, counts the errors.

Ref: ITU-T O.150 4.2 (loss of synchronization), O.151, G.821 (errored and severely errored seconds). Time is
the count of blocks: a hundred are a second. An error is counted once, by comparing with the sequence itself;
a stretch in which the synchronization proved lost is not measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from e1_driver import BLOCK_S, D_TIMESLOT, TIMESLOTS, Block
from e1_driver.testing.prbs import FOUND, SEARCH_OCTETS, Octets, Pattern

BLOCKS_PER_S = round(1 / BLOCK_S)
BITS_PER_S = 64_000                               # of one timeslot
FRAMES_PER_MS = 8
LOST = 0.2                                        # O.150 4.2 a: as many or more, over a second
SEVERE = 1e-3                                     # G.821: of a second's bits
SLIP_OCTETS = 8                                   # so many good octets after a slip say that it was one
SLIP_FRAMES = 8_000                               # a second of them; more is another beginning
SEARCHES = 4                                      # sequences that are looked for in one block
CONFIDENCE = 0.95
EXACT_ERRORS = 100                                # up to here the Poisson sum is worked out term by term

_TESTABLE = frozenset(range(1, TIMESLOTS)) - {D_TIMESLOT}
_ORDER = NormalDist()


@dataclass(frozen=True, slots=True)
class Result:
    """What a test has found until now. Injected errors that came back are among `errors`."""

    pattern: str
    timeslots: tuple[int, ...]
    seconds: float                                # that the test has lasted
    in_sync: bool                                 # on every timeslot
    bits: int                                     # compared with the pattern
    errors: int
    injected: int                                 # by inject(), and sent
    errored_s: int                                # seconds with an error or a slip, or out of synchronization
    severely_errored_s: int                       # ... with an error ratio of 1e-3, or out of synchronization
    sync_losses: int
    slips: int                                    # the sequence jumped by whole frames, 125 us each
    slipped_frames: int                           # ... by so many, lost and repeated ones alike
    delay_ms: float | None                        # transmit() to receive(), of our own sequence come back

    @property
    def ber(self) -> float | None:
        """Bit error ratio as measured; None: nothing was."""
        return self.errors / self.bits if self.bits else None

    def ber_limit(self, confidence: float = CONFIDENCE) -> float | None:
        """The line's bit error ratio is not above this, with that confidence, if errors come singly."""
        return error_limit(self.errors, confidence) / self.bits if self.bits else None

    def proof_s(self, ber: float = 1e-6, confidence: float = CONFIDENCE) -> float:
        """How much longer, without another error, until `ber` is proven; 0: it is."""
        missing_bits = error_limit(self.errors, confidence) / ber - self.bits
        return max(0.0, missing_bits / (BITS_PER_S * len(self.timeslots)))

    @property
    def clean(self) -> bool:
        """The pattern is there and came without error, slip or loss."""
        return self.in_sync and not (self.errors or self.slips or self.sync_losses)


class Bert:
    """One test. `timeslots` carry a sequence each, or with `whole` one sequence over all, in their order.

    For each block of the span: receive() it, then transmit() into the block that is to be written. The
    sequences of timeslots start at different places, so that no two send the same. Fixed patterns tell
    neither delay nor slips. ValueError: a timeslot that does not exist or may not be tested.
    """

    def __init__(
        self, pattern: Pattern, timeslots: Sequence[int], whole: bool = False, start: int = 0,
    ) -> None:
        if not timeslots or len(set(timeslots)) < len(timeslots) or not _TESTABLE.issuperset(timeslots):
            raise ValueError(f"timeslots {list(timeslots)}: each of 1-31 once, without {D_TIMESLOT}")
        self._pattern, self._timeslots = pattern, tuple(timeslots)
        self._rows = np.array(self._timeslots).reshape((1, -1) if whole else (-1, 1))
        count, self._width = self._rows.shape
        self._sent = (start + np.arange(count) * (pattern.period // TIMESLOTS)) % pattern.period
        self._streams = [_Stream(pattern, self._width) for _ in range(count)]
        self._to_inject = self._injected = 0
        self._blocks = self._search_from = 0
        self._errored_s = self._severe_s = 0      # of any stream

    def inject(self, errors: int) -> None:
        """Invert so many single bits of what is sent next, spread over the timeslots and over a block."""
        self._to_inject += errors

    def transmit(self, block: Block) -> None:
        """Fill this test's rows of uint8[32, n]; the others stay as they are."""
        n_octets = block.shape[1] * self._width
        octets = self._pattern.take(self._sent, n_octets)
        self._sent = (self._sent + n_octets) % self._pattern.period
        if self._to_inject:
            count = min(self._to_inject, octets.size)
            places = np.arange(count) * octets.size // count
            octets.reshape(-1)[places] ^= (1 << places % 8).astype(np.uint8)
            self._to_inject -= count
            self._injected += count
        block[self._rows] = octets.reshape(len(octets), -1, self._width).transpose(0, 2, 1)

    def receive(self, block: Block) -> None:
        """Compare this test's rows of uint8[32, n] with the pattern."""
        line = block[self._rows].transpose(0, 2, 1).reshape(len(self._streams), -1)
        n_octets = line.shape[1]
        expected = self._pattern.take(np.array([stream.phase for stream in self._streams]), n_octets)
        errors = np.bitwise_count(expected ^ line).sum(axis=1).tolist()
        ends_second = (self._blocks + 1) % BLOCKS_PER_S == 0
        searches = 0
        for at in range(self._search_from, self._search_from + len(self._streams)):
            at %= len(self._streams)
            stream = self._streams[at]
            if stream.synced:
                stream.compare(line[at], errors[at])
            elif searches < SEARCHES:
                searches += 1
                self._search_from = (at + 1) % len(self._streams)
                stream.search(line[at])
            stream.advance(n_octets, int(self._sent[at]))
        self._blocks += 1
        if ends_second:
            ends = [stream.end_second() for stream in self._streams]
            self._errored_s += any(errored for errored, _ in ends)
            self._severe_s += any(severe for _, severe in ends)

    def result(self, timeslot: int | None = None) -> Result:
        """Of all timeslots together, or of one. ValueError: it has no sequence of its own."""
        streams, timeslots = self._streams, self._timeslots
        errored_s, severe_s = self._errored_s, self._severe_s
        if timeslot is not None:
            if self._width > 1 or timeslot not in timeslots:
                raise ValueError(f"timeslot {timeslot} has no sequence of its own in this test")
            streams, timeslots = [streams[timeslots.index(timeslot)]], (timeslot,)
            errored_s, severe_s = streams[0].errored_s, streams[0].severe_s
        in_sync = all(stream.synced and not stream.doubted_bits for stream in streams)
        delay_ms = max(stream.delay_octets for stream in streams) / (FRAMES_PER_MS * self._width)
        return Result(
            pattern=self._pattern.name, timeslots=timeslots, seconds=self._blocks * BLOCK_S, in_sync=in_sync,
            bits=sum(stream.bits for stream in streams), errors=sum(stream.errors for stream in streams),
            injected=self._injected, errored_s=errored_s, severely_errored_s=severe_s,
            sync_losses=sum(stream.sync_losses for stream in streams),
            slips=sum(stream.slips for stream in streams),
            slipped_frames=sum(stream.slipped_frames for stream in streams),
            delay_ms=delay_ms if in_sync and self._pattern.phased else None,
        )


class _Stream:
    """The receiver of one sequence."""

    def __init__(self, pattern: Pattern, width: int) -> None:
        self._pattern, self._width = pattern, width
        self.phase = 0                            # of the octet that comes next
        self.synced = self._was_synced = False
        self.delay_octets = 0
        self.bits = self.errors = self.sync_losses = self.slips = self.slipped_frames = 0
        self.errored_s = self.severe_s = 0
        self.doubted_bits = self._doubted_errors = 0        # since LOST began to hold, not yet for a second
        self._second_bits = self._second_errors = 0
        self._errored = self._severe = False      # this second is, whatever its count of errors
        self._last: Octets = np.zeros(0, np.uint8)          # the block before, after a slip in it; in phase
        self._last_errors = 0                     # ... that were counted there

    def search(self, line: Octets) -> None:
        """Measured is from the next block on: this one may hold the pattern's beginning."""
        if (phase := self._pattern.find(line)) is not None:
            self.phase, self.synced, self._was_synced = phase, True, True
            self._last, self._last_errors = line[:0], 0

    def compare(self, line: Octets, errors: int) -> None:
        if errors < LOST * 8 * len(line) or not self._slipped(line):
            self._count(8 * len(line), errors)
            self._last, self._last_errors = line, errors

    def advance(self, n_octets: int, sent: int) -> None:
        self.delay_octets = (sent - self.phase) % self._pattern.period
        self.phase = (self.phase + n_octets) % self._pattern.period
        self._severe |= self._was_synced and not self.synced

    def end_second(self) -> tuple[bool, bool]:
        """Whether it was errored, and severely. Seconds before the first synchronization are neither."""
        errored = self._errored or self._severe or self._second_errors > 0
        severe = self._severe or (errored and self._second_errors >= SEVERE * self._second_bits)
        self.errored_s += errored
        self.severe_s += severe
        self._second_bits = self._second_errors = 0
        self._errored = self._severe = False
        return errored, severe

    def _slipped(self, line: Octets) -> bool:
        """Whether a slip in `line` or in the block before explains its errors (O.150 4.2 b: out of phase).

        It was where the old phase before it and the new one after it leave the fewest errors. These are the
        true ones: they are counted in place of those that the block before seemed to have.
        """
        both = np.concatenate((self._last, line))
        end = max(0, len(line) - SEARCH_OCTETS)   # where the new phase is, wherever the slip was
        for found in self._pattern.phases(line[end:]):
            candidate = (found - end) % self._pattern.period
            frames = self._frames_between(self.phase, candidate)
            if not frames:
                continue
            old, new = (self._pattern.wrong_bits(phase - len(self._last), both)
                        for phase in (self.phase, candidate))
            before, after = np.append(0, np.cumsum(old)), np.append(np.cumsum(new[::-1])[::-1], 0)
            slip = int(np.argmin(before + after))
            if len(both) - slip < SLIP_OCTETS or after[slip] >= FOUND * 8 * (len(both) - slip):
                continue
            self.phase, self._errored = candidate, True
            self.slips += 1
            self.slipped_frames += abs(frames)
            self._count(8 * len(line), int(before[slip] + after[slip]) - self._last_errors)
            in_phase = max(slip, len(self._last))
            self._last, self._last_errors = both[in_phase:], int(after[in_phase])
            return True
        return False

    def _frames_between(self, old: int, new: int) -> int:
        """By how many whole frames the sequence jumped, lost ones positive; 0: by none, or not by frames."""
        if not self._pattern.phased:
            return 0
        period = self._pattern.period
        most = min(SLIP_FRAMES, period // 9)      # a slip of one bit looks like an eighth of the period
        frames = np.arange(1, most + 1)
        jump = (new - old) % period
        lost = np.flatnonzero(frames * self._width % period == jump)
        repeated = np.flatnonzero(-frames * self._width % period == jump)
        if len(lost) and (not len(repeated) or lost[0] <= repeated[0]):
            return int(frames[lost[0]])
        return -int(frames[repeated[0]]) if len(repeated) else 0

    def _count(self, bits: int, errors: int) -> None:
        """Into the totals, or aside as long as it may yet prove a loss of synchronization."""
        if not self.doubted_bits and errors < LOST * bits:
            self._add(bits, errors)
            return
        self._severe = True
        self.doubted_bits += bits
        self._doubted_errors += errors
        if self._doubted_errors < LOST * self.doubted_bits:
            self._add(self.doubted_bits, self._doubted_errors)
        elif self.doubted_bits >= BITS_PER_S * self._width:
            self.sync_losses += 1
            self.synced = False
        else:
            return
        self.doubted_bits = self._doubted_errors = 0

    def _add(self, bits: int, errors: int) -> None:
        self.bits += bits
        self.errors += errors
        self._second_bits += bits
        self._second_errors += errors


def error_limit(errors: int, confidence: float) -> float:
    """The mean of a Poisson count that is `errors` or fewer only with a chance of 1 - `confidence`."""
    if errors > EXACT_ERRORS:                     # Wilson and Hilferty's chi-square, off by less than 1e-5
        ninth = 1 / (9 * (errors + 1))
        return (errors + 1) * (1 - ninth + _ORDER.inv_cdf(confidence) * math.sqrt(ninth)) ** 3
    low, high = 0.0, 3.0 * errors + 50
    for _ in range(60):
        mean = (low + high) / 2
        term = total = math.exp(-mean)
        for count in range(1, errors + 1):
            term *= mean / count
            total += term
        low, high = (mean, high) if total > 1 - confidence else (low, mean)
    return high
