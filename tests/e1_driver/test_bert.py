"""The bit error rate test against a line whose every fault is known, and against another program's tester."""

import ctypes
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import BEARERS, BLOCK, IDLE, TIMESLOTS, Block
from e1_driver.testing.bert import BLOCKS_PER_S, Bert, Result, error_limit
from e1_driver.testing.prbs import NAMES, Octets, pattern
from tests.e1_driver.test_prbs import SPANDSP

TESTED = (1, 15, 17, 31)
PRBS = ("prbs11", "prbs15", "qrss")
Fault = Callable[[Block], Block]


class LoopedLine:
    """A far loop `delay` octets away, whose octets can be lost, repeated and changed on the way back."""

    def __init__(self, bert: Bert, delay: int = 0) -> None:
        self.bert = bert
        self._line = np.full((TIMESLOTS, delay), IDLE, np.uint8)

    def run(self, blocks: int, fault: Fault = lambda block: block) -> Result:
        for _ in range(blocks):
            out = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
            self.bert.transmit(out)
            self._line = np.append(self._line, out, axis=1)
            self.bert.receive(fault(self._line[:, :BLOCK].copy()))
            self._line = self._line[:, BLOCK:]
        return self.bert.result()

    def lose(self, frames: int, at: int) -> None:
        """Frames that are under way vanish; as many of silence come behind, so that the line is as long."""
        self._line = np.delete(self._line, np.s_[at:at + frames], axis=1)

    def repeat(self, frames: int, at: int) -> None:
        self._line = np.insert(self._line, [at], self._line[:, at:at + frames], axis=1)


