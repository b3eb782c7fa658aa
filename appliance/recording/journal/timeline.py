"""Slices of the journal as one recording: what is heard when, and what is missing. Pure.

Time is the ring's ticks. Silence stands for what is missing, up to ten minutes each time; a longer hole is
counted and left out. Slices that overlap are of an append that failed: the same audio twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.media.ring import TICKS as RING_TICKS
from appliance.recording.journal.segment import Slice
from appliance.recording.wav import TICKS_PER_S

MAX_HOLE_TICKS = 600 * TICKS_PER_S


@dataclass(frozen=True, slots=True)
class Piece:
    """`silence_ticks`, then of `slice` what follows its first `skip_ticks`."""

    silence_ticks: int
    slice: Slice
    skip_ticks: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    first_tick: int                               # of the ring, where it began
    end_tick: int                                 # of the ring, after its last
    ticks: int                                    # of audio, silence included
    gap_ticks: int                                # missing, left out or silent
    pieces: tuple[Piece, ...]

    def within(self, first: int, ticks: int) -> "list[tuple[int, Piece]]":
        """Pieces that overlap `ticks` ticks from `first`, counted from the begin; where each begins."""
        found, at = [], 0
        for piece in self.pieces:
            end = at + piece.silence_ticks + piece.slice.ticks - piece.skip_ticks
            if end > first and at < first + ticks:
                found.append((at, piece))
            at = end
        return found


def goes_on(end_tick: int, tick: int) -> bool:
    """Whether a stretch at `tick` belongs to what ended before `end_tick`; else the ring counts anew."""
    return end_tick - tick <= RING_TICKS


def timeline(slices: Sequence[Slice]) -> Timeline:
    """Of one recording, in order of time; at least one."""
    first = end = slices[0].tick
    ticks = gap = 0
    pieces: list[Piece] = []
    for one in slices:
        skip = silence = 0
        if not goes_on(end, one.tick):
            end = one.tick
        elif one.tick < end:
            skip = end - one.tick
            if skip >= one.ticks:
                continue
        elif (hole := one.tick - end) > 0:
            gap += hole
            silence = hole if hole <= MAX_HOLE_TICKS else 0
        pieces.append(Piece(silence, one, skip))
        ticks += silence + one.ticks - skip
        end = one.tick + one.ticks
    return Timeline(first, end, ticks, gap, tuple(pieces))
