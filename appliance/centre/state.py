"""What acdd knows: contacts, agents, and whose a leg is. It changes in evolve.py only, by events of the log.

All of it can be written as JSON, so that a checkpoint in the log spares the replay of years.
"""

import msgspec

from appliance.centre.choice.history import History
from appliance.centre.entry.calendar import Forced
from appliance.store.records import ContactRecord

RECENT_LEGS = 2048                                # ended legs remembered: more than trunkd's table of them


HIDDEN = "•"                                      # in place of a digit
WITH_CONTACT = ("reserved", "ringing", "talking", "held", "consulting")
AT_WORK = (*WITH_CONTACT, "wrap-up")              # counts as occupied
WRONG_S = 3600.0                                  # wrong PINs are remembered for so long
BY_TIME = ("reserved", "ringing", "wrap-up", "unreachable")      # each ends by itself


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an agent serves by a supervisor's hand."""

    skills: dict[str, int] | None                 # None: the configured ones
    also: tuple[str, ...]                         # queues that it serves, whatever they ask for
    without: tuple[str, ...]                      # and does not
    until: float                                  # 0: not by time
    until_log_out: bool
    by: str
    at: float


class Agent(msgspec.Struct, kw_only=True):
    """A person at a telephone, or at none. `leg` is what occupies it: while there is one nothing new rings.

    logged-out; not-ready (with a reason); ready; reserved (chosen, the telephone does not ring yet); ringing;
    talking; held (the other party is); consulting; wrap-up; unreachable (the telephone, for a time).
    """

    name: str
    extension: str                                # where it is now; "": nowhere
    trunk: str
    state: str
    since: float                                  # of the state
    idle_since: float                             # the place among the ready ones
    contact: str = ""
    until: float = 0.0                            # when the state ends by itself; 0: not by time
    reason: str = ""
    leg: str = ""
    home_extension: str = ""                      # as configured
    home_trunk: str = ""
    wish: str = ""                                # not-ready or logged-out, as soon as the work is over
    wish_reason: str = ""
    limit_at: float = 0.0                         # not ready for longer than its reason allows; 0: no limit
    overran: bool = False
    logged_in_at: float = 0.0
    calls: int = 0                                # talked since then
    busy_s: float = 0.0                           # at work since then, but for the present state
    last_contact: str = ""                        # that the agent had before the present one
    assigned: Assignment | None = None            # None: as configured

    @property
    def free(self) -> bool:
        """May be rung."""
        return self.state == "ready" and not self.leg and bool(self.extension)


class Party(msgspec.Struct, kw_only=True):
    """Somebody in a contact beside the customer and the agent.

    role: consulted (by the agent, the customer does not hear it), member (of the conference), target (takes
    the contact over when it answers), supervisor.
    """

    leg: str
    role: str
    number: str                                   # that was dialled
    agent: str = ""                               # whose telephone it is
    talking: bool = False                         # it has answered
    mode: str = ""                                # of a supervisor: listen, whisper, barge


class Forward(msgspec.Struct, kw_only=True):
    """A contact on its way to somebody outside.

    phase: asking (the network, to deflect it), deflected (it does), dialling (the box does), joining (the
    network is asked to connect both legs), joined, "" (in between, and while they talk over the box).
    """

    number: str
    trunk: str
    shows: str                                    # whose number
    ring_s: float
    join: bool
    record: bool
    unanswered: str                               # a flow for who reaches nobody; "": the contact ends
    phase: str = ""
    until: float = 0.0                            # when the phase ends by itself; 0: not by time


class Callback(msgspec.Struct, kw_only=True):
    """That the box is to call the contact's customer, and how that goes.

    Until they talk the contact has the states callback (it is not its time), queue, ringing, dialling.
    """

    number: str                                   # of the customer, canonical
    trunk: str                                    # where `digits` are dialled
    digits: str
    mode: str                                     # agent-first, customer-first
    booked_at: float
    keep_until: float
    due_at: float = 0.0                           # not before; 0: as soon as nothing is in its way
    firm: bool = False                            # agreed for a time: only people call it off
    tries: int = 0                                # that did not reach the customer
    try_until: float = 0.0                        # so long the customer is rung; 0: he is not
    outcome: str = ""                             # of the last try
    origin: str = ""                              # the contact that it comes from
    by: str = ""                                  # who asked for it; "": the customer in a flow
    note: str = ""
    caller: str = ""                              # who asked for it in a call, canonical; "": not known


