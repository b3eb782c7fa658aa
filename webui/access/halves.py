"""What waits between two requests of one browser: half a sign-in, a question to a security key. In memory."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from webui.users import User

HALF_S = 300.0                                    # then the password is asked for again
ASKED_S = 600.0                                   # in which a security key answers
HALVES = 1000                                     # of all people; the oldest goes

T = TypeVar("T")


class Waiting(Generic[T]):
    """What waits for the next request of a browser, by a secret that only this browser has; in memory.

    A restart forgets it: then the password is given once more.
    """

    def __init__(self, for_s: float, most: int) -> None:
        self._for_s, self._most = for_s, most
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, what: T, now: float) -> str:
        """The secret under which it is found."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._kept[token] = (now + self._for_s, what)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return token

    def find(self, token: str, now: float) -> T | None:
        with self._lock:
            ends_at, what = self._kept.get(token, (0.0, None))
            return what if now < ends_at else None

    def take(self, token: str, now: float) -> T | None:
        """The same, once."""
        with self._lock:
            ends_at, what = self._kept.pop(token, (0.0, None))
            return what if now < ends_at else None


@dataclass(frozen=True, slots=True)
class Half:
    """Who gave the right password. `browser`: what is known of where; it has to stay the same."""

    who: User
    next_page: str
    browser: bytes
