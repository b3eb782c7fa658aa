"""Conferences, supervision and consulting, asked of the engine itself; and anything in any order."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.bus.client import Refused
from appliance.bus.messages import PlayEnded
from appliance.span.switchboard_legs import Mode
from tests.span.board import PLACES, PORTS, REC, Box, nothing_is_left, silent, voices


@pytest.fixture
def box() -> Box:
    box = Box()
    box.bind("abcdefgh")
    return box


def test_each_of_a_conference_hears_the_others(box: Box) -> None:
    for count, leg in enumerate("abcde"):
        box.board.join("room", leg)
        inside = "abcde"[:count + 1]
        assert box.settled(inside) == [inside.replace(one, "") for one in inside]
    box.board.leave("c")
    assert box.settled("abcde") == ["bde", "ade", "", "abe", "abd"]
    for leg in "abde":
        box.board.leave(leg)
    assert box.board.figures()["conferences"] == 0
    assert silent(box.tick())


def test_two_conferences_do_not_hear_each_other(box: Box) -> None:
    for room, legs in (("one", "abc"), ("two", "def")):
        for leg in legs:
            box.board.join(room, leg)
    assert box.hears("abcdefgh") == ["bc", "ac", "ab", "ef", "df", "de", "", ""]
    box.board.join("two", "a")
    assert box.settled("abcdefgh") == ["def", "c", "b", "aef", "adf", "ade", "", ""]


def test_a_party_may_only_hear_or_only_speak_and_has_its_own_level(box: Box) -> None:
    box.board.join("room", "a", gain_db=-6.0)
    box.board.join("room", "b", speaks=False)
    box.board.join("room", "c", hears=False)
    assert box.hears("abc") == ["c", "ac", ""]
    heard = voices(box.tick().tx[PORTS["b"]])
    assert heard["a"] == pytest.approx(0.5, abs=0.03)
    assert heard["c"] == pytest.approx(1.0, abs=0.03)
    box.board.join("room", "b")
    box.board.join("room", "c")
    assert box.settled("abc") == ["bc", "ac", "ab"]
    for gain_db in (24.0, -41.0, float("nan")):
        with pytest.raises(Refused, match="are possible"):
            box.board.join("room", "a", gain_db)


def test_one_plays_to_a_party_over_the_conference(box: Box) -> None:
    for leg in "abc":
        box.board.join("room", leg)
    box.board.play("a", "p", ["prompt:t"], False)
    assert box.hears("abc") == ["t", "ac", "ab"]
    assert box.hears("abc") == ["bc", "ac", "ab"]


def test_so_many_conferences_as_ports(box: Box) -> None:
    for number in range(box.board.ports):
        box.board.join(f"room {number}", f"leg {number}")
    with pytest.raises(Refused, match=f"{box.board.ports} run already"):
        box.board.join("another", "a")
    box.board.leave("leg 7")
    box.board.join("another", "a")


# A supervisor c of agent b, who talks with caller a

HEARD: dict[Mode, list[str]] = {                  # by a, b and c
    "listen": ["b", "a", "ab"], "whisper": ["b", "ac", "ab"], "barge": ["bc", "ac", "ab"]}


@pytest.mark.parametrize("mode", HEARD)
def test_a_supervisor_hears_both_and_is_heard_as_the_mode_says(box: Box, mode: Mode) -> None:
    box.board.bridge("a", "b")
    box.board.supervise("c", "b", mode)
    assert box.settled("abc") == HEARD[mode]
    box.board.stop_supervising("c")
    assert box.settled("abc") == ["b", "a", ""]


def test_the_mode_may_change_while_it_lasts(box: Box) -> None:
    box.board.bridge("a", "b")
    for mode in (*HEARD, *reversed(HEARD)):
        box.board.supervise("c", "b", mode)
        assert box.settled("abc") == HEARD[mode]


@pytest.mark.parametrize("mode", HEARD)
def test_in_a_conference_too(box: Box, mode: Mode) -> None:
    for leg in "abd":
        box.board.join("room", leg)
    box.board.supervise("c", "b", mode)
    barged = "c" if mode == "barge" else ""
    told = "c" if mode != "listen" else ""
    assert box.settled("abcd") == [
        "".join(sorted("bd" + barged)), "".join(sorted("ad" + told)), "abd", "".join(sorted("ab" + barged))]


def test_supervision_follows_the_agent_from_call_to_call(box: Box) -> None:
    box.board.supervise("c", "b", "whisper")
    assert box.settled("abc") == ["", "c", "b"]
    box.board.bridge("a", "b")
    assert box.settled("abc") == ["b", "ac", "ab"]
    box.board.unbind("a")
    assert box.settled("bc") == ["c", "b"]
    box.board.bridge("b", "d")
    assert box.settled("bcd") == ["cd", "bd", "b"]
    box.board.play("b", "p", ["prompt:t"], True)
    assert box.settled("bcd") == ["t", "bt", "b"]
    box.board.stop_play("b")
    box.board.join("room", "b")
    box.board.join("room", "e")
    assert box.settled("bcde") == ["ce", "be", "", "b"]


def test_two_supervisors_of_one_agent_and_one_of_the_other_party(box: Box) -> None:
    box.board.bridge("a", "b")
    box.board.supervise("c", "b", "barge")
    box.board.supervise("d", "b", "whisper")
    box.board.supervise("e", "a", "listen")
    assert box.settled("abcde") == ["bc", "acd", "abd", "abc", "abc"]


@pytest.mark.parametrize("who", "bc")
def test_supervision_ends_with_either_leg(box: Box, who: str) -> None:
    box.board.bridge("a", "b")
    box.board.supervise("c", "b", "barge")
    box.board.unbind(who)
    box.bind(who)
    assert box.settled("abc") == (["", "", ""] if who == "b" else ["b", "a", ""])


def test_a_supervisor_who_is_bridged_or_joins_supervises_no_more(box: Box) -> None:
    box.board.bridge("a", "b")
    box.board.supervise("c", "b", "whisper")
    box.board.bridge("c", "d")
    assert box.settled("abcd") == ["b", "a", "d", "c"]
    box.board.supervise("c", "b", "barge")
    box.board.join("room", "c")
    assert box.settled("abcd") == ["b", "a", "", ""]
    box.board.supervise("c", "b", "barge")
    box.board.bridge("c", "b")
    assert box.settled("abcd") == ["", "c", "b", ""]


def test_supervision_is_no_chain(box: Box) -> None:
    box.board.supervise("c", "b", "listen")
    box.tick()
    for supervisor, agent, why in (
            ("c", "c", "itself"), ("b", "a", "is supervised by 'c'"), ("d", "c", "supervises 'b'")):
        with pytest.raises(Refused, match=why):
            box.board.supervise(supervisor, agent, "listen")
    assert box.board.take_plan() is None


def test_consult_with_hold_swap_and_join_of_three(box: Box) -> None:
    """Agent b talks with caller a, asks c, goes back and forth, then all three talk."""
    board = box.board
    board.bridge("a", "b")
    board.unbridge("a")
    board.play("a", "hold", ["music:ts"], True)
    assert box.hears("ab") == ["t", ""]
    board.bridge("b", "c")
    assert box.hears("abc") == ["s", "c", "b"]
    board.bridge("b", "a")                        # swap
    board.play("c", "hold", ["music:ts"], True)
    assert box.settled("abc") == ["b", "a", "s"]
    board.bridge("b", "c")                        # and back
    board.play("a", "hold2", ["music:ts"], True)
    assert box.hears("abc") == ["t", "c", "b"]
    for leg in "bca":
        board.join("three", leg)
    assert box.settled("abc") == ["bc", "ac", "ab"]
    assert [event.leg for event in box.said if isinstance(event, PlayEnded)] == ["a", "c", "a"]
    board.unbind("b")                             # the agent leaves, the two go on
    assert box.settled("ac") == ["c", "a"]


class Model:
    """What each leg should hear, worked out anew from nothing but what holds."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}           # leg -> whose letter is at its timeslot
        self.peer: dict[str, str] = {}
        self.room: dict[str, tuple[str, bool, bool]] = {}
        self.agent: dict[str, tuple[str, Mode]] = {}
        self.play: dict[str, str] = {}

    def part(self, leg: str) -> None:
        self.peer.pop(self.peer.pop(leg, ""), None)
        self.room.pop(leg, None)
        self.agent.pop(leg, None)

    def unbind(self, leg: str) -> None:
        self.part(leg)
        self.bound.pop(leg, None)
        self.play.pop(leg, None)
        for supervisor, (agent, _) in list(self.agent.items()):
            if agent == leg:
                del self.agent[supervisor]

    def supervisors(self, leg: str, *modes: str) -> set[str]:
        return {one for one, (agent, mode) in self.agent.items()
                if agent == leg and mode in modes and leg in self.bound}

    def hears(self, leg: str) -> str:
        heard = self._others(leg)
        return "".join(sorted({self.bound.get(one, one if one in "rst" else "") for one in heard}))

    def _others(self, leg: str) -> set[str]:
        if leg in self.play:
            return {self.play[leg]}
        if leg in self.agent:
            agent = self.agent[leg][0]
            return ({agent} | self._others(agent)) - {leg} if agent in self.bound else set()
        heard = self.supervisors(leg, "whisper", "barge")
        if leg in self.peer:
            heard |= {self.peer[leg]} | self.supervisors(self.peer[leg], "barge")
        if leg in self.room and self.room[leg][2]:
            members = {one for one in self.room if self.room[one][0] == self.room[leg][0]}
            heard |= {one for one in members if self.room[one][1]}
            for one in members:
                heard |= self.supervisors(one, "barge")
        return heard - {leg}


