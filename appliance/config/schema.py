"""The box's one configuration document as types. load.py reads it, the daemons take the parts they need.

Paths are relative to the document's folder. Every key has a meaning in docs/configuration.md.
"""

import re
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from appliance.config.agents import ReasonConfig as ReasonConfig
from appliance.config.archive import ArchiveConfig as ArchiveConfig
from appliance.config.backup import BackupConfig as BackupConfig
from appliance.config.callbacks import BoxConfig as BoxConfig
from appliance.config.callbacks import CallbackConfig as CallbackConfig
from appliance.config.callbacks import SurveyConfig as SurveyConfig
from appliance.config.cards import CardConfig as CardConfig
from appliance.config.console import ConsoleConfig as ConsoleConfig
from appliance.config.control import ControlConfig as ControlConfig
from appliance.config.country import Country as Country
from appliance.config.entry import CalendarConfig, EntryRule, ListConfig, RegionsConfig
from appliance.config.entry import InboundRoute as InboundRoute
from appliance.config.lines import SpanConfig as SpanConfig
from appliance.config.lines import TrunkConfig as TrunkConfig
from appliance.config.mail import MailConfig as MailConfig
from appliance.config.maintenance import MaintenanceConfig as MaintenanceConfig
from appliance.config.part import Name, Number, Part, unique
from appliance.config.pattern import DialPattern
from appliance.config.quality import QualityConfig
from appliance.config.queues import AgentConfig as AgentConfig
from appliance.config.queues import Grade, Order, Priority, mistakes
from appliance.config.queues import QueueConfig as QueueConfig
from appliance.config.recording import RecordingConfig as RecordingConfig
from appliance.config.recording import mistakes as recording_mistakes
from appliance.config.retention import RetentionConfig as RetentionConfig
from appliance.config.snmp import SnmpConfig as SnmpConfig
from appliance.config.sources import SourceConfig as SourceConfig
from appliance.config.sources import SpeechConfig
from appliance.config.syslog import SyslogConfig as SyslogConfig
from appliance.config.targets import TargetsConfig
from appliance.config.telemetry import TelemetryConfig as TelemetryConfig
from appliance.config.update import UpdateConfig as UpdateConfig
from appliance.config.webhooks import WebhooksConfig

# What appliance.media.speech has, which stands above this floor.
Currency = Literal[
    "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CNY", "EGP", "EUR", "GBP", "HKD", "IDR", "INR", "JPY", "KRW",
    "MOP", "MXN", "MYR", "NZD", "RUB", "SAR", "SGD", "THB", "TRY", "TWD", "USD", "ZAR"]
Wording = Literal["24h", "and", "oh", "yi"]


class ClockConfig(Part):
    """Whose clock the box follows (G.781: priorities, hold-off, wait to restore)."""

    sources: list[Name] = Field(default_factory=list)              # spans, best first; empty: of side user
    hold_off_s: Annotated[float, Field(ge=0.3, le=60)] = 1.0         # a source may be away for so long
    revert_s: Annotated[float, Field(ge=0, le=3600)] = 300.0         # a better one is good for so long first


class RtpConfig(Part):
    """Legs of telephones on the network; none without `legs`."""

    legs: Annotated[int, Field(ge=0, le=480)] = 0                    # at a time
    address: str = "127.0.0.1"                    # numeric, of this box: where their packets come
    first_port: Annotated[int, Field(ge=1024, le=65534)] = 16384     # a leg takes an even port and the next
    last_port: Annotated[int, Field(ge=1025, le=65535)] = 32767

    @field_validator("address")
    @classmethod
    def _numeric(cls, address: str) -> str:
        return str(ip_address(address))           # its ValueError says what is wrong

    @model_validator(mode="after")
    def _room(self) -> "RtpConfig":
        pairs = len(range(self.first_port + self.first_port % 2, self.last_port, 2))
        if pairs < max(1, self.legs):
            raise ValueError(f"legs: {self.legs} need as many even ports and the next, there are {pairs}")
        return self


