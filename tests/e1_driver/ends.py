"""Ends of a line run in one thread as a daemon runs one: wait on the descriptor, a block out for each in."""

import select
import time
from collections.abc import Callable

import numpy as np

from e1_driver import BEARERS, BLOCK, TIMESLOTS, Block, Span


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
        return block is not None


def run(*ends: End, until: Callable[[], bool], within_s: float = 20.0) -> None:
    """Turn the ends as their descriptors say, until `until` holds; fails after `within_s`."""
    poll = select.poll()
    by_descriptor = {end.span.fileno(): end for end in ends}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        for descriptor, _ in poll.poll(1000):
            by_descriptor[descriptor].turn(time.monotonic())


def check_carried(sent: list[Block], received: list[Block], skew_octets: int = 0) -> None:
    """All of `sent` is in `received`, octet for octet, bearers not more than `skew_octets` apart."""
    places = []
    for timeslot in BEARERS:
        wanted, line = (b"".join(block[timeslot] for block in blocks) for blocks in (sent, received))
        places.append(line.find(wanted))
    assert -1 not in places, "octets were lost or changed"
    assert max(places) - min(places) <= skew_octets
