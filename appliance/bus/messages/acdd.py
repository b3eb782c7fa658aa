"""What acdd says and is asked: contacts, queues, agents."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Event, Reloaded, Reply, Request
from appliance.bus.messages.policy import RecordingStory
from appliance.bus.messages.services import Charge
from appliance.bus.messages.trunkd import Diversion
from appliance.bus.messages.within import Within


class AssignmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an agent serves by a supervisor's hand: messages/assigning.py."""

    skills: dict[str, int] | None
    also: tuple[str, ...]
    without: tuple[str, ...]
    until: float
    until_log_out: bool
    by: str
    at: float


class AgentInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    extension: str
    state: str                                    # of appliance.centre.state.Agent
    since: float
    contact: str = ""
    reason: str = ""                              # why not ready, or unreachable: busy, refused, cause N
    trunk: str = ""
    until: float = 0.0                            # when the state ends by itself; 0: not by time
    wish: str = ""                                # what comes after the work: not-ready, logged-out
    wish_reason: str = ""
    overran: bool = False                         # not ready for longer than its reason allows
    calls: int = 0                                # talked since the log-in
    logged_in_at: float = 0.0
    assigned: AssignmentInfo | None = None      # None: it serves as configured


class QueueInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    waiting: list[str]                            # contacts, first in line first
    oldest_since: float = 0.0                     # 0: nobody waits
    callbacks: int = 0                            # promised, those in line included
    unreachable: list[str] = []                   # of those waiting: no agent may serve them, whoever logs in


class SegmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a contact. kind: of appliance.store.records.SegmentRecord."""

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
    state: str                                    # of appliance.store.records.ContactRecord
    began_at: float
    ended_at: float = 0.0
    queue: str = ""
    agent: str = ""
    # answered, abandoned, rejected, failed, forwarded (by the network), callback (promised to the caller),
    # withdrawn (a callback that was called off, or its customer called in); "" while it goes on
    outcome: str = ""
    ended_by: str = ""                            # caller, agent, box, line
    cause: int = 0                                # Q.850 of the caller's leg
    digits: str = ""                              # chosen in the flow
    withheld: bool = False                        # the caller does not want to be shown
    segments: list[SegmentInfo] = msgspec.field(default_factory=list)


class SupervisorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at a talk who hears it, or whose telephone is rung for that."""

    contact: str
    at: str                                       # an agent's name, else the number that was dialled
    mode: str                                     # listen, whisper, barge
    talking: bool                                 # has answered


class FlowNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's word to a group of agents, "" everybody; urgency: normal, important, urgent."""

    notice: str
    node: str                                     # the flow and its node
    text: str
    urgency: str
    group: str
    at: float
    until: float


class Board(Event, frozen=True):
    """The floor as it is now: live contacts, queues, agents. Said on change, at most every 100 ms."""

    owner: ClassVar[str] = "acdd"
    at: float
    contacts: list[ContactInfo]
    queues: list[QueueInfo]
    agents: list[AgentInfo]
    messages: dict[str, int] = msgspec.field(default_factory=dict)   # unheard, of each voicemail box
    supervisors: list[SupervisorInfo] = msgspec.field(default_factory=list)
    notices: list[FlowNotice] = msgspec.field(default_factory=list)  # that are to be shown now


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
    within: Within | None = None                  # None: all; else `total` is counted to 10 000
    since: float = 0.0                            # that began then or later
    until: float = 0.0                            # and before this; 0: no limit
    after: tuple[float, str] | None = None        # of the list, after the one with this began_at and contact


class ContactReply(Reply, frozen=True):
    contact: ContactInfo | None


class GetContact(Request[ContactReply], frozen=True):
    owner: ClassVar[str] = "acdd"
    contact: str


class ContactLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that a contact used. party: caller (that arrived), agent (rung), called (dialled), or the
    role of somebody who came to it: consulted, member, target, supervisor."""

    leg: str
    party: str
    at: float
    agent: str = ""


class ContactLegs(Reply, frozen=True):
    legs: list[ContactLeg]                        # in order; none: there is no such contact


class GetContactLegs(Request[ContactLegs], frozen=True):
    owner: ClassVar[str] = "acdd"
    contact: str


class ContactParty(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the far end of a leg, as the line told. `why`: answered, named, diverted, transferred."""

    leg: ContactLeg
    at: float
    why: str
    number: str = ""                              # "": withheld or not given
    name: str = ""
    answered: bool = True                         # transferred: False while it rings there


class ContactCharge(msgspec.Struct, frozen=True, kw_only=True):
    """What a leg costs so far, or in all when it is final."""

    leg: ContactLeg
    at: float                                     # of the last advice
    charge: Charge


class CallerTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A malicious call: who wants the network to register the caller, and what came of it."""

    at: float
    by: str                                       # a user, "telephone", "": the command line
    done: bool | None = None                      # None: no answer yet
    why: str = ""                                 # when it is not done


class Disposition(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a contact, as somebody wrote it."""

    at: float
    by: str
    code: str
    note: str = ""


class ContactOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's contact was given to an agent's telephone."""

    at: float
    agent: str
    why: str = ""                                 # this one, in words; "": by somebody's hand


class Sentence(msgspec.Struct, frozen=True):
    """English `words` with {names} for the values: other languages have words of their own for them."""

    words: str
    values: "dict[str, str | Sentence]" = msgspec.field(default_factory=dict)


class ContactFacts(Reply, frozen=True):
    """What the lines told of a contact beside its record, also after its end."""

    calling_name: str = ""
    diversion: Diversion | None = None            # who diverted the call here
    parties: list[ContactParty] = msgspec.field(default_factory=list)
    charges: list[ContactCharge] = msgspec.field(default_factory=list)
    traces: list[CallerTrace] = msgspec.field(default_factory=list)
    tags: list[str] = msgspec.field(default_factory=list)
    dispositions: list[Disposition] = msgspec.field(default_factory=list)
    rule: str = ""                                # of centre.entry that took the call; "": none
    why: str = ""                                 # it went there
    reasons: list[Sentence] = msgspec.field(default_factory=list)    # likewise; []: of an older log
    note: str = ""                                # of the caller, from a list
    reference: str = ""                           # by which it is found on a telephone
    recordings: list[RecordingStory] = msgspec.field(default_factory=list)     # one for each talk
    variables: dict[str, str] = msgspec.field(default_factory=dict)  # as set last; no secrets
    offers: list[ContactOffer] = msgspec.field(default_factory=list)


class GetContactFacts(Request[ContactFacts], frozen=True):
    """Nothing is told of a contact that there is not."""

    owner: ClassVar[str] = "acdd"
    contact: str


class TraceBegun(Reply, frozen=True):
    contact: str


class TraceCaller(Request[TraceBegun], frozen=True):
    """Have the network register who calls (MCID): it is written down and asked; ContactFacts tells what comes
    of it. Refused: no such call goes on, or it is none that came in."""

    owner: ClassVar[str] = "acdd"
    name: str                                     # a contact's, or one of its legs'
    by: str = ""


class ReloadCentre(Request[Reloaded], frozen=True):
    """As ReloadTrunks, for the settings below `centre` and their flows; contacts go on."""

    owner: ClassVar[str] = "acdd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place
    flows: bool = False                           # their files alone: the settings stay as they are in force
