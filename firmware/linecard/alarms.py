"""Alarms of a line as the host hears of them: what the chip detects, once it has lasted. Allocates nothing.

Ref: ITU-T G.775 (10/98) LOS, AIS and RAI; G.706 (04/91) 4.1 loss of frames, 4.2 of multiframes.

The chip is quick: LOS within 0.1 ms, AIS 0.5 ms, LOF and RAI 0.75 ms. Told at once, every hit of noise would
be an alarm; what is shorter than the times here is seen in the counters. Failures, 2.5 s and 10 s, are the
host's.
"""

from firmware.linecard.framer.framer import AIS, LOF, LOMF, LOS, RAI
from firmware.linecard.hal import since_ms

# bit, ms that it lasts before it is told, ms that it is away before that is told.
LASTS = (
    (LOS, 50, 100),
    (LOF, 50, 100),
    (LOMF, 400, 100),                             # so long the search may take (G.706 B.2.3)
    (AIS, 50, 100),
    (RAI, 100, 100),
)

_SIGNAL = LOS | LOF | AIS


class Alarms:
    """`value`: bits as of wire.ALARMS that stand; of LOS, AIS and LOF one: the next ends the one before."""

    def __init__(self) -> None:
        self.value = 0
        self._since_ms = [0] * len(LASTS)         # each has been the other way than it is told
        self._contrary = 0

    def poll(self, detected: int, now_ms: int) -> int:
        """`detected`: Framer.alarms. `value`."""
        at = 0
        for bit, set_ms, clear_ms in LASTS:
            if (detected ^ self.value) & bit:
                if not self._contrary & bit:
                    self._since_ms[at] = now_ms
                elif since_ms(now_ms, self._since_ms[at]) >= (set_ms if detected & bit else clear_ms):
                    self.value = (self.value & ~_SIGNAL if detected & bit & _SIGNAL else self.value) ^ bit
            at += 1
        self._contrary = detected ^ self.value
        return self.value
