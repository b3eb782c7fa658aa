"""What was opened and may be read: a bounded number, for an hour. Any method from any thread."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from appliance.errors import StateError

GOOD_S = 3600.0
MOST = 256                                        # the one that was not read for longest goes


@dataclass(slots=True)
class Opened:
    """One recording, opened by one person. `stack` closes what is held for it."""

    recording: str
    octets: int                                   # of the whole
    read: Callable[[int, int], bytes]             # at, most_octets; one thread at a time
    stack: ExitStack
    good_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Tickets:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, Opened] = OrderedDict()

    def give(self, opened: Opened, now: float) -> str:
        """Its ticket, which cannot be guessed."""
        name, opened.good_until = secrets.token_hex(16), now + GOOD_S
        with self._lock:
            gone = [self._opened.pop(old) for old, one in list(self._opened.items()) if one.good_until <= now]
            self._opened[name] = opened
            while len(self._opened) > MOST:
                gone.append(self._opened.popitem(last=False)[1])
        self._close(gone)
        return name

    def take(self, name: str, now: float) -> Opened:
        """StateError: there is none, or it is over."""
        with self._lock:
            opened = self._opened.get(name)
            if opened is None or opened.good_until <= now:
                raise StateError("no such ticket, or its hour is over: open the recording again")
            self._opened.move_to_end(name)
            return opened

    def forget(self, recording: str) -> None:
        """Nobody reads this one any more."""
        with self._lock:
            gone = [self._opened.pop(name) for name, one in list(self._opened.items())
                    if one.recording == recording]
        self._close(gone)

    def close(self) -> None:
        """Nobody reads anything any more."""
        with self._lock:
            gone = list(self._opened.values())
            self._opened.clear()
        self._close(gone)

    @staticmethod
    def _close(gone: list[Opened]) -> None:
        for one in gone:
            with one.lock:
                one.stack.close()