class MachineConfig(Part):
    """When a called party is a person, when a machine; as Settings of appliance.media.detect.machine."""

    silence_s: Annotated[float, Field(gt=0, le=60)] = 2.5            # from the answer without a word
    pause_s: Annotated[float, Field(ge=0.1, le=10)] = 0.7            # after a word: a person
    sentence_pause_s: Annotated[float, Field(ge=0.1, le=10)] = 0.9   # after more than a second of words
    greeting_s: Annotated[float, Field(le=60)] = 4.2                 # without such a pause: a machine
    within_s: Annotated[float, Field(le=60)] = 6.0                   # from the answer, whatever was heard

    @model_validator(mode="after")
    def _in_order(self) -> "MachineConfig":
        if not self.pause_s <= self.sentence_pause_s < self.greeting_s < self.within_s >= self.silence_s:
            raise ValueError("must be pause_s <= sentence_pause_s < greeting_s < within_s, "
                             "and silence_s <= within_s")
        return self


class MediaConfig(Part):
    prompts: str = "prompts"                      # folder of A-law WAV files
    country: Country = "cn"                       # tones of E.180
    language: Literal["zh", "en"] = "zh"          # of spoken values that name none
    currency: Currency = "CNY"                    # of amounts that name none
    wording: list[Wording] = Field(default_factory=list)             # choices that hold everywhere
    realtime: bool = True                         # ask for SCHED_RR; goes on without where it is forbidden
    rtp: RtpConfig = RtpConfig()
    machine: MachineConfig = MachineConfig()
    speech: SpeechConfig = SpeechConfig()


class OutboundRoute(Part):
    """What an extension may dial: `called` is a regular expression of all of it, its group 1 goes out."""

    trunk: Name
    called: Annotated[str, Field(max_length=128)]
    to: Name                                      # trunk
    calling: Number | None = None                 # the number to show; the extension's own otherwise
    record: bool = True

    @field_validator("called")
    @classmethod
    def _one_group(cls, called: str) -> str:
        try:
            pattern = re.compile(called)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if pattern.groups != 1:
            raise ValueError("needs exactly one group: the digits that go out, e.g. 0([0-9]{3,})")
        DialPattern(called)
        return called


class CentreConfig(Part):
    calendars: list[CalendarConfig] = Field(default_factory=list)
    regions: RegionsConfig = RegionsConfig()
    lists: list[ListConfig] = Field(default_factory=list)
    entry: list[EntryRule] = Field(default_factory=list)             # in order: the first that takes a call
    inbound: list[InboundRoute] = Field(default_factory=list)
    outbound: list[OutboundRoute] = Field(default_factory=list)
    queues: list[QueueConfig] = Field(default_factory=list)
    agents: list[AgentConfig] = Field(default_factory=list)
    order: Order = "first-come"                   # of contacts in several queues for one agent
    grades: dict[Grade, Priority] = Field(default_factory=dict)      # of customers -> more priority
    not_ready: list[ReasonConfig] = Field(default_factory=list)      # empty: any reason
    control: ControlConfig = ControlConfig()
    sources: list[SourceConfig] = Field(default_factory=list)        # where flows look things up
    callbacks: CallbackConfig = CallbackConfig()
    voicemail: list[BoxConfig] = Field(default_factory=list)
    surveys: list[SurveyConfig] = Field(default_factory=list)
    targets: TargetsConfig = TargetsConfig()      # of figures


class WebConfig(Part):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080               # 0: any free one, see run/web.url
    language: Literal["zh", "en"] = "zh"          # until a person chooses
    tls: Literal["auto", "on", "off"] = "auto"    # auto: unless only this machine can come
    secure_cookies: bool = False                  # True behind somebody else's TLS; with ours they are
    second_factor: Annotated[Literal["off", "offered", "required"], BeforeValidator(
        lambda value: "off" if value is False else value)] = "offered"      # YAML reads a bare off as false
    audit_days: Annotated[float, Field(ge=30, le=36500)] = 730.0     # the log of what people did
    mail: MailConfig | None = None                # the server that takes reports and alerts
    webhooks: WebhooksConfig = WebhooksConfig()   # servers of alerts that are not public