LEGS = st.sampled_from("abcdef")
PAIRS = st.lists(LEGS, min_size=2, max_size=2, unique=True)


class AnyOrder(RuleBasedStateMachine):
    """Anything in any order: everybody hears what the model says, plays end once, nothing is left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.box, self.model = Box(recordings=3), Model()
        self.plays: set[str] = set()

    @rule(leg=LEGS, place=LEGS)
    def bind(self, leg: str, place: str) -> None:
        self.box.board.bind(leg, *PLACES[place])
        for other, at in list(self.model.bound.items()):
            if at == place and other != leg:
                self.model.unbind(other)
        self.model.bound[leg] = place

    @rule(leg=LEGS)
    def unbind(self, leg: str) -> None:
        self.box.board.unbind(leg)
        self.model.unbind(leg)

    @rule(leg=LEGS, sound=st.sampled_from(["prompt:r", "prompt:s", "music:t", "gone"]))
    def play(self, leg: str, sound: str) -> None:
        name = f"p{len(self.plays)}"
        self.plays.add(name)
        self.box.board.play(leg, name, [sound], True)
        self.model.play.pop(leg, None)
        if sound != "gone":
            self.model.play[leg] = sound[-1]

    @rule(leg=LEGS)
    def stop_play(self, leg: str) -> None:
        self.box.board.stop_play(leg)
        self.model.play.pop(leg, None)

    @rule(pair=PAIRS)
    def bridge(self, pair: list[str]) -> None:
        self.box.board.bridge(*pair)
        if self.model.peer.get(pair[0]) == pair[1]:
            return
        for leg in pair:
            self.model.part(leg)
            self.model.play.pop(leg, None)
        self.model.peer |= {pair[0]: pair[1], pair[1]: pair[0]}

    @rule(leg=LEGS)
    def unbridge(self, leg: str) -> None:
        self.box.board.unbridge(leg)
        self.model.peer.pop(self.model.peer.pop(leg, ""), None)

    @rule(leg=LEGS, room=st.sampled_from(["one", "two"]), speaks=st.booleans(), hears=st.booleans())
    def join(self, leg: str, room: str, speaks: bool, hears: bool) -> None:
        self.box.board.join(room, leg, 0.0, speaks, hears)
        if self.model.room.get(leg, ("",))[0] != room:
            self.model.part(leg)
            self.model.play.pop(leg, None)
        self.model.room[leg] = room, speaks, hears

    @rule(leg=LEGS)
    def leave(self, leg: str) -> None:
        self.box.board.leave(leg)
        self.model.room.pop(leg, None)

    @rule(pair=PAIRS, mode=st.sampled_from(["listen", "whisper", "barge"]))
    def supervise(self, pair: list[str], mode: Mode) -> None:
        leg, agent = pair
        if agent in self.model.agent or any(leg == one for one, _ in self.model.agent.values()):
            with pytest.raises(Refused, match="first"):
                self.box.board.supervise(leg, agent, mode)
            return
        self.box.board.supervise(leg, agent, mode)
        if self.model.agent.get(leg, ("",))[0] != agent:
            self.model.part(leg)
            self.model.play.pop(leg, None)
        self.model.agent[leg] = agent, mode

    @rule(leg=LEGS)
    def stop_supervising(self, leg: str) -> None:
        self.box.board.stop_supervising(leg)
        self.model.agent.pop(leg, None)

    @rule(leg=LEGS)
    def settings(self, leg: str) -> None:
        self.box.board.set_gain(leg, 0.0, 0.25)
        for on in (True, False):                  # what stays on would change what is heard
            self.box.board.mask_digits(leg, on)
            self.box.board.set_echo(leg, on)
            self.box.board.set_agc(leg, on)
        self.box.board.detect(leg, ["dtmf"])
        if leg in self.model.bound:
            self.box.board.levels(leg, now=0.0)
            self.box.board.listen("1" * 32, "me", leg, "", 0, 60.0, now=0.0)

    @rule(leg=LEGS, pair=st.tuples(LEGS, LEGS | st.just("")))
    def record(self, leg: str, pair: tuple[str, str]) -> None:
        self.box.board.stop_recording(REC)
        self.box.board.start_recording(REC, *pair, tick=0)

    @invariant()
    def everybody_hears_what_should_be(self) -> None:
        box, model = self.box, self.model
        box.tick()
        tick = box.tick()
        at = {place: leg for leg, place in model.bound.items()}
        heard = {place: "".join(voices(tick.tx[PORTS[place]])) for place in PLACES}
        assert heard == {place: model.hears(at[place]) if place in at else "" for place in PLACES}

    def teardown(self) -> None:
        for leg in "abcdef":
            self.box.board.unbind(leg)
        self.box.tick()
        assert silent(self.box.tick())
        assert nothing_is_left(self.box.engine.plan, self.box.board.ports)
        assert set(self.box.board.figures().values()) == {0}
        assert not self.box.board._legs.by_name
        assert not self.box.board._plays._by_tag
        ended = [event.play for event in self.box.said if isinstance(event, PlayEnded)]
        assert sorted(ended) == sorted(self.plays)


AnyOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
