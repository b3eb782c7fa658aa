"""Two ends of a span and their applications over a bad line: what must hold at every moment, and what once
all is quiet.
"""
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import StateError
from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import On, State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import ProgressIndicator
from appliance.isdn.events import Answered, ChannelState, Event, Incoming, LinkChanged, Released
from appliance.isdn.lapd import Side
from appliance.isdn.supplementary.events import ServiceEvent
from tests.isdn.line import CALLED, Faults, Line

CLEAN = Faults()
LOSSY = Faults(loss=0.2, duplicate=0.1)           # what layer 2 is made for
MUTE = Faults(loss=0.7)
STORM = Faults(loss=0.05, duplicate=0.05, reorder=0.2, flip=0.1)     # what it is not
QUIET_S = 600.0                                   # every timer and its retries, T316 of two channels included
SOON_S = 60.0                                     # T303, T305, T308, T322: what was lost is known
HANG_UP_S = 60.0                                  # T305, T308 twice
CALL_S = 0.2
LANDED_S = 0.02
MOST_FRAMES, MOST_FRAMES_A_SECOND = 1000, 20      # both ways, of a few calls
LOOK_S, LAST_S = 4.0, 0.05

S = State
WAITS_FOR = {                                     # whoever waits for the far end has one of these timers
    S.INITIATED: (On.T303,),
    S.OVERLAP_RECEIVING: (On.T302,),
    S.DELIVERED: (On.T301,),
    S.CONNECT_REQUEST: (On.T313,),
    S.DISCONNECTING: (On.T305, On.T306),
    S.DISCONNECTED: (On.T306,),
}
CLEARING = (S.DISCONNECTING, S.RELEASING)
AGREED = {                                        # states of calling and called side when all is quiet
    (S.ACTIVE, S.ACTIVE), (S.PROCEEDING_OUT, S.PROCEEDING_IN), (S.DELIVERED, S.RECEIVED)}


@dataclass
class Application:
    """What the owner of one end was told. `behaviour` is what it does with a call that is offered."""

    behaviour: str = "wait"
    begun: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    over: dict[str, Released] = field(default_factory=dict)
    holds: list[str] = field(default_factory=list)       # ended calls that it has not let go of
    link_up: bool | None = None

    def told(self, event: Event) -> None:
        """Each call begins once, ends once, and nothing is said of it before or after."""
        if isinstance(event, LinkChanged):
            assert event.up != self.link_up, event
            self.link_up = event.up
            return
        key = getattr(event, "key", None)
        if key is None:
            return
        if isinstance(event, Incoming):
            assert key not in self.begun, event
            self.begun.add(key)
        assert key in self.begun, event
        if not isinstance(event, ServiceEvent):   # a service may end by the end of its call
            assert key not in self.over, (event, self.over[key])
        if isinstance(event, Answered):
            self.answered.add(key)
        if isinstance(event, Released):
            self.over[key] = event
            self.holds.append(key)


