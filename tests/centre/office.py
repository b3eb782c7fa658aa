"""A call centre for tests: a configuration, an engine, and a trunkd and a spand that do what they are told.

Time is a number that the test moves. After every decision there must be no violation and no leg of nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec

from appliance.bus.messages import (
    Alert,
    Answer,
    Bridge,
    CallAlerting,
    CallAnswered,
    CallClearing,
    CallDigits,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallProgress,
    CallReleased,
    CallTable,
    Dial,
    Digit,
    GrantDeflection,
    Hangup,
    JoinConference,
    MaskDigits,
    PauseRecording,
    Play,
    PlayEnded,
    Proceed,
    Reply,
    Request,
    ResumeRecording,
    StartRecording,
    StopPlay,
    StopRecording,
    Supervise,
    Unbridge,
)
from appliance.centre.effects import Effect, EffectDone
from appliance.centre.engine import Engine
from appliance.centre.events import decode
from appliance.centre.figures.counting import KINDS as COUNTED
from appliance.centre.figures.counting import count as count_figures
from appliance.centre.figures.ongoing import Now, going_on
from appliance.centre.flow import Flow, HangupNode, MenuNode, Option, PlayNode, QueueNode
from appliance.centre.invariants import violations
from appliance.centre.projector import ContactProjector
from appliance.centre.state import Agent, Contact
from appliance.centre.turn import Setup
from appliance.config.emergency import Emergency
from appliance.config.schema import AgentConfig, CentreConfig, InboundRoute, OutboundRoute, QueueConfig
from appliance.store.events import Entry
from appliance.store.records import ContactRecord

AGENTS = ["ann", "bo", "cy", "dee", "eve"]

FLOW = Flow(language="zh", start="greeting", nodes={
    "greeting": PlayNode(kind="play", prompt=["welcome"], next="main"),
    "main": MenuNode(kind="menu", prompt=["menu"], timeout_s=5.0, retries=1, invalid=["invalid"],
                     default="sorry", digits={"1": Option(next="sales"), "2": Option(
                         next="english", language="en")}),
    "english": PlayNode(kind="play", prompt=["hello"], next="sales"),
    "sales": QueueNode(kind="queue", queue="sales"),
    "sorry": PlayNode(kind="play", prompt=["sorry"], next="bye"),
    "bye": HangupNode(kind="hangup", cause=16),
})
SHORT = Flow(start="sales", nodes={
    "sales": QueueNode(kind="queue", queue="sales", overflow_s=60.0, next="service"),
    "service": QueueNode(kind="queue", queue="service")})
CLOSED = Flow(start="closed", nodes={"closed": HangupNode(kind="hangup", cause=21)})

CENTRE = CentreConfig(
    inbound=[InboundRoute(trunk="telco", called="5000", flow="flow"),
             InboundRoute(trunk="telco", called="5001", flow="short"),
             InboundRoute(trunk="telco", called="50017", flow="flow"),
             InboundRoute(trunk="telco", called="5009", flow="closed")],
    outbound=[OutboundRoute(trunk="pbx", called="0([0-9]{3,})", to="telco", calling="5000"),
              OutboundRoute(trunk="pbx", called="(11[029])", to="telco", record=False)],
    queues=[QueueConfig(name="sales", agents=AGENTS[:3], ring_s=15.0, wrap_up_s=5.0, unavailable_s=30.0,
                        position_every_s=20.0),
            QueueConfig(name="service", agents=AGENTS[2:], wrap_up_s=0.0, position_every_s=0.0,
                        record=False)],
    agents=[AgentConfig(name=name, extension=str(extension), trunk="pbx")
            for extension, name in enumerate(AGENTS, 8001)])


def setup(centre: CentreConfig = CENTRE, emergency: Emergency | None = None) -> Setup:
    numbers = count(1)
    flows = {"flow": FLOW, "short": SHORT, "closed": CLOSED}
    return Setup.of(centre, flows, lambda: f"{next(numbers):032x}", emergency)


def incoming(leg: str, called: str, *, trunk: str = "telco", calling: str = "13800000000",
             complete: bool = True, at: float = 1000.0) -> CallIncoming:
    return CallIncoming(leg=leg, trunk=trunk, called=called, calling=calling, calling_name="",
                        complete=complete, at=at)


class Office:
    """`calls` is trunkd's table, `heard` what spand plays, `told` every action since the last tell()."""

    def __init__(self, setup: Setup, now: float = 1000.0) -> None:
        self.setup, self.now = setup, now
        self.log: list[Entry] = []
        self.told: list[Request[Any]] = []
        self.calls: dict[str, CallInfo] = {}
        self.released: list[CallInfo] = []
        self.playing: dict[str, Play] = {}
        self.bridged: set[frozenset[str]] = set()
        self.recording: dict[str, StartRecording] = {}
        self.conferences: dict[str, str] = {}     # by leg
        self.supervising: dict[str, Supervise] = {}
        self.masked: set[str] = set()
        self.effects: dict[str, Effect] = {}      # that are not done yet, by contact
        self.records: dict[str, ContactRecord] = {}
        self.ongoing: dict[str, str] = {}         # what figures remember
        self.engine = Engine(setup)
        self.engine.start(now)
        self._settle()

    # --- what the world does

    def call(self, leg: str, called: str = "5000", *, trunk: str = "telco", calling: str = "13800000000",
             complete: bool = True) -> str:
        """A call arrives; the contact's id."""
        self._table(leg, trunk, True, "offered" if complete else "overlap", called, calling)
        self.give(incoming(leg, called, trunk=trunk, calling=calling, complete=complete, at=self.now))
        return next(reversed(self.records))

    def digits(self, leg: str, called: str, complete: bool = False) -> None:
        self.give(CallDigits(leg=leg, called=called, complete=complete))

    def press(self, leg: str, *digits: str) -> None:
        for digit in digits:
            self.give(Digit(leg=leg, digit=digit, at=self.now))

    def played(self, leg: str, error: str = "") -> None:
        """What the leg hears comes to its end."""
        play = self.playing.pop(leg)
        assert not play.repeat or error, "music has no end"
        self.give(PlayEnded(leg=leg, play=play.play, finished=not error, error=error))

    def proceeding(self, leg: str) -> None:
        self._state(leg, "proceeding")
        self.give(CallProceeding(leg=leg))

    def progress(self, leg: str, in_band: bool = True) -> None:
        self.give(CallProgress(leg=leg, in_band=in_band))

    def clearing(self, leg: str, cause: int) -> None:
        """The far end says in the channel why it ends the call."""
        self._state(leg, "disconnecting", cause)
        self.give(CallClearing(leg=leg, cause=cause))

    def alerting(self, leg: str) -> None:
        self._state(leg, "alerting")
        self.give(CallAlerting(leg=leg))

    def answer(self, leg: str, connected: str = "") -> None:
        self._state(leg, "answered")
        self.give(CallAnswered(leg=leg, at=self.now, connected=connected))

    def hang_up(self, leg: str, cause: int = 16, by: str = "far") -> None:
        self.give(self.release(leg, cause, by))

    def release(self, leg: str, cause: int, by: str) -> CallReleased:
        """The leg ends without anybody being told yet."""
        self.released.append(msgspec.structs.replace(
            self.calls.pop(leg), state="released", since=self.now, cause=cause, by=by))
        self._part(leg)
        self.masked.discard(leg)
        self.supervising = {supervisor: one for supervisor, one in self.supervising.items()
                            if one.agent != leg}
        self.recording = {name: one for name, one in self.recording.items()      # UnbindLeg ends it
                          if leg not in (one.caller_leg, one.agent_leg)}
        return CallReleased(leg=leg, cause=cause, by=by, at=self.now)

    def clear(self) -> None:
        """Legs that we hung up are released."""
        for call in list(self.calls.values()):
            if call.state == "clearing":
                self.hang_up(call.leg, call.cause, "near")

    def pass_time(self, seconds: float) -> None:
        """Deadlines on the way are met one by one."""
        end = self.now + seconds
        while (deadline := self.engine.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.engine.expire(self.now)
            self._settle()
        self.now = end
        self._check_legs()

    def restart(self, setup: Setup | None = None) -> None:
        """A new engine from the log, trunkd's table, and spand is told again."""
        self.setup = setup or self.setup
        self.effects.clear()                      # its worker died, too
        self.engine = Engine(self.setup)
        self.engine.replay(self.log)
        self.engine.start(self.now)
        self._settle()
        self.give(self.table())
        for wish in self.engine.media_wishes():
            self._do(wish)

    def crash(self, given: object) -> None:
        """acdd dies when its decision is on the disk and nothing is done about it yet."""
        self.engine.handle(given, self.now)
        self._settle(acting=False)
        self.restart()

    def table(self) -> CallTable:
        return CallTable(calls=list(self.calls.values()), released=self.released[-1000:])

    def give(self, given: object) -> None:
        self.engine.handle(given, self.now)
        self._settle()
        self._check_legs()

    def command(self, request: Request[Any]) -> Reply:
        """What somebody asks of the centre."""
        try:
            return self.engine.command(request, self.now)
        finally:
            self._settle()
            self._check_legs()

    def effect_done(self, contact: str, answer: Mapping[str, Any] | None = None, error: str = "",
                    fragment: str = "") -> Effect:
        """What the worker was asked for the contact is done."""
        effect = self.effects.pop(contact)
        self.give(EffectDone(order=effect.order, answer=answer, error=error, fragment=fragment))
        return effect

    # --- what the test asks

    def contact(self, name: str) -> Contact:
        return self.engine.state.contacts[name]

    def agent(self, name: str) -> Agent:
        return self.engine.state.agents[name]

    def states(self) -> dict[str, str]:
        return {name: agent.state for name, agent in self.engine.state.agents.items()}

    def ringing(self) -> dict[str, str]:
        """extension -> leg of the calls out to agents that are not answered."""
        return {call.called: call.leg for call in self.calls.values()
                if not call.inbound and call.trunk == "pbx" and call.state in ("offered", "alerting")}

    def hears(self, leg: str) -> list[str]:
        return [fragment.partition(":")[2] for fragment in self.playing[leg].fragments]

    def tell(self) -> list[Request[Any]]:
        told, self.told = self.told, []
        return told

    def shape(self, name: str) -> list[tuple[str, str]]:
        return [(segment.kind, segment.detail) for segment in self.records[name].segments]

    def take_in(self, entries: Iterable[Entry]) -> None:
        """Onto the disk: log, records, figures."""
        projector = ContactProjector()
        for entry in entries:
            self.log.append(replace(entry, seq=len(self.log) + 1))
            if entry.kind in projector.kinds:
                self.records[entry.contact] = projector.fold(self.records.get(entry.contact), entry)
            if entry.kind in COUNTED:
                count_figures(self.ongoing, entry.at, entry.contact, decode(entry))

    # --- inside

    def _settle(self, acting: bool = True) -> None:
        entries, actions = self.engine.take()
        self.take_in(entries)
        for action in actions if acting else ():
            if isinstance(action, Effect):
                self.effects[action.order.rpartition("-e")[0]] = action
            else:
                self._do(action)
        assert violations(self.engine.state) == []
        state = self.engine.state
        assert going_on(self.ongoing) == Now(
            {name: agent.state for name, agent in state.agents.items()}, state.contacts.keys(),
            {name for name, one in state.contacts.items() if one.waiting and one.callback is None})

    def _check_legs(self) -> None:
        """A live contact's legs exist, and every call that is not being cleared is a live contact's."""
        assert self.engine.state.legs.keys() <= self.calls.keys()
        for call in self.calls.values():
            assert call.state == "clearing" or call.leg in self.engine.state.legs, call

    def _do(self, action: Request[Any]) -> None:
        self.told.append(action)
        match action:
            case Dial(leg=leg, trunk=trunk, called=called, calling=calling):
                assert leg not in self.calls
                self._table(leg, trunk, False, "offered", called, calling)
            case Hangup(leg=leg, cause=cause) if leg in self.calls:
                self._state(leg, "clearing", cause)
            case GrantDeflection(leg=leg, granted=True):
                self._state(leg, "clearing", 31)
            case Proceed(leg=leg):
                self._state(leg, "proceeding")
            case Alert(leg=leg):
                self._state(leg, "alerting")
            case Answer(leg=leg):
                assert self.calls[leg].state != "answered"
                self._state(leg, "answered")
            case Play(leg=leg):
                self.playing[leg] = action
            case StopPlay(leg=leg):
                self.playing.pop(leg, None)
            case MaskDigits(leg=leg, on=on):
                self.masked = self.masked | {leg} if on else self.masked - {leg}
            case Bridge(leg_a=leg_a, leg_b=leg_b):
                self._part(leg_a, leg_b)
                self.bridged.add(frozenset((leg_a, leg_b)))
            case Unbridge(leg=leg):
                self.bridged = {pair for pair in self.bridged if leg not in pair}
            case JoinConference(conference=name, leg=leg):
                self._part(leg)
                self.conferences[leg] = name
            case Supervise(supervisor=leg):
                self._part(leg)
                self.supervising[leg] = action
            case PauseRecording(recording=recording):
                self.recording[recording] = msgspec.structs.replace(self.recording[recording], paused=True)
            case ResumeRecording(recording=recording):
                self.recording[recording] = msgspec.structs.replace(self.recording[recording], paused=False)
            case StartRecording(recording=recording):
                self.recording[recording] = action
            case StopRecording(recording=recording):
                self.recording.pop(recording, None)

    def _part(self, *legs: str) -> None:
        """They are connected with nobody, and hear nothing."""
        for leg in legs:
            self.bridged = {pair for pair in self.bridged if leg not in pair}
            self.conferences.pop(leg, None)
            self.supervising.pop(leg, None)
            self.playing.pop(leg, None)

    def _table(self, leg: str, trunk: str, inbound: bool, state: str, called: str, calling: str) -> None:
        self.calls[leg] = CallInfo(
            leg=leg, trunk=trunk, span="s", timeslot=1, inbound=inbound, state=state, called=called,
            calling=calling, calling_name="", complete=state != "overlap", since=self.now, began_at=self.now,
            answered=state == "answered")

    def _state(self, leg: str, state: str, cause: int = 0) -> None:
        if self.calls[leg].state != "clearing":
            call = self.calls[leg]
            self.calls[leg] = msgspec.structs.replace(
                call, state=state, cause=cause, since=self.now, answered=call.answered or state == "answered")


def kinds(actions: Iterable[Request[Any]]) -> list[str]:
    return [type(action).__name__ for action in actions]


def in_queue(office: Office, leg: str, called: str = "5000") -> str:
    """A caller who has chosen sales."""
    name = office.call(leg, called)
    office.press(leg, "1")
    return name
