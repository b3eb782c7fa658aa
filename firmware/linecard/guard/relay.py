"""Fail to wire: without power, or without a host that is fit, the relay joins the telco line to the old PBX.

It is energised, and the line the card's, while a lease holds. A host that comes back in time changes nothing:
the lease that it left holds. A reset of this controller changes nothing either: the reference card's driver
holds the coil for 2 s by itself (R and C at its gate), and what the lease had left is kept over the reset.
"""

from firmware.control import SENSES, WHYS
from firmware.linecard.hal import since_ms

try:
    from collections.abc import Callable

    from firmware.linecard.guard.kept import Memory
    from firmware.linecard.hal import Pin
except ImportError:                               # MicroPython: annotations are not looked at
    pass

DWELL_MS = 10_000                                 # between two moves at least: it never chatters
SETTLE_MS = 100                                   # contacts may be on their way for so long
RESET_MS = 2_000                                  # a reset takes this at most; a row of them ends the lease
LEAST_RESET_MS = 250                              # and this at least: the relay was still meanwhile
SAVE_MS = 250                                     # what of a lease is not spent may be wrong by so much

_NO_LEASE, _LEASED, _BYPASS, _DWELL = (WHYS.index(why) for why in ("no lease", "leased", "bypass", "dwell"))
_JOINED, _BOX, _MOVING = (SENSES.index(sense) for sense in ("joined", "box", "moving"))


class Relay:
    """Never moves twice within DWELL_MS. `disagrees`: the contacts are not where they should be."""

    def __init__(self, pin: "Pin", sense: "Pin", memory: "Memory", moved: "Callable[[], None]",
                 now_ms: int) -> None:
        """`moved` is called after each move."""
        self._pin, self._sense, self._memory, self._moved = pin, sense, memory, moved
        self.energised, self.bypass = memory.energised, memory.bypass
        pin(self.energised)
        self.lease_ms = max(0, memory.lease_ms - RESET_MS - SAVE_MS)
        # Since the last move, no more than DWELL_MS.
        self._still_ms = min(DWELL_MS, memory.still_ms + LEAST_RESET_MS) if memory.warm else 0
        self._at_ms, self._saved_ms = now_ms, 0
        self.sense, self._wrong_ms, self._settling_ms = _MOVING, 0, SETTLE_MS
        self.why = _NO_LEASE
        self.save()

    @property
    def disagrees(self) -> bool:
        return self._wrong_ms >= SETTLE_MS

    def lease(self, fit: bool, bypass: bool, for_ms: int) -> None:
        """What the host wishes. An unfit one takes nothing away: what is left of the lease runs out."""
        self.bypass = bypass
        if fit:
            self.lease_ms = for_ms
        self.save()

    def poll(self, now_ms: int) -> None:
        elapsed_ms = max(0, since_ms(now_ms, self._at_ms))
        self._at_ms = now_ms
        self.lease_ms = max(0, self.lease_ms - elapsed_ms)
        self._still_ms = min(DWELL_MS, self._still_ms + elapsed_ms)
        wanted = self.lease_ms > 0 and not self.bypass
        if wanted != self.energised:
            if self._still_ms >= DWELL_MS:
                self._move(wanted)
            self.why = _DWELL
        if wanted == self.energised:
            self.why = _LEASED if wanted else _BYPASS if self.bypass else _NO_LEASE
        self._look(elapsed_ms)
        self._saved_ms += elapsed_ms
        if self._saved_ms >= SAVE_MS:
            self.save()

    def _move(self, energised: bool) -> None:
        self.energised, self._still_ms = energised, 0
        self._settling_ms, self._wrong_ms = SETTLE_MS, 0
        self.save()                              # first: a reset in between must find the newer
        self._pin(energised)
        self._moved()

    def _look(self, elapsed_ms: int) -> None:
        at_box = self._sense()
        self._settling_ms = max(0, self._settling_ms - elapsed_ms)
        self.sense = _MOVING if self._settling_ms else _BOX if at_box else _JOINED
        wrong = not self._settling_ms and at_box != self.energised
        self._wrong_ms = min(SETTLE_MS, self._wrong_ms + elapsed_ms) if wrong else 0

    def save(self) -> None:
        """Before a reset."""
        memory, self._saved_ms = self._memory, 0
        memory.energised, memory.bypass = self.energised, self.bypass
        memory.lease_ms, memory.still_ms = self.lease_ms, self._still_ms
        memory.save()
