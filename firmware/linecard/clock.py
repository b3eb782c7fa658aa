"""Which clock the card's buses go by: a line's, the card's own, or, while the line is lost, as it last was.

Ref: ITU-T G.812 for the words hold-over and free run.
"""

try:
    from collections.abc import Callable, Sequence
except ImportError:                               # MicroPython: annotations are not looked at
    pass

from firmware.linecard.framer.framer import Framer
from firmware.linecard.hal import HOLD, OWN, since_ms

RETURN_MS = 10_000                                # a lost line is followed again when good for so long


class Clock:
    """`source`: the span whose line the buses follow, OWN or HOLD."""

    def __init__(self, framers: "Sequence[Framer]", select: "Callable[[int], None]") -> None:
        """`select` is told each new source; the first is OWN."""
        self.source = OWN
        self._framers = framers
        self._select = select
        self._wanted = bytearray(len(framers))    # 1: the span's line may be followed
        self._steady = bytearray(len(framers))    # 1: and it is good enough to
        self._lost = bytearray(len(framers))      # 1: since it was last followed
        self._good_ms = [0] * len(framers)        # since when
        self._was_good = bytearray(len(framers))
        select(OWN)

    def follow(self, span: int, line: bool) -> None:
        """The span's line may be followed, or the other side follows ours."""
        self._wanted[span] = line

    def poll(self, now_ms: int) -> None:
        for span in range(len(self._framers)):
            self._look(span, now_ms)
        source = self._choose()
        if source != self.source:
            self.source = source
            self._select(source)

    def _look(self, span: int, now_ms: int) -> None:
        if not self._framers[span].clock_ok():
            if self._steady[span]:
                self._lost[span] = 1
            self._steady[span] = self._was_good[span] = 0
        elif not self._was_good[span]:
            self._was_good[span] = 1
            self._good_ms[span] = now_ms
        if self._was_good[span] and (
                not self._lost[span] or since_ms(now_ms, self._good_ms[span]) >= RETURN_MS):
            self._steady[span] = 1
            self._lost[span] = 0

    def _choose(self) -> int:
        if self.source >= 0 and self._wanted[self.source] and self._steady[self.source]:
            return self.source                    # another one that is as good is no reason to change
        wanted = False
        for span in range(len(self._framers)):
            if self._wanted[span]:
                wanted = True
                if self._steady[span]:
                    return span
        return HOLD if wanted and self.source != OWN else OWN
