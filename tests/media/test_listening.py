"""Several blocks in a row are heard as each by itself, whatever is masked and cleared meanwhile."""

from collections import defaultdict

import numpy as np
import pytest

from appliance.media import engine, g711, tones
from appliance.media.detect import DETECTORS
from appliance.media.engine import LISTEN_TICKS, Engine
from appliance.media.g711 import Octets
from appliance.media.graph import Graph
from e1_driver import BLOCK

TICKS = 1200
Words = dict[tuple[str, str], list[str]]          # by kind and tag, in their order


def lines() -> list[Octets]:
    """What the ports say, round and round: digits at any place of a block, tones, CNG, a sort of talk."""
    rng = np.random.default_rng(5)
    said = [tones.dtmf("".join(rng.permutation([*tones.DIGITS])), on_ms, off_ms)
            for on_ms, off_ms in rng.integers(45, 120, (5, 2)).tolist()]
    said += [tones.loop("cn", "busy"), tones.loop("cn", "ringback"), tones.loop("us", "sit")]
    at = np.arange(28000)
    said.append(g711.encode((8000 * np.sin(2 * np.pi * 1100 / 8000 * at) * (at < 4000)).astype(np.int16)))
    said.append(g711.encode((rng.normal(0, 2500, 16000) * (np.arange(16000) % 9000 < 5000)).astype(np.int16)))
    return said


def run(said: list[Octets]) -> tuple[Words, Octets]:
    """All that was heard, and all that was sent, uint8[TICKS, ports, BLOCK]."""
    rng, ports = np.random.default_rng(1), len(said)
    graph, box = Graph(ports), Engine(ports)
    heard: Words = defaultdict(list)
    sent = np.empty((TICKS, ports, BLOCK), np.uint8)
    for number in range(TICKS):
        if rng.random() < 0.25:
            change(graph, rng, number)
        plan = graph.take_plan()
        if plan is not None:
            box.change(plan)
        tick = box.tick(np.stack([
            octets.take(37 * port + number * BLOCK + np.arange(BLOCK), mode="wrap")
            for port, octets in enumerate(said)]))
        assert not tick.failed
        for one in tick.heard:
            heard[one.kind, one.tag].append(one.what)
        sent[number] = tick.tx
    return heard, sent


def change(graph: Graph, rng: np.random.Generator, number: int) -> None:
    port, other = rng.integers(graph.rows.ports, size=2).tolist()
    kind, chance = str(rng.choice(list(DETECTORS))), rng.random()
    if chance < 0.5:
        graph.detect(port, kind, f"{port} since {number}")
    elif chance < 0.7:
        graph.detect(port, kind, None)
    elif chance < 0.9:
        graph.mask_digits(port, bool(rng.random() < 0.5))
    else:
        graph.clear(port)
    graph.hear(port, other)


def test_listening_by_turns_hears_and_sends_what_listening_at_once_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert LISTEN_TICKS > 1 and TICKS % LISTEN_TICKS == 0        # nothing is left unheard
    said = lines()
    by_turns, sent = run(said)
    monkeypatch.setattr(engine, "LISTEN_TICKS", 1)
    at_once, sent_then = run(said)
    assert by_turns == at_once
    assert (sent == sent_then).all()
    assert sum(map(len, at_once.values())) > 100
    assert {kind for kind, _ in at_once} >= {"dtmf", "speech"}
