"""A span that is kept open: whatever happens to its device, it is an alarm and comes back by itself."""

import logging
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from e1_driver import Abilities, Alarm, Block, Counters, LineError, LineStatus, Loop, Span, open_span
from e1_driver.timerfd import Timer

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 8.0                                # a cable put back is noticed within this
_NEVER_S = float(2**40)

_AWAY = LineStatus(frozenset({Alarm.LOS}))
_UNKNOWN = Abilities(frozenset({Alarm.LOS}), frozenset())

T = TypeVar("T")
log = logging.getLogger(__name__)


class KeptSpan(Span):
    """The span of `url`: no method raises LineError. While its device is away it has LOS and gives no block.

    Opened anew after 0.5, 1, 2, 4 and then every 8 s, when what it was is closed. Both are done in threads of
    their own, so that a device that does not answer, or takes its time to send what it has, keeps nobody
    waiting but him who calls close(). `say` gets a sentence when it goes, and when the reason changes.
    Counters go on over the absences. ValueError, from the constructor only: the URL is wrong.
    """

    def __init__(self, url: str, say: Callable[[str], None] = log.warning) -> None:
        self._url, self._say = url, say
        self._said = ""
        self._span: Span | None = None
        self._abilities = _UNKNOWN                # of the last that was open
        self._before: Counters | None = None      # of those that were lost
        self._retry_s, self._retry_at = FIRST_RETRY_S, time.monotonic()
        self._opener: _Opener | None = None
        self._leaving: list[threading.Thread] = []        # they close a device, or will
        self._lent = False
        self._seen: frozenset[Alarm] = frozenset()
        self._epoll = select.epoll()
        self._timer = Timer()
        self._epoll.register(self._timer, select.EPOLLIN)
        self._opened = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._opened, select.EPOLLIN)
        try:
            self._take(open_span(url))
        except LineError as error:
            self._failed(error, time.monotonic())
        except ValueError:
            self.close()
            raise

    @property
    def away(self) -> bool:
        """Whether there is no device behind it just now."""
        return self._span is None

    @property
    def trouble(self) -> str:
        """Why it is away, empty when it is not."""
        return self._said if self._span is None else ""

    @property
    def released(self) -> bool:
        """Whether every device that was let go is closed by now: after lend(), that another may open it."""
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        return not self._leaving

    @property
    def abilities(self) -> Abilities:
        """Of the device; those of the last one while it is away."""
        return self._abilities

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self, now: float) -> Block | None:
        if self._span is None:
            self._try_again(now)
            if self._span is None:
                return None
        try:                                      # as _guarded() does, which is too dear for each block
            block = self._span.read(now)
            if block is not None:
                self._retry_s, self._said = FIRST_RETRY_S, ""
                if alarms := self._span.status().alarms:
                    self._seen |= alarms
        except LineError as error:
            self._lost(error, now)
            return None
        return block

    def seen(self) -> LineStatus:
        """The status, with every alarm that stood at the end of a block since the last call."""
        status = self.status()
        seen, self._seen = self._seen | status.alarms, frozenset()
        return replace(status, alarms=seen)

    def write(self, block: Block) -> None:
        if self._span is not None:
            try:
                self._span.write(block)
            except LineError as error:
                self._lost(error, time.monotonic())

    def send_frame(self, frame: bytes) -> bool:
        return self._guarded(lambda span: span.send_frame(frame), False)

    def receive_frames(self) -> list[bytes]:
        if self._span is None:
            return []
        try:                                      # as in read()
            return self._span.receive_frames()
        except LineError as error:
            self._lost(error, time.monotonic())
            return []

    def status(self) -> LineStatus:
        return self._guarded(lambda span: span.status(), _AWAY)

    def counters(self) -> Counters:
        before = self._before
        if before is None:
            return self._guarded(lambda span: span.counters(), Counters())
        return self._guarded(lambda span: _sum(before, span.counters()), before)

    def loop(self, loop: Loop) -> None:
        """ValueError also while the device is away. A loop ends with the device."""
        if self._span is None and loop is not Loop.NONE:
            raise ValueError(f"loop {loop}: {self._url} is away: {self._said}")
        self._guarded(lambda span: span.loop(loop), None)

    def close(self) -> None:
        if self._epoll.closed:
            return
        self._forget_opener()
        if self._span:
            self._span.close()
        self._span = None
        self._epoll.close()
        self._timer.close()
        os.close(self._opened)

    def lend(self, why: str) -> None:
        """Close the device, and leave it alone until take_back(). Another may open it when `released`."""
        self._forget_opener()
        self._lent, self._said = True, why
        self._drop()
        self._timer.arm(_NEVER_S)

    def take_back(self, now: float) -> None:
        """Open the device again as soon as it is free."""
        if self._lent:
            self._lent, self._retry_s, self._retry_at = False, FIRST_RETRY_S, now
            self._timer.arm(now)

    def move(self, url: str, now: float) -> None:
        """From now on it is the span of this URL: the device is closed, and that one is opened."""
        self._forget_opener()
        self._url, self._said = url, f"{url}: is being opened"
        self._drop()
        if not self._lent:
            self._retry_s, self._retry_at = FIRST_RETRY_S, now
            self._timer.arm(now)

    def _take(self, span: Span) -> None:
        self._span, self._abilities = span, span.abilities
        self._epoll.register(span.fileno(), select.EPOLLIN)

    def _try_again(self, now: float) -> None:
        if self._lent:
            return
        if self._opener is None:
            if now >= self._retry_at and not self._epoll.closed:
                self._timer.arm(_NEVER_S)          # it stays readable until then
                self._opener = _Opener(self._url, self._opened, self._leaving)
            return
        if not self._opener.done:
            return
        result, self._opener = self._opener.result, None
        os.eventfd_read(self._opened)
        if isinstance(result, Span):
            self._take(result)
        else:
            self._failed(result, now)

    def _guarded(self, act: Callable[[Span], T], otherwise: T) -> T:
        if self._span is None:
            return otherwise
        try:
            return act(self._span)
        except LineError as error:
            self._lost(error, time.monotonic())
            return otherwise

    def _lost(self, error: LineError, now: float) -> None:
        self._drop()
        self._failed(error, now)

    def _drop(self) -> None:
        if self._span is None:
            return
        self._before = _sum(self._before or Counters(), self._span.counters())
        self._epoll.unregister(self._span.fileno())
        self._leave(self._span)
        self._span = None

    def _forget_opener(self) -> None:
        if self._opener is None:
            return
        opener, self._opener = self._opener, None
        if not opener.forget():
            self._leaving.append(opener.thread)
            return
        os.eventfd_read(self._opened)
        if isinstance(opener.result, Span):
            self._leave(opener.result)

    def _leave(self, span: Span) -> None:
        thread = threading.Thread(target=_close, args=(self._url, span), name="close span", daemon=True)
        thread.start()
        self._leaving.append(thread)

    def _failed(self, error: Exception, now: float) -> None:
        self._retry_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        self._timer.arm(self._retry_at)
        if str(error) != self._said:
            self._said = str(error)
            self._say(f"{error}; tried again by itself")