def inverting(bits: dict[int, list[int]]) -> Fault:
    """Inverts bits of a block, by their number on the timeslot."""
    def fault(block: Block) -> Block:
        for timeslot, places in bits.items():
            for place in places:
                block[timeslot, place // 8] ^= 0x80 >> place % 8
        return block
    return fault


def constant(octet: int) -> Fault:
    return lambda block: np.full_like(block, octet)


@given(name=st.sampled_from(NAMES), whole=st.booleans(), delay=st.integers(0, 700),
       places=st.sets(st.tuples(st.sampled_from(TESTED), st.integers(0, 8 * BLOCK - 1)), max_size=100))
@settings(deadline=None)
def test_each_error_is_counted_once(
    name: str, whole: bool, delay: int, places: set[tuple[int, int]],
) -> None:
    line = LoopedLine(Bert(pattern(name), TESTED, whole), delay)
    assert line.run(15).errors == 0
    bits = {timeslot: [place for row, place in places if row == timeslot] for timeslot, _ in places}
    before = line.bert.result().bits
    line.run(1, inverting(bits))
    result = line.run(10)
    assert (result.errors, result.in_sync, result.sync_losses, result.slips) == (len(places), True, 0, 0)
    assert result.bits - before == 11 * 4 * 8 * BLOCK
    if not whole:
        assert [line.bert.result(row).errors for row in TESTED] == [
            len(bits.get(row, ())) for row in TESTED]


@pytest.mark.parametrize("whole", [False, True])
def test_the_whole_span_with_ten_thousand_errors_injected(whole: bool) -> None:
    line = LoopedLine(Bert(pattern("qrss"), BEARERS, whole))
    line.run(20)
    line.bert.inject(10_000)
    result = line.run(100)
    assert (result.errors, result.injected, result.in_sync) == (10_000, 10_000, True)


@pytest.mark.parametrize("name", SPANDSP)
def test_another_program_s_tester_counts_the_same(name: str) -> None:
    class Results(ctypes.Structure):
        _fields_ = (("total_bits", ctypes.c_int), ("bad_bits", ctypes.c_int), ("resyncs", ctypes.c_int))

    library = ctypes.CDLL("libspandsp.so.2")
    library.bert_init.restype = ctypes.c_void_p
    library.bert_put_bit.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.bert_get_bit.argtypes = [ctypes.c_void_p]
    library.bert_result.argtypes = [ctypes.c_void_p, ctypes.POINTER(Results)]
    far = library.bert_init(None, 0, SPANDSP[name], 300, 20)
    ours = Bert(pattern(name), [5])

    def exchange(blocks: int) -> None:
        for _ in range(blocks):
            block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
            ours.transmit(block)
            for bit in np.unpackbits(block[5]).tolist():
                library.bert_put_bit(far, bit)
            block[5] = np.packbits([library.bert_get_bit(far) for _ in range(8 * BLOCK)])
            ours.receive(block)

    exchange(10)
    ours.inject(7)
    exchange(100)
    theirs = Results()
    library.bert_result(far, ctypes.byref(theirs))
    result = ours.result()
    assert (theirs.bad_bits, theirs.resyncs) == (7, 0)
    assert (result.errors, result.in_sync, result.bits) == (0, True, 109 * 8 * BLOCK)


@pytest.mark.parametrize("name", PRBS)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("octet", [0x00, 0xFF, IDLE, IDLE ^ 0xFF, 0x7E])
def test_a_line_that_says_nothing_is_not_the_pattern(name: str, whole: bool, octet: int) -> None:
    result = LoopedLine(Bert(pattern(name), BEARERS, whole)).run(150, constant(octet))
    assert (result.in_sync, result.bits, result.errored_s, result.sync_losses) == (False, 0, 0, 0)
    assert result.ber is None and result.ber_limit() is None and result.delay_ms is None and not result.clean


@pytest.mark.parametrize("name", PRBS)
def test_nor_is_our_own_sequence_changed_on_the_way(name: str) -> None:
    """A sign turned round by an analogue leg, and another pattern than ours."""
    assert not LoopedLine(Bert(pattern(name), [1])).run(50, lambda block: block ^ np.uint8(0x80)).in_sync
    other = Bert(pattern(PRBS[PRBS.index(name) - 1]), [1])

    def replaced(block: Block) -> Block:
        other.transmit(block)
        return block

    assert not LoopedLine(Bert(pattern(name), [1])).run(50, replaced).in_sync


@pytest.mark.parametrize("name", PRBS)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("delay", [0, 1, 79, 80, 200])
def test_delay_through_the_loop(name: str, whole: bool, delay: int) -> None:
    """From transmit() to receive() of the same call is a block already."""
    result = LoopedLine(Bert(pattern(name), (1, 2, 3), whole, start=77), delay).run(20)
    assert result.delay_ms == pytest.approx((BLOCK + delay) / 8)


@given(name=st.sampled_from(PRBS), whole=st.booleans(), frames=st.integers(1, 100), at=st.integers(0, 79),
       lost=st.booleans(), error=st.integers(0, 639))
@settings(deadline=None)
def test_a_slip_is_a_slip_and_no_error(
    name: str, whole: bool, frames: int, at: int, lost: bool, error: int,
) -> None:
    line = LoopedLine(Bert(pattern(name), (1, 2), whole), delay=400)
    line.run(20)
    (line.lose if lost else line.repeat)(frames, at)
    line.run(1, inverting({1: [error]}))
    result = line.run(20)
    streams = 1 if whole else 2
    assert (result.slips, result.slipped_frames, result.sync_losses) == (streams, streams * frames, 0)
    edge = abs(error // 8 - at) < 4               # just there the slip may as well have been beside it
    assert 0 <= result.errors <= 1 if edge else result.errors == 1
    assert result.in_sync and not result.clean


def test_losing_one_bit_is_no_slip_but_a_loss() -> None:
    bert = Bert(pattern("prbs11"), [1])
    bits = np.unpackbits(pattern("prbs11").take(np.array([0]), 500 * BLOCK)[0])
    octets = np.packbits(np.delete(bits, 50 * 8 * BLOCK))
    for at in range(0, 499 * BLOCK, BLOCK):
        bert.receive(np.tile(octets[at:at + BLOCK], (TIMESLOTS, 1)))
    result = bert.result()
    assert (result.slips, result.sync_losses, result.errors, result.in_sync) == (0, 1, 0, True)


@pytest.mark.parametrize("whole", [False, True])
def test_loss_of_synchronization_costs_no_errors_and_ends_by_itself(whole: bool) -> None:
    line = LoopedLine(Bert(pattern("prbs15"), (1, 2), whole))
    streams = 1 if whole else 2
    line.run(BLOCKS_PER_S)
    line.run(BLOCKS_PER_S // 2)
    lost = line.run(2 * BLOCKS_PER_S, constant(0xFF))
    assert (lost.in_sync, lost.sync_losses, lost.errors, lost.ber) == (False, streams, 0, 0.0)
    back = line.run(2 * BLOCKS_PER_S + BLOCKS_PER_S // 2)
    assert (back.in_sync, back.sync_losses, back.errors) == (True, streams, 0)
    assert (back.errored_s, back.severely_errored_s, back.seconds) == (3, 3, 6.0)


@pytest.mark.parametrize(("blocks", "losses"), [(35, 0), (45, 1)])
def test_a_burst_is_counted_bit_by_bit_or_is_a_loss(blocks: int, losses: int) -> None:
    """O.150 4.2 a: noise is wrong half the time, so 0.4 s of it are the error ratio of 0.2 over a second."""
    line = LoopedLine(Bert(pattern("qrss"), [9]))
    line.run(BLOCKS_PER_S)
    noise = np.random.default_rng(5).integers(0, 256, (blocks, TIMESLOTS, BLOCK), np.uint8)
    sent = iter(noise)
    assert not line.run(blocks, lambda block: block ^ next(sent)).in_sync
    result = line.run(2 * BLOCKS_PER_S - blocks)
    assert (result.sync_losses, result.slips, result.in_sync) == (losses, 0, True)
    assert result.errors == (0 if losses else int(np.bitwise_count(noise[:, 9]).sum()))
    assert (result.errored_s, result.severely_errored_s) == (1, 1)


def test_errored_and_severely_errored_seconds() -> None:
    """G.821: 1e-3 of 64,000 bits are 64 errors; a second counts once for all timeslots."""
    line = LoopedLine(Bert(pattern("prbs15"), (1, 2)))
    line.run(BLOCKS_PER_S)
    for timeslots, count in (((1, 2), 63), ((1,), 64), ((2,), 1)):
        line.run(1, inverting({timeslot: list(range(count)) for timeslot in timeslots}))
        line.run(BLOCKS_PER_S - 1)
    result = line.run(BLOCKS_PER_S)
    assert (result.errored_s, result.severely_errored_s, result.errors) == (3, 1, 2 * 63 + 64 + 1)
    assert [line.bert.result(row).errored_s for row in (1, 2)] == [2, 2]


# Upper 95 % limits of a Poisson mean for 0, 1, 2, 3, 5 and 10 events, of the tables of many textbooks
@pytest.mark.parametrize(("errors", "limit"), [(0, 2.996), (1, 4.744), (2, 6.296), (3, 7.754), (5, 10.51),
                                               (10, 16.96)])
def test_limit_of_the_tables(errors: int, limit: float) -> None:
    assert error_limit(errors, 0.95) == pytest.approx(limit, abs=0.005)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("errors", [0, 7, 100, 101, 500, 5000])
def test_limit_is_where_so_few_errors_are_so_rare(errors: int, confidence: float) -> None:
    mean = error_limit(errors, confidence)
    chance = sum(math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
                 for count in range(errors + 1))
    assert chance == pytest.approx(1 - confidence, rel=0.01)


def test_how_long_until_one_in_a_million_is_proven() -> None:
    line = LoopedLine(Bert(pattern("qrss"), BEARERS))
    result = line.run(BLOCKS_PER_S)
    assert result.proof_s() == pytest.approx((2.9957e6 - result.bits) / (30 * 64_000), abs=0.001)
    result = line.run(BLOCKS_PER_S)
    assert result.proof_s() == 0 and (result.ber_limit() or 1) < 1e-6 and result.ber == 0


def test_other_timeslots_are_left_alone() -> None:
    block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
    Bert(pattern("prbs11"), (3, 30)).transmit(block)
    changed = np.flatnonzero((block != IDLE).any(axis=1))
    assert changed.tolist() == [3, 30] and (block[3] != block[30]).any()


@pytest.mark.parametrize("timeslots", [[], [0], [16], [32], [-1], [5, 5]])
def test_timeslots_that_cannot_be_tested(timeslots: list[int]) -> None:
    with pytest.raises(ValueError, match="each of 1-31 once, without 16"):
        Bert(pattern("prbs11"), timeslots)


def test_one_sequence_over_all_has_no_result_of_one_timeslot() -> None:
    with pytest.raises(ValueError, match="timeslot 1 has no sequence of its own"):
        Bert(pattern("prbs11"), (1, 2), whole=True).result(1)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_anything_may_come(data: bytes) -> None:
    fuzz(data)


def fuzz(data: bytes) -> None:
    """A line that jumps between our own sequence and anything."""
    for whole in (False, True):
        bert = Bert(pattern("prbs11"), (1, 2), whole)
        noise: Octets = np.resize(np.frombuffer(data or b"\0", np.uint8), (TIMESLOTS, BLOCK))
        for octet in data[:64]:
            block = np.zeros((TIMESLOTS, BLOCK), np.uint8)
            bert.transmit(block)
            bert.receive((block, noise, np.roll(block, octet, axis=1), block ^ noise)[octet & 3])
        result = bert.result()
        assert 0 <= result.errors <= result.bits
