"""When an emulated circuit's blocks are played and sent: by our own clock, or by the far end's. Pure.

The far end's clock is recovered from how full the jitter buffer is (adaptive recovery): a second-order
loop, critically damped, with a time constant of 40 s, so that the network's jitter averages out.
"""

from e1_driver import BLOCK_S

MAX_OFFSET = 200e-6                               # E1 clocks are within 50 ppm (G.703), a computer's 100
GAIN_PER_S = 0.05                                 # of the period for each second of the buffer's offset
GAIN_PER_S2 = GAIN_PER_S ** 2 / 4                 # of the frequency, for each second in which it stands


class PlayClock:
    """`at_s` is when the next block is due, in seconds of the caller's clock."""

    def __init__(self, now: float, adaptive: bool) -> None:
        self.at_s = int(now / BLOCK_S) * BLOCK_S  # one instant, and one wake-up, for all spans of the box
        self.frequency = 0.0                      # the far end's, above ours; kept while nothing comes
        self._adaptive = adaptive

    def late_s(self, now: float) -> float:
        """How long ago the block was due; negative: not yet."""
        return now - self.at_s

    def skip(self, blocks: int) -> None:
        self.at_s += blocks * BLOCK_S

    def played(self, offset_s: float) -> None:
        """A block was played while the buffer held `offset_s` more than it should."""
        faster = 0.0
        if self._adaptive:
            self.frequency = _limited(self.frequency + offset_s * GAIN_PER_S2 * BLOCK_S)
            faster = _limited(self.frequency + offset_s * GAIN_PER_S)
        self.at_s += BLOCK_S * (1 - faster)


def _limited(offset: float) -> float:
    return max(-MAX_OFFSET, min(MAX_OFFSET, offset))
