"""A line of the log: how bad it is, what of it may be seen, whether it is wanted. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from appliance.box.support.redact import HIDDEN, masked, unlocked
from appliance.bus.messages import LogLevel, LogLine
from appliance.bus.messages.logs import LOG_LEVELS
from appliance.errors import Unavailable

MOST_TEXT = 2000                                  # characters of a line
SET_BACK_S = 3600.0

_PYTHON: dict[str, LogLevel] = {
    "DEBUG": "debug", "INFO": "info", "WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
_NATS: dict[str, LogLevel] = {
    "[TRC]": "debug", "[DBG]": "debug", "[INF]": "info", "[WRN]": "warning", "[ERR]": "error",
    "[FTL]": "error"}
_WORD = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) |.{0,60}?(\[(?:TRC|DBG|INF|WRN|ERR|FTL)\]) ")
_CUT_USER = re.compile(r"(://)[^/?#\s@]*\Z")
_OTHERS: dict[str, LogLevel] = {                  # what the launcher says of a program
    "starts again in": "warning", "does not stop within": "warning", "cannot be started": "error"}


class TooLong(Unavailable):
    """Looking took its time; what was found until then is good."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as it was found. priority: syslog's, None: it came through a pipe, as daemons' own lines do."""

    at: float
    program: str
    text: str
    place: str
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; times are Unix seconds, 0: no limit."""

    programs: frozenset[str] = frozenset()        # empty: all
    level: LogLevel = "debug"
    text: str = ""
    since: float = 0.0
    until: float = 0.0
    _least: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_least", LOG_LEVELS.index(self.level))

    def may_have(self, raw: Raw) -> bool:
        """As far as can be told without what is shown of it, which takes its time."""
        return ((not self.programs or raw.program in self.programs)
                and (not self.since or raw.at >= self.since) and (not self.until or raw.at < self.until)
                and LOG_LEVELS.index(level(raw.text, raw.priority)) >= self._least)

    def has(self, line: LogLine) -> bool:
        """Of a line that it may have, as it is shown: nobody finds out by seeking what is not shown."""
        return not self.text or self.text.casefold() in line.text.casefold()


def level(text: str, priority: int | None) -> LogLevel:
    """What a program says beside its log, as it dies say, is an error."""
    if found := _WORD.match(text):
        return _PYTHON[found[1]] if found[1] else _NATS[found[2]]
    if priority is not None:
        return "error" if priority <= 3 else "warning" if priority == 4 else (
            "debug" if priority == 7 else "info")
    return next((known for part, known in _OTHERS.items() if part in text), "error")


def shown(text: str) -> str:
    """One line of bounded length, without secrets, numbers without all but their last digits, and without
    what a screen would obey or show the other way round."""
    text, cut = unlocked(text[:2 * MOST_TEXT]), len(text) >= MOST_TEXT
    if cut:                                       # here or where it was kept: perhaps before the @
        text = _CUT_USER.sub(rf"\1{HIDDEN}", text)
    text = masked(text)[:MOST_TEXT]
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def line(raw: Raw) -> LogLine:
    return LogLine(at=raw.at, program=raw.program, level=level(raw.text, raw.priority),
                   text=shown(raw.text), place=raw.place)


@dataclass(slots=True)
class Found:
    """`ended`: all was looked at; else `place` is where looking stopped."""

    lines: list[LogLine] = field(default_factory=list)
    place: str = ""
    newest: str = ""
    ended: bool = False


def find(raws: Iterable[Raw], wanted: Wanted, most: int, most_looked: int, most_octets: int,
         is_late: Callable[[], bool] = lambda: False) -> Found:
    """The first of `raws`, newest first, that are wanted, as far as it comes before it is late."""
    found, octets = Found(), 0
    try:
        for looked, raw in enumerate(_until(raws, wanted), 1):
            found.place, found.newest = raw.place, found.newest or raw.place
            if wanted.may_have(raw) and wanted.has(one := line(raw)):
                found.lines.append(one)
                octets += len(one.text.encode()) + 100
            if (len(found.lines) >= most or looked >= most_looked or octets >= most_octets
                    or is_late()):
                return found
    except TooLong:
        if not found.place:
            raise
        return found
    found.ended = True
    return found


def _until(raws: Iterable[Raw], wanted: Wanted) -> Iterator[Raw]:
    """Not those of an hour before `since`: lines are in order but for a clock that was set."""
    for raw in raws:
        if wanted.since and raw.at < wanted.since - SET_BACK_S:
            return
        yield raw
