"""What spand says and is asked: lines, the matrix of timeslots, what is played and recorded."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request
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


class Digit(Event, frozen=True):
    """A DTMF digit heard in-band (Q.23), said once when it ends or has lasted long enough (Q.24)."""

    owner: ClassVar[str] = "spand"
    leg: str
    digit: str                                    # one of 0-9 * # A-D
    at: float


class PlayEnded(Event, frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str
    play: str
    finished: bool                                # False: stopped, replaced or failed
    error: str = ""                               # e.g. a prompt that is not there


class RecordingGap(Event, frozen=True):
    """Audio that was never in the ring: spand was away for `missing_s` while this recording ran."""

    owner: ClassVar[str] = "spand"
    recording: str
    missing_s: float


class BindLeg(Request[Done], frozen=True):
    """trunkd: this leg's audio is that timeslot. Repeated for all legs when spand comes up."""

    owner: ClassVar[str] = "spand"
    leg: str
    span: str
    timeslot: int


class UnbindLeg(Request[Done], frozen=True):
    """trunkd: the leg is gone; its play, bridge and recordings end, the timeslot idles."""

    owner: ClassVar[str] = "spand"
    leg: str


class Play(Request[Done], frozen=True):
    """acdd: play these fragments to the leg in place of what it plays now.

    A fragment is "prompt:NAME" (a file below the prompt folder, without suffix) or "tone:NAME" (E.180, by
    country).
    May come before the leg is bound. A repeat goes on until stopped.
    """

    owner: ClassVar[str] = "spand"
    leg: str
    play: str
    fragments: list[str]
    repeat: bool = False


class StopPlay(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str


class Bridge(Request[Done], frozen=True):
    """acdd: both hear each other, A-law untouched; replaces bridge and play of each. May precede BindLeg."""

    owner: ClassVar[str] = "spand"
    leg_a: str
    leg_b: str


class Unbridge(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str


class StartRecording(Request[Done], frozen=True):
    """acdd: tap what both legs say into the ring. Repeating a running recording's id changes nothing."""

    owner: ClassVar[str] = "spand"
    recording: str                                # 16 octets as 32 hexadecimal digits
    caller_leg: str                               # left
    agent_leg: str                                # right


class StopRecording(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    recording: str


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
