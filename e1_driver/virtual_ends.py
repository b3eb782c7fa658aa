"""The two ends of a virtual line: blocks over an AF_UNIX socket, one at most under way in each direction.

End a listens and keeps the clock, end b connects. A packet is one block: header (magic, whether the clock is
stepped, sequence number), then 32 rows of 80 octets, in the machine's byte order. End b answers each block
with one of its own under the same number.
"""

import os
import select
import socket
import stat
import struct
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from e1_driver import BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Block, Counters, LineError
from e1_driver.faults import Faults
from e1_driver.timerfd import Timer

LOS_S = 0.2                                       # this long without the far end's block
RECONNECT_S = 0.25
CATCH_UP_BLOCKS = 10                              # the clock makes up for so many; more are slips
BLOCKS_PER_S = 100
PATH_OCTETS = 107                                 # what sun_path holds
ALL_ONES = 0xFF

_HEADER = struct.Struct("=4s?xxxI")
_MAGIC = b"E1v1"
_PACKET_OCTETS = _HEADER.size + TIMESLOTS * BLOCK


def _idle_block() -> Block:
    block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
    block[(0, D_TIMESLOT), :] = ALL_ONES
    return block


class _Packet(NamedTuple):
    stepped: bool
    sequence: int
    block: Block


class End(ABC):
    """A socket to the far end, or none at the moment, and a timer, both behind one epoll."""

    def __init__(self, faults: Faults, counters: Counters) -> None:
        self.los = True
        self._faults, self._counters = faults, counters
        self._far: socket.socket | None = None
        self._packet = bytearray(_PACKET_OCTETS)
        octets = np.frombuffer(self._packet, np.uint8, offset=_HEADER.size)
        self.rows: Block = octets.reshape(TIMESLOTS, BLOCK)
        self._timer = Timer()
        self.epoll = select.epoll()
        self.epoll.register(self._timer, select.EPOLLIN)

    @abstractmethod
    def read(self, now: float) -> Block | None: ...

    @abstractmethod
    def write(self) -> None:
        """Send `rows`."""

    def close(self) -> None:
        if self._far:
            self._far.close()
        if not self.epoll.closed:
            self.epoll.close()
            self._timer.close()

    def _lose(self) -> None:
        if self._far:
            self.epoll.unregister(self._far)
            self._far.close()
        self._far, self.los = None, True

    def _receive(self) -> _Packet | None:
        """The next packet; None when there is none and when the far end has gone.

        Who sends another thing is no end of a line and let go: however much it sends, it keeps nobody busy.
        """
        if not self._far:
            return None
        packet = bytearray(_PACKET_OCTETS + 1)
        try:
            length = self._far.recv_into(packet)
        except BlockingIOError:
            return None
        except OSError:
            length = 0
        magic, stepped, sequence = _HEADER.unpack_from(packet)
        if length == _PACKET_OCTETS and magic == _MAGIC:
            octets = np.frombuffer(packet, np.uint8, TIMESLOTS * BLOCK, _HEADER.size)
            return _Packet(stepped, sequence, octets.reshape(TIMESLOTS, BLOCK))
        self._counters.slips += length > 0
        self._lose()
        return None

    def _send(self, stepped: bool, sequence: int) -> bool:
        if not self._far:
            return False
        _HEADER.pack_into(self._packet, 0, _MAGIC, stepped, sequence)
        try:
            self._far.send(self._packet)
        except BlockingIOError:
            self._counters.slips += 1
            return False
        except OSError:
            self._lose()
            return False
        self._counters.blocks_out += 1
        return True