class World:
    """`options` are both ends', `user` and `network` one's. Requests about calls take any number for the key:
    it is counted round the calls that are there."""

    def __init__(self, *, seed: int = 1, user: dict[str, Any] | None = None,
                 network: dict[str, Any] | None = None, **options: Any) -> None:
        options = {"timeslots": (1, 2, 3)} | options
        self._options = {Side.USER: options | (user or {}), Side.NETWORK: options | (network or {})}
        self._slow = {side: self._options[side].get("slow_clearing", False) for side in Side}
        self.applications = {side: Application() for side in Side}
        self._blocked: dict[Side, set[int]] = {side: set() for side in Side}
        self._numbers = itertools.count(1)
        self.exact = True                         # what was sent arrives in order, as it is, or not at all
        self.line = Line(seed=seed, up=False, user=self._options[Side.USER],
                         network=self._options[Side.NETWORK])
        for side in Side:
            self.line.on_event[side] = self._handler(side)
        self.line.connect()
        self.run(0.1)

    # --- what may happen

    def behave(self, side: Side, behaviour: str) -> None:
        """wait, proceed, answer, ring and answer, refuse: what is done at once with a call that is offered.

        To wait for ever is no answer: a SETUP said again when its call was over has no one behind it.
        """
        self.applications[side].behaviour = behaviour

    def place(self, side: Side, *, timeslot: int | None = None, exclusive: bool | None = None,
              complete: bool = True, run_s: float = 0.0) -> str:
        key = f"{side.value}'s {next(self._numbers)}"
        self.applications[side].begun.add(key)
        self.end(side).setup(key, CALLED, self.line.now, timeslot=timeslot, exclusive=exclusive,
                             complete=complete)
        self.run(run_s)
        return key

    def ask(self, side: Side, number: int, what: str, cause: int = 16) -> None:
        """A request about a call; one that cannot be is refused."""
        if (key := self.key(side, number)) is not None:
            with contextlib.suppress(StateError):
                request(self.end(side), what, key, cause, self.line.now)
        self.run(0.0)

    def transfer(self, side: Side, one: int, other: int) -> None:
        keys = self.key(side, one), self.key(side, other)
        if keys[0] is not None and keys[1] is not None:
            with contextlib.suppress(StateError):
                self.end(side).transfer(keys[0], keys[1], self.line.now)
        self.run(0.0)

    def let_go(self, side: Side) -> None:
        """With slow_clearing."""
        holds = self.applications[side].holds
        while holds:
            self.end(side).cleared(holds.pop(), self.line.now)
        self.run(0.0)

    def restart(self, side: Side, timeslot: int) -> None:
        with contextlib.suppress(StateError):
            self.end(side).restart(timeslot, self.line.now)
        self.run(0.0)

    def block(self, side: Side, timeslot: int, blocked: bool) -> None:
        end = self.end(side)
        (end.block if blocked else end.unblock)((timeslot,), self.line.now)
        (self._blocked[side].add if blocked else self._blocked[side].discard)(timeslot)
        self.run(0.0)

    def reserve(self, side: Side, directions: dict[int, str]) -> None:
        self.end(side).reserve(directions)
        self.run(0.0)

    def change(self, side: Side, settings: dict[str, Any]) -> None:
        self._options[side] |= settings           # the next process has them, too
        self.end(side).change(**settings)
        self.run(0.0)

    def suffer(self, faults: Faults) -> None:
        self.exact = self.exact and not (faults.reorder or faults.flip)
        self.line.faults = faults

    def connect(self, side: Side, up: bool) -> None:
        """One end sees its line up or down; frames on their way have landed before it is up again."""
        self.end(side).line_up(up, self.line.now)
        self.run(0.0 if up else LANDED_S)

    def reset(self, side: Side, number: int, what: str) -> None:
        """A request about a call, whose message is lost by a reset of layer 2."""
        if (key := self.key(side, number)) is not None:
            with contextlib.suppress(StateError):
                request(self.end(side), what, key, 16, self.line.now)
        self.line.reset()
        self.run(0.0)

    def cut(self) -> None:
        self.line.connect(False)
        self.run(LANDED_S)

    def mend(self) -> None:
        self.line.connect()
        self.line.deaf = False
        self.run(0.0)

    def kill(self, side: Side, first_call_ref: int, request_before: tuple[int, str] | None = None) -> None:
        """A new process; the old one kept its calls in a table until it was told that they are over, and what
        people had blocked.
        `request_before`: about such a call, it was in the table, its message did not leave any more."""
        if request_before is not None and (key := self.key(side, request_before[0])) is not None:
            with contextlib.suppress(StateError):
                request(self.end(side), request_before[1], key, 16, self.line.now)
            self._look()
            self.end(side).take_frames()
        self._look()
        self._options[side]["first_call_ref"] = first_call_ref
        application = self.applications[side]
        application.link_up, application.holds = None, []
        self.line.new_process(side, application.over)
        self.end(side).block(self._blocked[side], self.line.now)
        self.run(0.0)

    def run(self, for_s: float) -> None:
        for part_s in (min(for_s, LOOK_S), max(for_s - LOOK_S, 0.0)):
            before = self.line.frames
            self.line.run(part_s)
            most = MOST_FRAMES + MOST_FRAMES_A_SECOND * part_s
            assert self.line.faults or self.line.frames - before < most, "they talk without end"
        self._look()
        self.check()

    # --- what there is

    def end(self, side: Side) -> Signalling:
        return self.line.side(side)

    def key(self, side: Side, number: int) -> str | None:
        keys = sorted(self.end(side))
        return keys[number % len(keys)] if keys else None

    def calls(self, side: Side) -> dict[tuple[int, Side], Snapshot]:
        """By call reference and who chose it."""
        return {(call.call_ref, side if call.ours else side.peer): call for call in self._snapshots(side)}

    def _snapshots(self, side: Side) -> Iterator[Snapshot]:
        end = self.end(side)
        for key in list(end):
            snapshot = end.snapshot(key)
            assert snapshot is not None
            yield snapshot

    def _handler(self, side: Side) -> Any:
        def on_event(event: Event) -> None:
            self.applications[side].told(event)
            end, now = self.end(side), self.line.now
            if isinstance(event, Incoming):
                match self.applications[side].behaviour:
                    case "proceed":
                        proceed(end, event.key, now)
                    case "answer":
                        end.answer(event.key, now)
                    case "ring and answer":
                        end.alert(event.key, now)
                        end.answer(event.key, now)
                    case "refuse":
                        end.hang_up(event.key, 17, now)
        return on_event

    def _look(self) -> None:
        for side in Side:
            self.line.take(self.end(side))        # told already, by the handler

    # --- what must hold at every moment

    def check(self) -> None:
        for side in Side:
            self._check(side)

    def _check(self, side: Side) -> None:
        end, application = self.end(side), self.applications[side]
        calls = {call.key: call for call in self._snapshots(side)}
        held = [channel for channel in end.channels.all() if channel.key]
        wants = sorted((call.timeslot, call.key) for call in calls.values() if call.timeslot is not None)
        assert wants == [(channel.timeslot, channel.key) for channel in held], "calls and channels differ"
        assert application.begun - application.over.keys() <= calls.keys(), "a call is gone and not Released"
        due = end.next_deadline()
        for call in calls.values():
            assert call.state is not State.NULL
            if call.key in application.over:
                assert call.state is State.RELEASING, f"{call} is Released"
            timers = [timer for timer in On if timer.value in call.deadlines]
            if call.state in WAITS_FOR:
                assert any(timer in timers for timer in WAITS_FOR[call.state]), f"{call} waits for ever"
            if call.state is State.RELEASING:
                assert timers == [On.T308] or not end.link_up, f"{call} waits for ever"
            if timers:
                assert due is not None and due <= min(call.deadlines.values()), f"{call}: timer forgotten"
        assert due is None or due >= self.line.now, "a deadline has passed"

    # --- what must hold once all is quiet

    def settle(self) -> None:
        """The faults end, nobody does more than to proceed with what is offered, all timers pass: both ends
        agree. Then everybody hangs up, and every channel carries a call from either end again."""
        self.suffer(CLEAN)
        for side in Side:
            self.behave(side, "proceed")
            for key in list(self.end(side)):
                proceed(self.end(side), key, self.line.now)
        self.mend()
        for side in Side:
            self.reserve(side, {})
            for timeslot in self.end(side).channels.timeslots:
                self.block(side, timeslot, False)
        for quiet_s in (SOON_S, QUIET_S) if self.exact else (QUIET_S,):
            self._be_quiet(quiet_s, restarted=quiet_s > SOON_S)
            self._agree()
        self._hang_up()
        for side in Side:
            self.change(side, {"audit_s": 0.0})   # its RESTART may cross a SETUP; trunkd tries again then
        for side in Side:
            self._use(side)

    def _be_quiet(self, for_s: float, *, restarted: bool = True) -> None:
        """Time passes, and applications let go; it ends when no channel is just being proved idle, and no
        call is just being cleared: T310 ends with SOON_S."""
        parts = 20 if any(self._slow.values()) else 1
        for part_s in (*[for_s / parts] * parts, *[LAST_S] * 20):
            for side in Side:
                self.let_go(side)
            self.run(part_s)
            busy = [channel for side in Side for channel in self.end(side).channels.all()
                    if not channel.key and channel.state is not ChannelState.IDLE]
            clearing = [call for side in Side for call in self._snapshots(side) if call.state in CLEARING]
            if part_s == LAST_S and not busy and not clearing:
                break
        # RESTART is said again after T316 only: its answer is lost where a UA was taken for another's
        assert not busy or not restarted, f"channels without a call that are not idle: {busy}"

    def _agree(self) -> None:
        assert self.line.user.link_up and self.line.network.link_up
        ours, theirs = self.calls(Side.USER), self.calls(Side.NETWORK)
        assert ours.keys() == theirs.keys(), (ours, theirs)
        for (reference, chosen_by), call in ours.items():
            other = theirs[reference, chosen_by]
            calling, called = (call, other) if chosen_by is Side.USER else (other, call)
            if self.exact:
                assert call.timeslot == other.timeslot, (call, other)
                assert (calling.state, called.state) in AGREED, (call, other)
        for side in Side:
            application, there = self.applications[side], set(self.end(side))
            assert application.begun == application.over.keys() | there, "calls that are nowhere"

    def _hang_up(self) -> None:
        """Either end hangs up every second call."""
        for number, reference in enumerate(sorted(self.calls(Side.USER), key=str)):
            side = list(Side)[number % 2]
            call = self.calls(side).get(reference)
            if call is not None:
                self.end(side).hang_up(call.key, 16, self.line.now)
        self._be_quiet(HANG_UP_S)
        self._nothing_is_left()

    def _use(self, side: Side) -> None:
        """A call on every channel."""
        self.behave(side.peer, "answer")
        timeslots = self.end(side).channels.timeslots
        keys = [self.place(side, timeslot=timeslot, exclusive=True, run_s=CALL_S) for timeslot in timeslots]
        over = {key: self.applications[side].over.get(key) for key in keys}
        assert self.applications[side].answered >= set(keys), f"no call on each channel: {over}"
        for key in keys:
            self.end(side).hang_up(key, 16, self.line.now)
        self._be_quiet(2.0)
        self._nothing_is_left()

    def _nothing_is_left(self) -> None:
        for side in Side:
            assert list(self._snapshots(side)) == []
            assert self.applications[side].begun == self.applications[side].over.keys()


