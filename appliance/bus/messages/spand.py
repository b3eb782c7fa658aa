"""What spand says and is asked of its lines and its clock, and of how well audio keeps time."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Reloaded, Reply, Request
from e1_driver.watch.performance import Second


class SpanState(Event, frozen=True):
    """One span's line. Said on change and once a second."""

    owner: ClassVar[str] = "spand"
    span: str
    up: bool
    alarms: list[str]
    counters: dict[str, int]                      # e1_driver.Counters
    at: float
    loop: str = "none"                            # e1_driver.Loop: the one that stands
    crc4: bool | None = None                      # the far end sends CRC-4 multiframes; None: cannot tell yet
    clock: str = "line"                           # e1_driver.Clock: "line" may be the box's clock source
    untold: list[str] = msgspec.field(default_factory=list)          # alarms, counters this kind cannot tell
    trouble: str = ""                             # why the device is away
    level_db: int | None = None                   # received; None: no signal, or cannot tell
    liu_faults: list[str] | None = None           # e1_driver.LiuFault of our pair; None: can tell neither
    lent: bool = False                            # given away for tests: nothing is known of the line


class SpanSecond(Event, frozen=True):
    """One second of a line, as performance figures are made of."""

    owner: ClassVar[str] = "spand"
    span: str
    second: Second
    source: str                                   # the span whose clock the box followed; "": its own


class ClockState(Event, frozen=True):
    """Whose clock the box follows. Said when it changes."""

    owner: ClassVar[str] = "spand"
    source: str | None                            # a span; None: hold-over, the box's own
    why: str
    at: float


class SpanList(Reply, frozen=True):
    spans: list[SpanState]
    clock: ClockState | None = None


class GetSpans(Request[SpanList], frozen=True):
    owner: ClassVar[str] = "spand"


class SpanSeconds(Reply, frozen=True):
    seconds: list[SpanSecond]


class GetSpanSeconds(Request[SpanSeconds], frozen=True):
    """Those of `span` from `since` on, as far as they are kept: a quarter of an hour."""

    owner: ClassVar[str] = "spand"
    span: str
    since: int                                    # unix second


class LendSpan(Request[Done], frozen=True):
    """Give the line's device up for at most `for_s`, for tests; again: for so long from now on.

    Refused while a call is on it, or it is lent to another `borrower`.
    """

    owner: ClassVar[str] = "spand"
    span: str
    borrower: str                                 # a random name of these tests
    for_s: float


class TakeSpanBack(Request[Done], frozen=True):
    """The tests of `borrower` are over; nothing when the span is not lent to it."""

    owner: ClassVar[str] = "spand"
    span: str
    borrower: str


class Media(Reply, frozen=True):
    """Counters since spand began, by name."""

    box: dict[str, float]
    spans: dict[str, dict[str, float]]
    legs: dict[str, dict[str, float]]             # RTP legs


class GetMedia(Request[Media], frozen=True):
    """How well audio keeps time: late ticks, underruns, slips, jitter, concealed frames."""

    owner: ClassVar[str] = "spand"


class ReloadSpans(Request[Reloaded], frozen=True):
    """As ReloadTrunks, for the lines: one whose `url` is another is closed and opened there. Refused: a call
    is on it."""

    owner: ClassVar[str] = "spand"
    check: bool = False
    candidate: bool = False
