"""Any sequence of wishes: what arrives everywhere is what a simple model says, and nothing is left behind."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.media.engine import Engine, Sound
from appliance.media.graph import Graph
from appliance.media.plan import Plan
from e1_driver import BLOCK, IDLE
from tests.media.graph_model import Gain, Mix, Model, Player, Ref, Tap, agrees

PORTS = 6
NAME = bytes(range(16))

ports = st.integers(0, PORTS - 1)
gains_db = st.sampled_from([0.0, 0.0, -6.0, 3.25])
names = st.sampled_from([bytes([number]) * 16 for number in (1, 2, 3)])


class AnyWishes(RuleBasedStateMachine):
    """Every port and player says noise of its own: a wrong part in any sum is a wrong sum."""

    def __init__(self) -> None:
        super().__init__()
        self.graph, self.engine, self.model = Graph(PORTS), Engine(PORTS), Model()
        self.random = np.random.default_rng(1)
        self.row: dict[Ref, int] = {("port", port): port for port in range(PORTS)}
        self.row |= {("sent", port): self.graph.sent(port) for port in range(PORTS)}
        self.conference: dict[int, int] = {}
        self.names_given = 0

    @initialize()
    def some_calls(self) -> None:
        """A conference of three, and a call of 3 and 4, recorded as 4 hears it, that 5 listens to."""
        self.open_conference()
        for port in range(3):
            self.seat(port)
        for port, other in ((3, 4), (4, 3)):
            self.graph.hear(port, other)
            self.model.hears[port] = "port", other
        terms: list[tuple[Ref, float]] = [(("port", 4), 0.0), (("port", 3), -6.0)]
        self.put_mix(5, Mix(None, ("port", 5), terms))
        self.graph.tap(NAME, 4, self.graph.sent(4))
        self.model.taps[NAME] = Tap([("port", 4), ("sent", 4)])

    @rule(port=ports)
    @precondition(lambda self: self.model.conferences and len(self.model.mixes) < PORTS)
    def seat(self, port: int) -> None:
        """As a party of a conference: all others hear it, it hears all others."""
        conference = max(self.model.conferences)
        self.put_in(conference, ("port", port), 0.0)
        self.put_mix(port, Mix(conference, ("port", port), []))

    @invariant()
    def tick_often(self) -> None:
        if self.random.random() < 0.6:
            self.tick()

    def new(self) -> int:
        self.names_given += 1
        return self.names_given

    def pick(self, data: st.DataObject, *kinds: str) -> Ref:
        there: dict[str, Any] = {
            "port": range(PORTS), "sent": range(PORTS), "player": self.model.players, "mix": self.model.mixes}
        refs: list[Ref] = [(kind, number) for kind in kinds for number in there[kind]]
        chosen: Ref = data.draw(st.sampled_from(refs))
        return chosen

    def pick_number(self, data: st.DataObject, there: dict[int, Any]) -> int:
        return data.draw(st.sampled_from(list(there)))

    @rule(port=ports, data=st.data())
    def hear(self, port: int, data: st.DataObject) -> None:
        what = self.pick(data, "mix", "player", "port")
        self.graph.hear(port, self.row[what])
        self.model.hears[port] = what

    @rule(port=ports)
    def hear_nothing(self, port: int) -> None:
        self.graph.hear(port, None)
        self.model.hears.pop(port, None)

    @rule(port=ports)
    def clear(self, port: int) -> None:
        self.graph.clear(port)
        self.model.clear(port)

    @precondition(lambda self: len(self.model.players) < 2 * PORTS)
    @rule(length=st.sampled_from([1, 79, 80, 81, 200]), repeat=st.booleans(), port=ports)
    def play(self, length: int, repeat: bool, port: int) -> None:
        number, sound = self.new(), self.random.integers(0, 256, length, dtype=np.uint8)
        self.row["player", number] = self.graph.play(Sound(sound, repeat), number)
        self.model.players[number] = Player(sound, repeat)
        self.graph.hear(port, self.row["player", number])
        self.model.hears[port] = "player", number

    @precondition(lambda self: self.model.players)
    @rule(held=st.booleans(), data=st.data())
    def hold(self, held: bool, data: st.DataObject) -> None:
        number = self.pick_number(data, self.model.players)
        self.graph.hold_player(self.row["player", number], held)
        self.model.players[number].held = held

    @precondition(lambda self: self.model.players)
    @rule(data=st.data())
    def end_player(self, data: st.DataObject) -> None:
        number = self.pick_number(data, self.model.players)
        self.graph.end_player(self.row.pop(("player", number)))
        self.model.forget(("player", number))
        del self.model.players[number]

    @precondition(lambda self: len(self.model.conferences) < PORTS)
    @rule()
    def open_conference(self) -> None:
        number = self.new()
        self.conference[number] = self.graph.open_conference()
        self.model.conferences[number] = {}

    @precondition(lambda self: self.model.conferences)
    @rule(data=st.data())
    def close_conference(self, data: st.DataObject) -> None:
        number = self.pick_number(data, self.model.conferences)
        self.graph.close_conference(self.conference.pop(number))
        del self.model.conferences[number]
        for mix in self.model.mixes.values():
            mix.conference = None if mix.conference == number else mix.conference

    @precondition(lambda self: self.model.conferences)
    @rule(gain_db=gains_db, data=st.data())
    def join(self, gain_db: float, data: st.DataObject) -> None:
        conference = self.pick_number(data, self.model.conferences)
        self.put_in(conference, self.pick(data, "port", "player"), gain_db)

    def put_in(self, conference: int, who: Ref, gain_db: float) -> None:
        self.graph.join(self.conference[conference], self.row[who], gain_db)
        for members in self.model.conferences.values():
            members.pop(who, None)
        self.model.conferences[conference][who] = gain_db

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        who = self.pick(data, "port", "player")
        self.graph.leave(self.row[who])
        for members in self.model.conferences.values():
            members.pop(who, None)

    def draw_mix(self, data: st.DataObject) -> Mix:
        conferences: list[int | None] = [None, *self.model.conferences]
        conference = data.draw(st.sampled_from(conferences))
        without = self.pick(data, "port", "player") if data.draw(st.booleans()) else None
        terms = [(self.pick(data, "port", "player"), data.draw(gains_db))
                 for _ in range(data.draw(st.integers(0, 3)))]
        return Mix(conference, without, terms)

    def wish(self, mix: Mix) -> dict[str, Any]:
        return {"conference": None if mix.conference is None else self.conference[mix.conference],
                "without": None if mix.without is None else self.row[mix.without],
                "terms": [(self.row[ref], gain_db) for ref, gain_db in mix.terms]}

    def put_mix(self, port: int, mix: Mix) -> None:
        number = self.new()
        self.model.mixes[number] = mix
        self.row["mix", number] = self.graph.mix(**self.wish(mix))
        self.graph.hear(port, self.row["mix", number])
        self.model.hears[port] = "mix", number

    @precondition(lambda self: len(self.model.mixes) < PORTS)
    @rule(port=ports, data=st.data())
    def mix(self, port: int, data: st.DataObject) -> None:
        self.put_mix(port, self.draw_mix(data))

    @precondition(lambda self: self.model.mixes)
    @rule(data=st.data())
    def change_mix(self, data: st.DataObject) -> None:
        number = self.pick_number(data, self.model.mixes)
        self.model.mixes[number] = mix = self.draw_mix(data)
        self.graph.change_mix(self.row["mix", number], **self.wish(mix))

    @precondition(lambda self: self.model.mixes)
    @rule(data=st.data())
    def end_mix(self, data: st.DataObject) -> None:
        number = self.pick_number(data, self.model.mixes)
        self.graph.end_mix(self.row.pop(("mix", number)))
        self.model.forget(("mix", number))
        del self.model.mixes[number]

    @rule(port=ports, received_db=gains_db, sent_db=gains_db)
    def set_gain(self, port: int, received_db: float, sent_db: float) -> None:
        self.graph.set_gain(port, received_db, sent_db)
        for ref, gain_db in ((("port", port), received_db), (("sent", port), sent_db)):
            self.model.gains.setdefault(ref, Gain(0.0)).wanted_db = gain_db

    @rule(name=names, data=st.data())
    def tap(self, name: bytes, data: st.DataObject) -> None:
        sides = [None if data.draw(st.booleans()) else self.pick(data, "port", "sent", "player", "mix")
                 for _ in range(2)]
        left, right = (None if side is None else self.row[side] for side in sides)
        self.graph.tap(name, left, right)
        self.model.taps.setdefault(name, Tap([])).sides = [*sides]

    @precondition(lambda self: self.model.taps)
    @rule(paused=st.booleans(), data=st.data())
    def pause_tap(self, paused: bool, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.taps)))
        self.graph.pause_tap(name, paused)
        self.model.taps[name].paused = paused

    @precondition(lambda self: self.model.taps)
    @rule(data=st.data())
    def end_tap(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.taps)))
        self.graph.end_tap(name)
        del self.model.taps[name]

    def tick(self) -> None:
        plan = self.graph.take_plan()
        if plan is not None:
            self.engine.change(plan)
        rx = self.random.integers(0, 256, (PORTS, BLOCK), dtype=np.uint8)
        tick = self.engine.tick(rx)
        self.model.tick(rx)
        for port in range(PORTS):
            heard = self.model.said(("sent", port))
            assert agrees(tick.tx[port], heard), f"{port} hears {self.model.hears.get(port)}"
        given = {name.tobytes(): sides for name, sides in zip(tick.recordings, tick.audio, strict=True)
                 if name.any()}
        assert given.keys() == self.model.taps.keys()
        for name, tap in self.model.taps.items():
            for got, side in zip(given[name], tap.sides, strict=True):
                assert agrees(got, self.model.said(None if tap.paused else side)), f"tap of {side}"

    def teardown(self) -> None:
        """When all has ended, nothing is left of it."""
        self.tick()
        for number in list(self.model.players):
            self.graph.end_player(self.row["player", number])
        for number in list(self.model.mixes):
            self.graph.end_mix(self.row["mix", number])
        for number in self.conference.values():
            self.graph.close_conference(number)
        for name in self.model.taps:
            self.graph.end_tap(name)
        for port in range(PORTS):
            self.graph.clear(port)
        left = self.graph.take_plan()
        if left is not None:
            assert_empty(left)
            self.engine.change(left)
        self.engine.tick(self.engine.blank())     # what was cut has died away
        assert (self.engine.tick(self.random.integers(0, 256, (PORTS, BLOCK), np.uint8)).tx == IDLE).all()


def assert_empty(plan: Plan) -> None:
    assert (plan.source == PORTS).all()
    assert not (plan.playing or plan.watches or plan.mixing or plan.meters.tags)
    for part in (plan.masks, plan.received, plan.sent, plan.agcs, plan.taps, plan.live, [plan.echo]):
        assert len(part[0]) == 0


TestAnyWishes = AnyWishes.TestCase
TestAnyWishes.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)


def test_settings_and_detectors_of_a_cleared_port_are_gone() -> None:
    graph = Graph(PORTS)
    for port in (2, 3):
        graph.set_agc(port, -18.0)
        graph.set_echo(port, True)
        graph.mask_digits(port, True)
        graph.detect(port, "dtmf", "a")
        graph.set_gain(port, 3.0, -3.0)
        graph.meter(f"of {port}", graph.sent(port), 10)
    graph.take_plan()
    graph.clear(3)
    plan = graph.take_plan()
    assert plan is not None
    assert plan.echo.tolist() == plan.agcs.ports.tolist() == plan.masks.ports.tolist() == [2]
    watch, = plan.watches
    assert (watch.kind, watch.ports.tolist(), watch.tags) == ("dtmf", [2], ("a",))
    assert plan.received.ports.tolist() == plan.sent.ports.tolist() == [2]
    graph.clear(2)
    graph.end_meter("of 2")
    graph.end_meter("of 3")
    plan = graph.take_plan()
    assert plan is not None
    assert_empty(plan)


def test_what_did_not_change_is_the_last_plans_own() -> None:
    graph = Graph(PORTS)
    graph.tap(NAME, 1, 2)
    graph.join(graph.open_conference(), 1)
    graph.mix(0, without=1)
    before = graph.take_plan()
    graph.hear(3, 4)
    after = graph.take_plan()
    assert before is not None and after is not None
    same = [part for part, old, new in zip(before._fields, before, after, strict=True) if old is new]
    assert "source" not in same
    assert {"mixing", "taps", "live", "watches", "playing"} <= set(same)


REFUSED: list[tuple[str, Any]] = [
    ("port 6: there are 6", lambda graph: graph.hear(6, 0)),
    ("port -1: there are 6", lambda graph: graph.sent(-1)),
    ("row 7 is no player", lambda graph: graph.hear(0, 7)),
    ("row 7 is no player", lambda graph: graph.end_player(7)),
    ("row 19 is no mix", lambda graph: graph.hear(0, 19)),
    ("row 19 is no mix", lambda graph: graph.end_mix(19)),
    ("row -1 is neither a port nor a player", lambda graph: graph.leave(-1)),
    ("row 12 is no player", lambda graph: graph.mix(without=12)),
    ("row 19 is neither a port nor a player", lambda graph: graph.mix(terms=[(19, 0.0)])),
    ("conference 0 is not open", lambda graph: graph.join(0, 1)),
    ("conference 0 is not open", lambda graph: graph.mix(0)),
    ("no tap 00", lambda graph: graph.end_tap(NAME)),
    ("the name of a tap is 16 octets", lambda graph: graph.tap(bytes(16), 1, 2)),
    ("no meter 'm'", lambda graph: graph.end_meter("m")),
    ("a meter of 0 ticks", lambda graph: graph.meter("m", 1, 0)),
    ("a gain of 24 dB: -40 to 23.75", lambda graph: graph.set_gain(1, 24)),
    ("all 6 conferences are in use", lambda graph: [graph.open_conference() for _ in range(7)]),
    ("all 6 mixes are in use", lambda graph: [graph.mix() for _ in range(7)]),
    ("all 12 players are in use",
     lambda graph: [graph.play(Sound(np.zeros(1, np.uint8)), 1) for _ in range(13)]),
]


@pytest.mark.parametrize(("why", "wish"), REFUSED)
def test_what_is_not_there_is_refused(why: str, wish: Callable[[Graph], object]) -> None:
    graph = Graph(PORTS)
    with pytest.raises(ValueError, match=re.escape(why)):
        wish(graph)
    plan = graph.take_plan()
    assert plan is None or (plan.source == PORTS).all()
