"""Mixes against sums in float64 that are written out in full, before A-law."""

import numpy as np
import pytest

from appliance.media import g711
from appliance.media.engine import Engine, Sound
from appliance.media.g711 import Octets
from appliance.media.graph import Graph
from appliance.media.plan import Floats, Plan
from e1_driver import BLOCK, IDLE

PORTS = 480


def said(rms: float, ports: int = PORTS) -> Octets:
    noise = np.random.default_rng(1).normal(0, rms, (ports, BLOCK))
    return g711.encode(noise.clip(-32000, 32000).astype(np.int16))


def within_1(octets: Octets, reference: Floats) -> bool:
    """True when these are the A-law of sums no farther than 1 from the reference."""
    sums = [np.rint(reference + off).clip(-32767, 32767).astype(np.int16) for off in (-1, 0, 1)]
    around = [g711.encode(each) for each in sums]
    return bool(np.logical_or.reduce([octets == each for each in around]).all())


def conference(graph: Graph, gains_db: list[float]) -> int:
    """Ports 0 to n-1, each of which hears all others."""
    number = graph.open_conference()
    for port, gain_db in enumerate(gains_db):
        graph.join(number, port, gain_db)
        graph.hear(port, graph.mix(number, without=port))
    return number


def taken(graph: Graph) -> Plan:
    plan = graph.take_plan()
    assert plan is not None
    return plan


@pytest.mark.parametrize("size", [1, 2, 3, 30, 100, PORTS])
@pytest.mark.parametrize("rms", [30, 3000])
def test_a_conference_is_the_sum_of_the_others(size: int, rms: float) -> None:
    graph, engine = Graph(PORTS), Engine(PORTS)
    gains_db = [(port % 9 - 4) * 1.5 for port in range(size)]
    conference(graph, gains_db)
    engine.change(taken(graph))
    rx = said(rms)
    tx = engine.tick(rx).tx
    parts = g711.decode(rx[:size]) * 10 ** (np.array(gains_db)[:, None] / 20)
    others = 1 - np.eye(size)
    assert within_1(tx[:size], others @ parts)
    assert (tx[size:] == IDLE).all()


def test_loud_parties_saturate_and_do_not_wrap() -> None:
    graph, engine = Graph(PORTS), Engine(PORTS)
    conference(graph, [0.0] * 30)
    engine.change(taken(graph))
    rx = engine.blank()
    rx[:30, :40], rx[:30, 40:] = g711.encode(np.array([32000, -32000], np.int16))
    tx = g711.decode(engine.tick(rx).tx[:30])
    assert (tx[:, :40] == 32256).all() and (tx[:, 40:] == -32256).all()


def test_what_one_says_is_taken_away_from_it_to_the_last_bit() -> None:
    """Alone among the silent, at odd gains: it hears what it would without itself."""
    graph, engine = Graph(PORTS), Engine(PORTS)
    conference(graph, [11.25] * 3)
    engine.change(taken(graph))
    rx = engine.blank()
    silent = engine.tick(rx).tx[0].copy()
    rx[0] = said(8000)[0]
    assert (engine.tick(rx).tx[0] == silent).all()


def test_a_conference_costs_in_proportion_to_its_size() -> None:
    for size in (10, 100, PORTS):
        graph = Graph(PORTS)
        conference(graph, [0.0] * size)
        mixing = taken(graph).mixing
        assert mixing is not None
        assert len(mixing.factors) + sum(len(layer.terms) for layer in mixing.layers) == 3 * size


def test_whisper_listen_and_barge_in() -> None:
    """The customer 0 and the agent 1 are bridged; 2 is the supervisor."""
    graph, engine, rx = Graph(PORTS), Engine(PORTS), said(3000)
    customer, agent, supervisor = g711.decode(rx[:3]).astype(np.float64)

    def heard() -> Octets:
        engine.change(taken(graph))
        return engine.tick(rx).tx[:3]

    graph.hear(0, 1)
    graph.hear(1, 0)
    listens = graph.mix(without=2, terms=[(1, 0.0), (0, 0.0), (2, 0.0)])
    graph.hear(2, listens)
    tx = heard()
    assert (tx[:2] == rx[[1, 0]]).all() and within_1(tx[2], customer + agent)

    whisper = graph.mix(terms=[(0, 0.0), (2, -3.0)])
    graph.hear(1, whisper)
    tx = heard()
    assert (tx[0] == rx[1]).all()
    assert within_1(tx[1], customer + supervisor * 10 ** (-3 / 20))
    assert within_1(tx[2], customer + agent)      # not itself, though the agent hears it

    graph.change_mix(whisper, terms=[(0, 0.0), (2, 0.0)])
    graph.hear(0, graph.mix(terms=[(1, 0.0), (2, 0.0)]))
    tx = heard()
    assert within_1(tx, np.stack([agent + supervisor, customer + supervisor, customer + agent]))

    prompt = graph.play(Sound(rx[7]), 1)          # the customer is on hold, the agent hears a prompt
    graph.hear(1, prompt)
    graph.change_mix(listens, without=2, terms=[(1, 0.0), (prompt, 0.0)])
    assert within_1(heard()[2], agent + g711.decode(rx[7]).astype(np.float64))


def test_who_comes_into_a_place_that_another_had_is_not_taken_for_it() -> None:
    graph, engine, rx = Graph(PORTS), Engine(PORTS), said(1000)
    prompt = Sound(rx[9], repeat=True)
    closed, player = graph.open_conference(), graph.play(prompt, 1)
    graph.hear(0, graph.mix(closed))
    graph.close_conference(closed)
    conference = graph.open_conference()
    graph.hear(1, graph.mix(conference, without=player))
    graph.end_player(player)
    graph.join(conference, 2)
    graph.join(conference, graph.play(prompt, 2))
    assert (conference, graph.rows.players.start) == (closed, player)
    engine.change(taken(graph))
    tx = engine.tick(rx).tx
    assert (tx[0] == IDLE).all()
    assert within_1(tx[1], (g711.decode(rx[2]).astype(np.float64) + g711.decode(rx[9])))


def test_two_conferences_do_not_hear_each_other_and_one_may_be_moved() -> None:
    graph, engine, rx = Graph(PORTS), Engine(PORTS), said(1000)
    first, second = graph.open_conference(), graph.open_conference()
    mixes = [graph.mix((first, second)[port % 2], without=port) for port in range(6)]
    for port, mix in enumerate(mixes):
        graph.join((first, second)[port % 2], port)
        graph.hear(port, mix)
    linear = g711.decode(rx).astype(np.float64)
    engine.change(taken(graph))
    assert within_1(engine.tick(rx).tx[0], linear[2] + linear[4])
    graph.join(second, 0)
    graph.change_mix(mixes[0], second, without=0)
    engine.change(taken(graph))
    tx = engine.tick(rx).tx
    assert within_1(tx[0], linear[1] + linear[3] + linear[5])
    assert within_1(tx[2], linear[4])
    assert within_1(tx[1], linear[0] + linear[3] + linear[5])
