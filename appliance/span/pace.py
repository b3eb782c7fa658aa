"""When to tick: the lines are the clock, and no line may stop it. No I/O; `now` is monotonic seconds.

Live lines give blocks at one rate when they are synchronous, each with its own phase and jitter. A tick takes
one block of each; what cannot be evened out within FORCE_BLOCKS is a slip. When one line is the clock source,
only it forces a tick, and a faster line's surplus is trimmed away.

A slip is a whole block of a span, faded over (seam.py), where an exchange slips one frame (G.822). Frame by
frame it would come 80 times as often, a fax page of a PBX 20 ppm off being hit every 6 s in place of once in
8 minutes; and it needs a block in store on each way, whatever the phase: more than 25 ms from E1 to E1, and
answers later than a device with one block of prefill waits for. Two clocks that G.811 allows (1e-11) take
years for such a slip. Synchronous spans never slip, and lose neither octets nor order.

Ref: ITU-T G.822 (11/88), G.811 (09/97), G.823 (03/00).
"""

from collections import deque
from dataclasses import dataclass, field

from appliance.span.seam import Seam
from e1_driver import Block

TICK_S = 0.01
LIVE_S = 0.06                                     # a line that gave nothing for so long is not waited for
DOWN_S = 0.2                                      # one that was away for so long was down (LOS), not late
FORCE_BLOCKS = 4                                  # nor is one while another has so many waiting
TRIM_TICKS = 100                                  # a block that all of these left over is only delay
LATE_S = 1.0                                      # the own clock makes up for no more than this


@dataclass(slots=True)
class _Line:
    waiting: deque[Block] = field(default_factory=deque)
    heard_at: float = float("-inf")
    missed: int = 0                               # ticks without it since it was live
    least: int = 0                                # blocks left over after each of the last TRIM_TICKS
    slips: int = 0
    underruns: int = 0
    seam: Seam = field(default_factory=Seam)


@dataclass(slots=True)
class Taken:
    """One tick's input. `heard`: what is said for each line, None: silence. `dropped`: blocks thrown away."""

    blocks: list[Block | None]
    heard: list[Block | None]
    dropped: list[int]


class Pacer:
    """Collects blocks of `lines` lines and says when a tick is due."""

    def __init__(self, lines: int, now: float) -> None:
        self._lines = [_Line() for _ in range(lines)]
        self._own_at = now                        # the next tick when no line is live
        self._ticks = 0
        self._source: int | None = None
        self._extra = 0                           # ticks to make because the source is ahead of the others

    def follow(self, line: int | None) -> None:
        """Take the clock from `line` while it is live; None: from all alike. The others slip against it."""
        self._source = line

    def arrived(self, line: int, block: Block, now: float) -> None:
        state = self._lines[line]
        if now < state.heard_at + DOWN_S:
            state.slips += state.missed
            state.underruns += state.missed
        state.missed = 0
        state.waiting.append(block)
        state.heard_at = now

    def forget(self, line: int) -> None:
        """The line was closed: what it gave is void."""
        self._lines[line].waiting.clear()
        self._lines[line].heard_at = float("-inf")

    def excuse(self, for_s: float) -> None:
        """For so long nobody asked the lines, so what they gave is late by no fault of theirs."""
        for state in self._lines:
            state.heard_at += for_s

    def slips(self, line: int) -> int:
        """Blocks of the line that were left out, or were not there in time, since the start."""
        return self._lines[line].slips

    def underruns(self, line: int) -> int:
        """Of slips(): those that were not there in time."""
        return self._lines[line].underruns

    def waiting(self, line: int) -> int:
        """Blocks in the elastic buffer now."""
        return len(self._lines[line].waiting)

    def due(self, now: float) -> bool:
        """Is it time for take()?"""
        live = missing = False
        for state in self._lines:
            if state.waiting:
                live = True
            elif now < state.heard_at + LIVE_S:
                live = missing = True
        if live and missing:
            return self._forced(now)
        return live or now >= self._own_at

    def _forced(self, now: float) -> bool:
        """Whether to tick without those that have nothing."""
        source = None if self._source is None else self._lines[self._source]
        leading = [source] if source is not None and _live(source, now) else [
            state for state in self._lines if _live(state, now)]
        return ((self._extra > 0 and bool(leading[0].waiting))
                or max(len(state.waiting) for state in leading) >= FORCE_BLOCKS)

    def deadline(self, now: float) -> float:
        """When due() may become true though nothing arrives."""
        quiet = [state for state in self._lines if not state.waiting and _live(state, now)]
        if quiet:
            return min(state.heard_at for state in quiet) + LIVE_S
        return self._own_at

    def take(self, now: float) -> Taken:
        """The tick that due() asked for."""
        self._ticks += 1
        self._extra = max(0, self._extra - 1)
        alone = not any(_live(state, now) for state in self._lines)
        self._own_at = (max(self._own_at, now - LATE_S) if alone else now) + TICK_S
        taken = Taken([], [], [0] * len(self._lines))
        for state in self._lines:
            if state.waiting:
                block = state.waiting.popleft()
                state.least = min(state.least, len(state.waiting))
                taken.blocks.append(block)
                taken.heard.append(state.seam.play(block))
            else:
                taken.blocks.append(None)
                taken.heard.append(self._missed(state, now))
        if self._ticks % TRIM_TICKS == 0:
            taken.dropped = [self._trim(line, state) for line, state in enumerate(self._lines)]
        return taken

    def _missed(self, state: _Line, now: float) -> Block | None:
        """What is heard of a line that has nothing."""
        state.least = 0
        if not _live(state, now):
            state.missed += 1
            state.seam.forget()
            return None
        state.slips += 1
        state.underruns += 1
        return state.seam.stand_in()

    def _trim(self, line: int, state: _Line) -> int:
        surplus, state.least = state.least, FORCE_BLOCKS
        if line == self._source:                  # nothing of it is left out: the others are late
            self._extra = surplus
            return 0
        for _ in range(surplus):
            state.seam.leave_out(state.waiting.popleft())
        state.slips += surplus
        return surplus


def _live(state: _Line, now: float) -> bool:
    return bool(state.waiting) or now < state.heard_at + LIVE_S