class TraceConfig(Part):
    """How long what calls said on their D-channels is kept."""

    days: Annotated[float, Field(gt=0, le=3650)] = 90.0
    mebibytes: Annotated[int, Field(ge=1, le=65536)] = 256           # the oldest go when there are more


class Config(Part):
    spans: Annotated[list[SpanConfig], Field(min_length=1)]
    trunks: list[TrunkConfig] = Field(default_factory=list)          # one that is not here has defaults
    clock: ClockConfig = ClockConfig()
    media: MediaConfig = MediaConfig()
    centre: CentreConfig = CentreConfig()
    web: WebConfig = WebConfig()
    trace: TraceConfig = TraceConfig()
    quality: QualityConfig = QualityConfig()
    recording: RecordingConfig = RecordingConfig()
    retention: RetentionConfig = RetentionConfig()
    archive: ArchiveConfig = ArchiveConfig()
    backup: BackupConfig = BackupConfig()
    cards: list[CardConfig] = Field(default_factory=list, max_length=16)
    update: UpdateConfig = UpdateConfig()
    maintenance: MaintenanceConfig = MaintenanceConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    snmp: SnmpConfig = SnmpConfig()
    syslog: SyslogConfig = SyslogConfig()
    console: ConsoleConfig = ConsoleConfig()

    @model_validator(mode="after")
    def _names_meet(self) -> "Config":
        trunks = {span.trunk for span in self.spans}
        wrong: list[str] = []
        unique(wrong, "spans", [span.name for span in self.spans])
        unique(wrong, "spans: url", [span.url for span in self.spans])
        unique(wrong, "clock.sources", self.clock.sources)
        names = {span.name for span in self.spans}
        wrong += [f"clock.sources: no span is called {name!r}, there are {', '.join(sorted(names))}"
                  for name in self.clock.sources if name not in names]
        unique(wrong, "cards", [card.name for card in self.cards])
        unique(wrong, "cards: control", [card.control for card in self.cards])
        unique(wrong, "centre.agents", [agent.name for agent in self.centre.agents])
        unique(wrong, "centre.not_ready", [reason.name for reason in self.centre.not_ready])
        unique(wrong, "centre.queues", [queue.name for queue in self.centre.queues])
        unique(wrong, "centre.sources", [source.name for source in self.centre.sources])
        for where, trunk in [
            *(("centre.inbound", route.trunk) for route in self.centre.inbound),
            *(("centre.outbound", route.trunk) for route in self.centre.outbound),
            *(("centre.outbound: to", route.to) for route in self.centre.outbound),
            *(("centre.agents", agent.trunk) for agent in self.centre.agents if agent.trunk is not None),
            *([] if self.update.test_call is None else [("update.test_call", self.update.test_call.trunk)]),
            *([] if self.maintenance.test_call is None else
              [("maintenance.test_call", self.maintenance.test_call.trunk)]),
        ]:
            if trunk not in trunks:
                wrong.append(f"{where}: no span has trunk {trunk!r}, they have {', '.join(sorted(trunks))}")
        wrong += mistakes(self.centre.queues, self.centre.agents)
        queues = {queue.name for queue in self.centre.queues}
        unique(wrong, "recording.rules", [rule.name for rule in self.recording.rules])
        wrong += recording_mistakes(self.recording, trunks, queues, {one.name for one in self.centre.agents})
        wrong += [f"centre.targets.queues: no queue is called {name!r}, there are "
                  f"{', '.join(sorted(queues)) or 'none'}"
                  for name in self.centre.targets.queues if name not in queues]
        if self.backup.hub and not (self.archive.s3 or self.archive.sftp):
            wrong.append("backup.hub: archive has no s3 and no sftp: write where the hub is there")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def trunk(self, name: str) -> TrunkConfig:
        """The settings of a trunk that spans name."""
        return next((trunk for trunk in self.trunks if trunk.name == name), TrunkConfig(name=name))

