"""One live page: what it has, and what it is told beside what several see alike, as notices for its reader.
Times are monotonic."""

import time
from collections.abc import Callable, Sequence

from webui.broadcast import NOTHING, Version
from webui.rendered import Fragment

KEEP_ALIVE_S = 15.0                               # a dead browser is found by then
LOOK_S = 5.0                                      # who signs out elsewhere sees nothing more after it
LIFE_S = 300.0                                    # then the page connects anew

AGAIN = b"retry: 1000\n\n"                        # said first: ms until a browser comes back
STILL_HERE = b": still here\n\n"


def event(*said: bytes) -> bytes:
    """Members of the object of fragments -> an event of the stream; b"": there are none."""
    if not (members := b", ".join(filter(None, said))):
        return b""
    return b'data: {"now": %.3f, "fragments": {%b}}\n\n' % (time.time(), members)


class Page:
    """It is asked for what is its own in the context of its request."""

    def __init__(self, tops: Sequence[Callable[[], Fragment]], turn_s: float, lines: bool,
                 signed_in: Callable[[], bool], now: float) -> None:
        """`tops`: what is its own. `lines`: it understands new lines of a long fragment. `signed_in`: who
        reads is, still."""
        self._tops, self._turn_s, self._lines, self._signed_in = tops, turn_s, lines, signed_in
        self._has = self._has_own = NOTHING
        self._looked_at = self._said_at = self._own_until = now
        self._ends_at = now + LIFE_S
        self._mark: object = None

    @property
    def due(self) -> float:
        """When it is to be asked for what is its own, if not before."""
        return min(self._own_until, self._looked_at + LOOK_S, self._said_at + KEEP_ALIVE_S, self._ends_at)

    def news(self, version: Version, now: float) -> bytes:
        """Of what several see alike, for event()."""
        said, self._has = version.news(self._has, self._lines)
        if said:
            self._said_at = now
        if version.mark != self._mark:
            self._mark, self._own_until = version.mark, now
        return said

    def own(self, now: float) -> bytes | None:
        """Of what is its own, for event(); None: it is over, or who reads has signed out."""
        if now >= self._ends_at:
            return None
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if not self._signed_in():
                return None
        if now < self._own_until:
            return b""
        self._own_until = now + self._turn_s
        said, self._has_own = Version(dict(one() for one in self._tops)).news(self._has_own, self._lines)
        if said:
            self._said_at = now
        return said

    def silent(self, now: float) -> bool:
        """Nothing was said for KEEP_ALIVE_S: STILL_HERE is said now."""
        if now - self._said_at < KEEP_ALIVE_S:
            return False
        self._said_at = now
        return True
