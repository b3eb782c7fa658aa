"""How much of its time the agent takes: never what calls, the console and other subjects need. Pure."""

SHARE, AT_ONCE_S = 0.25, 1.0                      # of one core; and so much together after a rest
_NOTHING_S = 1e-6


class Pace:
    """`now` is any steady clock, seconds."""

    def __init__(self, share: float = SHARE, at_once_s: float = AT_ONCE_S) -> None:
        self._share, self._at_once_s = share, at_once_s
        self._left_s, self._at = at_once_s, 0.0

    def wait_s(self, now: float) -> float:
        """Until something may be done; 0: now."""
        self._fill(now)
        return 0.0 if self._left_s > -_NOTHING_S else -self._left_s / self._share

    def took(self, now: float, seconds: float) -> None:
        """Something was done until `now`."""
        self._fill(now)
        self._left_s -= seconds

    def _fill(self, now: float) -> None:
        self._left_s = min(self._at_once_s, self._left_s + max(0.0, now - self._at) * self._share)
        self._at = now
