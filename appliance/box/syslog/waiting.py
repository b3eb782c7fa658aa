"""Messages that wait for their server: so many, then the oldest go, and how many is told. Pure."""

from collections import deque

from appliance.box.syslog.message import MOST_NUMBER, Box, TimeQuality, message
from appliance.bus.messages import LogLine
from appliance.bus.messages.logs import LOG_LEVELS, LogLevel


class Waiting:
    """Of one server. Numbers count what was written to it or lost: a gap is a loss.

    What says how many are lost has the number of the last of them, and comes before what is left.
    """

    def __init__(self, most: int, level: LogLevel, facility: str, box: Box, most_octets: int) -> None:
        self._least, self._facility, self._box, self._octets = (
            LOG_LEVELS.index(level), facility, box, most_octets)
        self._lines: deque[tuple[int, LogLine]] = deque()
        self._most, self._number = most, 0
        self.lost = 0                             # since somebody was told
        self._last_lost = self._telling = 0       # its number; how many of the lost first() tells

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: LogLine) -> None:
        """When the server wants to have it."""
        if LOG_LEVELS.index(line.level) < self._least:
            return
        self._number = self._number % MOST_NUMBER + 1
        if len(self._lines) >= self._most:
            self._last_lost, _ = self._lines.popleft()
            self.lost += 1
        self._lines.append((self._number, line))

    def first(self, quality: TimeQuality | None) -> tuple[int, bytes] | None:
        """The oldest, which stays until it is done()."""
        if not self._lines:
            return None
        number, line = self._lines[0]
        self._telling = self.lost
        if self._telling:
            number, line = self._last_lost, LogLine(
                at=line.at, program="boxd", level="warning", place="",
                text=f"syslog: {self._telling} lines before this one are lost: the server was away too long "
                     "or is too slow")
        return number, message(line, self._facility, self._box, quality, number, self._octets)

    def done(self, number: int) -> None:
        """It was written."""
        if self._telling:
            self.lost, self._telling = self.lost - self._telling, 0
        elif self._lines and self._lines[0][0] == number:
            self._lines.popleft()
        else:                                     # it had to make room while it was written: it is not lost
            self.lost -= 1
