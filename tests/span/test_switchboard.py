"""Who hears whom, asked of the engine itself: bindings, bridges, plays, recordings."""

from collections.abc import Callable

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import PlayEnded, RecordingGap
from appliance.span import switchboard_legs
from e1_driver import BEARERS, IDLE
from tests.span.board import PORTS, REC, SPANS, Box, silent


@pytest.fixture
def box() -> Box:
    return Box()


def test_two_bound_legs_are_bridged_bit_for_bit_and_parted(box: Box) -> None:
    box.bind("ab")
    assert box.hears("ab") == ["", ""]
    box.board.bridge("a", "b")
    box.rx[PORTS["a"]] = range(80)
    tick = box.tick()
    assert tick.tx[PORTS["b"]].tolist() == list(range(80))
    assert (tick.tx[PORTS["a"]] == box.rx[PORTS["b"]]).all()
    box.board.unbridge("b")
    assert silent(box.tick())


def test_every_wish_may_come_before_its_leg(box: Box) -> None:
    box.board.bridge("a", "b")
    box.board.play("c", "p1", ["prompt:tt"], False)
    box.board.start_recording(REC, "a", "b", 0)
    box.board.join("room", "d")
    box.board.join("room", "e")
    box.board.supervise("f", "a", "whisper")
    box.bind("adf")
    assert box.hears("adf") == ["f", "", "a"]
    assert box.recorded() == {REC: ["a", ""]}
    box.bind("bce")
    assert box.hears("abcdef") == ["bf", "a", "t", "e", "d", "ab"]
    assert box.recorded() == {REC: ["a", "b"]}


@pytest.mark.parametrize(("span", "timeslot"), [
    ("isdn", 1), ("telco", 0), ("telco", 16), ("pbx", 32), ("pbx", -1)])
def test_a_span_or_timeslot_that_is_not_there_is_refused(box: Box, span: str, timeslot: int) -> None:
    with pytest.raises(Refused, match=r"no span 'isdn', there are telco, pbx|no speech"):
        box.board.bind("a", span, timeslot)
    assert box.board.take_plan() is None


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_leg_needs_a_name(box: Box, name: str) -> None:
    box.bind("ab")
    box.tick()
    wishes: list[Callable[[], None]] = [
        lambda: box.board.bind(name, "telco", 5), lambda: box.board.bridge("a", name),
        lambda: box.board.play(name, "p", ["prompt:t"], True), lambda: box.board.join("room", name),
        lambda: box.board.join(name, "a"), lambda: box.board.play("a", name, ["prompt:t"], True),
        lambda: box.board.supervise("a", name, "listen"), lambda: box.board.set_agc(name, True),
        lambda: box.board.start_recording(REC, name, "b", 0)]
    for wish in wishes:
        with pytest.raises(Refused, match="1 to 64 printable characters"):
            wish()
    assert box.board.take_plan() is None


def test_a_taken_timeslot_goes_to_the_new_leg_and_the_old_one_is_forgotten(box: Box) -> None:
    box.bind("ab")
    box.board.bridge("a", "b")
    box.board.play("a", "p1", ["prompt:t"], True)
    box.board.bind("new", "telco", 5)
    assert box.settled("ab") == ["", ""]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False)]
    assert box.board.figures()["legs"] == 2


def test_a_leg_may_move_and_takes_everything_along(box: Box) -> None:
    box.bind("abd")
    box.board.bridge("a", "b")
    box.board.supervise("d", "a", "barge")
    box.board.start_recording(REC, "a", "b", 0)
    box.board.bind("a", "telco", PORTS["c"])      # where nobody was
    assert box.hears("abcd") == ["", "cd", "bd", "bc"]
    assert box.recorded() == {REC: ["c", "b"]}
    box.board.play("a", "p1", ["prompt:tts"], False)
    assert box.hears("c") == ["t"]
    box.bind("a")
    assert box.hears("ac") == ["t", ""]           # it goes on
    assert box.hears("a") == ["s"]


def test_asking_again_changes_nothing(box: Box) -> None:
    def ask() -> None:
        box.bind("abcdef")
        box.board.bridge("a", "b")
        box.board.supervise("c", "a", "whisper")
        box.board.join("room", "d", gain_db=-3.0)
        box.board.join("room", "e", speaks=False)
        box.board.play("f", "p1", ["prompt:t"], True)
        box.board.play("b", "p2", ["prompt:t"], True)
        box.board.set_gain("a", 3.0, -3.0)
        box.board.set_agc("b", True)
        box.board.set_echo("b", True)
        box.board.mask_digits("a", True)
        box.board.detect("a", ["dtmf"])
        box.board.start_recording(REC, "a", "b", 0, paused=True)
        box.board.pause_recording(REC, True)
    ask()
    box.tick()
    ask()
    assert box.board.take_plan() is None
    assert box.said == []


