"""The last octets of a line, addressed by bit: frames in any phase, and the search for them.

Ref: ITU-T G.706 (04/91) 4.1.2. A position is a number of bits since the beginning of the line.
"""

import numpy as np

from e1_driver import TIMESLOTS
from e1_driver.framing.crc4 import FRAME_BITS, SMF_OCTETS, Octets

DOUBLE_FRAME_BITS = 2 * FRAME_BITS
FOUND_AFTER_BITS = DOUBLE_FRAME_BITS + 8          # FAS, bit 2 of the next frame, FAS

_HELD_OCTETS = SMF_OCTETS + 2 * TIMESLOTS         # the longest look back: a sub-multiframe not yet whole


class Line:
    """`end` is the position after the last bit; what was held before the beginning are zeros."""

    def __init__(self) -> None:
        self.end = 0
        self._octets = np.zeros(_HELD_OCTETS, np.uint8)

    def append(self, octets: Octets) -> None:
        """All of `octets` can be read, and 320 octets before them."""
        self._octets = np.concatenate((self._octets[len(self._octets) - _HELD_OCTETS:], octets))
        self.end += 8 * len(octets)

    def octets(self, first: int) -> Octets:
        """From position `first`, on an octet's boundary, up to the end."""
        return self._octets[self._place(first)[0]:]

    def frames(self, at: int, n: int) -> Octets:
        """The `n` frames from `at` on, [n, 32]; not to be written to."""
        first, shift = self._place(at)
        last = first + n * TIMESLOTS
        octets = self._octets[first:last]
        if shift:
            octets = octets << np.uint8(shift) | self._octets[first + 1:last + 1] >> np.uint8(8 - shift)
        return octets.reshape(n, TIMESLOTS)

    def bits(self, at: int, n: int) -> list[int]:
        """`n` bits, one of each double frame, the first at `at`."""
        first, shift = self._place(at)
        bits: list[int] = (self._octets[first::2 * TIMESLOTS][:n] >> 7 - shift & 1).tolist()
        return bits

    def find(self, since: int, until: int) -> int | None:
        """The first position that three timeslots 0 in a row speak for: FAS, bit 2 a one, FAS.

        `since` is the first that is looked at, `until` the end of the last of the three.
        """
        n = until - since - FOUND_AFTER_BITS + 1
        if n <= 0:
            return None
        first, shift = self._place(since)
        bits = np.unpackbits(self._octets[first:])[shift:shift + until - since]
        starts = n + DOUBLE_FRAME_BITS
        zeros = bits ^ 1
        fas = zeros[1:1 + starts] & zeros[2:2 + starts] & zeros[5:5 + starts]
        for one in (3, 4, 6, 7):
            fas &= bits[one:one + starts]
        found = fas[:n] & bits[FRAME_BITS + 1:][:n] & fas[DOUBLE_FRAME_BITS:]
        at = int(found.argmax())
        return since + at if found[at] else None

    def _place(self, at: int) -> tuple[int, int]:
        return divmod(at - self.end + 8 * len(self._octets), 8)
