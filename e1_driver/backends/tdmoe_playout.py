"""The play-out buffer of a packet line: frames as they come, ten in order when our clock asks. Pure."""

import numpy as np
import numpy.typing as npt

from e1_driver import Block
from e1_driver.backends.tdmoe_wire import FRAMES, IDLE_SAMPLES, SAMPLE_OCTETS, block_of

SLACK_FRAMES = 20                                 # above twice the target: bursts of both ends in a row
RESTART_FRAMES = 10                               # so many in a row from elsewhere: a new stream

_RING = 1024                                      # frames; a power of two: a counter finds its place
_AHEAD = np.arange(FRAMES)


class PlayOut:
    """Holds `target_frames` when playing begins and never more than twice that and 20.

    The far end's clock is not ours. When it is slower the buffer runs empty: nothing is played until the
    target is there again, one slip. When it is faster, or after a stall, what is above the bound is left out
    down to the target, a slip for each block. Frames are put in order by their counter; those that never came
    or came too late are played as idle and are `lost`; `late` ones came after their turn or twice.
    """

    def __init__(self, target_frames: int) -> None:
        self.taken = self.lost = self.late = self.slips = 0
        self._target = target_frames
        self._bound = 2 * target_frames + SLACK_FRAMES
        self._samples = np.zeros((_RING, SAMPLE_OCTETS), np.uint8)
        self._here = np.zeros(_RING, np.bool_)
        self._next = 0                            # counter of the next frame to play
        self._begun = False
        self._level = 0                           # frames from _next to the newest, gaps too
        self._filling = True
        self._strange = 0                         # frames in a row from elsewhere

    def put(self, counter: int, samples: bytes) -> None:
        """A frame that came, `samples` of SAMPLE_OCTETS."""
        if not self._begun:
            self._begin(counter)
        ahead = (counter - self._next + 0x8000 & 0xFFFF) - 0x8000
        if self._filling and ahead > self._level + FRAMES:            # a cut: no sense in playing the gap
            if ahead < _RING:
                self.lost += ahead - self._level
            self._begin(counter)
            ahead = 0
        elif not 0 <= ahead < _RING:
            self._strange += 1
            if self._strange < RESTART_FRAMES:
                self.late += 1
                return
            self.slips += 1
            self._begin(counter)
            ahead = 0
        self._strange = 0
        place = counter % _RING
        if self._here[place]:
            self.late += 1
            return
        self._samples[place] = np.frombuffer(samples, np.uint8)
        self._here[place] = True
        self._level = max(self._level, ahead + 1)
        self.taken += 1

    def take(self, owed_blocks: int = 0) -> Block | None:
        """The next block; None: nothing to play yet. `owed_blocks` will be taken at once after this one."""
        if self._filling and self._level < self._target:
            return None
        if self._level < FRAMES:
            self._filling = True
            self.slips += 1
            return None
        self._filling = False
        bound = self._bound + owed_blocks * FRAMES
        if self._level > bound:
            self._leave_out(1 if self._level <= bound + FRAMES else (self._level - self._target) // FRAMES)
        places = self._advance(1)
        samples = self._samples[places]
        missing = ~self._here[places]
        if missing.any():
            self.lost += int(missing.sum())
            samples[missing] = IDLE_SAMPLES
        self._here[places] = False
        return block_of(samples)

    def clear(self) -> None:
        """The line went: what comes next is a new stream."""
        self._begin(0)
        self._begun = False

    def _begin(self, counter: int) -> None:
        self._here[:] = False
        self._next, self._level, self._strange = counter, 0, 0
        self._begun = self._filling = True

    def _leave_out(self, blocks: int) -> None:
        self.slips += blocks
        places = self._advance(blocks)
        self.lost += int((~self._here[places]).sum())
        self._here[places] = False

    def _advance(self, blocks: int) -> npt.NDArray[np.int64]:
        places = (self._next + (_AHEAD if blocks == 1 else np.arange(blocks * FRAMES))) % _RING
        self._next = (self._next + blocks * FRAMES) % 0x10000
        self._level -= blocks * FRAMES
        return places
