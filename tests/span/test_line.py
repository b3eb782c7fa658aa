"""The real-time thread turn by turn, on lines and a clock that the test moves. What a port says is known."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from appliance.bus.messages import ClockState
from appliance.config.lines import SpanConfig
from appliance.config.schema import ClockConfig
from appliance.media.detect import DETECTORS, Detector
from appliance.media.engine import Engine
from appliance.media.g711 import Linear, Octets
from appliance.media.graph import Graph
from appliance.media.ring import Ring, Stamp
from appliance.media.rtp.settings import LegSettings
from appliance.span.line import Change, Died, Line, Note
from appliance.span.pace import TICK_S
from appliance.span.rtp import CloseLeg, OpenLeg, Ports, RtpHeard, RtpLegs
from e1_driver import BLOCK, IDLE, TIMESLOTS, Block
from e1_driver.backends.virtual import Line as Cable
from e1_driver.backends.virtual import pair

NAME, LISTENER = bytes(range(16)), bytes(range(16, 32))
ONE, TWO = 1, TIMESLOTS + 31                      # a port of each span
SPEECH = np.random.default_rng(5).integers(0, 256, (400, TIMESLOTS, BLOCK), np.uint8)


class Bench:
    """Two spans of the box. End a of each cable is the far end's; `heard` is what they heard."""

    def __init__(
        self, folder: Path, cables: list[Cable],
        detectors: Mapping[str, Callable[[int], Detector]] = DETECTORS, legs: RtpLegs | None = None,
    ) -> None:
        self.now = 1000.0
        self.cables = cables
        self.said = [0, 0]
        self.heard: list[list[Block]] = [[], []]
        self.ring, self.listening = Ring.create(folder / "ring", 4), Ring.create(folder / "listen", 2, 300)
        ports = 2 * TIMESLOTS + (0 if legs is None else legs.legs)
        self.graph, self.engine = Graph(ports), Engine(ports, detectors=detectors)
        spans = [SpanConfig(name=name, url=f"virtual:{name}/b", side="user", trunk=name) for name in "xy"]
        self.line = Line(spans, ClockConfig(), self.engine, legs, self.ring, self.listening,
                         folder / "dchan", realtime=False, monotonic=lambda: self.now)
        self.first = self.line.ring_tick

    def connect(self, at_tick: int = 0) -> None:
        self.graph.hear(ONE, TWO)
        self.graph.hear(TWO, ONE)
        self.graph.tap(NAME, ONE, TWO)
        self.put(at_tick)

    def put(self, at_tick: int = 0) -> None:
        plan = self.graph.take_plan(at_tick)
        assert plan is not None
        self.line.orders.put(plan)

    def say(self, index: int, blocks: int) -> None:
        """The far end of a span says its next blocks, which the line carries."""
        for _ in range(blocks):
            self.cables[index].a.write(SPEECH[self.said[index]].copy())
            self.said[index] += 1
        self.cables[index].step(blocks)
        while (block := self.cables[index].a.read(self.now)) is not None:
            self.heard[index].append(block)

    def run(self, ticks: int) -> None:
        """As long as everything is in time."""
        for _ in range(ticks):
            self.now += TICK_S
            for index in range(2):
                self.say(index, 1)
            self.line.turn(0)

    def recorded(self) -> tuple[list[int], np.ndarray]:
        """Ticks that the ring has of NAME, and the audio, [side, sample]."""
        assert self.ring.newest is not None
        ticks, ids, audio = self.ring.read_many(self.first, self.ring.newest + 1)
        ours = (ids == np.frombuffer(NAME, np.uint8)).all(axis=2)[:, 0]
        return [tick for tick, there in zip(ticks, ours, strict=True) if there], np.concatenate(
            list(audio[ours, 0]), axis=1)

    def spoken(self, port: int, blocks: int) -> np.ndarray:
        return np.concatenate(list(SPEECH[:blocks, port % TIMESLOTS]))

    def complaints(self) -> list[object]:
        """What the thread died of or put into the log."""
        return [report for report in self.line.reports.take() if isinstance(report, Died)
                or (isinstance(report, Note) and report.level >= logging.WARNING)]


def cables(monkeypatch: pytest.MonkeyPatch) -> list[Cable]:
    """Whose ends b are the box's."""
    made = {"virtual:x/b": pair(), "virtual:y/b": pair()}
    monkeypatch.setattr("e1_driver.kept.open_span", lambda url: made[url].b)
    return [*made.values()]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path, cables(monkeypatch))
    yield made
    made.line.stop()


