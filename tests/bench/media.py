"""The media engine alone, in CPU time of this process: no lines, no ring, no other daemon."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from appliance.media.engine import Engine
from appliance.media.g711 import Octets
from appliance.media.graph import Graph
from e1_driver import BEARERS, BLOCK, BLOCK_S, TIMESLOTS
from hil_tests.instruments import speech
from tests.bench.figures import Kind, Say, Theme

SPANS = (1, 4, 16)                                # 30, 120 and 480 channels
GOALS = (0.35, 0.25, 0.20)
TICKS = 2000
CHANGES = 300
PARTIES = 100

_COST = "engine, {} channels"
_WORST = "engine, 480 channels, p99.9 of a tick"
_CHANGES = ("a bridge made or ended, 480 ports", "a recording begun or ended, 480 ports",
            "a party in or out of a conference of 100")
_CONFERENCE = "a conference of 100, a tick"


def engine_once(say: Say) -> dict[str, float]:
    words = np.concatenate([speech.said(text) for text in speech.texts("caller")])
    figures: dict[str, float] = {}
    for spans in SPANS:
        channels = spans * len(BEARERS)
        graph, engine = _calls(spans)
        ticks_s = _run(engine, _talk(engine.ports, words))
        figures[_COST.format(channels)] = 1000 * sum(ticks_s) / (len(ticks_s) * BLOCK_S * channels)
    figures[_WORST] = 1000 * float(np.quantile(ticks_s, 0.999))
    figures |= zip(_CHANGES, (_cost_us(graph, engine, change) for change in (
        partial(_bridge, graph), partial(_record, graph), _seats(graph))), strict=True)
    figures[_CONFERENCE] = _conference_us(words)
    return figures


def _calls(spans: int) -> tuple[Graph, Engine]:
    """All channels in calls: bridged pairwise, each call recorded, digits listened for on all."""
    ports = spans * TIMESLOTS
    graph, engine = Graph(ports), Engine(ports)
    bearers = [span * TIMESLOTS + timeslot for span in range(spans) for timeslot in BEARERS]
    half = len(bearers) // 2
    for number, (left, right) in enumerate(zip(bearers[:half], bearers[half:], strict=True), start=1):
        graph.hear(left, right)
        graph.hear(right, left)
        graph.tap(number.to_bytes(16, "big"), left, right)
    for port in bearers:
        graph.detect(port, "dtmf", str(port))
    _commit(graph, engine)
    return graph, engine


def _talk(ports: int, words: Octets) -> Octets:
    """[TICKS, ports, BLOCK]: the same words from another place in each port."""
    talk = np.stack([np.resize(np.roll(words, 997 * port), TICKS * BLOCK) for port in range(ports)])
    return np.ascontiguousarray(talk.reshape(ports, TICKS, BLOCK).swapaxes(0, 1))


def _run(engine: Engine, talk: Octets) -> list[float]:
    """CPU seconds of each tick."""
    took_s = []
    for rx in talk:
        began = time.thread_time()
        engine.tick(rx)
        took_s.append(time.thread_time() - began)
    return took_s


def _commit(graph: Graph, engine: Engine) -> None:
    plan = graph.take_plan()
    if plan is not None:
        engine.change(plan)


def _cost_us(graph: Graph, engine: Engine, change: Callable[[int], None]) -> float:
    """Of one change: the wishes, the plan, and the engine's taking it."""
    change(0)
    _commit(graph, engine)
    began = time.process_time()
    for number in range(1, CHANGES + 1):
        change(number)
        _commit(graph, engine)
    return 1e6 * (time.process_time() - began) / CHANGES


def _bridge(graph: Graph, number: int) -> None:
    graph.hear(1, None if number % 2 else 2)
    graph.hear(2, None if number % 2 else 1)


def _record(graph: Graph, number: int) -> None:
    name = bytes([1]) * 16
    if number % 2:
        graph.end_tap(name)
    else:
        graph.tap(name, 1, 2)


def _seats(graph: Graph) -> Callable[[int], None]:
    conference = graph.open_conference()
    for port in range(PARTIES):
        graph.join(conference, port)
        graph.hear(port, graph.mix(conference, without=port))

    def change(number: int) -> None:
        if number % 2:
            graph.leave(0)
        else:
            graph.join(conference, 0)
    return change


def _conference_us(words: Octets) -> float:
    """What a conference costs besides: with it and without it, in turn."""
    graph, engine = Graph(512), Engine(512)
    talk = _talk(512, words)[:CHANGES]
    without_s = sum(_run(engine, talk))
    _seats(graph)
    _commit(graph, engine)
    return 1e6 * (sum(_run(engine, talk)) - without_s) / len(talk)


ENGINE = Theme(
    "engine", "The media engine alone, without lines or ring: spans full of speech that never pauses, all "
    "channels bridged in pairs, each call tapped in two channels, DTMF listened for on all. A call-second is "
    "one channel for one second. For comparison, Asterisk on the same class of machine, A-law over RTP: 2.7 "
    "to 3.8 CPU-ms for a channel bridged and recorded, without DTMF.", (
        *(Kind(_COST.format(spans * len(BEARERS)), "CPU-ms/call-s", f"at most {goal:.2f}")
          for spans, goal in zip(SPANS, GOALS, strict=True)),
        Kind(_WORST, "ms", "under 6"),
        *(Kind(name, "µs", "under 100") for name in _CHANGES),
        Kind(_CONFERENCE, "µs"),
    ), engine_once, runs=5)
