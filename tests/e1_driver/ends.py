"""Ends of a line run in one thread as a daemon runs one: wait on the descriptor, a block out for each in."""

import select
import time
from collections.abc import Callable

import numpy as np

from e1_driver import BEARERS, BLOCK, TIMESLOTS, Block, Span

POLL_MS = 50
STALLED_S = 0.1                                   # between two looks: somebody else had the processor


class End:
    """A span with all that it was given and gave. Block n that it sends is always the same noise."""

    def __init__(self, span: Span, seed: int) -> None:
        self.span = span
        self.sent: list[Block] = []
        self.received: list[Block] = []
        self.frames: list[bytes] = []
        self._noise = np.random.default_rng(seed)

    def turn(self, now: float) -> bool:
        """Do what there is to do; whether a block came."""
        block = self.span.read(now)
        if block is not None:
            self.received.append(block)
            self.sent.append(self._noise.integers(0, 256, (TIMESLOTS, BLOCK), np.uint8))
            self.span.write(self.sent[-1].copy())
        self.frames += self.span.receive_frames()
        assert self.span.status().alarms <= self.span.abilities.alarms
        return block is not None


def run(*ends: End, until: Callable[[], bool], within_s: float = 20.0,
        pump: Callable[[], None] | None = None) -> float:
    """Turn the ends as their descriptors say, until `until` holds; fails after `within_s`.

    `pump` makes the line carry something, if nothing else does. Returns how long it took without the time in
    which this process was kept from running.
    """
    poll = select.poll()
    by_descriptor = {end.span.fileno(): end for end in ends}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    began = looked_at = time.monotonic()
    took_s = 0.0
    while not until():
        now = time.monotonic()
        took_s += min(now - looked_at, STALLED_S)
        looked_at = now
        assert now < began + within_s, f"not within {within_s} s"
        if pump:
            pump()
        for descriptor, _ in poll.poll(0 if pump else POLL_MS):
            by_descriptor[descriptor].turn(time.monotonic())
    return took_s


def check_carried(sent: list[Block], received: list[Block], skew_octets: int = 0) -> None:
    """All of `sent` is in `received`, octet for octet, bearers not more than `skew_octets` apart."""
    places = []
    for timeslot in BEARERS:
        wanted, line = (b"".join(block[timeslot] for block in blocks) for blocks in (sent, received))
        places.append(line.find(wanted))
    assert -1 not in places, "octets were lost or changed"
    assert max(places) - min(places) <= skew_octets