def test_octets_go_from_line_to_line_and_into_the_ring_with_their_times(bench: Bench) -> None:
    bench.connect()
    bench.run(50)
    assert (np.stack(bench.heard[0])[1:, 1] == SPEECH[:49, 31]).all()            # the answer takes a block
    assert (np.stack(bench.heard[1])[1:, 31] == SPEECH[:49, 1]).all()
    assert (np.stack(bench.heard[1])[1:, 30] == IDLE).all()
    ticks, audio = bench.recorded()
    assert ticks == list(range(bench.first, bench.first + 50))
    assert (audio == [bench.spoken(ONE, 50), bench.spoken(TWO, 50)]).all()
    first, last = bench.ring.stamp(ticks[0]), bench.ring.stamp(ticks[-1])
    assert isinstance(first, Stamp)
    assert isinstance(last, Stamp)
    assert (last.sequence - first.sequence, last.monotonic_ns - first.monotonic_ns) == (49, 490_000_000)
    media = bench.line.media()
    assert media | {"ticks": 50, "late_ticks": 0, "stalls": 0, "stalled_s": 0.0} == media


@pytest.mark.parametrize("last_first", [False, True], ids=["together", "one line after the other"])
def test_a_stall_of_a_second_is_made_up_for_without_a_lost_sample_or_a_delay(
        bench: Bench, last_first: bool) -> None:
    bench.connect()
    bench.run(20)
    bench.now += 1.0                              # nobody runs; the lines keep what they get
    for index in range(2):
        bench.say(index, 100)
        if last_first:
            bench.line.turn(0)
    for _ in range(100):
        bench.line.turn(0)
    assert bench.line.media_of_spans() == {
        span: {"slips": 0, "underruns": 0, "buffer_ms": 0.0} for span in "xy"}
    bench.run(20)
    ticks, audio = bench.recorded()
    assert ticks == list(range(bench.first, bench.first + 140))
    assert (audio == [bench.spoken(ONE, 140), bench.spoken(TWO, 140)]).all()
    media = bench.line.media()
    assert media["stalls"] == 1
    assert media["stall_s_max"] == media["stalled_s"] == pytest.approx(1.0, abs=0.02)
    assert 95 <= media["late_ticks"] <= 100
    assert bench.complaints() == []


def test_a_line_that_dies_in_a_stall_stops_nobody(bench: Bench) -> None:
    bench.connect()
    bench.run(20)
    bench.now += 1.0
    bench.say(0, 100)
    for _ in range(200):                          # the other one gives nothing any more
        bench.line.turn(0)
        bench.now += 0.001
    ticks, audio = bench.recorded()
    assert len(ticks) >= 120                      # by its own clock when the first one ends, too
    assert (audio[0, :120 * BLOCK] == bench.spoken(ONE, 120)).all()
    assert (audio[1, 25 * BLOCK:] == IDLE).all()


def test_a_plan_holds_from_its_tick_on_whenever_it_comes(bench: Bench) -> None:
    bench.run(5)
    bench.connect(at_tick=bench.first + 12)
    bench.run(15)
    ticks, audio = bench.recorded()
    assert ticks == list(range(bench.first + 12, bench.first + 20))
    assert (audio[0] == SPEECH[12:20, 1].reshape(-1)).all()


def test_who_listens_has_a_ring_of_its_own_and_nobody_else_pays_for_it(bench: Bench) -> None:
    bench.connect()
    bench.run(5)
    assert bench.listening.newest is None
    bench.graph.tap(LISTENER, ONE, bench.graph.sent(ONE), live=True)
    bench.put()
    bench.run(10)
    bench.graph.end_tap(LISTENER, live=True)
    bench.put()
    bench.run(5)
    assert bench.listening.newest == bench.first + 14
    ticks, ids, audio = bench.listening.read_many(bench.first, bench.first + 20)
    assert ticks == list(range(bench.first + 5, bench.first + 15))
    assert {row[0].tobytes() for row in ids} == {LISTENER}
    assert (audio[:, 0, 0] == SPEECH[5:15, 1]).all()
    assert (audio[:, 0, 1] == SPEECH[5:15, 31]).all()