def test_a_play_ends_by_itself_and_says_so_once(box: Box) -> None:
    box.bind("ab")
    box.board.play("a", "p1", ["prompt:ts"], False)
    assert [box.hears("ab") for _ in range(3)] == [["t", ""], ["s", ""], ["", ""]]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=True)]


def test_a_play_on_a_bridged_leg_is_heard_over_the_bridge_until_it_ends(box: Box) -> None:
    box.bind("ab")
    box.board.bridge("a", "b")
    box.board.play("a", "p1", ["prompt:ts"], False)
    assert [box.hears("ab") for _ in range(3)] == [["t", "a"], ["s", "a"], ["b", "a"]]


def test_a_bridge_ends_both_plays_and_older_connections(box: Box) -> None:
    box.bind("abcd")
    box.board.bridge("a", "c")
    box.board.join("room", "b")
    box.board.join("room", "d")
    box.board.play("a", "p1", ["prompt:t"], True)
    box.board.play("b", "p2", ["prompt:s"], True)
    box.board.bridge("a", "b")
    assert box.settled("abcd") == ["b", "a", "", ""]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False),
                        PlayEnded(leg="b", play="p2", finished=False)]


def test_a_new_play_replaces_the_old_and_the_same_one_goes_on(box: Box) -> None:
    box.bind("a")
    box.board.play("a", "p1", ["prompt:t", "prompt:sr"], False)
    assert box.hears("a") == ["t"]
    box.board.play("a", "p1", ["prompt:t", "prompt:sr"], False)      # asked again: no answer was heard
    assert box.hears("a") == ["s"]
    box.board.play("a", "p2", ["prompt:q"], True)
    assert [box.settled("a") for _ in range(3)] == [["q"]] * 3
    box.board.stop_play("a")
    assert box.settled("a") == [""]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False),
                        PlayEnded(leg="a", play="p2", finished=False)]


def test_music_goes_on_where_it_was_and_other_sounds_begin_anew(box: Box) -> None:
    box.bind("ab")
    for leg in "ab":
        box.board.play(leg, "hold1", ["music:tsrq"], True)
    assert [box.hears("a") for _ in range(2)] == [["t"], ["s"]]
    box.board.bridge("a", "b")
    assert box.settled("ab") == ["b", "a"]
    box.board.play("a", "hold2", ["music:tsrq"], True)
    box.board.play("b", "p", ["prompt:ts"], True)
    assert [box.hears("ab") for _ in range(3)] == [["r", "t"], ["q", "s"], ["t", "t"]]
    box.board.play("a", "other", ["music:on"], True)
    assert box.settled("a") == ["n"]
    box.board.play("a", "hold3", ["music:tsrq"], True)               # another one stood still in its place
    assert box.settled("a") == ["s"]


def test_music_that_stands_still_makes_room_for_what_is_heard(box: Box) -> None:
    legs = {f"{span} {timeslot}": (span, timeslot) for span in SPANS for timeslot in BEARERS}
    for leg, place in legs.items():
        box.board.bind(leg, *place)
        for play in ("first", "second"):
            box.board.play(leg, play, ["music:ts" if play == "first" else "prompt:t"], True)
    for leg in legs:                              # a third player each: there are two a port
        box.board.send_digits(leg, "pin", "1")
    assert box.board.figures()["plays"] == len(legs)
    for leg in legs:
        box.board.unbind(leg)
    box.tick()
    assert silent(box.tick())


def test_what_cannot_be_played_is_said_at_once_or_at_the_end(box: Box) -> None:
    box.bind("ab")
    box.board.play("a", "p1", ["gone"], False)
    box.board.play("b", "p2", ["gone", "prompt:ts"], False)
    assert [box.hears("ab") for _ in range(2)] == [["", "t"], ["", "s"]]
    assert box.said == [PlayEnded(leg="a", play="p1", finished=False, error="gone"),
                        PlayEnded(leg="b", play="p2", finished=True, error="gone")]
    for fragments in (["prompt:t"] * 201, ["x" * 301]):
        with pytest.raises(Refused, match="up to 200 fragments of 300 characters"):
            box.board.play("a", "p3", fragments, False)


def test_an_end_that_comes_late_does_not_end_the_next_play(box: Box) -> None:
    box.bind("a")
    box.board.play("a", "p1", ["prompt:t"], False)
    plan = box.board.take_plan()
    assert plan is not None
    box.engine.change(plan)
    ended = box.engine.tick(box.rx).ended         # the engine is through, its report is on the way
    box.board.play("a", "p2", ["prompt:s"], True)
    box.board.player_ended(ended[0])
    assert box.hears("a") == ["s"]


def test_unbind_forgets_everything_of_the_leg_and_of_nobody_else(box: Box) -> None:
    box.bind("abc")
    box.board.bridge("a", "b")
    box.board.start_recording(REC, "a", "b", 0)
    box.board.start_recording(REC[::-1], "c", "x", 0)
    box.board.unbind("b")
    assert box.hears("ab") == ["", ""]
    assert box.recorded() == {REC[::-1]: ["c", ""]}
    box.bind("b")
    assert box.hears("ab") == ["", ""]
    box.board.unbind("nobody")


