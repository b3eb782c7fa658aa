"""Who hears whom, asked of the matrix itself: every port says its own number."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.bus.client import Refused
from appliance.bus.messages import Event, PlayEnded, RecordingGap
from appliance.media.engine import Engine, Sound
from appliance.span import switchboard as module
from appliance.span.switchboard import Switchboard
from e1_driver import BLOCK, IDLE

REC = "0123456789abcdef" * 2
SPANS = ["telco", "pbx"]


def compile_sound(fragments: list[str], repeat: bool) -> tuple[Sound | None, str]:
    """ "prompt:200" is one block and a half of 200; anything else is missing."""
    there = [int(one[7:]) for one in fragments if one.startswith("prompt:")]
    wrong = "; ".join(one for one in fragments if not one.startswith("prompt:"))
    octets = np.repeat(np.array(there, np.uint8), BLOCK * 3 // 2)
    return (Sound(octets, repeat) if there else None), wrong


class Box:
    def __init__(self, recordings: int = 2, left: dict[bytes, int] | None = None) -> None:
        self.board = Switchboard(SPANS, compile_sound, recordings, left)
        self.engine = Engine(self.board.ports, receivers=60)
        self.rx = self.engine.blank()
        self.rx[:-1] = np.arange(self.board.ports)[:, None]
        self.said: list[Event] = []

    def tick(self) -> None:
        plan = self.board.take_plan()
        if plan is not None:
            self.engine.change(plan)
        self.last = self.engine.tick(self.rx)
        for tag in self.last.ended:
            self.board.player_ended(tag)
        self.said += self.board.take_events()

    def hears(self, *ports: int) -> list[int]:
        """The first octet of the next tick."""
        self.tick()
        return [int(self.last.tx[port, 0]) for port in ports]

    def records(self) -> dict[str, list[int]]:
        self.tick()
        names = [name.tobytes().hex() for name in self.engine.plan.recordings]
        rows = zip(names, self.last.audio, strict=True)
        return {name: row[:, 0].tolist() for name, row in rows if int(name, 16)}


@pytest.fixture
def box() -> Box:
    return Box()


def bind_two(box: Box) -> None:
    box.board.bind("a", "telco", 5)
    box.board.bind("b", "pbx", 6)                 # port 38


def test_two_bound_legs_are_bridged_and_parted(box: Box) -> None:
    bind_two(box)
    assert box.hears(5, 38) == [IDLE, IDLE]
    box.board.bridge("a", "b")
    assert box.hears(5, 38) == [38, 5]
    box.board.unbridge("b")
    assert box.hears(5, 38) == [IDLE, IDLE]


def test_every_wish_may_come_before_its_leg(box: Box) -> None:
    box.board.bridge("a", "b")
    box.board.play("c", "p1", ["prompt:200"], False)
    box.board.start_recording(REC, "a", "b", 0)
    box.board.bind("a", "telco", 5)
    assert box.hears(5) == [IDLE]
    assert box.records() == {REC: [5, IDLE]}
    box.board.bind("b", "pbx", 6)
    box.board.bind("c", "pbx", 7)
    assert box.hears(5, 38, 39) == [38, 5, 200]
    assert box.records() == {REC: [5, 38]}


@pytest.mark.parametrize(("span", "timeslot"), [
    ("isdn", 1), ("telco", 0), ("telco", 16), ("pbx", 32), ("pbx", -1)])
def test_a_span_or_timeslot_that_is_not_there_is_refused(box: Box, span: str, timeslot: int) -> None:
    with pytest.raises(Refused, match=r"no span 'isdn', there are telco, pbx|no speech"):
        box.board.bind("a", span, timeslot)
    assert box.board.take_plan() is None


def test_a_taken_timeslot_goes_to_the_new_leg_and_the_old_one_is_forgotten(box: Box) -> None:
    bind_two(box)
    box.board.bridge("a", "b")
    box.board.play("a", "p1", ["prompt:200"], True)
    box.board.bind("new", "telco", 5)
    assert box.hears(5, 38) == [IDLE, IDLE]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False)]
    assert box.board.figures()["legs"] == 2


def test_a_leg_may_move_and_takes_everything_along(box: Box) -> None:
    bind_two(box)
    box.board.bridge("a", "b")
    box.board.start_recording(REC, "a", "b", 0)
    box.board.bind("a", "telco", 9)
    assert box.hears(5, 9, 38) == [IDLE, 38, 9]
    assert box.records() == {REC: [9, 38]}


def test_binding_again_changes_nothing(box: Box) -> None:
    bind_two(box)
    box.tick()
    bind_two(box)
    assert box.board.take_plan() is None


def test_a_play_ends_by_itself_and_says_so_once(box: Box) -> None:
    bind_two(box)
    box.board.play("a", "p1", ["prompt:200"], False)
    assert [box.hears(5, 38) for _ in range(3)] == [[200, IDLE], [200, IDLE], [IDLE, IDLE]]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=True)]


def test_a_play_on_a_bridged_leg_is_heard_over_the_bridge_until_it_ends(box: Box) -> None:
    bind_two(box)
    box.board.bridge("a", "b")
    box.board.play("a", "p1", ["prompt:200"], False)
    assert [box.hears(5, 38) for _ in range(3)] == [[200, 5], [200, 5], [38, 5]]


def test_a_bridge_ends_both_plays_and_older_bridges(box: Box) -> None:
    bind_two(box)
    box.board.bind("c", "pbx", 7)
    box.board.bridge("a", "c")
    box.board.play("a", "p1", ["prompt:200"], True)
    box.board.play("b", "p2", ["prompt:201"], True)
    box.board.bridge("a", "b")
    assert box.hears(5, 38, 39) == [38, 5, IDLE]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False),
                        PlayEnded(leg="b", play="p2", finished=False)]


def test_a_new_play_replaces_the_old_and_the_same_one_goes_on(box: Box) -> None:
    bind_two(box)
    box.board.play("a", "p1", ["prompt:200", "prompt:201"], False)
    assert box.hears(5) == [200]
    box.board.play("a", "p1", ["prompt:200", "prompt:201"], False)   # asked again: no answer was heard
    assert box.hears(5) == [200]
    assert box.last.tx[5, -1] == 201
    box.board.play("a", "p2", ["prompt:202"], True)
    assert [box.hears(5) for _ in range(4)] == [[202]] * 4
    box.board.stop_play("a")
    assert box.hears(5) == [IDLE]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False),
                        PlayEnded(leg="a", play="p2", finished=False)]


def test_what_cannot_be_played_is_said_at_once_or_at_the_end(box: Box) -> None:
    bind_two(box)
    box.board.play("a", "p1", ["gone"], False)
    box.board.play("b", "p2", ["gone", "prompt:200"], False)
    assert [box.hears(5, 38) for _ in range(2)] == [[IDLE, 200], [IDLE, 200]]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False, error="gone"),
                        PlayEnded(leg="b", play="p2", finished=True, error="gone")]


def test_an_end_that_comes_late_does_not_end_the_next_play(box: Box) -> None:
    bind_two(box)
    box.board.play("a", "p1", ["prompt:200"], False)
    box.tick()
    box.engine.tick(box.rx)                       # the matrix is through, its report is on the way
    box.board.play("a", "p2", ["prompt:201"], True)
    box.board.player_ended(1)
    assert box.hears(5) == [201]


def test_unbind_forgets_everything_of_the_leg_and_of_nobody_else(box: Box) -> None:
    bind_two(box)
    box.board.bind("c", "pbx", 7)
    box.board.bridge("a", "b")
    box.board.start_recording(REC, "a", "b", 0)
    box.board.start_recording(REC[::-1], "c", "x", 0)
    box.board.unbind("b")
    assert box.hears(5, 38) == [IDLE, IDLE]
    assert box.records() == {REC[::-1]: [39, IDLE]}
    box.board.bind("b", "pbx", 6)
    assert box.hears(5, 38) == [IDLE, IDLE]
    box.board.unbind("nobody")


def test_a_recording_keeps_its_row_and_a_free_one_is_used_again(box: Box) -> None:
    bind_two(box)
    first, second, third = REC, REC[::-1], "f" * 32
    box.board.start_recording(first, "a", "b", 0)
    box.board.start_recording(first, "a", "b", 0)
    box.board.start_recording(second, "b", "a", 0)
    with pytest.raises(Refused, match="2 recordings run already"):
        box.board.start_recording(third, "a", "b", 0)
    box.board.stop_recording(first.upper())
    assert box.records() == {second: [38, 5]}
    assert [name.tobytes().hex() for name in box.engine.plan.recordings] == ["0" * 32, second]
    box.board.start_recording(third, "a", "b", 0)
    box.tick()
    assert [name.tobytes().hex() for name in box.engine.plan.recordings] == [third, second]


@pytest.mark.parametrize("name", ["", "xyz", "0" * 32, "ab" * 15, "ab" * 17])
def test_a_recording_needs_an_id(box: Box, name: str) -> None:
    with pytest.raises(Refused, match="32 hexadecimal digits"):
        box.board.start_recording(name, "a", "b", 0)


def test_a_recording_that_ran_before_a_restart_has_its_gap_said_once() -> None:
    box = Box(left={bytes.fromhex(REC): 1000, bytes.fromhex(REC[::-1]): 1000})
    box.board.start_recording(REC, "a", "b", tick=1121)
    box.board.start_recording(REC[::-1], "a", "b", tick=1001)
    box.board.stop_recording(REC)
    box.board.start_recording(REC, "a", "b", tick=1300)
    box.tick()
    assert box.said == [RecordingGap(recording=REC, missing_s=1.2)]


def test_wishes_of_legs_that_never_come_are_bounded(monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    monkeypatch.setattr(module, "MAX_UNBOUND", 3)
    bind_two(box)
    for number in range(5):
        box.board.play(f"w{number}", "p", ["prompt:200"], True)
    box.tick()
    assert [(event.leg, event.finished) for event in box.said if isinstance(event, PlayEnded)] == [
        ("w0", False), ("w1", False)]
    box.board.bind("w0", "telco", 1)
    box.board.bind("w4", "telco", 2)
    assert box.hears(1, 2) == [IDLE, 200]


def test_a_leg_is_not_bridged_with_itself(box: Box) -> None:
    with pytest.raises(Refused, match="with itself"):
        box.board.bridge("a", "a")


LEGS = st.sampled_from("abcdef")


class AnyOrder(RuleBasedStateMachine):
    """Anything in any order: what ports hear is symmetric, plays end once, and nothing is left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.box = Box(recordings=3)
        self.plays: set[str] = set()

    @rule(leg=LEGS, span=st.sampled_from(SPANS), timeslot=st.integers(1, 4))
    def bind(self, leg: str, span: str, timeslot: int) -> None:
        self.box.board.bind(leg, span, timeslot)

    @rule(leg=LEGS)
    def unbind(self, leg: str) -> None:
        self.box.board.unbind(leg)

    @rule(leg=LEGS, repeat=st.booleans(), there=st.booleans())
    def play(self, leg: str, repeat: bool, there: bool) -> None:
        name = f"p{len(self.plays)}"
        self.plays.add(name)
        self.box.board.play(leg, name, ["prompt:200" if there else "gone"], repeat)

    @rule(leg=LEGS)
    def stop_play(self, leg: str) -> None:
        self.box.board.stop_play(leg)

    @rule(pair=st.lists(LEGS, min_size=2, max_size=2, unique=True))
    def bridge(self, pair: list[str]) -> None:
        self.box.board.bridge(*pair)

    @rule(leg=LEGS)
    def unbridge(self, leg: str) -> None:
        self.box.board.unbridge(leg)

    @rule(number=st.integers(1, 3), pair=st.tuples(LEGS, LEGS))
    def start_recording(self, number: int, pair: tuple[str, str]) -> None:
        self.box.board.start_recording(f"{number:032x}", *pair, tick=0)

    @rule(number=st.integers(1, 3))
    def stop_recording(self, number: int) -> None:
        self.box.board.stop_recording(f"{number:032x}")

    @invariant()
    def the_matrix_is_sound(self) -> None:
        self.box.tick()
        heard = self.box.last.tx[:, 0]
        for port in range(64):
            if heard[port] not in (200, IDLE):
                assert heard[heard[port]] in (port, 200)
        listened = [port for port in self.box.engine.plan.listen.tolist() if port < 64]
        assert len(set(listened)) == self.box.board.figures()["legs"]

    def teardown(self) -> None:
        for leg in "abcdef":
            self.box.board.unbind(leg)
        self.box.tick()
        assert (self.box.last.tx == IDLE).all()
        assert self.box.board.figures() == {"legs": 0, "plays": 0, "bridges": 0, "recordings": 0}
        assert not self.box.board._legs
        assert not self.box.board._by_tag
        ended = [event.play for event in self.box.said if isinstance(event, PlayEnded)]
        assert sorted(ended) == sorted(self.plays)


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
