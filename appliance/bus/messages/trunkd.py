"""What trunkd says and is asked: calls, links, channels, its settings."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Reloaded, Reply, Request
from appliance.bus.messages.services import Charge

# --- what a call says beside its numbers


class Diversion(msgspec.Struct, frozen=True, kw_only=True):
    """The call was meant for another number. Reasons: 0 unknown, 1 busy, 2 no reply, 10 deflection, 15 always
    (4.6.7)."""

    number: str                                   # redirecting number; "" when withheld
    reason: int = 0


class UserData(msgspec.Struct, frozen=True, kw_only=True):
    """What the other user sends beside the voice (UUS1, 4.5.30)."""

    protocol: int                                 # 4 IA5 characters, 0 user specific
    data: bytes                                   # base64 on the wire


# --- calls


class CallIncoming(Event, frozen=True):
    """A call is offered by the network or a PBX. complete False: digits are still to come (CallDigits).

    Numbers are as the trunk's number plan shows them; without one, as they came.
    """

    owner: ClassVar[str] = "trunkd"
    leg: str
    trunk: str
    called: str
    calling: str                                  # "" when withheld or not given
    calling_name: str
    complete: bool
    at: float
    withheld: bool = False                        # the caller does not want to be shown (CLIR)
    screened: bool = True                         # the network answers for `calling`
    diversion: Diversion | None = None
    called_subaddress: str = ""
    calling_subaddress: str = ""
    user_data: UserData | None = None


class CallDigits(Event, frozen=True):
    """Overlap receiving: `called` is the number so far. complete: Sending complete came, or T302 ran out."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    called: str
    complete: bool


