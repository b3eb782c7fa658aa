"""One turn of the engine: what is decided is applied at once, so that the next decision sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.bus.messages import Answer, Hangup, Play, Proceed, Request, StopRecording
from appliance.centre import events
from appliance.centre.dialplan import DialPlan
from appliance.centre.events import LogEvent, encode
from appliance.centre.evolve import evolve
from appliance.centre.flow import Flow
from appliance.centre.state import Contact, State
from appliance.config.emergency import Emergency
from appliance.config.schema import AgentConfig, CentreConfig, QueueConfig, ReasonConfig
from appliance.store.events import Entry

NORMAL = 16                                       # Q.850: normal call clearing
TEMPORARY_FAILURE = 41                            # Q.850


@dataclass(frozen=True, slots=True)
class Setup:
    """What is configured. new_id gives names nobody else has: 16 octets as 32 hexadecimal digits."""

    plan: DialPlan
    flows: Mapping[str, Flow]                     # by the path in the configuration
    queues: Mapping[str, QueueConfig]
    agents: Mapping[str, AgentConfig]
    new_id: Callable[[], str]
    reasons: Mapping[str, ReasonConfig] = field(default_factory=dict)          # of not being ready, by name
    trunks: tuple[str, ...] = ()                  # where extensions are reached

    @classmethod
    def of(cls, config: CentreConfig, flows: Mapping[str, Flow], new_id: Callable[[], str],
           emergency: Emergency | None = None) -> "Setup":
        return cls(DialPlan(config, emergency), flows, {queue.name: queue for queue in config.queues},
                   {agent.name: agent for agent in config.agents}, new_id,
                   {reason.name: reason for reason in config.not_ready},
                   tuple(sorted({agent.trunk for agent in config.agents if agent.trunk}
                                | {route.trunk for route in config.outbound})))


@dataclass(slots=True)
class Turn:
    """`entries` go to the log, then `actions` to their owners, in this order."""

    state: State
    setup: Setup
    now: float
    entries: list[Entry] = field(default_factory=list)
    actions: list[Request[Any]] = field(default_factory=list)

    def log(self, event: LogEvent, contact: Contact | str = "") -> None:
        name = contact if isinstance(contact, str) else contact.record.contact
        self.entries.append(encode(self.now, name, event))
        evolve(self.state, self.now, name, event)

    def tell(self, event: LogEvent, leg: str) -> None:
        """Log what is told of a leg, if a contact has or had it."""
        if name := self.state.whose(leg):
            self.log(event, name)

    def do(self, action: Request[Any]) -> None:
        self.actions.append(action)

    def connect(self, contact: Contact) -> None:
        """Answer the arrived leg, once."""
        if not contact.connected:
            self.log(events.Connected(), contact)
            self.do(Proceed(leg=contact.arrived_leg))
            self.do(Answer(leg=contact.arrived_leg))

    def play(self, contact: Contact, fragments: list[str], repeat: bool = False) -> None:
        """To the arrived leg, in place of what it hears."""
        name = f"{contact.record.contact}-{contact.plays + 1}"
        self.log(events.Played(play=name, fragments=fragments, repeat=repeat), contact)
        self.do(Play(leg=contact.arrived_leg, play=name, fragments=fragments, repeat=repeat))

    def end(self, contact: Contact, outcome: str, ended_by: str, cause: int, *,
            gone_leg: str = "", hangup_cause: int | None = None, at: float | None = None) -> None:
        """The contact is over; legs but `gone_leg` are hung up, with `cause` unless another is given."""
        if contact.recording:
            self.do(StopRecording(recording=contact.recording))
        for leg in (contact.arrived_leg, contact.dialled_leg):
            if leg and leg != gone_leg:
                self.do(Hangup(leg=leg, cause=cause if hangup_cause is None else hangup_cause))
        ended_at = self.now if at is None else max(at, contact.record.began_at)
        self.log(events.Ended(outcome=outcome, ended_by=ended_by, cause=cause, ended_at=ended_at), contact)
