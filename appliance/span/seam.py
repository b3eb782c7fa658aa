"""Where a block of audio is left out, or one more is needed than there is: no click, no hole. No I/O.

What is left out is faded into what follows it. In place of what is missing the block before it is said
backwards, which begins where that ended, and what comes next is faded in from that block said forwards once
more. Such blocks are not bit for bit what a port said, as nothing is where a slip falls; all others are.
"""

import numpy as np

from appliance.media import g711
from e1_driver import BLOCK, Block

_RISE = (np.arange(BLOCK, dtype=np.float32) + 0.5) / BLOCK


class Seam:
    """One direction of one line. Blocks are uint8[timeslots, BLOCK] A-law; what is given is not copied."""

    def __init__(self) -> None:
        self._last: Block | None = None
        self._due: Block | None = None            # what would have been said next

    def play(self, block: Block) -> Block:
        """Say this one next; what is said."""
        if self._due is not None:
            block, self._due = _faded(self._due, block), None
        self._last = block
        return block

    def leave_out(self, block: Block) -> None:
        """This one was next, and is not said."""
        if self._due is None:
            self._due = block

    def stand_in(self) -> Block | None:
        """What is said where nothing is there; None: silence, so it is once that has lasted for a block."""
        last, self._last, self._due = self._last, None, self._last
        return None if last is None else last[:, ::-1]

    def forget(self) -> None:
        """Nothing is said for some time."""
        self._last = self._due = None


def _faded(out: Block, into: Block) -> Block:
    before, after = g711.decode(out).astype(np.float32), g711.decode(into).astype(np.float32)
    return g711.encode(np.rint(before + (after - before) * _RISE).astype(np.int16))
