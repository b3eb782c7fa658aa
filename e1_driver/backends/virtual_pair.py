"""What carries a virtual line's octets inside one process, paced by the caller."""

import os
from collections import deque

from e1_driver import Counters
from e1_driver.backends.virtual_ends import End, Octets, silence

WAITING_BLOCKS = 1000


class PairEnd(End):
    """An end whose line puts and takes; polls readable while something waits to be read."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._arrived: deque[Octets | None] = deque(maxlen=WAITING_BLOCKS)
        self._to_send: deque[Octets | None] = deque(maxlen=WAITING_BLOCKS)
        self._closed = False
        self._readable = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._readable

    def read(self, now: float) -> Octets | None:
        if not self._arrived:
            return None
        octets = self._arrived.popleft()
        if not self._arrived:
            os.eventfd_read(self._readable)
        self.los = octets is None
        if octets is None:
            return silence()
        self._counters.blocks_in += 1
        return octets

    def write(self, octets: Octets | None) -> None:
        self._counters.slips += len(self._to_send) == WAITING_BLOCKS
        self._to_send.append(octets)

    def take(self) -> Octets | None:
        """What this end sends in the next block's time; None: nothing."""
        octets = self._to_send.popleft() if self._to_send else None
        self._counters.blocks_out += octets is not None
        return octets

    def put(self, octets: Octets | None) -> None:
        """What arrives at this end in the next block's time."""
        if self._closed:
            return
        if not self._arrived:
            os.eventfd_write(self._readable, 1)
        self._counters.slips += len(self._arrived) == WAITING_BLOCKS
        self._arrived.append(octets)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._arrived.clear()
            self._to_send.clear()
            os.close(self._readable)
