"""Is there a loop at the far end? In-band, on idle timeslots: what we send and nobody can know comes back.

A far end may send the same pattern of its own. So ours jumps to a place drawn by lot four times a second:
only a loop jumps along.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from e1_driver import Block
from e1_driver.testing.bert import FRAMES_PER_MS
from e1_driver.testing.prbs import pattern

JUMP_BLOCKS = 25
PROOFS = 3                                        # jumps followed with one delay
MAX_DELAY_OCTETS = 8_000                          # one second, further than any line on earth
SEARCHES = 8                                      # timeslots looked at in one block


@dataclass(frozen=True, slots=True)
class Echo:
    """What came back."""

    timeslots: tuple[int, ...]                    # that were probed
    looped: tuple[int, ...]                       # come back to us
    foreign: tuple[int, ...]                      # carry the same pattern, but somebody else's
    delay_ms: float | None                        # of the loop, transmit() to receive()


@dataclass(slots=True)
class _Timeslot:
    phase: int = 0                                # of what is sent next
    jumps: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=8))
    followed: dict[int, set[int]] = field(default_factory=dict)         # delay in octets -> numbers of jumps
    not_ours: set[int] = field(default_factory=set)           # jumps during which the pattern came, unmoved
    delay_octets: int | None = None               # proven


class LoopProbe:
    """For each block of the span: receive() it, then transmit() into the block that is to be written."""

    def __init__(self, timeslots: Sequence[int], random: Random) -> None:
        self._random, self._pattern = random, pattern("qrss")
        self._timeslots = {timeslot: _Timeslot() for timeslot in timeslots}
        self._blocks = self._octets = 0           # sent, of each timeslot
        self._search_from = 0

    def transmit(self, block: Block) -> None:
        """Fill the probed rows of uint8[32, n]."""
        n_octets = block.shape[1]
        for row, state in self._timeslots.items():
            if self._blocks % JUMP_BLOCKS == 0:
                state.phase = self._random.randrange(self._pattern.period)
                number = self._blocks // JUMP_BLOCKS
                state.jumps.append((number, self._octets, state.phase))
            block[row] = self._pattern.take(np.array([state.phase]), n_octets)[0]
            state.phase = (state.phase + n_octets) % self._pattern.period
        self._blocks += 1
        self._octets += n_octets

    def receive(self, block: Block) -> None:
        rows = list(self._timeslots)
        for at in range(self._search_from, self._search_from + min(SEARCHES, len(rows))):
            row = rows[at % len(rows)]
            if (phase := self._pattern.find(block[row])) is not None:
                self._note(self._timeslots[row], phase)
        self._search_from = (self._search_from + SEARCHES) % len(rows)

    def result(self) -> Echo:
        looped = {row: state for row, state in self._timeslots.items() if state.delay_octets is not None}
        foreign = (row for row, state in self._timeslots.items()
                   if row not in looped and len(state.not_ours) >= PROOFS)
        delays = [state.delay_octets for state in looped.values() if state.delay_octets is not None]
        return Echo(tuple(self._timeslots), tuple(looped), tuple(foreign),
                    max(delays) / FRAMES_PER_MS if delays else None)

    def _note(self, state: _Timeslot, phase: int) -> None:
        until = self._octets
        ours = False
        for number, sent_at, sent_phase in reversed(state.jumps):
            octet = sent_at + (phase - sent_phase) % self._pattern.period
            if octet < until and (delay := self._octets - octet) <= MAX_DELAY_OCTETS:
                ours = True
                followed = state.followed.setdefault(delay, set())
                followed.add(number)
                if len(followed) >= PROOFS:
                    state.delay_octets = delay
            until = sent_at
        if not ours and state.jumps:
            state.not_ours.add(state.jumps[-1][0])
