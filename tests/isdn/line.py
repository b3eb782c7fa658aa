"""Two spans' signalling joined by a line in simulated time, and one joined to a far end played by hand."""
import heapq
import itertools
import math
import random
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, TypeVar

from appliance.isdn.call.states import State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    Cause,
    ChannelId,
    Element,
    ProgressIndicator,
    SendingComplete,
)
from appliance.isdn.events import ChannelState, Event
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Link, Received
from appliance.isdn.q931 import Message, MessageType, decode, encode

E = TypeVar("E", bound=Event)
DELAY_S = 0.005
CALLED = "5001"


def keys(prefix: str) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def not_idle(side: Signalling) -> list[int]:
    return [channel.timeslot for channel in side.channels.all() if channel.state is not ChannelState.IDLE]


@dataclass(frozen=True)
class Faults:
    """What happens to a frame on the way; shares of all frames, 0 to 1."""

    delay_s: float = DELAY_S
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0                          # held up by up to reorder_s, so that others overtake it
    reorder_s: float = 0.05
    flip: float = 0.0                             # one to three bits are wrong, and the FCS does not tell

    def __bool__(self) -> bool:
        return bool(self.loss or self.duplicate or self.reorder or self.flip)


class Line:
    """`user` and `network` over a line that does to frames what `faults` says, the same for the same `seed`,
    and can be cut. Virtual time: run() jumps from one delivery or deadline to the next."""

    def __init__(self, *, faults: Faults = Faults(), seed: int = 7, up: bool = True,
                 user: dict[str, Any] | None = None, network: dict[str, Any] | None = None) -> None:
        self.now, self.faults, self.random = 0.0, faults, random.Random(seed)
        self._options = {Side.USER: user or {}, Side.NETWORK: network or {}}
        self._new_keys = {Side.USER: keys("u"), Side.NETWORK: keys("n")}
        self.user, self.network = self._new(Side.USER), self._new(Side.NETWORK)
        self.events: dict[Signalling, list[Event]] = {self.user: [], self.network: []}
        self.on_event: dict[Side, Callable[[Event], None]] = {}
        self.deaf = False                         # frames vanish, and nobody is told
        self.frames = 0                           # delivered
        self._flying: list[tuple[float, int, Side, bytes]] = []
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._up = False
        if up:
            self.connect()
            self.run(1.0)
            self.take(self.user)
            self.take(self.network)

    def _new(self, side: Side, **options: Any) -> Signalling:
        return Signalling(side, self._new_keys[side], **(self._options[side] | options))

    def side(self, side: Side) -> Signalling:
        return self.user if side is Side.USER else self.network

    def connect(self, up: bool = True) -> None:
        self._up = up
        if not up:
            self._flying.clear()
        for side in (self.user, self.network):
            side.line_up(up, self.now)

    def new_process(self, side: Side, forgotten: Container[str] = ()) -> Signalling:
        """`side` ends as if by kill -9 and begins anew with what it would find in its table: the snapshots.
        What it said last is on its way, what comes until it is there is lost. `forgotten`: keys that are no
        longer in the table."""
        self._collect()
        before = self.side(side)
        snapshots = [snapshot for key in list(before)
                     if key not in forgotten and (snapshot := before.snapshot(key)) is not None]
        after = self._new(side, cold=False)
        if side is Side.USER:
            self.user = after
        else:
            self.network = after
        self.events[after] = self.events.pop(before)
        self._flying = [flight for flight in self._flying if flight[2] is not side]
        heapq.heapify(self._flying)
        after.restore(snapshots, self.now)
        if self._up:
            after.line_up(True, self.now)
        return after

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """run() does `act` then."""
        heapq.heappush(self._agenda, (self.now + delay_s, next(self._sequence), act))

    def run(self, for_s: float) -> None:
        """Let time pass."""
        end = self.now + for_s
        user, network = self.user, self.network
        while True:
            self._collect()
            if user is not self.user or network is not self.network:       # an event's handler began one anew
                user, network = self.user, self.network
            at = self._flying[0][0] if self._flying else math.inf
            due: list[Signalling] = []
            for side in (user, network):
                deadline = side.next_deadline()
                if deadline is not None and deadline <= at:
                    due = [side] if deadline < at else [*due, side]
                    at = deadline
            if self._agenda and self._agenda[0][0] <= min(at, end):
                self.now = max(self._agenda[0][0], self.now)
                heapq.heappop(self._agenda)[2]()
                continue
            if at > end:
                self.now = end
                return
            self.now = max(at, self.now)
            if not due or (self._flying and self._flying[0][0] <= at):
                _, _, to, frame = heapq.heappop(self._flying)
                self.frames += 1
                self.side(to).receive_frame(frame, self.now)
            for side in due:
                side.expire(self.now)

    def reset(self) -> None:
        """Layer 2 is reset by each side's peer; what was on the way is lost."""
        self.user.take_frames(), self.network.take_frames()
        self._flying.clear()
        self.network.receive_frame(bytes.fromhex("00 01 7f"), self.now)
        self.user.receive_frame(bytes.fromhex("02 01 7f"), self.now)

    def take(self, side: Signalling) -> list[Event]:
        """Events of `side` since the last time, channels' ones left out."""
        self._collect()
        events, self.events[side] = self.events[side], []
        return [event for event in events if type(event).__name__ != "ChannelChanged"]

    def busy(self) -> tuple[list[int], list[int]]:
        """Timeslots that are not idle, user's and network's."""
        return not_idle(self.user), not_idle(self.network)

    def calls(self, side: Side) -> dict[int, tuple[int, Side]]:
        """By timeslot, as `side` sees it: the call reference and who chose it. Both sides agree when all is
        quiet."""
        signalling = self.side(side)
        found = {}
        for key in signalling:
            snapshot = signalling.snapshot(key)
            if snapshot is not None and snapshot.timeslot is not None:
                found[snapshot.timeslot] = snapshot.call_ref, side if snapshot.ours else side.peer
        return found

    def _collect(self) -> None:
        for side in (self.user, self.network):
            if events := side.take_events():
                self.events[side] += events
                if handle := self.on_event.get(side.side):
                    for event in events:
                        handle(event)
        for side in (self.user, self.network):
            for frame in side.take_frames():
                self._fly(side.side.peer, frame)

    def _fly(self, to: Side, frame: bytes) -> None:
        faults, at = self.faults, self.now + self.faults.delay_s
        if self.deaf or not self._up:
            return
        if faults:
            if self.random.random() < faults.loss:
                return
            if self.random.random() < faults.duplicate:
                copy_at = at + self.random.random() * faults.reorder_s
                heapq.heappush(self._flying, (copy_at, next(self._sequence), to, frame))
            if self.random.random() < faults.reorder:
                at += self.random.random() * faults.reorder_s
            if self.random.random() < faults.flip:
                frame = self._flipped(frame)
        heapq.heappush(self._flying, (at, next(self._sequence), to, frame))

    def _flipped(self, frame: bytes) -> bytes:
        octets = bytearray(frame)
        for _ in range(self.random.randint(1, 3)):
            octets[self.random.randrange(len(octets))] ^= 1 << self.random.randrange(8)
        return bytes(octets)


