"""Tests of a line that boxd runs for people: begun, steered, kept."""

from typing import Any, ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

KINDS = ("bert", "loop", "verdict", "detect")
PATTERNS = ("prbs15", "prbs11", "qrss", "ones", "alternating")      # e1_driver.testing.prbs.NAMES
LOOPS = ("line", "payload")                       # toward the far end
LONGEST_S = 86_400.0
MOST_INJECTED = 10_000

Texts = dict[str, str]                            # by language


class LineTestOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done. Of a verdict `for_s` is how long each step looks; a detection ends when all is
    found, or then."""

    kind: str                                     # one of KINDS
    for_s: float
    pattern: str = "prbs15"                       # bert: one of PATTERNS
    timeslots: str = "1-31"                       # bert
    inject: int = 0                               # bert: single errors, which must be counted
    itself: bool = False                          # bert: over the box's own loop
    loop: str = "line"                            # loop: one of LOOPS
    plugs: bool = False                           # verdict: somebody is there to put a loop plug in
    site: str = ""                                # verdict: what the line is, for the report


class LineTest(msgspec.Struct, frozen=True, kw_only=True):
    """One test. state: borrowing, running, asking (`ask` is what somebody has to do), ended."""

    test: str
    span: str
    order: LineTestOrder
    by: str
    began_at: float
    state: str
    # clean, errors, no-pattern (bert); done (loop); us, cable, telco, far end, nothing wrong, cannot say
    # (verdict); found, line-down, looped, silent (detect); stopped, failed, broken-off (boxd was ended); ""
    # while it goes on
    outcome: str = ""
    ended_at: float = 0.0
    trouble: str = ""                             # failed: why
    step: Texts = msgspec.field(default_factory=dict)            # of a verdict
    ask: Texts = msgspec.field(default_factory=dict)
    passed_s: float = 0.0                         # of the test, of a verdict's step
    of_s: float = 0.0
    figures: dict[str, float] = msgspec.field(default_factory=dict)  # bert: in_sync, bits, errors, slips
    papers: dict[str, str] = msgspec.field(default_factory=dict)     # a verdict's PDF by language: its path


class LineTestState(Event, frozen=True):
    """Said on change, and once a second while it runs."""

    owner: ClassVar[str] = "boxd"
    test: LineTest


class LineTestReply(Reply, frozen=True):
    """`facts`: as `e1ctl --json` has them, a verdict's texts in both languages; empty: there are none."""

    test: LineTest
    facts: dict[str, Any]


class LineTests(Reply, frozen=True):
    tests: list[LineTest]                         # newest first


class GetLineTests(Request[LineTests], frozen=True):
    """Those of `span` that are kept, the running one too; "": those that run, of all spans."""

    owner: ClassVar[str] = "boxd"
    span: str = ""


class GetLineTest(Request[LineTestReply], frozen=True):
    owner: ClassVar[str] = "boxd"
    test: str


class BeginLineTest(Request[LineTestReply], frozen=True):
    """Refused: no such span, calls are on it, it is under test, or the order cannot be."""

    owner: ClassVar[str] = "boxd"
    span: str
    order: LineTestOrder
    by: str


class SteerLineTest(Request[Done], frozen=True):
    """`word`: done or skip, to what is asked; stop."""

    owner: ClassVar[str] = "boxd"
    test: str
    word: str
