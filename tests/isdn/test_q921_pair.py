"""Two links on a line that delays, loses and is cut."""
import heapq
import itertools
import random
from collections.abc import Callable

import pytest

from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Established, Link, LinkEvent, Received, Released, State

USER = Side.USER
UP = (State.MULTIPLE_FRAME, State.TIMER_RECOVERY)


class Line:
    """Two links, and a line that delays every frame, loses some, and can be cut. Time jumps."""

    def __init__(self, seed: int, loss: float, **parameters: int) -> None:
        self.links = {side: Link(side, queue_limit=4000, **parameters) for side in Side}
        self.received: dict[Side, list[int]] = {side: [] for side in Side}
        self.events: dict[Side, list[LinkEvent]] = {side: [] for side in Side}
        self.now, self.loss, self.random = 0.0, loss, random.Random(seed)
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
            assert link._outstanding() <= 7
            for octets in link.take_frames():
                at = max(self._last_at[side], self.now) + self.random.uniform(0.001, 0.04)
                self._last_at[side] = at
                if not self.cut and self.random.random() >= self.loss:
                    heapq.heappush(self._on_the_way, (at, next(self._count), side.peer, octets))

    def send(self, numbers: range) -> None:
        for link in self.links.values():
            for number in numbers:
                link.send(number.to_bytes(3, "big"), self.now)

    def states(self) -> set[State]:
        return {link.state for link in self.links.values()}


def established(seed: int, loss: float, **parameters: int) -> Line:
    line = Line(seed, loss, **parameters)
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
