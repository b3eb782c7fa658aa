"""10^9 bits through bridges, a test pattern in each port, while everything else goes on: no bit is wrong."""

import numpy as np

from appliance.media.engine import Engine, Sound
from appliance.media.graph import Graph
from e1_driver import BLOCK
from e1_driver.testing.prbs import pattern

BRIDGED, OTHERS = 480, 16
BITS = 10 ** 9
TICKS = -(-BITS // (BRIDGED * BLOCK * 8))
DETECTED_TICKS = 100                              # the first ones have detectors on all ports


class Neighbours:
    """Ports whose conference, players and gains come and go."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._conference = graph.open_conference()
        self._mix = [graph.mix(self._conference, without=BRIDGED + each) for each in range(OTHERS)]
        self._player: dict[int, int] = {}

    def go_on(self, number: int) -> None:
        each = number // 3 % OTHERS
        port, graph = BRIDGED + each, self._graph
        match number % 3:
            case 0 if port in self._player:
                graph.end_player(self._player.pop(port))
            case 0:
                self._player[port] = graph.play(Sound(np.arange(200, dtype=np.uint8)), number)
                graph.hear(port, self._player[port])
            case 1:
                graph.join(self._conference, port, gain_db=number % 7 - 3)
                graph.hear(port, self._mix[each])
            case 2:
                graph.set_gain(port, received_db=number % 5, sent_db=-number % 5)


def test_bridges_and_recordings_are_transparent_for_a_thousand_million_bits() -> None:
    prbs, rng = pattern("prbs15"), np.random.default_rng(1)
    graph, engine = Graph(BRIDGED + OTHERS), Engine(BRIDGED + OTHERS)
    neighbours = Neighbours(graph)
    calls = rng.permutation(BRIDGED).reshape(-1, 2)
    peer = np.empty(BRIDGED, np.intp)
    for number, (left, right) in enumerate(calls.tolist(), start=1):
        peer[[left, right]] = right, left
        graph.hear(left, right)
        graph.hear(right, left)
        graph.tap(number.to_bytes(16, "big"), left, right)
    for port in range(BRIDGED):
        graph.detect(port, "dtmf", str(port))
    blocks = np.lib.stride_tricks.sliding_window_view(np.append(prbs.octets, prbs.octets[:BLOCK]), BLOCK)
    phase = rng.integers(0, prbs.period, BRIDGED)
    rx, wrong_bits = engine.blank(), 0
    for number in range(TICKS):
        if number == DETECTED_TICKS:
            for port in range(BRIDGED):
                graph.detect(port, "dtmf", None)
        neighbours.go_on(number)
        plan = graph.take_plan()
        if plan is not None:
            engine.change(plan)
        rx[:BRIDGED] = said = blocks[(phase + number * BLOCK) % prbs.period]
        rx[BRIDGED:] = rng.integers(0, 256, (OTHERS, BLOCK))
        tick = engine.tick(rx)
        wrong_bits += int(np.bitwise_count(tick.tx[:BRIDGED] ^ said[peer]).sum())
        wrong_bits += int(np.bitwise_count(tick.audio ^ said[calls]).sum())
    assert wrong_bits == 0
    assert TICKS * BRIDGED * BLOCK * 8 >= BITS
