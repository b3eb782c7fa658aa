"""What carries a virtual line's octets between two processes: an AF_UNIX socket, one block at most under way
in each direction.

End a (virtual_a.py) listens and keeps the clock, end b connects. A packet is one block: header (magic,
whether the clock is stepped, sequence number) in the machine's byte order, then 80 frames of 32 octets as on
the line. End b answers each block with one of its own under the same number.
"""

import select
import socket
import struct
import time
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from e1_driver import BLOCK, BLOCK_S, TIMESLOTS, Counters
from e1_driver.backends.faults import Faults
from e1_driver.timerfd import Timer

Octets = npt.NDArray[np.uint8]                    # [32 * BLOCK]

LOS_S = 0.2                                       # this long without the far end's block
RECONNECT_S = 0.25
CATCH_UP_BLOCKS = 10                              # the clock makes up for so many; more are slips
LINE_OCTETS = TIMESLOTS * BLOCK                   # of a block

_HEADER = struct.Struct("=4s?xxxI")
_MAGIC = b"E1v2"
_PACKET_OCTETS = _HEADER.size + LINE_OCTETS


def silence() -> Octets:
    """What a dead line carries in the time of a block."""
    return np.zeros(LINE_OCTETS, np.uint8)


class Packet(NamedTuple):
    stepped: bool
    sequence: int
    octets: Octets


class End(ABC):
    """Where a span gets its line's octets from and puts them."""

    los = True                                    # nobody speaks at the far end
    free_running = False                          # read() gives silence, too, while nobody speaks

    @abstractmethod
    def fileno(self) -> int: ...

    @abstractmethod
    def read(self, now: float) -> Octets | None:
        """A block's octets, which nobody changes, or None: nothing yet."""

    @abstractmethod
    def write(self, octets: Octets | None) -> None:
        """Send a block's octets; None: its time passes in silence."""

    @abstractmethod
    def close(self) -> None: ...


class SocketEnd(End):
    """A socket to the far end, or none at the moment, and a timer, both behind one epoll."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._far: socket.socket | None = None
        self._timer = Timer()
        self._epoll = select.epoll()
        self._epoll.register(self._timer, select.EPOLLIN)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        if self._far:
            self._far.close()
        if not self._epoll.closed:
            self._epoll.close()
            self._timer.close()

    def _lose(self) -> None:
        if self._far:
            self._epoll.unregister(self._far)
            self._far.close()
        self._far, self.los = None, True

    def _receive(self) -> Packet | None:
        """The next packet; None when there is none and when the far end has gone.

        Who sends another thing is no end of a line and let go: however much it sends, it keeps nobody busy.
        """
        if not self._far:
            return None
        try:
            packet = self._far.recv(_PACKET_OCTETS + 1)
        except BlockingIOError:
            return None
        except OSError:
            packet = b""
        if len(packet) == _PACKET_OCTETS and packet.startswith(_MAGIC):
            _, stepped, sequence = _HEADER.unpack_from(packet)
            return Packet(stepped, sequence, np.frombuffer(packet, np.uint8, LINE_OCTETS, _HEADER.size))
        self._counters.slips += len(packet) > 0
        self._lose()
        return None

    def _send(self, stepped: bool, sequence: int, octets: Octets) -> bool:
        if not self._far:
            return False
        try:
            self._far.send(_HEADER.pack(_MAGIC, stepped, sequence) + octets.tobytes())
        except BlockingIOError:
            self._counters.slips += 1
            return False
        except OSError:
            self._lose()
            return False
        self._counters.blocks_out += 1
        return True


class EndB(SocketEnd):
    """The end that follows: one block out for each block in."""

    def __init__(self, path: str, faults: Faults, counters: Counters) -> None:
        super().__init__(counters)
        self._path, self._faults = path, faults
        self._stepped = False                     # as end a says
        self._owed: int | None = None             # sequence number of the block to answer
        self._now = self._heard_at = self._retry_at = self._tick_at = time.monotonic()
        self._connect()
        self._timer.arm(self._now + (LOS_S if self._far else RECONNECT_S))

    def read(self, now: float) -> Octets | None:
        self._now = now
        if not self._far and now >= self._retry_at:
            self._connect()
        if packet := self._receive():
            self._stepped, self._owed, octets = packet
            self._heard_at, self.los = now, False
            self._counters.blocks_in += 1
            return octets
        if not self._far:
            self._timer.arm(self._retry_at)
        elif now < self._heard_at + LOS_S:
            self._timer.arm(self._heard_at + LOS_S)
        else:
            self._timer.arm(now + LOS_S)
            if not self._stepped:
                self._be_silent()
        return self._run_free(now) if self.los and self.free_running else None

    def _be_silent(self) -> None:
        self.los = True
        if self._owed is not None and not self._faults.los:           # both ends would wait for ever
            self.write(silence())

    def _run_free(self, now: float) -> Octets | None:
        if ticks := now >= self._tick_at:
            self._tick_at = max(self._tick_at, now - CATCH_UP_BLOCKS * BLOCK_S) + BLOCK_S
        self._timer.arm(self._tick_at)
        return silence() if ticks else None

    def write(self, octets: Octets | None) -> None:
        if self._owed is None:
            self._counters.slips += not self.los
        elif octets is not None and self._send(self._stepped, self._owed, octets):
            self._owed = None

    def _connect(self) -> None:
        far = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        far.setblocking(False)
        try:
            far.connect(self._path)
        except OSError:                           # not there, or busy with another end b
            far.close()
            self._retry_at = self._now + RECONNECT_S
        else:
            self._far, self._heard_at = far, self._now
            self._epoll.register(far, select.EPOLLIN)

    def _lose(self) -> None:
        super()._lose()
        self._owed = None
        self._retry_at = self._now + RECONNECT_S