def proceed(end: Signalling, key: str, now: float) -> None:
    """With a call that had no answer yet."""
    call = end.snapshot(key)
    if call is not None and call.state is State.PRESENT:
        end.proceed(key, now)


def request(end: Signalling, what: str, key: str, cause: int, now: float) -> None:
    match what:
        case "more digits":
            end.more_digits(key, "1", now, complete=cause == 17)
        case "ring in band":
            end.alert(key, now, in_band=True)
        case "notify":
            end.notify(key, 0, now)
        case "hang up":
            end.hang_up(key, cause, now)
        case "announce":
            end.hang_up(key, cause, now, elements=[ProgressIndicator(8)])
        case "deflect":
            end.deflect(key, "5002", now)
        case "agree to deflection" | "refuse deflection":
            end.answer_deflection(key, what.startswith("agree"), now)
        case "agree to transfer" | "refuse transfer":
            end.answer_transfer(key, what.startswith("agree"), now)
        case _:
            getattr(end, what.replace(" ", "_"))(key, now)


REQUESTS = ("want digits", "more digits", "proceed", "progress", "alert", "ring in band", "answer", "notify",
            "enquire", "hang up", "announce", "deflect", "agree to deflection", "refuse deflection",
            "agree to transfer", "refuse transfer", "trace malicious")
