"""What acdd knows: contacts, agents, and whose a leg is. It changes in evolve.py only, by events of the log.

All of it can be written as JSON, so that a checkpoint in the log spares the replay of years.
"""

import msgspec

from appliance.store.records import ContactRecord

RECENT_LEGS = 2048                                # ended legs remembered: more than trunkd's table of them


WITH_CONTACT = ("reserved", "ringing", "talking", "held", "consulting")
AT_WORK = (*WITH_CONTACT, "wrap-up")              # counts as occupied
BY_TIME = ("reserved", "ringing", "wrap-up", "unreachable")      # each ends by itself


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

    @property
    def free(self) -> bool:
        """May be rung."""
        return self.state == "ready" and not self.leg and bool(self.extension)


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
    trace_asked_at: float = 0.0                   # 0: the network is not asked to register who calls
    # flow
    flow: str = ""
    node: str = ""
    language: str = "zh"
    tries: int = 0                                # of the menu
    digit_until: float = 0.0                      # 0: no digit is awaited by time
    # what is played to the arrived leg
    play: str = ""                                # "": nothing
    fragments: list[str] = []
    repeat: bool = False
    plays: int = 0                                # so far, numbers them
    # queue
    line: int = 0                                 # order of joining, over all queues
    joined_at: float = 0.0
    announce_at: float = 0.0                      # 0: not again
    overflow_at: float = 0.0                      # 0: waits for ever
    # talk
    record_talk: bool = False
    recording: str = ""

    @property
    def inbound(self) -> bool:
        return self.record.direction == "in"

    @property
    def customer_leg(self) -> str:
        return self.arrived_leg if self.inbound else self.dialled_leg

    @property
    def agent_leg(self) -> str:
        return self.dialled_leg if self.inbound else self.arrived_leg

    @property
    def waiting(self) -> bool:
        """In line; ringing too, the place is kept until an agent answers."""
        return self.record.state in ("queue", "ringing")


class State(msgspec.Struct, kw_only=True):
    contacts: dict[str, Contact] = {}
    agents: dict[str, Agent] = {}
    legs: dict[str, str] = {}                     # live leg -> contact
    recent_legs: list[str] = []                   # oldest first
    was_of: dict[str, str] = {}                   # recent leg -> contact
    joins: int = 0

    def contact_of(self, leg: str) -> Contact | None:
        return self.contacts.get(self.legs.get(leg, ""))

    def whose(self, leg: str) -> str:
        """The contact, also when the leg has ended not long ago; "" for none."""
        return self.legs.get(leg) or self.was_of.get(leg, "")

    def agent_on(self, leg: str) -> Agent | None:
        return next((agent for agent in self.agents.values() if leg and agent.leg == leg), None)

    def knows(self, leg: str) -> bool:
        """True when a call of this name cannot be a new one."""
        return leg in self.legs or leg in self.recent_legs or self.agent_on(leg) is not None

    def line(self, queue: str) -> list[Contact]:
        """Those in line, first one first."""
        waiting = [one for one in self.contacts.values() if one.waiting and one.record.queue == queue]
        return sorted(waiting, key=lambda contact: contact.line)
