"""What a line carries in timeslot 16: a D-channel, or the signalling of a line that is no PRI."""

from enum import StrEnum

import numpy as np

from e1_driver import D_TIMESLOT, Block, Loop, Span
from e1_driver.ctl.runner import Part
from e1_driver.framing.cas import Cas
from e1_driver.framing.crc4 import Octets
from e1_driver.framing.hdlc import FLAG
from e1_driver.soft import ALL_ONES

LOOKED_AT_BLOCKS = 100                            # 1 s
_MOSTLY = 0.5                                     # of a block's bits are flags: HDLC, frames or not


class Content(StrEnum):
    """As `e1ctl status` names it."""

    HDLC = "D-channel (HDLC)"
    CAS = "CAS signalling (R2 or the like): this line is not PRI"
    ONES = "all ones"
    ELSE = "something else"


class Timeslot16(Part):
    """Of the last second that the line was up and gave its own octets."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._forget()

    def _forget(self) -> None:
        self._cas = Cas()
        self._blocks = 0
        self._flags_at = self._other_at = -LOOKED_AT_BLOCKS           # the last block with flags, with zeros
        self._frames, self._frame_at = self._span.counters().frames_in, -LOOKED_AT_BLOCKS

    @property
    def content(self) -> Content | None:
        """None: cannot tell, or less than a second was seen. Frames first: no other thing has a right FCS."""
        if self._blocks < LOOKED_AT_BLOCKS:
            return None
        since = self._blocks - LOOKED_AT_BLOCKS
        if self._frame_at > since:
            return Content.HDLC
        if self._cas.aligned:
            return Content.CAS
        if self._flags_at > since:
            return Content.HDLC
        return Content.ELSE if self._other_at > since else Content.ONES

    def block(self, now: float, received: Block, sent: Block) -> None:
        span = self._span
        status = span.status()
        if not (status.up and status.loop is not Loop.LOCAL and span.abilities.timeslot_16):
            if self._blocks:
                self._forget()
            return
        self._blocks += 1
        row = received[D_TIMESLOT]
        self._cas.feed(row)
        if (row != ALL_ONES).any():
            self._other_at = self._blocks
            if _bits(row).count(FLAG) * len(FLAG) >= _MOSTLY * 8 * len(row):
                self._flags_at = self._blocks
        if (frames := span.counters().frames_in) != self._frames:
            self._frames, self._frame_at = frames, self._blocks


def _bits(row: Octets) -> str:
    return (np.unpackbits(row) + ord("0")).tobytes().decode()