class EndA(End):
    """The end that keeps the clock. `_tick` is the next 10 ms instant of time.monotonic() to yield at."""

    def __init__(
        self, listener: socket.socket, path: str, stepped: bool, faults: Faults, counters: Counters,
    ) -> None:
        super().__init__(faults, counters)
        self._listener, self._path, self._inode = listener, path, os.stat(path).st_ino
        self.epoll.register(listener, select.EPOLLIN)
        self._stepped = stepped
        self._idle_events = select.EPOLLIN if stepped else 0          # a clock makes answers wait
        self._events = self._idle_events
        self._tick: int | None = None
        self._now = 0.0
        self._sequence = 0
        self._prime = False                       # stepped: the first block answers nothing
        self._answered = False                    # the far end has, once
        self._awaited: int | None = None          # sequence number of the block under way
        self._unsent = False                      # ... which never left
        self._sent_at = 0.0
        self._answer: Block | None = None
        if not stepped:
            self._timer.arm(time.monotonic())

    def read(self, now: float) -> Block | None:
        self._now = now
        if not self._far or self._gives_way():
            self._accept()
        if packet := self._receive():
            if packet.sequence == self._awaited:
                self._answer, self._awaited = packet.block, None
                if not self._answered:
                    self._answered = True
                    self.epoll.modify(self._listener, 0)
            else:
                self._counters.slips += 1
        return self._read_stepped() if self._stepped else self._read_timed(now)

    def _read_stepped(self) -> Block | None:
        if self._answer is not None:
            return self._take_answer()
        if self._prime:
            self._prime = False
            return _idle_block()
        return None

    def _read_timed(self, now: float) -> Block | None:
        if self._tick is None:
            self._tick = int(now * BLOCKS_PER_S)
        if now < self._tick / BLOCKS_PER_S:
            return None
        if self._answer is None and self._awaited is not None:
            if now < self._sent_at + LOS_S:
                self._watch(select.EPOLLIN)
                self._timer.arm(self._sent_at + LOS_S)
                return None
            self.los = True
        behind = int(now * BLOCKS_PER_S) - self._tick
        if behind > CATCH_UP_BLOCKS:
            self._counters.slips += behind
            self._tick += behind
        self._tick += 1
        self._watch(self._idle_events)
        self._timer.arm(self._tick / BLOCKS_PER_S)
        return _idle_block() if self._answer is None else self._take_answer()

    def _take_answer(self) -> Block | None:
        block, self._answer = self._answer, None
        self.los = self._far is None
        self._counters.blocks_in += 1
        return block

    def write(self) -> None:
        if not self._far:
            return
        if self._awaited is None:
            self._sent_at = self._now
        elif not self._unsent:
            self._counters.slips += not self.los
            return
        self._prime = False
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        self._awaited = self._sequence
        self._unsent = self._faults.los or not self._send(self._stepped, self._sequence)

    def close(self) -> None:
        self._listener.close()
        path = Path(self._path)
        if path.exists() and path.stat().st_ino == self._inode:
            path.unlink()
        super().close()

    def _gives_way(self) -> bool:
        """Whether the next to come may have the far end's place: it says nothing, so it may be a stranger."""
        if self._stepped:
            return not self._answered
        return self._awaited is not None and self._now >= self._sent_at + LOS_S

    def _accept(self) -> None:
        try:
            far, _ = self._listener.accept()
        except OSError:                           # nobody there, or gone again
            return
        if self._far:
            self._lose()
        self._far = far
        self._far.setblocking(False)
        self._events = self._idle_events
        self.epoll.register(self._far, self._events)
        self.epoll.modify(self._listener, select.EPOLLIN if self._stepped else 0)
        self._prime, self._answered = True, False

    def _watch(self, events: int) -> None:
        if self._far and events != self._events:
            self._events = events
            self.epoll.modify(self._far, events)

    def _lose(self) -> None:
        super()._lose()
        self._awaited, self._unsent, self._prime = None, False, False
        self.epoll.modify(self._listener, select.EPOLLIN)


class EndB(End):
    """The end that follows: one block out for each block in."""

    def __init__(self, path: str, faults: Faults, counters: Counters) -> None:
        super().__init__(faults, counters)
        self._path = path
        self._stepped = False                     # as end a says
        self._owed: int | None = None             # sequence number of the block to answer
        self._now = self._heard_at = self._retry_at = time.monotonic()
        self._connect()
        self._timer.arm(self._now + (LOS_S if self._far else RECONNECT_S))

    def read(self, now: float) -> Block | None:
        self._now = now
        if not self._far and now >= self._retry_at:
            self._connect()
        if packet := self._receive():
            self._stepped, self._owed, block = packet
            self._heard_at, self.los = now, False
            self._counters.blocks_in += 1
            return block
        if not self._far:
            self._timer.arm(self._retry_at)
        elif now < self._heard_at + LOS_S:
            self._timer.arm(self._heard_at + LOS_S)
        else:
            self._timer.arm(now + LOS_S)
            if not self._stepped:
                self._be_silent()
        return None

    def _be_silent(self) -> None:
        self.los = True
        if self._owed is not None:                # nobody answered: both ends would wait for ever
            self.rows[:] = _idle_block()
            self.write()

    def write(self) -> None:
        if self._owed is None:
            self._counters.slips += not self.los
        elif not self._faults.los and self._send(self._stepped, self._owed):
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
            self.epoll.register(far, select.EPOLLIN)

    def _lose(self) -> None:
        super()._lose()
        self._owed = None
        self._retry_at = self._now + RECONNECT_S


def listen(url: str, path: str) -> socket.socket:
    """A socket for EndA at `path`, its folder made and a stale one replaced. LineError naming `url`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.setblocking(False)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            _clear_stale(url, path)
        listener.bind(path)
        listener.listen(1)
    except OSError as error:
        listener.close()
        raise LineError(f"{url}: cannot listen at {path}: {error.strerror}") from None
    except LineError:
        listener.close()
        raise
    return listener


def _clear_stale(url: str, path: str) -> None:
    """Remove a socket that nobody listens at. LineError when somebody does, or when it is no socket."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise LineError(f"{url}: {path} is there and is no socket: move it away or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:                   # somebody listens and has callers enough
            pass
    raise LineError(f"{url}: another end a listens at {path}: stop it or choose another path")
