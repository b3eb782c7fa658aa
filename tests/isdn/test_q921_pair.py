"""Two links on a line that delays, loses, doubles, overtakes, flips bits and is cut."""
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import StateError
from appliance.isdn.lapd import FrameKind, Side
from appliance.isdn.q921 import UP, Established, Link, LinkEvent, Parameters, Received, Released, State

USER, NETWORK = Side.USER, Side.NETWORK


@dataclass(frozen=True)
class Noise:
    """Shares of the frames that suffer it."""

    loss: float = 0.0
    double: float = 0.0
    overtake: float = 0.0                         # comes late, perhaps after those that follow
    flip: float = 0.0                             # one bit; a real line's FCS makes it a loss


class Line:
    """Two links, and a line that delays every frame, spoils some, and can be cut. Time jumps."""

    def __init__(self, seed: int, noise: Noise, **parameters: int) -> None:
        self.links = {side: Link(side, Parameters(queue_limit=4000, **parameters)) for side in Side}
        self.received: dict[Side, list[int]] = {side: [] for side in Side}
        self.events: dict[Side, list[LinkEvent]] = {side: [] for side in Side}
        self.lost_at: dict[Side, list[float]] = {side: [] for side in Side}      # when a side heard of a loss
        self.now, self.noise, self.random = 0.0, noise, random.Random(seed)
        self.cut = False
        self._on_the_way: list[tuple[float, int, Side, bytes]] = []
        self._last_at = dict.fromkeys(Side, 0.0)
        self._count = itertools.count()

    def run(self, until: Callable[[], bool], limit_s: float = 10_000.0) -> None:
        """Let things happen in their order until it is so; fails when it has not become so in time."""
        stop = self.now + limit_s
        self._drain()
        while not until():
            never = float("inf")
            arrival = self._on_the_way[0][0] if self._on_the_way else never
            deadlines = {side: link.next_deadline() or never for side, link in self.links.items()}
            side = min(deadlines, key=deadlines.__getitem__)
            deadline = deadlines[side]
            self.now = min(arrival, deadline)
            assert self.now <= stop, "did not happen in time"
            if arrival <= deadline:
                _, _, side, octets = heapq.heappop(self._on_the_way)
                self.links[side].receive(octets, self.now)
            else:
                self.links[side].expire(self.now)
            self._drain()

    def run_for(self, seconds: float) -> None:
        wake = (self.now + seconds, -1, USER, b"")              # a runt: counted, and that is all
        heapq.heappush(self._on_the_way, wake)
        self.run(lambda: wake not in self._on_the_way)

    def _drain(self) -> None:
        for side, link in self.links.items():
            for event in link.take_events():
                if isinstance(event, Received):
                    self.received[side].append(int.from_bytes(event.info, "big"))
                else:
                    self.events[side].append(event)
                    if isinstance(event, Released) or (isinstance(event, Established) and event.lost):
                        self.lost_at[side].append(self.now)
            assert link._entity.outstanding() <= link.parameters.k
            for octets in link.take_frames():
                at = max(self._last_at[side], self.now) + self.random.uniform(0.001, 0.04)
                self._last_at[side] = at
                if not self.cut and not self._happens(self.noise.loss):
                    self._carry(at, side.peer, octets)

    def _carry(self, at: float, side: Side, octets: bytes) -> None:
        if self._happens(self.noise.flip):
            bit = self.random.randrange(len(octets) * 8)
            octets = (int.from_bytes(octets, "big") ^ 1 << bit).to_bytes(len(octets), "big")
        if self._happens(self.noise.overtake):
            at += self.random.uniform(0.0, 0.3)
        for _ in range(1 + self._happens(self.noise.double)):
            heapq.heappush(self._on_the_way, (at, next(self._count), side, octets))

    def _happens(self, share: float) -> bool:
        return share > 0.0 and self.random.random() < share

    def send(self, numbers: range) -> None:
        for link in self.links.values():
            for number in numbers:
                link.send(number.to_bytes(3, "big"), self.now)

    def states(self) -> set[State]:
        return {link.state for link in self.links.values()}


def established(seed: int, loss: float, **parameters: int) -> Line:
    line = Line(seed, Noise(loss), **parameters)
    for link in line.links.values():
        link.establish(0.0)                       # both at once: SABMEs collide (5.5.1.2)
    line.run(lambda: line.states() == {State.MULTIPLE_FRAME})
    return line


def test_simultaneous_establishment() -> None:
    line = established(seed=1, loss=0.0)
    line.run_for(60.0)                            # and T203 finds each other alive
    assert line.states() == {State.MULTIPLE_FRAME}
    assert all(events == [Established(by_peer=False, reset=False)] for events in line.events.values())