class Bench:
    """`ours` against a far end whose layer 2 is real and whose messages the test writes."""

    def __init__(self, side: Side, **options: Any) -> None:
        self.now = 0.0
        options.setdefault("cold", False)
        self.new_key = keys("k")
        self.ours = Signalling(side, self.new_key, **options)
        self._link = Link(side.peer)
        self.said: list[Message] = []             # by us, not looked at yet
        self.ours.line_up(True, 0.0)
        self._exchange()
        self.ours.take_events()

    def send(self, kind: MessageType, *elements: Element, call_ref: int,
             to_originator: bool) -> list[Message]:
        """A message of the far end; what we answer."""
        return self.send_octets(encode(Message(kind, call_ref, to_originator, elements)))

    def send_octets(self, octets: bytes) -> list[Message]:
        self._link.send(octets, self.now)
        return self.hear()

    def hear(self) -> list[Message]:
        """What we said since the last time."""
        self._exchange()
        said, self.said = self.said, []
        return said

    def run(self, for_s: float) -> list[Message]:
        """Let time pass for us; what we said."""
        end = self.now + for_s
        while True:
            self._exchange()
            deadlines = (self.ours.next_deadline(), self._link.next_deadline())
            times = [deadline for deadline in deadlines if deadline is not None]
            if not times or min(times) > end:
                self.now = end
                return self.hear()
            self.now = max(self.now, min(times))
            self.ours.expire(self.now)
            self._link.expire(self.now)

    def reset_link(self) -> None:
        """The far end re-establishes layer 2 while a message of ours is on the way and lost."""
        self._link = Link(self.ours.side.peer)
        self._link.establish(self.now)
        self._exchange()

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.ours.take_events() if isinstance(event, kind)]

    def offer(self, call_ref: int = 1, timeslot: int | None = 1, *, exclusive: bool = True,
              complete: bool = True, called: str = CALLED) -> list[Message]:
        """A SETUP of the far end."""
        channel = (ChannelId(timeslot, exclusive),) if timeslot else ()
        last = (SendingComplete(),) if complete else ()
        return self.send(MessageType.SETUP, BearerCapability(), *channel, CalledNumber(called), *last,
                         call_ref=call_ref, to_originator=False)

    def _exchange(self) -> None:
        while True:
            ours, theirs = self.ours.take_frames(), self._link.take_frames()
            for frame in ours:
                self._link.receive(frame, self.now)
            for frame in theirs:
                self.ours.receive_frame(frame, self.now)
            received = [event for event in self._link.take_events() if isinstance(event, Received)]
            self.said += [decode(event.info) for event in received]
            if not ours and not theirs:
                return


