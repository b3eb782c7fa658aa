"""The far end of a guest that is slower than life: the guest's packets are its clock.

It has a block for each that came, and answers it: what is heard is what was sent, however long that took. The
exchange's timers are not the guest's, so they are long.
"""

from e1_driver import Block
from e1_driver.backends.pwe3 import CesopSpan
from hil_tests.instruments.exchange import SoftwareExchange

TIMERS_MS = {"T200": 10_000, "T203": 120_000, "T303": 60_000, "T305": 60_000, "T308": 60_000, "T309": 300_000,
             "T313": 60_000}
LOOK_S = 0.005
# 16 timeslots of 80 frames are the largest packet of Ethernet, and a block: 100 of them are a second's.
LINE = "timeslots=1-16&frames=80&jitter_ms=200&clock=own"


class Following(CesopSpan):
    """`HOST:PORT?...&frames=80` as cesop:, but a block comes with each packet, and never otherwise."""

    def __init__(self, rest: str) -> None:
        super().__init__(rest)
        self._answered = 0                        # packets

    def _receive(self, now: float) -> Block | None:
        self._take_in()
        if self._answered == self._buffer.taken:
            self._timer.arm(now + LOOK_S)
            return None
        self._answered += 1
        self._counters.blocks_in += 1
        return self._played(self._buffer.play(0))


def exchange(box_port: int, own_port: int) -> SoftwareExchange:
    """At a guest's line, which QEMU forwards `box_port` to."""
    span = Following(f"127.0.0.1:{box_port}?port={own_port}&{LINE}")
    return SoftwareExchange(span, "network", hunt="up", timers=TIMERS_MS)
