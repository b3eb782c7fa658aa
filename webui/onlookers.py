"""Live pages that several people see alike, all of them in one thread: what is new is handed to each without
waiting for anybody.

The web server gives a socket away when its request is answered (server.py, TAKE). Of who reads slowly one
message waits and no more: when it has gone he gets what is new since what he has.
"""

import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from webui.broadcast import Group, Make, Version
from webui.live_page import AGAIN, STILL_HERE, Page, event
from webui.mirror import Mirror

SILENCE_S = 10.0                                  # who takes nothing for so long is let go
ENDED_S = 3.0                                     # for the thread to say the last words
LAST = b"0\r\n\r\n"                               # the last chunk: RFC 9112 7.1

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Onlooker:
    """`make` gives the fragments, in `context`, that of his request. `released` when it is over."""

    sock: socket.socket
    key: Hashable                                 # all that the fragments depend on
    new: Callable[[], Group]                      # the group of this key, when there is none
    page: Page
    make: Make
    context: Context
    chunked: bool                                 # he speaks HTTP/1.1
    released: Callable[[], None]
    told: Version | None = None
    out: bytes = b""                              # what waits until he takes it
    moved_at: float = 0.0                         # when he took something


@dataclass(eq=False, slots=True)
class _Crowd:
    group: Group
    onlookers: dict[Onlooker, None] = field(default_factory=dict)    # in the order in which they came


