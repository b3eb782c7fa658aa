"""Channel hunting over the spans of a trunk, and what is kept for whom."""
import pytest

from appliance.config.lines import ReservedConfig, SpanConfig, TrunkConfig
from appliance.isdn.channels import Direction
from appliance.isdn.dss1 import Signalling
from appliance.isdn.lapd import Side
from appliance.trunk.groups import Group, Place, Unavailable, Use

OUT = Use(False, "5001")


def connect(one: Signalling, other: Signalling) -> None:
    """Bring the link up over a line without delay."""
    for end in (one, other):
        end.line_up(True, 0.0)
    while frames := [(end, frame) for end in (one, other) for frame in end.take_frames()]:
        for end, frame in frames:
            (other if end is one else one).receive_frame(frame, 0.0)
    assert one.link_up


class Spans:
    """Two spans of one trunk, their links up, three channels each."""

    def __init__(self, hunting: str = "balanced", reserved: list[ReservedConfig] | None = None) -> None:
        self.configs = [
            SpanConfig(name="one", url="virtual:/one/a", side="user", trunk="t", channels="up"),
            SpanConfig(name="two", url="virtual:/two/a", side="user", trunk="t", channels="down")]
        self.signalling = {config.name: Signalling(Side.USER, str, timeslots=(1, 2, 17), cold=False)
                           for config in self.configs}
        for signalling in self.signalling.values():
            connect(signalling, Signalling(Side.NETWORK, str, timeslots=(1, 2, 17), cold=False))
        self.idle_since: dict[tuple[str, int], float] = {}
        self.group = Group(TrunkConfig.model_validate(
            {"name": "t", "hunting": hunting, "reserved": reserved or []}),
            self.configs, self.signalling, self.idle_since)

    def take(self, use: Use = OUT, others: list[Use] | None = None) -> Place:
        place = self.group.choose(use, others or [])
        self.signalling[place.span].channels.take(place.timeslot, f"{place.span}{place.timeslot}")
        return place

    def free(self, span: str, timeslot: int, now: float = 0.0) -> None:
        self.signalling[span].channels.free(timeslot)
        self.idle_since[span, timeslot] = now

    def order(self, count: int) -> list[tuple[str, int]]:
        return [(place.span, place.timeslot) for place in (self.take() for _ in range(count))]


@pytest.mark.parametrize(("hunting", "order"), [
    ("balanced", [("one", 1), ("two", 17), ("one", 2), ("two", 2), ("one", 17), ("two", 1)]),
    ("ascending", [("one", 1), ("one", 2), ("one", 17), ("two", 1), ("two", 2), ("two", 17)]),
    ("descending", [("two", 17), ("two", 2), ("two", 1), ("one", 17), ("one", 2), ("one", 1)]),
    ("round-robin", [("one", 1), ("one", 2), ("one", 17), ("two", 1), ("two", 2), ("two", 17)]),
    ("longest-idle", [("one", 1), ("one", 2), ("one", 17), ("two", 1), ("two", 2), ("two", 17)]),
])
def test_the_order_of_hunting(hunting: str, order: list[tuple[str, int]]) -> None:
    spans = Spans(hunting)
    assert spans.order(6) == order
    with pytest.raises(Unavailable) as full:
        spans.take()
    assert full.value.cause == 34


def test_round_robin_goes_on_behind_the_last_one_and_longest_idle_looks_at_times() -> None:
    spans = Spans("round-robin")
    assert spans.order(2) == [("one", 1), ("one", 2)]
    spans.free("one", 1)
    assert spans.order(5) == [("one", 17), ("two", 1), ("two", 2), ("two", 17), ("one", 1)]
    spans = Spans("longest-idle")
    spans.order(6)
    for at, (span, timeslot) in enumerate((("two", 2), ("one", 17), ("one", 1))):
        spans.free(span, timeslot, float(at))
    assert spans.order(3) == [("two", 2), ("one", 17), ("one", 1)]


def test_a_channel_that_the_far_end_refused_comes_last() -> None:
    spans = Spans("ascending")
    spans.signalling["one"].channels.refused(1)
    assert spans.order(6)[-1] == ("one", 1)


def test_channels_for_incoming_calls_and_spans_without_a_link_are_left_alone() -> None:
    spans = Spans("ascending")
    spans.signalling["one"].channels.reserve({1: Direction.IN, 2: Direction.OUT})
    assert spans.order(2) == [("one", 2), ("one", 17)]
    assert spans.group.choose_any(blocked=False) == Place("one", 1)
    spans.signalling["two"].line_up(False, 5.0)
    with pytest.raises(Unavailable) as full:
        spans.take()
    assert full.value.cause == 34
    spans.signalling["one"].line_up(False, 5.0)
    with pytest.raises(Unavailable) as down:
        spans.take()
    assert (down.value.cause, spans.group.choose_any(blocked=False)) == (38, None)


def test_only_an_emergency_takes_what_people_took_out_of_use() -> None:
    spans = Spans("ascending")
    for signalling in spans.signalling.values():
        signalling.block((1, 2, 17), 5.0)
    with pytest.raises(Unavailable):
        spans.take()
    assert spans.group.choose_any(blocked=False) is None
    assert spans.group.choose_any(blocked=True) == Place("one", 1, blocked=True)


@pytest.mark.need(24)
def test_what_is_reserved_is_kept_for_those_calls_and_no_more_than_promised() -> None:
    vip = ReservedConfig(name="vip", direction="in", called=["5009"], channels=2)
    out = ReservedConfig(name="out", direction="out", channels=1, most=2)
    spans = Spans(reserved=[vip, out])
    to_vip, to_all = Use(True, "5009"), Use(True, "5001")
    calls: list[Use] = []
    for timeslot in (1, 2, 17):
        spans.signalling["one"].channels.take(timeslot, "busy")
        assert spans.group.admits(to_all, calls)
        calls.append(to_all)
    spans.signalling["two"].channels.take(1, "judged")           # two are left and three are promised
    assert not spans.group.admits(to_all, calls)
    assert spans.group.admits(to_vip, calls)
    assert spans.group.admits(to_all, [*calls[1:], to_vip])      # one of the promises is kept
    assert spans.take(OUT, [*calls, to_vip, to_vip]).span == "two"
    assert spans.group.admits(Use(True, "50", complete=False), calls)        # it may be 5009 in the end
    assert not spans.group.admits(Use(True, "501", complete=False), calls)
    spans.free("one", 1)
    spans.free("one", 2)
    with pytest.raises(Unavailable) as full:      # there are channels, but it has `most`
        spans.take(OUT, [OUT, OUT])
    assert full.value.cause == 34
