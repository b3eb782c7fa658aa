"""Two spans' signalling joined by a line in simulated time, and one joined to a far end played by hand."""
import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any, TypeVar

from appliance.isdn.call.states import State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import BearerCapability, CalledNumber, Cause, ChannelId, Element, SendingComplete
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


class Line:
    """`user` and `network` over a line that delays, loses a share `loss` of the frames, and can be cut."""

    def __init__(self, *, loss: float = 0.0, up: bool = True, user: dict[str, Any] | None = None,
                 network: dict[str, Any] | None = None) -> None:
        self.now, self.loss, self.random = 0.0, loss, random.Random(7)
        self.user = Signalling(Side.USER, keys("u"), **(user or {}))
        self.network = Signalling(Side.NETWORK, keys("n"), **(network or {}))
        self.events: dict[Signalling, list[Event]] = {self.user: [], self.network: []}
        self.on_event: dict[Signalling, Callable[[Event], None]] = {}
        self.deaf = False                         # frames vanish, and nobody is told
        self._flying: list[tuple[float, int, Signalling, bytes]] = []
        self._sequence = itertools.count()
        if up:
            self.connect()
            self.run(1.0)
            self.take(self.user)
            self.take(self.network)

    def connect(self, up: bool = True) -> None:
        for side in (self.user, self.network):
            side.line_up(up, self.now)

    def run(self, for_s: float) -> None:
        """Let time pass, jumping from one delivery or deadline to the next."""
        end = self.now + for_s
        while True:
            self._collect()
            times = [self._flying[0][0]] if self._flying else []
            times += [at for side in (self.user, self.network) if (at := side.next_deadline()) is not None]
            at = min(times, default=end)
            if at > end:
                self.now = end
                return
            self.now = max(at, self.now)
            while self._flying and self._flying[0][0] <= self.now:
                _, _, to, frame = heapq.heappop(self._flying)
                to.receive_frame(frame, self.now)
            for side in (self.user, self.network):
                side.expire(self.now)
            if not times:
                self._collect()
                if not self._flying:
                    self.now = end
                    return

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

    def _collect(self) -> None:
        for side in (self.user, self.network):
            for event in side.take_events():
                self.events[side].append(event)
                if side in self.on_event:
                    self.on_event[side](event)
        for side, other in ((self.user, self.network), (self.network, self.user)):
            for frame in side.take_frames():
                if not self.deaf and self.random.random() >= self.loss:
                    heapq.heappush(self._flying, (self.now + DELAY_S, next(self._sequence), other, frame))


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
    State.DISCONNECTING: [MessageType.CONNECT],
    State.RELEASING: [MessageType.CONNECT],
}
REF = 1                                           # the call reference of reach()


def reach(side: Side, state: State) -> tuple[Bench, bool]:
    """A bench whose one call, key "k1", is in `state`; and whether we placed it."""
    ours = state in PLACED
    bench = Bench(side, overlap=True)
    if ours:
        bench.ours.setup(bench.new_key(), CALLED, bench.now)
        for reply in PLACED[state]:
            bench.send(reply, call_ref=REF, to_originator=True)
        if state is State.DISCONNECTING:
            bench.ours.hang_up("k1", 16, bench.now)
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
    without = {State.NULL} if side is Side.USER else {State.NULL, State.CONNECT_REQUEST}
    return [state for state in State if state not in without]
