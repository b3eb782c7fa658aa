"""The guided run over a whole line with real faults: framed in software, a real link layer at the far end."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from appliance.isdn.lapd import Side as LinkSide
from appliance.isdn.q921 import Link
from e1_driver import BLOCK, IDLE, TIMESLOTS, Abilities, Alarm, Block, Counters, LineStatus, LiuFault, Loop
from e1_driver.backends.virtual import Line, pair
from e1_driver.testing.d_channel import Side
from e1_driver.testing.guide import Run, Step
from e1_driver.testing.verdict import CHAIN, Fault, StepKey, Verdict

US, CABLE, TELCO, FAR_END = CHAIN
PORT, DEMARCATION = StepKey.PORT_PLUG, StepKey.DEMARCATION_PLUG
TICK_S = 0.01
BEFORE_TICKS = 100                                # the line is up long since when the run begins


def idle() -> Block:
    return np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)


class Exchange:
    """The far end's layer 2, which `begins` by itself, again and again, or waits for us."""

    def __init__(self, side: LinkSide = LinkSide.NETWORK, begins: bool = False) -> None:
        self._link, self._begins = Link(side), begins

    def turn(self, now: float, received: list[bytes]) -> list[bytes]:
        if self._begins and self._link.next_deadline() is None:
            self._link.establish(now)
        for frame in received:
            self._link.receive(frame, now)
        self._link.expire(now)
        return self._link.take_frames()


class Silent(Exchange):
    def turn(self, now: float, received: list[bytes]) -> list[bytes]:
        return []


class Deaf(Exchange):
    def turn(self, now: float, received: list[bytes]) -> list[bytes]:
        return super().turn(now, [])


class Echoing(Exchange):
    def turn(self, now: float, received: list[bytes]) -> list[bytes]:
        return received


class Refusing(Exchange):
    """As an exchange whose D-channel is blocked: DM to each SABME of the user's side."""

    def turn(self, now: float, received: list[bytes]) -> list[bytes]:
        return [bytes.fromhex("00011f") for frame in received if frame == bytes.fromhex("00017f")]


Hand = Callable[[Line], None]


class Bench:
    """A line whose end a is the box, and a person whose `hands` do what a step asks."""

    def __init__(
        self, far: Exchange, fault: Hand, hands: dict[StepKey, Hand] | None = None, crc4: str = "auto",
        far_crc4: str = "auto",
    ) -> None:
        self.line = pair(f"framing=g704&crc4={crc4}", f"framing=g704&crc4={far_crc4}")
        self.steps: list[StepKey] = []
        self._far, self._fault, self._hands = far, fault, hands or {}
        self._now = 0.0
        fault(self.line)
        self._run_line(BEFORE_TICKS)

    def judge(self, plugs: bool = True, signalling: bool = True) -> Verdict:
        run = Run(self.line.a.abilities, Random(1), Side.USER, plugs=plugs, signalling=signalling,
                  observe_s=4.0, bert_s=3.0)
        while isinstance(step := run.next_step(), Step):
            if step.ask("zh") and step.key not in self._hands:
                run.skip()
                continue
            self._do(run, step)
        self.line.close()
        return step

    def _do(self, run: Run, step: Step) -> None:
        self.steps.append(step.key)
        self._hands.get(step.key, self._fault)(self.line)
        self.line.a.loop(step.loop)
        self._run_line(round(step.duration_s / TICK_S), run)
        self.line.a.loop(Loop.NONE)
        run.done()

    def _run_line(self, ticks: int, run: Run | None = None) -> None:
        box, far = self.line.a, self.line.b
        for _ in range(ticks):
            self._now += TICK_S
            block, frames, out = box.read(self._now), box.receive_frames(), idle()
            if run:
                reply = run.turn(self._now, block, frames, box.status(), box.counters())
                out = reply.block
                for frame in reply.frames:
                    box.send_frame(frame)
            box.write(out)
            if far.read(self._now) is not None:
                far.write(idle())
            for frame in self._far.turn(self._now, far.receive_frames()):
                far.send_frame(frame)
            self.line.step()


def healthy(line: Line) -> None:
    line.b.loop(Loop.NONE)


def no_signal(line: Line) -> None:
    line.b.loop(Loop.NONE)
    line.b.faults.los = True


def not_heard(line: Line) -> None:
    line.a.faults.los = True


def ais(line: Line) -> None:
    line.b.faults.ais = True


def errors_in(line: Line) -> None:
    line.b.faults.ber = 1e-5


def errors_out(line: Line) -> None:
    line.a.faults.ber = 1e-5


def errors_both_ways(line: Line) -> None:
    errors_in(line)
    errors_out(line)


def looped(line: Line) -> None:
    """A line loop of the telco's, or a plug: all of it comes back."""
    line.b.faults.los = line.b.faults.ais = False
    line.b.loop(Loop.LINE)


def payload_looped(line: Line) -> None:
    line.b.loop(Loop.PAYLOAD)