@pytest.mark.parametrize(("loss", "n200"), [(0.0, 3), (0.05, 10), (0.2, 30)])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_arrives_once_and_in_order(seed: int, loss: float, n200: int) -> None:
    line = established(seed, loss, n200=n200)
    line.send(range(2000))
    line.run(lambda: all(len(received) >= 2000 for received in line.received.values()))
    line.run_for(30.0)
    assert all(received == list(range(2000)) for received in line.received.values())
    assert all(link.counters.retransmitted > 0 for link in line.links.values()) is (loss > 0)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_bad_line_loses_is_reported(seed: int) -> None:
    line = established(seed, loss=0.3, n200=3)    # so bad that enquiries fail and the link is reset
    sent = 0
    for _ in range(100):
        if line.states() <= set(UP):
            line.send(range(sent, sent + 10))
            sent += 10
        line.run_for(5.0)
        for link in line.links.values():
            if link.state is State.TEI_ASSIGNED:
                link.establish(line.now)
    for side, received in line.received.items():
        assert received == sorted(set(received))  # nothing twice, nothing out of order
        assert 0 < len(received) < sent
        assert any(isinstance(event, Released) or event == Established(by_peer, True, True)
                   for event in line.events[side.peer] for by_peer in (False, True))


def test_short_cut_loses_nothing() -> None:
    line = established(seed=1, loss=0.0)
    line.cut = True
    line.send(range(10))
    line.run_for(2.5)
    line.cut = False
    line.run(lambda: all(received == list(range(10)) for received in line.received.values()), limit_s=5.0)
    assert all(len(events) == 1 for events in line.events.values())


def test_cut_of_5_s_resets_the_link_and_it_comes_back() -> None:
    line = established(seed=1, loss=0.0)
    line.cut = True
    line.send(range(10))
    line.run_for(5.0)
    assert line.states() == {State.AWAITING_ESTABLISHMENT}
    line.cut = False
    line.run(lambda: line.states() == {State.MULTIPLE_FRAME}, limit_s=3.0)
    line.send(range(10, 20))
    line.run(lambda: all(received == list(range(10, 20)) for received in line.received.values()), limit_s=5.0)
    for events in line.events.values():
        assert Established(by_peer=False, reset=True, lost=True) in events
        assert not any(isinstance(event, Released) for event in events)


def test_lost_ua_of_crossing_sabmes_costs_no_message() -> None:
    """The far end is up by our UA and sends at once; its own UA never came. Nor is the link reset."""
    line = Line(1, Noise())
    user, network = line.links.values()
    user.establish(0.0)
    user.take_frames()                            # lost: the far end was not there yet
    network.establish(0.1)
    line.run(lambda: network.state is State.MULTIPLE_FRAME)
    assert user.state is State.AWAITING_ESTABLISHMENT
    network.send(bytes(3), line.now)
    line.run_for(5.0)
    assert line.received[USER] == [0]
    assert line.events == {USER: [Established(False, False)], NETWORK: [Established(False, False)]}
    assert network.counters.received[FrameKind.SABME] == 0


# --- anything in any order

shares = st.sampled_from((0.0, 0.0, 0.05, 0.3))
sides = st.sampled_from(Side)
waits_s = st.sampled_from((0.0, 0.02, 0.5, 1.0, 3.0, 12.0))
moves = st.lists(st.tuples(st.sampled_from((
    "send", "send", "send", "establish", "both establish", "release", "busy", "ready", "cut", "mend")),
    sides, waits_s), max_size=25)


def play(line: Line, moves: list[tuple[str, Side, float]]) -> dict[Side, dict[int, float]]:
    """What each side sent, and when. Ends with a line that is whole, receivers that are ready and 60 s."""
    sent: dict[Side, dict[int, float]] = {side: {} for side in Side}
    number = itertools.count()
    for move, side, wait_s in [("establish", USER, 2.0), *moves]:
        link = line.links[side]
        match move:
            case "send":
                for message in itertools.islice(number, 3):
                    try:
                        link.send(message.to_bytes(3, "big"), line.now)
                    except StateError:
                        break
                    sent[side][message] = line.now
            case "both establish":
                for link in line.links.values():
                    link.establish(line.now)
            case "busy" | "ready":
                link.set_busy(move == "busy", line.now)
            case "cut" | "mend":
                line.cut = move == "cut"
            case _:
                getattr(link, move)(line.now)
        line.run_for(wait_s)
    line.cut, line.noise = False, Noise()
    for link in line.links.values():
        link.set_busy(False, line.now)
    line.run_for(60.0)
    return sent


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1000), shares, st.integers(1, 7), st.integers(1, 4), moves)
def test_on_a_line_that_loses_nothing_is_lost_unheard(
        seed: int, loss: float, k: int, n200: int, moves: list[tuple[str, Side, float]]) -> None:
    line = Line(seed, Noise(loss), k=k, n200=n200)
    for side, sent in play(line, moves).items():
        received = line.received[side.peer]
        assert received == sorted(set(received))                # nothing twice, nothing out of order
        for message in set(sent) - set(received):
            assert any(at >= sent[message] for at in line.lost_at[side])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1000), st.builds(Noise, shares, shares, shares, shares), st.integers(1, 7), moves)
def test_after_any_noise_both_ends_find_each_other(
        seed: int, noise: Noise, k: int, moves: list[tuple[str, Side, float]]) -> None:
    line = Line(seed, noise, k=k)
    play(line, moves)
    for link in line.links.values():
        if link.state is State.TEI_ASSIGNED:
            link.establish(line.now)
    line.run(lambda: line.states() == {State.MULTIPLE_FRAME}, limit_s=30.0)
    line.received = {side: [] for side in Side}
    line.send(range(10))
    line.run(lambda: all(received == list(range(10)) for received in line.received.values()), limit_s=5.0)
