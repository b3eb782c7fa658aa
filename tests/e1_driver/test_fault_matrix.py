"""Fault x alarm x counter x clearing time, on a framed line in one process. Times are the line's, in blocks.

End a's sending is at fault: end b hears it, end a hears what b says of it (RAI, E bits).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from e1_driver import BLOCK, Alarm, Block, Counters, LineStatus
from e1_driver.backends import virtual
from e1_driver.backends.faults import FRAME_BITS, Faults
from e1_driver.soft import idle_block

SMF_BITS = 8 * FRAME_BITS                         # what a CRC-4 covers: 1 ms (G.704 2.3.3)
FAS_PERIOD_BITS = 2 * FRAME_BITS
STEADY_BLOCKS = 50                                # a fault begins when the line has long been good
CUT_BLOCKS = 100                                  # 1 s
AFTER_BLOCKS = 10
SEEN_BLOCKS = 1                                   # LOS, AIS and LOF take less than 1 ms (G.775, G.706)
TOLD_BLOCKS = SEEN_BLOCKS + 1                     # ... and the way back
CLEAR_BLOCKS = 1                                  # FAS, NFAS, FAS: 250 us; RAI: 1 ms
MULTIFRAME_BLOCKS = 2                             # both alignments within 8 ms (G.706 4.2)
INTERWORKING_BLOCKS = 40                          # 400 ms (G.706 B.2.3)
GOOD = LineStatus(crc4=True, sa_bits=31)
FRAMING = ("slips", "fas_errors", "crc_errors", "e_bits")

Range = int | tuple[int, int]
Act = Callable[[Faults], None]


class Framed:
    """A line of two framed ends that send idle blocks, and what each end said after each block."""

    def __init__(self, options_a: str = "", options_b: str = "") -> None:
        self.line = virtual.pair(f"framing=g704&{options_a}", f"framing=g704&{options_b}")
        self.a, self.b = self.line.a, self.line.b
        self.said: list[tuple[LineStatus, LineStatus]] = []
        self.frames: list[bytes] = []             # that b received
        self._block: Block = idle_block()

    def run(self, blocks: int, frame: bytes = b"") -> None:
        """Carry `blocks`, and with each of them `frame` from a to b."""
        for _ in range(blocks):
            if frame:
                self.a.send_frame(frame)
            self.line.step()
            for end in (self.a, self.b):
                end.read(0.0)
                end.write(self._block)
            self.frames += self.b.receive_frames()
            self.said.append((self.a.status(), self.b.status()))


def set_to(**values: float) -> Act:
    def act(faults: Faults) -> None:
        for name, value in values.items():
            setattr(faults, name, value)
    return act


def invert(first: int, period: int = 1, count: int = 1) -> Act:
    return lambda faults: faults.invert(range(first, first + period * count, period))


ENDS_BY_ITSELF = set_to()


@dataclass
class Fault:
    """What it does; what stands meanwhile at b and a; what b and a count besides nothing."""

    begin: Act
    end: Act = ENDS_BY_ITSELF
    at_b: frozenset[Alarm] = frozenset()
    at_a: frozenset[Alarm] = frozenset()
    b_counts: dict[str, Range] = field(default_factory=dict)
    a_counts: dict[str, Range] = field(default_factory=dict)


LOS, LOF, AIS, RAI = (frozenset({alarm}) for alarm in (Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.RAI))
LOST: dict[str, Range] = {"fas_errors": (2, 3)}   # three wrong words in a row, FAS or NFAS (G.706 4.1.1)
NO_MULTIFRAME: dict[str, Range] = {"e_bits": (980, 1030)}             # zeros meanwhile (G.704 2.3.3.4)

MATRIX = {
    "LOS": Fault(set_to(los=True), set_to(los=False), LOS, RAI, LOST, NO_MULTIFRAME),
    "AIS": Fault(set_to(ais=True), set_to(ais=False), AIS, RAI, LOST, NO_MULTIFRAME),
    "AIS with bit errors": Fault(
        set_to(ais=True, ber=1e-3), set_to(ais=False, ber=0), AIS, RAI, LOST, NO_MULTIFRAME),
    "LOF": Fault(set_to(lof=True), set_to(lof=False), LOF, RAI, LOST, NO_MULTIFRAME),
    "no FAS: LOF": Fault(
        invert(3, FAS_PERIOD_BITS, CUT_BLOCKS * BLOCK // 2), ENDS_BY_ITSELF, LOF, RAI, LOST, NO_MULTIFRAME),
    "RAI": Fault(set_to(rai=True), set_to(rai=False), RAI),
    "CRC-4 blocks": Fault(
        invert(700, 3 * SMF_BITS, 100), b_counts={"crc_errors": 100}, a_counts={"e_bits": 100}),
    "the FAS of every tenth": Fault(
        invert(5, 10 * FAS_PERIOD_BITS, 40),
        b_counts={"fas_errors": 40, "crc_errors": 40}, a_counts={"e_bits": 40}),
    "a burst within 1 ms": Fault(
        invert(9 * SMF_BITS + 300, 1, 100), b_counts={"crc_errors": 1}, a_counts={"e_bits": 1}),
    "bursts of 500 bits": Fault(
        set_to(bursts=20, burst_bits=500), set_to(bursts=0),
        b_counts={"crc_errors": (10, 50), "fas_errors": (0, 50), "e_bits": (0, 10)},
        a_counts={"e_bits": (10, 50)}),
    "a bit in ten thousand": Fault(
        set_to(ber=1e-4), set_to(ber=0),
        b_counts={"crc_errors": (130, 250), "fas_errors": (0, 12), "e_bits": (0, 3)},
        a_counts={"e_bits": (130, 250)}),
    "a slip": Fault(
        Faults.slip, b_counts={"fas_errors": (2, 3)}, a_counts={"slips": 1, "e_bits": (0, 10)}),
    "D-channel cut": Fault(set_to(d_cut=True), set_to(d_cut=False)),
    "D-channel frames lost": Fault(set_to(d_loss=0.5), set_to(d_loss=0)),
    "delay": Fault(
        set_to(delay_ms=5), b_counts={"fas_errors": (2, 3)}, a_counts={"e_bits": (0, 20)}),
}


def within(count: int, expected: Range) -> bool:
    low, high = expected if isinstance(expected, tuple) else (expected, expected)
    return low <= count <= high


@pytest.mark.parametrize("fault", MATRIX.values(), ids=MATRIX)
def test_alarms_counters_and_clearing_times(fault: Fault) -> None:
    framed = Framed()
    framed.run(STEADY_BLOCKS)
    assert framed.said[-1] == (GOOD,) * 2
    before = framed.a.counters(), framed.b.counters()
    framed.said.clear()

    fault.begin(framed.a.faults)
    framed.run(CUT_BLOCKS)
    fault.end(framed.a.faults)
    framed.run(AFTER_BLOCKS)

    # what a writes after step n is carried by step n + 1, so a fault of a block is heard with the next
    meanwhile, after = framed.said[1:CUT_BLOCKS + 1], framed.said[CUT_BLOCKS + 1:]
    assert {said.alarms for _, said in meanwhile[SEEN_BLOCKS - 1:]} == {fault.at_b}
    assert {said.alarms for said, _ in meanwhile[TOLD_BLOCKS - 1:]} == {fault.at_a}
    assert {said.alarms for _, said in after[CLEAR_BLOCKS - 1:]} == {frozenset()}
    assert {said.alarms for said, _ in after[CLEAR_BLOCKS:]} == {frozenset()}
    assert {said.crc4 for both in after[MULTIFRAME_BLOCKS - 1:] for said in both} == {True}
    check_counts(framed.a.counters(), before[0], fault.a_counts)
    check_counts(framed.b.counters(), before[1], fault.b_counts)


def check_counts(now: Counters, was: Counters, expected: dict[str, Range]) -> None:
    for name in FRAMING:
        count = getattr(now, name) - getattr(was, name)
        assert within(count, expected.get(name, 0)), f"{name}: {count}"


def test_garbage_is_lof_but_for_moments_and_clears_at_once() -> None:
    framed = Framed()
    framed.run(STEADY_BLOCKS)
    framed.said.clear()
    framed.a.faults.ber = 0.5
    framed.run(CUT_BLOCKS)
    down_blocks = sum(not said.up for _, said in framed.said)
    assert down_blocks > 0.8 * CUT_BLOCKS         # chance looks like FAS at times
    framed.a.faults.ber = 0.0
    framed.run(1 + MULTIFRAME_BLOCKS)
    assert framed.said[-1][1] == GOOD


@pytest.mark.parametrize(("crc4", "alarms", "told"), [
    ("on", frozenset({Alarm.LOMF}), RAI),         # wanted: an alarm
    ("auto", frozenset(), frozenset()),           # done without
])
def test_far_end_without_crc4_is_known_after_400_ms(
        crc4: str, alarms: frozenset[Alarm], told: frozenset[Alarm]) -> None:
    framed = Framed("crc4=off", f"crc4={crc4}")
    framed.run(2 * INTERWORKING_BLOCKS)
    searching, known = framed.said[3:INTERWORKING_BLOCKS], framed.said[INTERWORKING_BLOCKS + 2:]
    assert {said for _, said in searching} == {LineStatus(crc4=None, sa_bits=31)}
    assert {said for _, said in known} == {LineStatus(alarms, crc4=False, sa_bits=31)}
    assert {said.alarms for said, _ in known[1:]} == {told}
    assert framed.b.counters().crc_errors == 0
    assert framed.a.counters().e_bits == 0


def test_d_channel_that_is_cut_loses_frames_and_nothing_else() -> None:
    framed = Framed()
    framed.run(STEADY_BLOCKS)
    framed.a.faults.d_cut = True
    framed.run(20, b"lost")
    framed.run(2)
    framed.a.faults.d_cut = False
    framed.run(2)                                 # a flag goes first
    framed.run(20, b"carried")
    framed.run(2)
    assert framed.frames == [b"carried"] * 20


def test_a_lost_frame_is_an_fcs_error_each() -> None:
    framed = Framed("d_loss=0.2&seed=3")
    framed.run(STEADY_BLOCKS)
    framed.run(400, bytes(20))
    framed.run(2)
    lost = 400 - len(framed.frames)
    assert 50 < lost < 110
    assert framed.b.counters().fcs_errors == lost


def test_a_million_frames_with_known_errors_are_counted_exactly() -> None:
    """Each tenth block of 1 ms has errors: 1 to 4 bits, not in timeslot 0.

    They lie 61 bits apart: two that are a multiple of 15 apart are the same to x^4 + x + 1, and not seen.
    """
    framed = Framed("seed=4")
    framed.run(STEADY_BLOCKS)
    before = framed.b.counters().crc_errors, framed.a.counters().e_bits
    blocks = range(0, 125_000, 10)
    framed.a.faults.invert(
        block * SMF_BITS + FRAME_BITS * (block % 8) + 8 + 61 * error
        for block in blocks for error in range(1 + block // 10 % 4))
    framed.run(12_500 + 2)
    assert framed.b.counters().crc_errors - before[0] == len(blocks)
    assert framed.a.counters().e_bits - before[1] == len(blocks)
    assert framed.b.counters().fas_errors == 0