class Onlookers:
    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False
        self._arrived: deque[Onlooker] = deque()
        self._crowds: dict[Hashable, _Crowd] = {}
        self._there: dict[Onlooker, _Crowd] = {}
        self._said: dict[tuple[bool | bytes, ...], bytes] = {}   # what is said in this turn, in octets
        self._rung = False
        self._deaf = True                         # whatever happens, it is known that something has

    def __len__(self) -> int:
        """Groups that somebody looks at."""
        return len(self._crowds)

    # --- from other threads

    def take(self, onlooker: Onlooker) -> None:
        """Whose request is answered."""
        onlooker.sock.setblocking(False)
        onlooker.moved_at = time.monotonic()
        with self._lock:
            if not self._ended:
                if self._thread is None:
                    self._begin()
                self._arrived.append(onlooker)
                self._ring()
                return
        _let_go(onlooker)

    def stop(self) -> None:
        """When the mirror is closed: returns when all have been let go."""
        if self._thread is not None:
            self._thread.join(ENDED_S)

    def _begin(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self._mirror.tell(self._heard)
        self._thread = threading.Thread(target=self._run, name="live pages", daemon=True)
        self._thread.start()

    def _heard(self, more_than_numbers: bool) -> None:
        """From the thread of the bus: the floor is another, or the mirror is closed."""
        if self._mirror.closed.is_set():
            self._ring()
        elif not self._deaf and not self._rung and (more_than_numbers or self._numbers):
            self._rung = True
            self._ring()

    def _ring(self) -> None:
        with suppress(OSError):                   # it is awake, or has ended
            self._bell.send(b"!")

    @property
    def _numbers(self) -> bool:
        return any(crowd.group.numbers for crowd in list(self._crowds.values()))

    # --- the thread of all of them

    def _run(self) -> None:
        while not self._mirror.closed.is_set():
            for key, events in self._selector.select(self._left_s()):
                if key.data is None:
                    self._rung = False
                    with suppress(BlockingIOError):
                        self._ear.recv(4096)
                else:
                    self._alone(key.data, self._ready, events)
            self._said.clear()
            while self._arrived:
                self._alone(self._arrived.popleft(), self._admit)
            self._publish()
            self._tend()
        with self._lock:
            self._ended = True
        for onlooker in list(self._there):
            self._alone(onlooker, self._end)
        for onlooker in self._arrived:
            _let_go(onlooker)
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _left_s(self) -> float | None:
        """Until something is to be done unless something happens."""
        dues = [crowd.group.due for crowd in self._crowds.values()]
        dues += [one.moved_at + SILENCE_S if one.out else one.page.due for one in self._there]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _admit(self, onlooker: Onlooker) -> None:
        crowd = self._crowds.get(onlooker.key)
        if crowd is None:
            crowd = self._crowds[onlooker.key] = _Crowd(onlooker.new())
        crowd.onlookers[onlooker] = None
        self._there[onlooker] = crowd
        self._selector.register(onlooker.sock, selectors.EVENT_READ, onlooker)
        self._send(onlooker, _octets(AGAIN, onlooker.chunked))
        if len(crowd.onlookers) == 1:             # of the floor as it is
            onlooker.context.run(crowd.group.make, onlooker.make, time.monotonic())

    def _publish(self) -> None:
        self._deaf = False                        # what happens from here on may be seen by none
        for crowd in list(self._crowds.values()):
            now = time.monotonic()
            crowd.group.look(now)
            if crowd.group.due <= now:
                self._make(crowd)
        self._deaf = all(crowd.group.changed_at is not None for crowd in self._crowds.values())

    def _make(self, crowd: _Crowd) -> None:
        """In the name of one of them: whom it fails for is let go."""
        before = crowd.group.version
        for onlooker in list(crowd.onlookers):
            if self._alone(onlooker, self._make_for, crowd.group):
                break
        if (version := crowd.group.version) is not before:
            for onlooker in list(crowd.onlookers):
                if not onlooker.out and onlooker.told is not None:   # who has come just now gets all at once
                    self._alone(onlooker, self._show, version)

    def _make_for(self, onlooker: Onlooker, group: Group) -> None:
        onlooker.context.run(group.make, onlooker.make, time.monotonic())

    def _show(self, onlooker: Onlooker, version: Version) -> None:
        onlooker.told = version
        self._say(onlooker, onlooker.page.news(version, time.monotonic()))

    def _tend(self) -> None:
        """What is of one page alone: of one after the other, while nothing is due that many see."""
        for onlooker, crowd in list(self._there.items()):
            now = time.monotonic()
            if onlooker.out:
                if now - onlooker.moved_at >= SILENCE_S:
                    self._drop(onlooker)
            elif onlooker.page.due <= now or onlooker.told is not crowd.group.version:
                self._alone(onlooker, self._tell, crowd.group.version, now)
                if min((one.group.due for one in self._crowds.values()), default=now) <= time.monotonic():
                    return

    def _tell(self, onlooker: Onlooker, version: Version, now: float) -> None:
        own = onlooker.context.run(onlooker.page.own, now)
        if own is None:
            self._end(onlooker)
            return
        onlooker.told = version
        self._say(onlooker, onlooker.page.news(version, now), own)
        if onlooker.page.silent(now):
            self._send(onlooker, _octets(STILL_HERE, onlooker.chunked))

    def _say(self, onlooker: Onlooker, *said: bytes) -> None:
        if any(said):
            if (octets := self._said.get((onlooker.chunked, *said))) is None:
                octets = self._said[onlooker.chunked, *said] = _octets(event(*said), onlooker.chunked)
            self._send(onlooker, octets)

    def _send(self, onlooker: Onlooker, octets: bytes) -> None:
        onlooker.out += octets
        self._flush(onlooker)

    def _flush(self, onlooker: Onlooker) -> None:
        waited = bool(onlooker.out)
        try:
            while onlooker.out:
                sent = onlooker.sock.send(onlooker.out)
                onlooker.out = onlooker.out[sent:]
                onlooker.moved_at = time.monotonic()
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if onlooker.out else 0)
        if waited and self._selector.get_key(onlooker.sock).events != wanted:
            self._selector.modify(onlooker.sock, wanted, onlooker)

    def _ready(self, onlooker: Onlooker, events: int) -> None:
        if onlooker not in self._there:           # let go in this turn
            return
        if events & selectors.EVENT_WRITE:
            self._flush(onlooker)
        if events & selectors.EVENT_READ:
            with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                onlooker.sock.recv(1024)          # he has gone; or he speaks, where there is nothing to say
                self._drop(onlooker)

    def _alone(self, onlooker: Onlooker, act: Callable[..., None], *given: Any) -> bool:
        """Whatever becomes of one of them, the others go on. False: this one is let go."""
        try:
            act(onlooker, *given)
        except OSError:                           # he has gone
            self._drop(onlooker)
            return False
        except Exception:
            log.exception("a live page is let go")
            self._drop(onlooker)
            return False
        return True

    def _end(self, onlooker: Onlooker) -> None:
        if onlooker.chunked and not onlooker.out:
            self._send(onlooker, LAST)
        self._drop(onlooker)

    def _drop(self, onlooker: Onlooker) -> None:
        if (crowd := self._there.pop(onlooker, None)) is None:
            return
        del crowd.onlookers[onlooker]
        if not crowd.onlookers:
            del self._crowds[onlooker.key]
        with suppress(KeyError, ValueError):
            self._selector.unregister(onlooker.sock)
        _let_go(onlooker)


def _let_go(onlooker: Onlooker) -> None:
    with suppress(OSError):
        onlooker.sock.shutdown(socket.SHUT_RDWR)
    onlooker.sock.close()
    onlooker.released()


def _octets(said: bytes, chunked: bool) -> bytes:
    """As they go onto the line."""
    return b"%x\r\n%b\r\n" % (len(said), said) if chunked else said
