"""What the other daemons last said, for the pages. No truth of its own: it is asked for anew at every start.

The bus writes from its thread, and pages' threads wake; any number of them read. `floor` is immutable and
replaced whole, so a reader takes it once and needs no lock; wait() sleeps until there is another.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from appliance.bus.messages import (
    DAEMONS,
    Board,
    BoardReply,
    CallIncoming,
    CallReleased,
    CallTable,
    CardList,
    CardState,
    ChannelList,
    ChannelStates,
    ClockState,
    DocumentHistory,
    DocumentState,
    Event,
    Fitness,
    FitnessReply,
    Hardware,
    HardwareReply,
    Health,
    HealthReply,
    Heartbeat,
    LineTest,
    LineTests,
    LineTestState,
    LinkState,
    PromptsChanged,
    PromptTake,
    PromptTakes,
    PromptTakeState,
    RecorderChanged,
    RecorderState,
    Rehearsal,
    RehearsalState,
    Reply,
    SpanList,
    SpanState,
    UpdatePast,
    UpdateReply,
    UpdateState,
    WallClock,
    WallClockReply,
)
from appliance.bus.messages.flows import FlowsChanged

T = TypeVar("T")

AWAY_S = 3.0                                      # a daemon says a heartbeat every second

Numbers = tuple[str, str]                         # calling, called


@dataclass(frozen=True, slots=True)
class Floor:
    """The newest of everything. `away`: the daemons not heard for AWAY_S; webui itself: the bus is away."""

    board: Board | None = None
    channels: Mapping[str, ChannelStates] = field(default_factory=dict)
    links: Mapping[str, LinkState] = field(default_factory=dict)
    spans: Mapping[str, SpanState] = field(default_factory=dict)
    clock: ClockState | None = None
    numbers: Mapping[str, Numbers] = field(default_factory=dict)             # by leg
    health: Health | None = None
    recorder: RecorderState | None = None
    fitness: Fitness | None = None
    hardware: Hardware | None = None
    cards: Mapping[str, CardState] = field(default_factory=dict)
    update: UpdateState | None = None
    past: tuple[UpdatePast, ...] = ()             # updates that are over, newest first
    time_of_day: WallClock | None = None
    document: DocumentState | None = None         # the configuration's versions
    flows: int = 0                                # changes of flows that were heard of
    tests: Mapping[str, LineTest] = field(default_factory=dict)              # the last of each span
    prompts: int = 0                              # changes of them that were heard
    takes: Mapping[str, PromptTake] = field(default_factory=dict)    # the last of each prompt, by its name
    rehearsal: Rehearsal | None = None            # the last that was said of
    away: frozenset[str] = frozenset()
    woken: int = 0                                # how often something that no daemon says has changed

    def span_names(self) -> list[str]:
        return sorted({*self.channels, *self.spans})


def _more_than_numbers(one: Floor, other: Floor) -> bool:
    return any(getattr(one, name) is not getattr(other, name) for name in _BUT_NUMBERS)


_BUT_NUMBERS = tuple(one.name for one in fields(Floor) if one.name != "numbers")


class Mirror:
    def __init__(self, now: float) -> None:
        self._floor = Floor()
        self._heard = dict.fromkeys(DAEMONS, now)
        self._changed = threading.Condition()
        self._changed_more = threading.Condition()               # than numbers of calls
        self._told: tuple[Callable[[bool], None], ...] = ()
        self.closed = threading.Event()

    @property
    def floor(self) -> Floor:
        return self._floor

    def hear(self, event: Event, now: float) -> None:
        """Take an event in; kinds that no page shows are passed over."""
        if isinstance(event, Heartbeat) and event.daemon in self._heard:
            self._heard[event.daemon] = now
            self.check(now)
        elif take := _TAKE.get(type(event)):
            self._become(take, event)

    def load(self, reply: Reply) -> None:
        """Take the answer to a question in."""
        if take := _TAKE.get(type(reply)):
            self._become(take, reply)

    def check(self, now: float) -> None:
        """See who has not been heard for too long."""
        away = frozenset(daemon for daemon, at in self._heard.items() if now - at > AWAY_S)
        self._become(_take_away, away)

    def unknown_legs(self) -> bool:
        """True when a busy channel's numbers were never told."""
        return any(channel.leg and channel.leg not in self._floor.numbers
                   for span in self._floor.channels.values() for channel in span.channels)

    def wait(self, seen: Floor, timeout_s: float, numbers: bool = True) -> bool:
        """Return when `floor` is another than `seen` or when closed: True, or after `timeout_s`. numbers
        False: when more than the numbers of channels' calls is."""
        if numbers:
            with self._changed:
                return self._changed.wait_for(
                    lambda: self._floor is not seen or self.closed.is_set(), timeout_s)
        with self._changed_more:
            return self._changed_more.wait_for(
                lambda: _more_than_numbers(seen, self._floor) or self.closed.is_set(), timeout_s)

    def changed(self, seen: Floor, numbers: bool = True) -> bool:
        """Whether wait() would return at once."""
        floor = self._floor
        return floor is not seen and (numbers or _more_than_numbers(seen, floor))

    def tell(self, heard: Callable[[bool], None]) -> None:
        """After each change `heard` is called in the thread that brings it, where it must neither wait nor
        fail, with whether more than numbers of channels' calls is another; and when it is closed."""
        self._told += (heard,)

    def wake(self) -> None:
        """Something that live pages show and no daemon said has changed."""
        self._become(lambda floor: replace(floor, woken=floor.woken + 1))

    def close(self) -> None:
        """Wake everybody who waits, for good."""
        self.closed.set()
        for changed in (self._changed, self._changed_more):
            with changed:
                changed.notify_all()
        for heard in self._told:
            heard(True)

    def _become(self, take: Callable[..., Floor], *said: object) -> None:
        """What `take` makes of the newest floor and of what was said."""
        with self._changed:
            before = self._floor
            floor = self._floor = take(before, *said)
            if floor is before:
                return
            self._changed.notify_all()
        if more := _more_than_numbers(before, floor):
            with self._changed_more:
                self._changed_more.notify_all()
        for heard in self._told:
            heard(more)


