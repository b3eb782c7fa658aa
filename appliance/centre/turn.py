"""One turn of the engine: what is decided is applied at once, so that the next decision sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.bus.messages import Answer, Hangup, Play, Proceed, Request, StopRecording
from appliance.centre import events
from appliance.centre.choice import Floor, Rules
from appliance.centre.dialplan import DialPlan
from appliance.centre.effects import Effect
from appliance.centre.entry.load import bare
from appliance.centre.entry.rules import Entrance
from appliance.centre.events import LogEvent, encode
from appliance.centre.evolve import evolve
from appliance.centre.flow import Flow, digest
from appliance.centre.following import follow
from appliance.centre.state import Contact, State
from appliance.centre.timers import Timers
from appliance.config.emergency import Emergency
from appliance.config.schema import (
    AgentConfig,
    BoxConfig,
    CallbackConfig,
    CentreConfig,
    ControlConfig,
    QueueConfig,
    ReasonConfig,
    RecordingConfig,
    SourceConfig,
    SurveyConfig,
)
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
    control: ControlConfig = field(default_factory=ControlConfig)
    rules: Rules = field(default_factory=lambda: Rules({}, {}))
    sources: Mapping[str, SourceConfig] = field(default_factory=dict)          # of look-ups, by name
    versions: Mapping[str, Flow] = field(default_factory=dict)       # by digest: today's, and older in use
    digests: Mapping[str, str] = field(default_factory=dict)         # of today's flows, by path
    entrance: Entrance = field(default_factory=lambda: bare(CentreConfig()))
    callbacks: CallbackConfig = field(default_factory=CallbackConfig)
    boxes: Mapping[str, BoxConfig] = field(default_factory=dict)     # of voicemail, by name
    surveys: Mapping[str, SurveyConfig] = field(default_factory=dict)          # by name
    recording: RecordingConfig = field(default_factory=RecordingConfig)

    @classmethod
    def of(cls, config: CentreConfig, flows: Mapping[str, Flow], new_id: Callable[[], str],
           emergency: Emergency | None = None, older: Mapping[str, Flow] | None = None,
           entrance: Entrance | None = None, recording: RecordingConfig | None = None) -> "Setup":
        """`older`: versions of flows that live contacts began with, by digest."""
        digests = {path: digest(flow) for path, flow in flows.items()}
        queues = {queue.name: queue for queue in config.queues}
        agents = {agent.name: agent for agent in config.agents}
        return cls(
            DialPlan(config, emergency), flows, queues, agents, new_id,
            reasons={reason.name: reason for reason in config.not_ready},
            trunks=tuple(sorted({agent.trunk for agent in config.agents if agent.trunk}
                                | {route.trunk for route in config.outbound})),
            control=config.control, rules=Rules(queues, agents, config.order, config.grades),
            sources={source.name: source for source in config.sources},
            versions={**(older or {}), **{digests[path]: flow for path, flow in flows.items()}},
            digests=digests, entrance=entrance or bare(config), callbacks=config.callbacks,
            boxes={box.name: box for box in config.voicemail},
            surveys={survey.name: survey for survey in config.surveys},
            recording=recording or RecordingConfig())

    def version(self, flow: str) -> str:
        """Of today's flow."""
        return self.digests.get(flow, "")

    def flow_of(self, contact: Contact) -> Flow | None:
        """The flow as it was when the contact began it, else as it is today; None: it is gone."""
        return self.versions.get(contact.version) or self.flows.get(contact.flow)


@dataclass(slots=True)
class Memory:
    """What is in no log and a restart forgets: `secrets` of contacts by name, `orders` being carried out."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)         # by contact
    drained_until: float = 0.0                    # no call is begun before

    def keep(self, contacts: Mapping[str, Contact]) -> None:
        """Only what these need."""
        self.secrets = {name: known for name, known in self.secrets.items() if name in contacts}
        self.orders = {name: order for name, order in self.orders.items()
                       if name in contacts and contacts[name].order == order}


@dataclass(slots=True)
class Turn:
    """`entries` go to the log, then `actions` to their owners, in this order.

    Floor and timers follow the state.
    """

    state: State
    setup: Setup
    now: float
    floor: Floor
    timers: Timers
    entries: list[Entry] = field(default_factory=list)
    actions: list[Request[Any] | Effect] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    refused: set[tuple[str, str]] = field(default_factory=set)       # contact, node of a queue that was full

    @property
    def drains(self) -> bool:
        """Calls go on to their end, none is begun: the box is about to be updated."""
        return self.now < self.memory.drained_until

    def log(self, event: LogEvent, contact: Contact | str = "") -> None:
        name = contact if isinstance(contact, str) else contact.record.contact
        self.entries.append(encode(self.now, name, event))
        evolve(self.state, self.now, name, event)
        follow(self.floor, self.timers, self.state, name, event)

    def tell(self, event: LogEvent, leg: str) -> None:
        """Log what is told of a leg, if a contact has or had it."""
        if name := self.state.whose(leg):
            self.log(event, name)

    def do(self, action: Request[Any] | Effect) -> None:
        self.actions.append(action)

    def order(self, contact: Contact) -> str:
        """The name of the next effect for the contact."""
        return f"{contact.record.contact}-e{contact.orders + 1}"

    def ask(self, contact: Contact, effect: Effect) -> None:
        """Await the effect, for as long as it may take."""
        self.log(events.Asked(order=effect.order, until=self.now + effect.timeout_s), contact)
        self.memory.orders[contact.record.contact] = effect.order
        self.do(effect)

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
        for leg in (contact.arrived_leg, contact.dialled_leg, *contact.parties):
            if leg and leg != gone_leg:
                self.do(Hangup(leg=leg, cause=cause if hangup_cause is None else hangup_cause))
        if contact.promised and not contact.talked:
            outcome = "callback"
        ended_at = self.now if at is None else max(at, contact.record.began_at)
        self.log(events.Ended(outcome=outcome, ended_by=ended_by, cause=cause, ended_at=ended_at), contact)
