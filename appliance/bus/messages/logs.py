"""What the programs of the box wrote to its log: asked of boxd, page by page."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Reply, Request

LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")
MOST_LINES = 500                                  # of one answer
MOST_SOUGHT = 200                                 # characters that are looked for


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line, without secrets, numbers without all but their last digits, nothing that a screen obeys."""

    at: float
    program: str                                  # a daemon, bus, kernel; what else the launcher runs
    level: LogLevel
    text: str
    place: str                                    # of `before` and `after`


class LogLines(Reply, frozen=True):
    """Newest first. `more`: there may be others, from `place` on, which stands where looking ended."""

    lines: list[LogLine]
    more: bool
    place: str
    newest: str                                   # place of the newest that was looked at; "": none was
    programs: list[str]                           # whose lines can be asked for
    source: str                                   # journal, files; "": this box keeps none
    since: float                                  # nothing older is kept; 0: not known


class GetLogs(Request[LogLines], frozen=True):
    """Those of these programs ([]: all), of `level` and worse, with `text` in them. Times are Unix seconds,
    0: no limit. Refused: what cannot be looked for, or the log cannot be read."""

    owner: ClassVar[str] = "boxd"
    programs: list[str] = msgspec.field(default_factory=list)
    level: LogLevel = "debug"
    text: str = ""
    since: float = 0.0
    until: float = 0.0
    before: str = ""                              # a line's place: older than it
    after: str = ""                               # newer than it
    most: int = 200