def _close(url: str, span: Span) -> None:
    try:
        span.close()
    except Exception:                             # whatever it is, this thread is the last to hear of it
        log.exception("%s: cannot close it", url)


class _Opener:
    """Opens in a thread when those of `before` have ended; `done` is set when `result` is there, and `wake`
    is made readable.
    """

    def __init__(self, url: str, wake: int, before: Sequence[threading.Thread]) -> None:
        self.result: Span | Exception = LineError(f"{url}: not opened")
        self._url, self._before = url, tuple(before)
        self._wake = os.dup(wake)                 # the owner may be closed before we are done
        self._lock = threading.Lock()
        self._done = self._forgotten = False
        self.thread = threading.Thread(target=self._open, name="open span", daemon=True)
        self.thread.start()

    @property
    def done(self) -> bool:
        with self._lock:
            return self._done

    def forget(self) -> bool:
        """False: what will be opened is closed by the thread. True: it is done, `result` is the caller's."""
        with self._lock:
            self._forgotten = True
            return self._done

    def _open(self) -> None:
        for thread in self._before:
            thread.join()
        result = self._result()
        with self._lock:
            self.result, self._done, forgotten = result, True, self._forgotten
            if not forgotten:
                os.eventfd_write(self._wake, 1)
        os.close(self._wake)
        if forgotten and isinstance(result, Span):
            _close(self._url, result)

    def _result(self) -> Span | Exception:
        if self._forgotten:
            return self.result
        try:
            return open_span(self._url)
        except (LineError, ValueError, OSError) as error:
            return error
        except Exception as error:                # or the span were away for ever without a word
            return LineError(f"{self._url}: cannot open it: {error!r}")


def _sum(one: Counters, other: Counters) -> Counters:
    return Counters(*(getattr(one, each.name) + getattr(other, each.name) for each in fields(Counters)))