def test_a_recording_keeps_its_row_and_a_free_one_is_used_again(box: Box) -> None:
    box.bind("ab")
    first, second, third = REC, REC[::-1], "f" * 32
    box.board.start_recording(first, "a", "b", 0)
    box.board.start_recording(first, "a", "b", 0)
    box.board.start_recording(second, "b", "a", 0)
    with pytest.raises(Refused, match="2 recordings run already"):
        box.board.start_recording(third, "a", "b", 0)
    box.board.stop_recording(first.upper())
    assert [name.tobytes().hex() for name in box.tick().recordings] == ["0" * 32, second]
    box.board.start_recording(third, "a", "b", 0)
    assert [name.tobytes().hex() for name in box.tick().recordings] == [third, second]


@pytest.mark.parametrize("name", ["", "xyz", "0" * 32, "ab" * 15, "ab" * 17, "ab " * 16])
def test_a_recording_needs_an_id(box: Box, name: str) -> None:
    wishes: list[Callable[[], None]] = [
        lambda: box.board.start_recording(name, "a", "b", 0), lambda: box.board.stop_recording(name),
        lambda: box.board.pause_recording(name, True)]
    for wish in wishes:
        with pytest.raises(Refused, match="32 hexadecimal digits"):
            wish()


def test_a_paused_recording_is_silent_for_as_long_as_it_is(box: Box) -> None:
    box.bind("ab")
    box.board.bridge("a", "b")
    box.board.start_recording(REC, "a", "b", 0)
    assert box.recorded() == {REC: ["a", "b"]}
    box.board.pause_recording(REC, True)
    for _ in range(3):
        tick = box.tick()
        assert tick.recordings[0].tobytes().hex() == REC
        assert (tick.audio == IDLE).all()
    assert box.hears("ab") == ["b", "a"]
    box.board.pause_recording(REC, False)
    assert box.recorded() == {REC: ["a", "b"]}
    with pytest.raises(Refused, match="does not run: start it first"):
        box.board.pause_recording(REC[::-1], True)


def test_a_recording_that_was_paused_is_started_anew_without_a_word_of_what_is_said(box: Box) -> None:
    box.bind("ab")
    box.board.start_recording(REC, "a", "b", 0, paused=True)
    assert box.recorded() == {REC: ["", ""]}
    box.board.start_recording(REC, "a", "b", 0)   # it runs: nothing changes
    assert box.recorded() == {REC: ["", ""]}


def test_a_call_without_an_agent_is_recorded_with_all_that_the_caller_hears(box: Box) -> None:
    box.board.start_recording(REC, "a", "", 0)
    box.bind("abc")
    box.board.play("a", "p1", ["prompt:t"], False)
    assert box.recorded() == {REC: ["a", "t"]}
    assert box.recorded() == {REC: ["a", ""]}
    box.board.bridge("a", "b")
    assert box.recorded() == {REC: ["a", "b"]}
    box.board.supervise("c", "b", "barge")
    assert box.recorded() == {REC: ["a", "bc"]}


def test_a_recording_that_ran_before_a_restart_has_its_gap_said_once() -> None:
    box = Box(left={bytes.fromhex(REC): 1000, bytes.fromhex(REC[::-1]): 1000})
    box.board.start_recording(REC, "a", "b", tick=1121)
    box.board.start_recording(REC[::-1], "a", "b", tick=1001)
    box.board.stop_recording(REC)
    box.board.start_recording(REC, "a", "b", tick=1300)
    box.tick()
    assert box.said == [RecordingGap(recording=REC, missing_s=1.2)]


def test_wishes_of_legs_that_never_come_are_bounded(monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    monkeypatch.setattr(switchboard_legs, "MAX_UNBOUND", 3)
    box.bind("ab")
    for number in range(5):
        box.board.play(f"w{number}", "p", ["prompt:t"], True)
    box.tick()
    assert [(event.leg, event.finished) for event in box.said if isinstance(event, PlayEnded)] == [
        ("w0", False), ("w1", False)]
    box.board.bind("w0", "telco", PORTS["c"])
    box.board.bind("w4", "telco", PORTS["e"])
    assert box.hears("ce") == ["", "t"]


def test_room_for_one_of_a_pair_is_not_made_at_the_other_s_cost(
    monkeypatch: pytest.MonkeyPatch, box: Box,
) -> None:
    monkeypatch.setattr(switchboard_legs, "MAX_UNBOUND", 2)
    box.board.bridge("a", "x")                    # with "x", the oldest of two
    box.board.supervise("b", "a", "whisper")      # "x" has to go, and the bridge with it
    box.bind("ab")
    assert box.hears("ab") == ["b", "a"]


def test_a_leg_is_not_bridged_with_itself(box: Box) -> None:
    with pytest.raises(Refused, match="with itself"):
        box.board.bridge("a", "a")
