"""Slows down who guesses passwords. Knows keys and times only; the clock is an argument."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

FREE = 5                                          # attempts before the first wait
FORGET_S = 3600.0


@dataclass(slots=True)
class _Tries:
    count: int
    last: float


class Throttle:
    """After FREE attempts the next one waits `first_s`, each further one twice as long, `longest_s` at most.

    Remembers `size` keys; the one that was quiet longest goes first.
    """

    def __init__(self, longest_s: float, size: int = 10_000, first_s: float = 1.0) -> None:
        self._longest_s, self._size, self._first_s = longest_s, size, first_s
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tries)

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may try again, 0 when it may now."""
        with self._lock:
            return self._wait_s(self._tries.get(key), now)

    def attempt(self, key: str, now: float) -> None:
        """Count an attempt before its outcome is known, so that attempts at the same time all count."""
        with self._lock:
            tries = self._tries.pop(key, None)
            if tries is None or now - tries.last > FORGET_S:
                tries = _Tries(0, now)
            self._tries[key] = _Tries(tries.count + 1, now)
            if len(self._tries) > self._size:
                self._tries.popitem(last=False)

    def passed(self, key: str) -> None:
        with self._lock:
            self._tries.pop(key, None)

    def _wait_s(self, tries: _Tries | None, now: float) -> float:
        if tries is None or tries.count < FREE or now - tries.last > FORGET_S:
            return 0.0
        pause_s = min(self._longest_s, self._first_s * 2.0 ** min(tries.count - FREE, 30))
        return max(0.0, tries.last + pause_s - now)


class AtHome:
    """From which addresses somebody has signed in; the `size` that did so last."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._pairs: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, name: str, address: str) -> bool:
        return (name, address) in self._pairs

    def remember(self, name: str, address: str) -> None:
        with self._lock:
            self._pairs[name, address] = None
            self._pairs.move_to_end((name, address))
            if len(self._pairs) > self._size:
                self._pairs.popitem(last=False)