class Message(msgspec.Struct, kw_only=True):
    """A voice message that is not done with. Its name is the recording's."""

    message: str
    box: str
    contact: str
    number: str                                   # of who left it, "" withheld
    called: str                                   # by that one
    trunk: str                                    # where the call came in
    began_at: float
    ended_at: float = 0.0                         # 0: it is being left
    heard_by: list[str] = []


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Given by a flow's node, which gives none before `again_at`; shown until `until`."""

    notice: str
    node: str
    text: str
    urgency: str
    group: str                                    # of agents; "": everybody
    at: float
    until: float
    again_at: float


class Survey(msgspec.Struct, kw_only=True):
    """Questions that the customer is being asked."""

    survey: str
    agent: str                                    # whose talk they are about
    queue: str
    question: int = -1                            # -1: the words before the first one
    tries: int = 0
    over: bool = False                            # thanks are being said


class Replay(msgspec.Struct, kw_only=True):
    """Recordings that the caller hears."""

    recordings: list[str]
    by: str
    place: int = 0
    fragment: str = ""                            # of the one that is heard; "": it is awaited
    duration_s: float = 0.0
    from_s: float = 0.0                           # where it began to be heard
    since: float = 0.0                            # and when
    waits: bool = False                           # at from_s


class Policy(msgspec.Struct, kw_only=True):
    """What was decided of the recording of a talk; as events.RecordingDecided."""

    record: str
    rule: str
    why: str
    unless_kept: bool
    format: str
    pause: list[str]
    consults: bool


class Contact(msgspec.Struct, kw_only=True):
    """A live contact. The record is what people see; the rest is what decisions need."""

    record: ContactRecord
    trunk: str                                    # where it came in
    calling_name: str
    arrived_leg: str                              # the caller's, or for an outbound contact the extension's
    dialled_leg: str = ""                         # the agent's, or for an outbound contact the far end's
    dialled_trunk: str = ""                       # of an outbound contact
    deflections: int = 0                          # of an outbound contact, by those who were called
    withheld: bool = False                        # the caller does not want to be shown
    connected: bool = False                       # we answered the arrived leg
    alerted: bool = False                         # the arrived leg was told that it rings
    bridged: bool = False
    diverted_by: str = ""                         # the number that sent the call here
    forward: Forward | None = None
    trace_asked_at: float = 0.0                   # 0: the network is not asked to register who calls
    # flow
    flow: str = ""
    node: str = ""
    language: str = "zh"
    version: str = ""                             # of the flow, which it began with; "": today's
    variables: dict[str, str | int | float | bool] = {}
    tries: int = 0                                # of the menu
    digit_until: float = 0.0                      # 0: no digit is awaited by time
    entry: str = ""                               # which of the node's entries is keyed in
    entered: str = ""                             # so far; HIDDEN for each digit that nothing may keep
    wrong_proofs: int = 0                         # in all authenticate nodes
    masked: bool = False                          # nobody hears or records the caller's digits
    order: str = ""                               # what is asked for; "": nothing
    order_until: float = 0.0
    orders: int = 0                               # so far, numbers them
    steps: int = 0                                # nodes entered so far
    limit_at: float = 0.0                         # it may be in the flow until then; 0: for ever
    # for the choice of an agent
    priority: int | None = None                   # None: the queue's
    grade: str = ""
    region: str = ""
    skills: dict[str, int] = {}                   # asked for beside the queue's: least level
    # what is played to the arrived leg
    play: str = ""                                # "": nothing
    fragments: list[str] = []
    repeat: bool = False
    plays: int = 0                                # so far, numbers them
    # queue
    line: int = 0                                 # order of joining, over all queues
    joined_at: float = 0.0                        # this one
    waits_since: float = 0.0                      # whatever queue; 0: it does not wait
    estimate_s: float | None = None               # of the wait, at joining; None: nobody was there for it
    comforts: int = 0                             # announcements so far
    announce_at: float = 0.0                      # 0: not again
    overflow_at: float = 0.0                      # 0: waits for ever
    last_line: int = 0                            # the place that it had when it was served
    last_joined_at: float = 0.0
    # talk
    record_talk: bool = False
    recording: str = ""
    stopped: str = ""                             # the recording before it
    policy: Policy | None = None                  # None: no talk has begun
    own_by: str = ""                              # whose `record_talk` is
    asked: bool = False                           # somebody wants it recorded, or kept
    unkept: list[str] = []                        # its recordings that are erased unless somebody keeps them
    told: bool = False                            # the caller knows that it may be recorded
    paused_until: float = 0.0                     # nobody hears or records the customer's keys, and the
                                                  # recording is silence; 0: it is not paused
    hushed: bool = False                          # the recording is silence: the agent consults somebody
    was_paused: bool = False                      # spand was told so of this recording
    was_masked: bool = False                      # spand was told that nobody hears the customer's keys
    talked: bool = False                          # has been with an agent
    # call control
    parties: dict[str, Party] = {}                # by leg
    held: bool = False                            # the customer hears music
    conference: bool = False
    let_go: bool = False                          # the agent has left it: the arrived leg is the customer's
    transferor: str = ""                          # the agent who let it go
    slot: int = 0                                 # where it is parked
    slot_until: float = 0.0
    originated: bool = False                      # the arrived leg is one that we dialled
    # callbacks, voicemail, survey
    callback: Callback | None = None              # it is one
    promised: str = ""                            # the contact that is to call this one's customer back
    last_queue: str = ""                          # where it waited last
    message: str = ""                             # that is being left
    survey: Survey | None = None
    replay: Replay | None = None

    @property
    def inbound(self) -> bool:
        """The leg that arrived is the customer's."""
        return self.record.direction == "in" or self.let_go

    @property
    def customer_leg(self) -> str:
        return self.arrived_leg if self.inbound else self.dialled_leg

    @property
    def agent_leg(self) -> str:
        return self.dialled_leg if self.inbound else self.arrived_leg

    @property
    def customer_number(self) -> str:
        """"" when it is withheld; of one that went out as it was dialled on the trunk."""
        if self.record.direction == "in":
            return self.record.calling
        dialled = (one.detail for one in reversed(self.record.segments) if one.kind == "dial")
        return next(dialled, self.record.called)

    @property
    def waiting(self) -> bool:
        """In line; ringing too, the place is kept until an agent answers.

        Likewise a customer who is called back before an agent is rung.
        """
        return self.record.state in ("queue", "ringing") or (
            self.record.state == "dialling" and self.pending is not None and self.let_go)

    @property
    def choosable(self) -> bool:
        """An agent is to be found for it."""
        return self.waiting and not self.record.agent

    @property
    def pending(self) -> Callback | None:
        """The callback, until customer and agent talk."""
        return None if self.talked else self.callback

    @property
    def virtual(self) -> bool:
        """In line without the customer, who is called when its turn comes."""
        return self.callback is not None and not self.talked and not self.arrived_leg


