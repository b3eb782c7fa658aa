"""End a of a virtual line: listens at the line's path, keeps the clock."""

import os
import select
import socket
import stat
import time
from pathlib import Path

from e1_driver import Counters, LineError
from e1_driver.backends.faults import Faults
from e1_driver.backends.virtual_ends import CATCH_UP_BLOCKS, LOS_S, Octets, SocketEnd, silence

BLOCKS_PER_S = 100


class _Clock:
    """Instants of time.monotonic(), `ppm` faster than every 10 ms. A change of it moves only later ones."""

    def __init__(self) -> None:
        self._per_s, self._from_s = float(BLOCKS_PER_S), 0.0

    def set_ppm(self, ppm: float, tick: int) -> None:
        if (per_s := BLOCKS_PER_S * (1 + ppm * 1e-6)) != self._per_s:
            self._from_s += tick / self._per_s - tick / per_s
            self._per_s = per_s

    def at(self, tick: int) -> float:
        return self._from_s + tick / self._per_s

    def count(self, now: float) -> int:
        return int((now - self._from_s) * self._per_s)


class EndA(SocketEnd):
    """The end that keeps the clock. `_tick` is the next instant of it to yield at."""

    def __init__(self, url: str, path: str, stepped: bool, faults: Faults, counters: Counters) -> None:
        self._listener = _listen(url, path)
        super().__init__(counters)
        self._faults = faults
        self._path, self._inode = path, os.stat(path).st_ino
        self._epoll.register(self._listener, select.EPOLLIN)
        self._stepped = stepped
        self._idle_events = select.EPOLLIN if stepped else 0          # a clock makes answers wait
        self._events = self._idle_events
        self._clock = _Clock()
        self._tick: int | None = None
        self._now = 0.0
        self._sequence = 0
        self._prime = False                       # stepped: the first block answers nothing
        self._answered = False                    # the far end has, once
        self._awaited: int | None = None          # sequence number of the block under way
        self._unsent = False                      # ... which never left
        self._sent_at = 0.0
        self._answer: Octets | None = None
        if not stepped:
            self._timer.arm(time.monotonic())

    def read(self, now: float) -> Octets | None:
        self._now = now
        if not self._far or self._gives_way():
            self._accept()
        if packet := self._receive():
            if packet.sequence == self._awaited:
                self._answer, self._awaited = packet.octets, None
                if not self._answered:
                    self._answered = True
                    self._epoll.modify(self._listener, 0)
            else:
                self._counters.slips += 1
        return self._read_stepped() if self._stepped else self._read_timed(now)

    def _read_stepped(self) -> Octets | None:
        if self._answer is not None:
            return self._take_answer()
        if self._prime:
            self._prime = False
            return silence()
        return None

    def _read_timed(self, now: float) -> Octets | None:
        clock = self._clock
        if self._tick is None:
            clock.set_ppm(self._faults.ppm, 0)
            self._tick = clock.count(now)
        if now < clock.at(self._tick):
            return None
        if self._answer is None and self._awaited is not None:
            if now < self._sent_at + LOS_S:
                self._watch(select.EPOLLIN)
                self._timer.arm(self._sent_at + LOS_S)
                return None
            self.los = True
        behind = clock.count(now) - self._tick
        if behind > CATCH_UP_BLOCKS:
            self._counters.slips += behind
            self._tick += behind
        clock.set_ppm(self._faults.ppm, self._tick)
        self._tick += 1
        self._watch(self._idle_events)
        self._timer.arm(clock.at(self._tick))
        return silence() if self._answer is None else self._take_answer()

    def _take_answer(self) -> Octets | None:
        octets, self._answer = self._answer, None
        self.los = self._far is None
        self._counters.blocks_in += 1
        return octets

    def write(self, octets: Octets | None) -> None:
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
        self._unsent = octets is None or not self._send(self._stepped, self._sequence, octets)

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
        self._epoll.register(self._far, self._events)
        self._epoll.modify(self._listener, select.EPOLLIN if self._stepped else 0)
        self._prime, self._answered = True, False

    def _watch(self, events: int) -> None:
        if self._far and events != self._events:
            self._events = events
            self._epoll.modify(self._far, events)

    def _lose(self) -> None:
        super()._lose()
        self._awaited, self._unsent, self._prime = None, False, False
        self._epoll.modify(self._listener, select.EPOLLIN)


def _listen(url: str, path: str) -> socket.socket:
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