@pytest.mark.need(12)
@pytest.mark.parametrize(("fault", "far", "leaf", "party"), [
    (healthy, Exchange(), "good", Fault.NOTHING),
    (healthy, Exchange(begins=True), "good", Fault.NOTHING),
    (no_signal, Exchange(), "los", CABLE),
    (not_heard, Exchange(), "rai", CABLE),
    (ais, Exchange(), "ais", TELCO),
    (errors_in, Exchange(), "errors in", CABLE),
    (errors_out, Exchange(), "errors out", CABLE),
    (errors_both_ways, Exchange(), "errors both ways", CABLE),
    (looped, Exchange(), "far loop", TELCO),
    (payload_looped, Exchange(), "far loop", TELCO),
    (healthy, Echoing(), "d loop", TELCO),
    (healthy, Silent(), "d silent", FAR_END),
    (healthy, Refusing(), "d refused", FAR_END),
    (healthy, Deaf(begins=True), "d deaf", FAR_END),
    (healthy, Exchange(LinkSide.USER, begins=True), "same side", US),
], ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_and_its_verdict(fault: Hand, far: Exchange, leaf: str, party: Fault) -> None:
    verdict = Bench(far, fault).judge(plugs=False)
    assert (verdict.leaf, verdict.fault) == (leaf, party)


def test_crc4_wanted_by_us_alone() -> None:
    verdict = Bench(Exchange(), healthy, crc4="on", far_crc4="off").judge()
    assert (verdict.leaf, verdict.fault) == ("lomf", FAR_END)


@pytest.mark.parametrize(("port", "demarcation", "party", "suspects"), [
    (looped, looped, TELCO, ()),
    (looped, no_signal, CABLE, ()),
    (no_signal, looped, US, ()),
    (looped, None, CABLE, (TELCO,)),
    (None, looped, TELCO, ()),
    (None, no_signal, CABLE, (US,)),
    (None, None, CABLE, (TELCO, US)),
])
def test_loop_plugs_tell_where(
    port: Hand | None, demarcation: Hand | None, party: Fault, suspects: tuple[Fault, ...],
) -> None:
    hands = {key: hand for key, hand in ((PORT, port), (DEMARCATION, demarcation)) if hand}
    bench = Bench(Exchange(), no_signal, hands=hands)
    verdict = bench.judge()
    assert (verdict.leaf, verdict.fault, verdict.suspects) == ("los", party, suspects)
    asked = [PORT] if party is US else list(hands)
    assert bench.steps == [StepKey.OBSERVE, StepKey.OWN_LOOP, *asked]


def test_a_healthy_line_asks_for_no_hands() -> None:
    bench = Bench(Exchange(), healthy, hands={PORT: looped, DEMARCATION: looped})
    verdict = bench.judge()
    assert bench.steps == [StepKey.OBSERVE, StepKey.OWN_LOOP, StepKey.FAR_LOOP]
    assert (verdict.fault, verdict.proven, verdict.next_step) == (Fault.NOTHING, True, None)
    assert verdict.evidence.loops[StepKey.OWN_LOOP].clean
    assert verdict.evidence.signalling and verdict.evidence.signalling.ua == 1


def test_without_signalling_nothing_is_sent_on_the_d_channel() -> None:
    bench = Bench(Exchange(), healthy)
    before = bench.line.a.counters().frames_out
    verdict = bench.judge(signalling=False)
    assert verdict.evidence.signalling is None and verdict.fault is Fault.NOTHING
    assert bench.line.a.counters().frames_out == before


def test_the_beginning_of_a_step_is_not_held_against_the_line() -> None:
    run = Run(Abilities(frozenset(Alarm), frozenset({"slips"})), Random(1), signalling=False)
    while isinstance(step := run.next_step(), Step):
        for tick in range(round(step.duration_s * 10)):
            early = tick < 15
            status = LineStatus(frozenset({Alarm.LOS}) if early else frozenset())
            run.turn(100 + tick / 10, None if early else idle(), [], status, Counters(slips=6 + (tick > 5)))
        run.done()
    seen = step.evidence.line
    assert (step.leaf, seen.counted.slips, seen.down) == ("good", 0, None)
    assert seen.seconds == pytest.approx(9.9)


def test_the_lowest_level_and_each_fault_of_the_pair_are_evidence() -> None:
    run = Run(Abilities(frozenset(Alarm), frozenset()), Random(1), signalling=False, plugs=False)
    levels = [-30] * 20 + [-3, -14, None, -5] * 25                    # the beginning is not looked at
    while isinstance(step := run.next_step(), Step):
        for tick in range(round(step.duration_s * 10)):
            faults = frozenset({LiuFault.SHORT}) if 40 <= tick < 50 else frozenset()
            status = LineStatus(level_db=levels[tick], liu_faults=faults)
            run.turn(100 + tick / 10, idle(), [], status, Counters())
        run.done()
    seen = step.evidence.line
    assert (step.leaf, seen.level_db) == ("short", -14)
    assert seen.liu_faults == pytest.approx({LiuFault.SHORT: 1.0})


def test_what_is_asked_out_of_turn() -> None:
    run = Run(Abilities(frozenset(), frozenset()), Random(1))
    with pytest.raises(LookupError, match="ask for next_step"):
        run.done()
    run.next_step()
    with pytest.raises(LookupError, match="not observed"):
        run.skip()
    assert run.next_step() == run.next_step()