PLACED = {                                        # the far end's messages that bring our call there
    State.INITIATED: [],
    State.OVERLAP_SENDING: [MessageType.SETUP_ACKNOWLEDGE],
    State.PROCEEDING_OUT: [MessageType.CALL_PROCEEDING],
    State.DELIVERED: [MessageType.CALL_PROCEEDING, MessageType.ALERTING],
    State.ACTIVE: [MessageType.CONNECT],
    State.DISCONNECTED: [MessageType.CALL_PROCEEDING],
    State.DISCONNECTING: [MessageType.CONNECT],
    State.RELEASING: [MessageType.CONNECT],
}
REF = 1                                           # the call reference of reach()


def reach(side: Side, state: State, **options: Any) -> tuple[Bench, bool]:
    """A bench whose one call, key "k1", is in `state`; and whether we placed it."""
    ours = state in PLACED
    bench = Bench(side, overlap=True, auto_proceed=state is not State.PRESENT, **options)
    if ours:
        bench.ours.setup(bench.new_key(), CALLED, bench.now)
        for reply in PLACED[state]:
            bench.send(reply, call_ref=REF, to_originator=True)
        if state is State.DISCONNECTING:
            bench.ours.hang_up("k1", 16, bench.now)
        if state is State.DISCONNECTED:
            tones = ProgressIndicator(8)
            bench.send(MessageType.DISCONNECT, Cause(17), tones, call_ref=REF, to_originator=True)
        if state is State.RELEASING:
            bench.send(MessageType.DISCONNECT, Cause(16), call_ref=REF, to_originator=True)
    else:
        bench.offer(complete=state is not State.OVERLAP_RECEIVING)
        if state is State.RECEIVED:
            bench.ours.alert("k1", bench.now)
        if state is State.CONNECT_REQUEST:
            bench.ours.answer("k1", bench.now)
    bench.hear()
    bench.ours.take_events()
    return bench, ours


def reachable(side: Side) -> list[State]:
    without = {State.NULL} if side is Side.USER else {State.NULL, State.CONNECT_REQUEST, State.DISCONNECTED}
    return [state for state in State if state not in without]