class State(msgspec.Struct, kw_only=True):
    contacts: dict[str, Contact] = {}
    agents: dict[str, Agent] = {}
    legs: dict[str, str] = {}                     # live leg -> contact
    busy: dict[str, str] = {}                     # leg -> agent whom it occupies
    was_of: dict[str, str] = {}                   # ended leg -> contact, oldest first
    recent_legs: list[str] = []                   # likewise, in older checkpoints
    joins: int = 0
    callbacks: dict[str, str] = {}                # contacts that are to be called back, by number
    messages: dict[str, Message] = {}             # that are not done with, oldest first
    history: History = msgspec.field(default_factory=History)
    forced: dict[str, Forced] = {}                # calendars opened or closed by people, by name
    notices: dict[str, Notice] = {}               # of flows, oldest first
    wrong_proofs: dict[str, list[float]] = {}     # when PINs of somebody were wrong, of an hour, by a hash

    def contact_of(self, leg: str) -> Contact | None:
        return self.contacts.get(self.legs.get(leg, ""))

    def whose(self, leg: str) -> str:
        """The contact, also when the leg has ended not long ago; "" for none."""
        return self.legs.get(leg) or self.was_of.get(leg, "")

    def party(self, leg: str) -> tuple[Contact, Party] | None:
        """Whose leg it is, if it is one of call control."""
        contact = self.contact_of(leg)
        party = None if contact is None else contact.parties.get(leg)
        return None if contact is None or party is None else (contact, party)

    def agent_on(self, leg: str) -> Agent | None:
        return self.agents.get(self.busy.get(leg, ""))

    def knows(self, leg: str) -> bool:
        """True when a call of this name cannot be a new one."""
        return leg in self.legs or leg in self.was_of or leg in self.busy

    def lines(self) -> dict[str, list[Contact]]:
        """Those in line of each queue where somebody is, first one first."""
        found: dict[str, list[Contact]] = {}
        waiting = (contact for contact in self.contacts.values() if contact.waiting)
        for contact in sorted(waiting, key=lambda one: one.line):
            found.setdefault(contact.record.queue, []).append(contact)
        return found

    def line(self, queue: str) -> list[Contact]:
        return self.lines().get(queue, [])
