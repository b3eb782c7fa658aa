"""When to tick: the lines are the clock, and no line may stop it. No I/O; `now` is monotonic seconds.

Live lines give blocks at one rate when they are synchronous, each with its own phase and jitter. A tick takes
one block of each; what cannot be evened out within FORCE_BLOCKS is a slip. When one line is the clock source,
only it forces a tick, and a faster line's surplus is trimmed away.
"""

from collections import deque
from dataclasses import dataclass, field

from e1_driver import Block

TICK_S = 0.01
LIVE_S = 0.06                                     # a line that gave nothing for so long is not waited for
DOWN_S = 0.2                                      # one that was away for so long was down (LOS), not late
FORCE_BLOCKS = 4                                  # nor is one while another has so many waiting
TRIM_TICKS = 100                                  # a block that all of these left over is only delay
LATE_S = 0.2                                      # the own clock makes up for no more than this


@dataclass(slots=True)
class _Line:
    waiting: deque[Block] = field(default_factory=deque)
    heard_at: float = float("-inf")
    missed: int = 0                               # ticks without it since it was live
    least: int = 0                                # blocks left over after each of the last TRIM_TICKS
    slips: int = 0


@dataclass(slots=True)
class Taken:
    """One tick's input: a block or None for each line, and how many blocks of it were thrown away unheard."""

    blocks: list[Block | None]
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
        state.missed = 0
        state.waiting.append(block)
        state.heard_at = now

    def forget(self, line: int) -> None:
        """The line was closed: what it gave is void."""
        self._lines[line].waiting.clear()
        self._lines[line].heard_at = float("-inf")

    def slips(self, line: int) -> int:
        """Blocks of the line that were left out or replaced by silence, since the start."""
        return self._lines[line].slips

    def due(self, now: float) -> bool:
        """Is it time for take()?"""
        live = [state for state in self._lines if _live(state, now)]
        if not live:
            return now >= self._own_at
        source = None if self._source is None else self._lines[self._source]
        leading = [source] if source is not None and _live(source, now) else live
        return (min(len(state.waiting) for state in live) > 0
                or (self._extra > 0 and bool(leading[0].waiting))
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
        taken = Taken([], [])
        for line, state in enumerate(self._lines):
            if state.waiting:
                taken.blocks.append(state.waiting.popleft())
                state.least = min(state.least, len(state.waiting))
            else:
                taken.blocks.append(None)
                state.least = 0
                if _live(state, now):
                    state.slips += 1
                else:
                    state.missed += 1
            taken.dropped.append(self._trim(line, state))
        return taken

    def _trim(self, line: int, state: _Line) -> int:
        if self._ticks % TRIM_TICKS:
            return 0
        surplus, state.least = state.least, FORCE_BLOCKS
        if line == self._source:                  # nothing of it is left out: the others are late
            self._extra = surplus
            return 0
        for _ in range(surplus):
            state.waiting.popleft()
        state.slips += surplus
        return surplus


def _live(state: _Line, now: float) -> bool:
    return bool(state.waiting) or now < state.heard_at + LIVE_S
