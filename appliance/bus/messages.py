"""Every message on the bus, typed. Subjects follow from the class: evt.<owner>.<Class>, req.<owner>.<Class>.

An event is said by its owner and heard by anyone; it carries state where it can, so the newest is enough.
A request is answered by its owner. `at` is Unix time in seconds, `leg` names one party's connection (made by
trunkd for a call that comes in, by acdd for one it dials), `contact` one customer's interaction.
A change that an older daemon cannot read raises PROTOCOL.
"""

from typing import Any, ClassVar, Generic, TypeVar, get_args

import msgspec

from e1_driver.watch.bins import Bin
from e1_driver.watch.performance import Second

PROTOCOL = 1

R = TypeVar("R", bound="Reply")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Anything on the bus. `v` is refused by a receiver of another PROTOCOL."""

    v: int = PROTOCOL


class Event(Message, frozen=True):
    owner: ClassVar[str] = "*"


class Reply(Message, frozen=True):
    """What a request is answered with."""


class Done(Reply, frozen=True):
    """Yes."""


class Request(Message, Generic[R], frozen=True):
    owner: ClassVar[str] = ""

    @classmethod
    def reply_type(cls) -> type[Reply]:
        reply: type[Reply] = get_args(cls.__orig_bases__[0])[0]      # type: ignore[attr-defined]
        return reply


# --- every daemon ---------------------------------------------------------------------------------

class DaemonUp(Event, frozen=True):
    """Said at start and after the bus was away: who needs this daemon's state asks now, or tells it again."""

    daemon: str
    pid: int
    started_at: float


class Heartbeat(Event, frozen=True):
    """Once a second."""

    daemon: str
    pid: int
    started_at: float
    at: float
    rss_octets: int
    cpu_s: float
    facts: dict[str, float] = msgspec.field(default_factory=dict)    # its own figures, units in names


# --- spand ----------------------------------------------------------------------------------------

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
    untold: list[str] = []                        # alarms and counters that this kind of span cannot tell
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


# --- trunkd ---------------------------------------------------------------------------------------

class CallIncoming(Event, frozen=True):
    """A call is offered by the network or a PBX. complete False: digits are still to come (CallDigits)."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    trunk: str
    called: str
    calling: str                                  # "" when withheld or not given
    calling_name: str
    complete: bool
    at: float


class CallDigits(Event, frozen=True):
    """Overlap receiving: `called` is the number so far. complete: Sending complete came, or T302 ran out."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    called: str
    complete: bool