class CallProceeding(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class CallProgress(Event, frozen=True):
    """How a call goes on that rings nowhere yet. `in_band`: tones or an announcement are in the channel."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    in_band: bool


class CallAlerting(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class CallAnswered(Event, frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str
    at: float
    connected: str = ""                           # the number that answered (COLP); "" not given or withheld
    user_data: UserData | None = None
    network_time: str = ""                        # the exchange's, as YY-MM-DD hh:mm; "": it says none


class CallClearing(Event, frozen=True):
    """The far end ends a call that was not answered, and says why in the channel: an announcement or a tone.

    CallReleased follows when it has ended, or when the leg is hung up.
    """

    owner: ClassVar[str] = "trunkd"
    leg: str
    cause: int                                    # Q.850


class CallTold(Event, frozen=True):
    """NOTIFY or USER INFORMATION. `notification`: 0 user suspended, 1 resumed, 2 bearer changed (4.5.22)."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    notification: int | None = None
    user_data: UserData | None = None


class CallReleased(Event, frozen=True):
    """The leg is gone, its channel free. `by` is "far" (the other end), "near" (we were asked to), "line"."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    cause: int                                    # Q.850
    by: str
    at: float
    user_data: UserData | None = None


class Proceed(Request[Done], frozen=True):
    """acdd: the number is complete (CALL PROCEEDING). Harmless when it was said already."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class Progress(Request[Done], frozen=True):
    """acdd: tones or an announcement are in the channel of this offered leg (PROGRESS, description 8)."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class Alert(Request[Done], frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str


class Answer(Request[Done], frozen=True):
    owner: ClassVar[str] = "trunkd"
    leg: str
    connected: str = ""                           # the number that answered, to be shown to the caller (COLP)


class Notify(Request[Done], frozen=True):
    """acdd: tell the other end of a call, e.g. that it is on hold (NOTIFY, 4.5.22)."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    notification: int


class Hangup(Request[Done], frozen=True):
    """End the leg, whatever its state. Done also when it is gone already."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    cause: int = 16
    user_data: UserData | None = None


class Dial(Request[Done], frozen=True):
    """Place a call. Done: it was sent out or will be; what becomes of it comes as events of this leg.

    It goes to the trunks that `trunk` overflows to when it is full or down. No free channel is CallReleased
    with cause 34, a trunk whose links are all down with cause 27 or 38. An emergency number needs no word
    here: trunkd knows it and finds it a channel.

    `spare`: a test, which stands back: it goes out on `trunk` alone, only while so many more channels stay
    free there, while no emergency call goes on, and it ends with cause 8 when others take these channels
    meanwhile.
    """

    owner: ClassVar[str] = "trunkd"
    leg: str
    trunk: str
    called: str
    calling: str = ""
    calling_name: str = ""
    withheld: bool | None = None                  # hide (CLIR) or show the number; None: as the trunk has it
    diversion: Diversion | None = None
    called_subaddress: str = ""
    calling_subaddress: str = ""
    user_data: UserData | None = None
    spare: int = 0


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One call of trunkd's table.

    state: offered, overlap, proceeding, alerting, answered, disconnecting (CallClearing), clearing, released.
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
    withheld: bool | None = None                  # by the caller; None: nothing was asked
    screened: bool = True
    diversion: Diversion | None = None
    called_subaddress: str = ""
    calling_subaddress: str = ""
    user_data: UserData | None = None             # that came with SETUP
    connected: str = ""                           # the number that answered
    emergency: bool = False
    charge: Charge | None = None                  # the last advice of charge


class CallTable(Reply, frozen=True):
    """Calls that exist, and the last thousand that ended, so that a daemon that was away learns how."""

    calls: list[CallInfo]
    released: list[CallInfo]


class GetCalls(Request[CallTable], frozen=True):
    owner: ClassVar[str] = "trunkd"


# --- links and channels


class LinkState(Event, frozen=True):
    """Layer 2 of one span."""

    owner: ClassVar[str] = "trunkd"
    span: str
    up: bool
    since: float


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    timeslot: int
    state: str                                    # idle, busy, restarting, out-of-service, blocked
    leg: str = ""
    blocked: bool = False                         # taken out of use by people; busy: when its call ends
    since: float = 0.0                            # of the state; 0: since trunkd began
    direction: str = "both"                       # in, out: calls that may take it


class ChannelStates(Event, frozen=True):
    """All B-channels of one span. Said on change."""

    owner: ClassVar[str] = "trunkd"
    span: str
    trunk: str
    link_up: bool
    channels: list[ChannelInfo]


class ChannelList(Reply, frozen=True):
    spans: list[ChannelStates]


class GetChannels(Request[ChannelList], frozen=True):
    owner: ClassVar[str] = "trunkd"


class BusyOut(Request[Done], frozen=True):
    """Take channels out of use until BringBack, over any restart. Calls on them end as they do, or `now`."""

    owner: ClassVar[str] = "trunkd"
    span: str = ""                                # "": the whole box
    timeslots: list[int] = msgspec.field(default_factory=list)       # none: all of the span
    now: bool = False                             # end the calls on them, but emergency calls


class BringBack(Request[Done], frozen=True):
    """The opposite of BusyOut; harmless for channels that are in use."""

    owner: ClassVar[str] = "trunkd"
    span: str = ""
    timeslots: list[int] = msgspec.field(default_factory=list)


class Trace(Reply, frozen=True):
    pcap: bytes                                   # LINKTYPE_LINUX_LAPD, base64 on the wire


class GetTrace(Request[Trace], frozen=True):
    """The span's last D-channel frames as a capture file, newest `frames` of them."""

    owner: ClassVar[str] = "trunkd"
    span: str
    frames: int = 2000


class TraceFrame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A D-channel frame without FCS, as it may be kept: digits pressed in an answered call are masked."""

    at: float
    sent: bool                                    # by us
    octets: bytes                                 # base64 on the wire
    again: bool = False                           # layer 2 said it before


class CallTrace(msgspec.Struct, frozen=True, kw_only=True):
    """What one call said: its own messages, those of the global call reference, and layer 2's events."""

    call: CallInfo
    part: int                                     # of its leg: an attempt on another span is another part
    call_ref: int
    network_side: bool                            # we are
    frames: list[TraceFrame]
    from_setup: bool = True                       # False: trunkd was killed, frames before are lost
    left_out: int = 0                             # frames in the middle of a call that had too many


class CallTraces(Reply, frozen=True):
    calls: list[CallTrace]                        # the parts in order; none: nothing is kept of this leg


class GetCallTrace(Request[CallTraces], frozen=True):
    """Of a leg that goes on or has ended."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class SpanTrace(Reply, frozen=True):
    network_side: bool                            # we are
    frames: list[TraceFrame]                      # oldest first; `again` is not told
    cut: bool                                     # there were more than asked for, or than a reply can carry


class GetSpanTrace(Request[SpanTrace], frozen=True):
    """The span's D-channel frames from `since` on, as far as they are kept; the newest `frames` of them."""

    owner: ClassVar[str] = "trunkd"
    span: str
    since: float = 0.0
    frames: int = 2000


# --- settings


class ReloadTrunks(Request[Reloaded], frozen=True):
    """Read the document again and apply what changed to calls from now on; refused as a whole, in words.

    `check`: only say what would change.
    """

    owner: ClassVar[str] = "trunkd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place
