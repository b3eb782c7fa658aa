"""The newest of all that boxd hears, as figures are read from it. No clock and no bus: events come in."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from appliance.box.network_cards import NetworkCard
from appliance.box.telemetry.machine import Machine
from appliance.bus.messages import (
    Board,
    CallAnswered,
    CallIncoming,
    CallReleased,
    CardState,
    ChannelStates,
    ClockState,
    Event,
    Fitness,
    Hardware,
    Health,
    LineFailure,
    RecorderChanged,
    RecorderState,
    RecordingFinished,
    SpanState,
    StorageState,
    WallClock,
)
from e1_driver.watch.bins import Bin

AWAY = ("down", "never")                          # of DaemonHealth: what such a daemon said holds no more
GONE_S = 15.0                                     # spand says every line once a second: it has it no more


@dataclass(frozen=True, slots=True)
class Performance:
    """Of one line (G.826). None: nothing was measured in it."""

    quarter: Bin | None                           # the last 15 minutes that ended
    day: Bin | None                               # the running day of UTC


@dataclass(slots=True)
class OwnCounts:
    """What telemetry did itself, since it began with these settings; spool: now."""

    spooled_points: int = 0
    spooled_octets: int = 0
    oldest_at: float = 0.0                        # of the points in the spool, Unix time; 0: it is empty
    sent_points: int = 0
    dropped_points: int = 0                       # too old or too many, or refused by the server
    failures: int = 0                             # of writing
    away: bool = False                            # the last write failed


@dataclass(slots=True)
class Seen:
    """`at`: Unix time at which the figures are read; set it before. What nobody said yet is not there."""

    at: float = 0.0
    version: str = ""
    spans: dict[str, SpanState] = field(default_factory=dict)
    failures: set[tuple[str, str]] = field(default_factory=set)      # span, alarm
    performance: Mapping[str, Performance] = field(default_factory=dict)
    channels: dict[str, ChannelStates] = field(default_factory=dict)
    calls_offered: Counter[str] = field(default_factory=Counter)     # by trunk
    calls_answered: int = 0
    calls_released: Counter[tuple[int, str]] = field(default_factory=Counter)    # by cause and by whom
    recordings: int = 0
    clock: ClockState | None = None
    floor: Board | None = None
    queues: dict[str, dict[str, float]] = field(default_factory=dict)            # figures of today
    health: Health | None = None
    recorder: RecorderState | None = None
    hardware: Hardware | None = None
    cards: dict[str, CardState] = field(default_factory=dict)
    fitness: Fitness | None = None
    wall_clock: WallClock | None = None
    storage: StorageState | None = None
    network: tuple[NetworkCard, ...] = ()         # but the loopback
    machine: Machine | None = None
    own: OwnCounts | None = None                  # None: telemetry is off

    def hear(self, event: Event) -> None:
        match event:
            case SpanState():
                self.spans[event.span] = event
            case ChannelStates(channels=[]):      # trunkd has the span no more
                self.channels.pop(event.span, None)
            case ChannelStates():
                self.channels[event.span] = event
            case Board():
                self.floor = event
            case Health():
                self.health = event
            case CallIncoming():
                self.calls_offered[event.trunk] += 1
            case CallAnswered():
                self.calls_answered += 1
            case CallReleased():
                self.calls_released[event.cause & 0x7F, event.by] += 1
            case RecordingFinished():
                self.recordings += 1
            case LineFailure(declared=True):
                self.failures.add((event.span, event.alarm))
            case LineFailure():
                self.failures.discard((event.span, event.alarm))
            case ClockState():
                self.clock = event
            case RecorderChanged():
                self.recorder = event.state
            case Hardware():
                self.hardware = event
            case CardState():
                self.cards[event.card] = event
            case Fitness():
                self.fitness = event
            case WallClock():
                self.wall_clock = event

    def lines(self) -> Iterator[tuple[str, SpanState]]:
        """By their names; only those that spand speaks of."""
        for name, state in self.spans.items() if self.lives("spand") else ():
            if abs(self.at - state.at) < GONE_S:
                yield name, state

    def lives(self, daemon: str) -> bool:
        """What it said last is still so."""
        return self.health is not None and any(
            one.daemon == daemon and one.state not in AWAY for one in self.health.daemons)

    def facts(self, daemon: str) -> Mapping[str, float]:
        """Of its heartbeat; none while it is away."""
        if self.health is None:
            return {}
        return next((one.facts for one in self.health.daemons
                     if one.daemon == daemon and one.state not in AWAY), {})