def test_what_fails_in_the_engine_or_in_rtp_is_counted_and_told_and_stops_no_call(tmp_path: Path) -> None:
    class Deaf(Detector):
        def __init__(self, rows: int) -> None: ...
        def reset(self, row: int) -> None: ...
        def feed(self, samples: Linear) -> list[tuple[int, str]]:
            raise FloatingPointError("deaf")

    class Broken(RtpLegs):
        def fill(self, rx: Octets, now: float) -> list[RtpHeard]:
            rx[:] = 1                             # half done
            raise KeyError("fill")

        def send(self, tx: Octets, now: float) -> None:
            raise KeyError("send")

    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(tmp_path, cables(patch), detectors={"dtmf": Deaf}, legs=Broken(2))
        try:
            bench.graph.detect(ONE, "dtmf", "leg")
            bench.graph.tap(LISTENER, 2 * TIMESLOTS, None)
            bench.connect()
            bench.line.orders.put(CloseLeg(0))
            bench.run(50)
            assert (np.stack(bench.heard[1])[1:, 31] == SPEECH[:49, 1]).all()
            _, _, audio = bench.ring.read_many(bench.first + 30, bench.first + 31)
            assert (audio[0, 0, 0] == IDLE).all() and audio[0, 1].any()
            assert bench.line.media()["failures"] == 101
            notes = [one for one in bench.complaints() if isinstance(one, Note)]
            blamed = [traceback.extract_tb(one.error.__traceback__)[-1].name for one in notes if one.error]
            assert blamed == ["fill", "feed"]     # where it happened is in the log
            said = [one.text for one in notes]
            assert said == ["audio: RTP failed: KeyError('fill')",
                            "audio: dtmf failed, is away for 1 s: FloatingPointError('deaf')"]
        finally:
            bench.line.stop()


def test_an_rtp_leg_has_figures_once_its_order_was_obeyed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, cables(monkeypatch), legs=RtpLegs(2))
    try:
        sockets = Ports("127.0.0.1", 20000, 65535).take()
        bench.line.orders.put(OpenLeg(1, sockets, LegSettings()))
        assert bench.line.media_of_legs([(1, "phone")]) == {}
        bench.run(1)
        assert bench.line.media_of_legs([(0, "other"), (1, "phone")]).keys() == {"phone"}
    finally:
        bench.line.stop()


def test_a_ring_without_memory_stops_no_call_and_is_counted(
        bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.connect()

    def refuse(descriptor: int, buffers: object, at: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwritev", refuse)
    bench.run(10)
    monkeypatch.undo()
    bench.run(5)
    assert (np.stack(bench.heard[1])[1:, 31] == SPEECH[:14, 1]).all()
    assert bench.line.media()["ring_refused"] == 10
    assert len(bench.recorded()[0]) == 5


def test_a_line_that_is_late_is_heard_without_a_hole_and_counted(bench: Bench) -> None:
    """The box follows the other one, whose blocks it cannot hold back any longer."""
    bench.connect()
    bench.run(20)
    for _ in range(4):
        bench.now += TICK_S
        bench.say(0, 1)
        bench.line.turn(0)
    assert bench.line.media_of_spans()["y"] == {"slips": 1, "underruns": 1, "buffer_ms": 0.0}
    bench.run(3)
    _, audio = bench.recorded()
    assert (audio[1, 20 * BLOCK:21 * BLOCK] == SPEECH[19, 31, ::-1]).all()
    assert (audio[0] == bench.spoken(ONE, len(audio[0]) // BLOCK)).all()


def test_a_span_of_another_side_is_no_source_of_the_clock_any_more(bench: Bench) -> None:
    bench.run(60)
    assert sources(bench)[-1] == "x"
    spans = [SpanConfig(name=name, url=f"virtual:{name}/b", side=side, trunk=name)       # type: ignore[arg-type]
             for name, side in (("x", "network"), ("y", "user"))]
    bench.line.orders.put(Change(tuple(spans)))
    bench.run(60)
    assert sources(bench) == [None, "y"]          # hold-over until the other leads
    bench.line.orders.put(Change((spans[1].model_copy(update={"side": "network"}),)))
    bench.run(60)
    assert sources(bench) == [None]
    bench.line.orders.put(Change((spans[1].model_copy(update={"side": "network", "overlap": True}),)))
    bench.run(60)
    assert sources(bench) == []                   # nothing of it is about the clock


def sources(bench: Bench) -> list[str | None]:
    """Whom the box has followed since the last time."""
    return [one.source for one in bench.line.reports.take() if isinstance(one, ClockState)]
