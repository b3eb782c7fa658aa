"""Lines of the log that a far end in trouble could cause with every frame."""
import logging

PERIOD_S = 60.0
MOST = 5                                          # lines in it; the others are counted


class SparingLog:
    """One kind of line of one span: MOST of them a minute, the first one after that says how many were left
    out. All are there at level debug."""

    def __init__(self, log: logging.Logger, level: int, name: str) -> None:
        self._log, self._level, self._name = log, level, name
        self._from, self._said, self._left_out = float("-inf"), 0, 0

    def say(self, line: str, now: float) -> None:
        if now >= self._from + PERIOD_S:
            self._from, self._said = now, 0
        if self._said >= MOST:
            self._left_out += 1
            self._log.debug("%s: %s", self._name, line)
            return
        self._said += 1
        more = f" (and {self._left_out} more like it, not said)" if self._left_out else ""
        self._left_out = 0
        self._log.log(self._level, "%s: %s%s", self._name, line, more)
