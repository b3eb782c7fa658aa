"""How fast an archive is sent to, and when it may be."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta


class Stopped(BaseException):
    """recordd stops: the push goes on from here after its start. No library takes it for a failed request."""


class Pace:
    """At most so many kbit/s, on average of what was sent since. `monotonic` in seconds."""

    def __init__(self, most_kbit_s: float | None, stopping: threading.Event,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self._octets_s = None if most_kbit_s is None else most_kbit_s * 125
        self._stopping, self._monotonic = stopping, monotonic
        self._free_at = monotonic()

    def take(self, octets: int) -> None:
        """Wait until they may go. Stopped."""
        wait_s = self.wait_s(octets)
        if self._stopping.wait(wait_s) if wait_s > 0 else self._stopping.is_set():
            raise Stopped

    def wait_s(self, octets: int) -> float:
        if self._octets_s is None:
            return 0.0
        now = self._monotonic()
        start = max(now, self._free_at)
        self._free_at = start + octets / self._octets_s
        return start - now


def opens_at(hours: str | None, now: float) -> float:
    """`now` inside the hours, else when they begin, in local time."""
    if hours is None:
        return now
    moment = datetime.fromtimestamp(now)
    begin, end = (moment.replace(hour=int(text[:2]), minute=int(text[3:]), second=0, microsecond=0)
                  for text in hours.split("-"))
    inside = begin <= moment < end if begin < end else moment >= begin or moment < end
    if inside:
        return now
    return (begin if begin > moment else begin + timedelta(days=1)).timestamp()