class CallProceeding(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class CallAlerting(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class CallAnswered(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str
    at: float


class CallReleased(Event, frozen=True):
    """The leg is gone, its channel free. `by` is "far" (the other end), "near" (we were asked to), "line"."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    cause: int                                    # Q.850
    by: str
    at: float


class LinkState(Event, frozen=True):
    """Layer 2 of one span."""

    owner: ClassVar[str] = "trunkd"
    span: str
    up: bool
    since: float


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    timeslot: int
    state: str                                    # idle, busy, restarting, out-of-service
    leg: str = ""


class ChannelStates(Event, frozen=True):
    """All B-channels of one span. Said on change."""

    owner: ClassVar[str] = "trunkd"
    span: str
    trunk: str
    link_up: bool
    channels: list[ChannelInfo]


class Proceed(Request[Done], frozen=True):
    """acdd: the number is complete (CALL PROCEEDING). Harmless when it was said already."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class Alert(Request[Done], frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class Answer(Request[Done], frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class Hangup(Request[Done], frozen=True):
    """End the leg, whatever its state. Done also when it is gone already."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    cause: int = 16


class Dial(Request[Done], frozen=True):
    """Place a call. Done: it was sent out or will be; what becomes of it comes as events of this leg.

    No free channel is CallReleased with cause 34, a trunk whose links are all down with cause 27 or 38.
    """

    owner: ClassVar[str] = "trunkd"
    leg: str
    trunk: str
    called: str
    calling: str = ""
    calling_name: str = ""


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One call of trunkd's table.

    state: offered, overlap, proceeding, alerting, answered, clearing, released.
    """

    leg: str
    trunk: str
    span: str
    timeslot: int                                 # 0: none chosen yet
    inbound: bool                                 # toward the box
    state: str
    called: str
    calling: str
    calling_name: str
    complete: bool
    since: float                                  # of the state
    began_at: float = 0.0                         # the SETUP
    answered: bool = False                        # it was, at some time
    cause: int = 0                                # once released; while clearing: ours
    by: str = ""


class CallTable(Reply, frozen=True):
    """Calls that exist, and the last thousand that ended, so that a daemon that was away learns how."""

    calls: list[CallInfo]
    released: list[CallInfo]


class GetCalls(Request[CallTable], frozen=True):
    owner: ClassVar[str] = "trunkd"


class ChannelList(Reply, frozen=True):
    spans: list[ChannelStates]


class GetChannels(Request[ChannelList], frozen=True):
    owner: ClassVar[str] = "trunkd"


class Trace(Reply, frozen=True):
    pcap: bytes                                   # LINKTYPE_LINUX_LAPD, base64 on the wire


class GetTrace(Request[Trace], frozen=True):
    """The span's last D-channel frames as a capture file, newest `frames` of them."""

    owner: ClassVar[str] = "trunkd"
    span: str
    frames: int = 2000


# --- acdd -----------------------------------------------------------------------------------------

class AgentInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    extension: str
    state: str                                    # idle, ringing, talking, wrap-up, unavailable
    since: float
    contact: str = ""
    reason: str = ""                              # why unavailable: busy, no answer, refused, cause N


class QueueInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    waiting: list[str]                            # contacts, first in line first
    oldest_since: float = 0.0                     # 0: nobody waits


class SegmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a contact. kind: flow, queue, ring, talk, dial."""

    kind: str
    began_at: float
    ended_at: float = 0.0                         # 0: still going on
    detail: str = ""                              # node, queue or agent
    agent: str = ""
    recording: str = ""


class ContactInfo(msgspec.Struct, frozen=True, kw_only=True):
    contact: str
    direction: str                                # in, out
    calling: str
    called: str
    state: str                                    # flow, queue, ringing, talking, dialling, ended
    began_at: float
    ended_at: float = 0.0
    queue: str = ""
    agent: str = ""
    outcome: str = ""                             # answered, abandoned, rejected, failed; "" while it goes on
    ended_by: str = ""                            # caller, agent, box, line
    cause: int = 0                                # Q.850 of the caller's leg
    digits: str = ""                              # chosen in the flow
    segments: list[SegmentInfo] = msgspec.field(default_factory=list)


class Board(Event, frozen=True):
    """The floor as it is now: live contacts, queues, agents. Said on change, at most every 100 ms."""

    owner: ClassVar[str] = "acdd"
    at: float
    contacts: list[ContactInfo]
    queues: list[QueueInfo]
    agents: list[AgentInfo]


class BoardReply(Reply, frozen=True):
    board: Board


class GetBoard(Request[BoardReply], frozen=True):
    owner: ClassVar[str] = "acdd"


class ContactList(Reply, frozen=True):
    contacts: list[ContactInfo]
    total: int


class GetContacts(Request[ContactList], frozen=True):
    """Newest first, live ones included."""

    owner: ClassVar[str] = "acdd"
    offset: int = 0
    limit: int = 50


class ContactReply(Reply, frozen=True):
    contact: ContactInfo | None


class GetContact(Request[ContactReply], frozen=True):
    owner: ClassVar[str] = "acdd"
    contact: str


# --- recordd --------------------------------------------------------------------------------------

class RecordingInfo(Reply, frozen=True):
    """file "": no such recording. It plays while it is made (`finished` False): `duration_s` is on disk."""

    recording: str
    file: str
    duration_s: float
    gap_s: float
    finished: bool


class RecordingFinished(Event, frozen=True):
    owner: ClassVar[str] = "recordd"
    info: RecordingInfo


class GetRecording(Request[RecordingInfo], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str


# --- boxd -----------------------------------------------------------------------------------------

class DaemonHealth(msgspec.Struct, frozen=True, kw_only=True):
    daemon: str
    state: str                                    # up, late (no heartbeat for 3 s), down (for 10 s), never
    pid: int = 0
    started_at: float = 0.0
    starts: int = 0                               # seen by boxd
    rss_octets: int = 0
    cpu_s: float = 0.0
    facts: dict[str, float] = msgspec.field(default_factory=dict)


class Health(Event, frozen=True):
    """Said on change and every 2 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    daemons: list[DaemonHealth]


class HealthReply(Reply, frozen=True):
    health: Health


class GetHealth(Request[HealthReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class LineFailure(Event, frozen=True):
    """A failure of a line, a defect that lasts (G.7710), begins or has ended."""

    owner: ClassVar[str] = "boxd"
    span: str
    alarm: str                                    # e1_driver.Alarm
    declared: bool                                # False: cleared
    since: float                                  # when the defect began, or ended
    at: float


class LineHistory(Reply, frozen=True):
    """Performance of one line (G.826), oldest first; a bin in which nothing was measured is not there."""

    quarters: list[Bin]                           # 15 minutes, the running one and up to 96 before it
    days: list[Bin]                               # of UTC, the running one and up to 30 before it
    failures: list[str]                           # those that stand


class GetLineHistory(Request[LineHistory], frozen=True):
    owner: ClassVar[str] = "boxd"
    span: str


# --- who says what --------------------------------------------------------------------------------

DAEMONS = ("spand", "trunkd", "acdd", "recordd", "boxd", "webui")

# Daemon -> what it may ask, or whom for anything; all hear all events. Strangers reach webui: it only reads.
MAY_ASK: dict[str, tuple[str | type[Request[Any]], ...]] = {
    "spand": (),
    "trunkd": (BindLeg, UnbindLeg),
    "acdd": ("spand", "trunkd"),
    "recordd": (),
    "boxd": (GetSpans, GetSpanSeconds, LendSpan, TakeSpanBack),
    "webui": (GetSpans, GetCalls, GetChannels, GetTrace, GetBoard, GetContacts, GetContact, GetRecording,
              GetHealth, GetLineHistory),
}


def _leaves(kind: type[Any]) -> dict[str, type[Any]]:
    return {leaf.__name__: leaf for leaf in kind.__subclasses__()}


EVENTS: dict[str, type[Event]] = _leaves(Event)
REQUESTS: dict[str, type[Request[Any]]] = _leaves(Request)