def _take_away(floor: Floor, away: frozenset[str]) -> Floor:
    return floor if floor.away == away else replace(floor, away=away)


def _take_board(floor: Floor, board: Board) -> Floor:
    """What is as it was stays the same object: who looks for what is new finds the rest at a glance."""
    before = floor.board
    if before is None:
        return replace(floor, board=board)
    if board.at < before.at:
        return floor
    return replace(floor, board=msgspec.structs.replace(
        board, agents=_kept(before.agents, board.agents, attrgetter("name")),
        queues=_kept(before.queues, board.queues, attrgetter("name")),
        contacts=_kept(before.contacts, board.contacts, attrgetter("contact"))))


def _kept(before: list[T], now: list[T], name: Callable[[T], str]) -> list[T]:
    """`now`, each that is equal to the one of its name in `before` by that one."""
    known = {name(one): one for one in before}
    return [known[name(one)] if known.get(name(one)) == one else one for one in now]


def _take_health(floor: Floor, health: Health) -> Floor:
    newer = floor.health is None or health.at >= floor.health.at
    return replace(floor, health=health) if newer else floor


def _take_channels(floor: Floor, event: ChannelStates) -> Floor:
    return replace(floor, channels={**floor.channels, event.span: event})


def _take_incoming(floor: Floor, event: CallIncoming) -> Floor:
    return replace(floor, numbers={**floor.numbers, event.leg: (event.calling, event.called)})


def _take_released(floor: Floor, event: CallReleased) -> Floor:
    return replace(floor, numbers={leg: both for leg, both in floor.numbers.items() if leg != event.leg})


def _take_test(floor: Floor, event: LineTestState) -> Floor:
    return replace(floor, tests={**floor.tests, event.test.span: event.test})


def _take_tests(floor: Floor, reply: LineTests) -> Floor:
    """Those that run; any other that ran has ended unheard."""
    ended = {span: test for span, test in floor.tests.items() if test.state == "ended"}
    return replace(floor, tests={**ended, **{test.span: test for test in reply.tests}})


def _take_takes(floor: Floor, reply: PromptTakes) -> Floor:
    return replace(floor, takes={take.name: take for take in reply.takes})


def _take_document(floor: Floor, state: DocumentState) -> Floor:
    """A time that was only reckoned again is not another one."""
    known = floor.document
    if known is not None and abs(known.until - state.until) < 1.0:
        state = msgspec.structs.replace(state, until=known.until)
        if msgspec.structs.replace(state, at=known.at) == known:
            return floor
    return replace(floor, document=state)


def _take_calls(floor: Floor, table: CallTable) -> Floor:
    return replace(floor, numbers={call.leg: (call.calling, call.called) for call in table.calls})


_TAKE: dict[type[Event] | type[Reply], Callable[[Floor, Any], Floor]] = {
    Board: _take_board,
    BoardReply: lambda floor, reply: _take_board(floor, reply.board),
    Health: _take_health,
    RecorderChanged: lambda floor, event: replace(floor, recorder=event.state),
    RecorderState: lambda floor, reply: replace(floor, recorder=reply),
    HealthReply: lambda floor, reply: _take_health(floor, reply.health),
    Fitness: lambda floor, event: replace(floor, fitness=event),
    FitnessReply: lambda floor, reply: replace(floor, fitness=reply.fitness),
    Hardware: lambda floor, event: replace(floor, hardware=event),
    HardwareReply: lambda floor, reply: replace(floor, hardware=reply.hardware),
    CardState: lambda floor, event: replace(floor, cards={**floor.cards, event.card: event}),
    CardList: lambda floor, reply: replace(floor, cards={card.card: card for card in reply.cards}),
    UpdateState: lambda floor, event: replace(floor, update=event),
    UpdateReply: lambda floor, reply: replace(floor, update=reply.state, past=tuple(reply.history)),
    PromptsChanged: lambda floor, event: replace(floor, prompts=floor.prompts + 1),
    PromptTakeState: lambda floor, event: replace(floor, takes={**floor.takes, event.take.name: event.take}),
    PromptTakes: _take_takes,
    LineTestState: _take_test,
    LineTests: _take_tests,
    DocumentState: _take_document,
    RehearsalState: lambda floor, event: replace(floor, rehearsal=event.rehearsal),
    FlowsChanged: lambda floor, event: replace(floor, flows=floor.flows + 1),
    DocumentHistory: lambda floor, reply: _take_document(floor, reply.state),
    WallClock: lambda floor, event: replace(floor, time_of_day=event),
    WallClockReply: lambda floor, reply: replace(floor, time_of_day=reply.clock),
    ChannelStates: _take_channels,
    ChannelList: lambda floor, reply: replace(floor, channels={span.span: span for span in reply.spans}),
    LinkState: lambda floor, event: replace(floor, links={**floor.links, event.span: event}),
    ClockState: lambda floor, event: replace(floor, clock=event),
    SpanState: lambda floor, event: replace(floor, spans={**floor.spans, event.span: event}),
    SpanList: lambda floor, reply: replace(
        floor, spans={span.span: span for span in reply.spans}, clock=reply.clock),
    CallIncoming: _take_incoming,
    CallReleased: _take_released,
    CallTable: _take_calls,
}
