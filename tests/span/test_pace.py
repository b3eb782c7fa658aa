"""When ticks are due, told to the millisecond. A block is known by its number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.span.pace import DOWN_S, FORCE_BLOCKS, LIVE_S, TICK_S, TRIM_TICKS, Pacer
from e1_driver import Block


def block(number: int = 0) -> Block:
    return np.full((32, 80), number % 256, np.uint8)


def numbers(blocks: list[Block | None]) -> list[int | None]:
    return [None if one is None else int(one[0, 0]) for one in blocks]


def test_a_tick_waits_for_every_live_line() -> None:
    pacer = Pacer(2, now=0.0)
    pacer.arrived(0, block(1), 0.000)
    pacer.arrived(1, block(2), 0.003)
    assert pacer.due(0.003)
    assert numbers(pacer.take(0.003).blocks) == [1, 2]
    pacer.arrived(0, block(3), 0.010)
    assert not pacer.due(0.012)
    pacer.arrived(1, block(4), 0.013)
    assert numbers(pacer.take(0.013).blocks) == [3, 4]
    assert [pacer.slips(line) for line in (0, 1)] == [0, 0]


def test_a_line_that_gave_nothing_for_60_ms_is_not_waited_for() -> None:
    pacer = Pacer(2, now=0.0)
    pacer.arrived(0, block(), 0.000)
    pacer.arrived(1, block(), 0.000)
    pacer.take(0.0)
    pacer.arrived(0, block(5), 0.010)
    assert not pacer.due(0.059)
    assert pacer.deadline(0.059) == LIVE_S
    assert pacer.due(LIVE_S)
    taken = pacer.take(LIVE_S)
    assert (numbers(taken.blocks), taken.dropped) == ([5, None], [0, 0])
    assert pacer.slips(1) == 0                    # as long as it may be down


@pytest.mark.parametrize(("back_at", "slips"), [(DOWN_S - 0.01, 3), (DOWN_S + 0.01, 0)])
def test_ticks_without_a_line_are_slips_when_it_was_late_and_none_when_it_was_down(
        back_at: float, slips: int) -> None:
    pacer = Pacer(2, now=0.0)
    pacer.arrived(1, block(), 0.0)
    for number in range(4):
        pacer.arrived(0, block(number), LIVE_S)
        pacer.take(LIVE_S)
    pacer.arrived(1, block(), back_at)
    assert pacer.slips(1) == slips


def test_four_blocks_waiting_force_a_tick_and_the_missing_one_is_a_slip() -> None:
    pacer = Pacer(2, now=0.0)
    pacer.arrived(1, block(), 0.0)
    for number in range(FORCE_BLOCKS + 1):
        pacer.arrived(0, block(number), 0.001 * number)
    assert numbers(pacer.take(0.004).blocks) == [0, 0]
    assert pacer.due(0.004)
    taken = pacer.take(0.004)
    assert numbers(taken.blocks) == [1, None]
    assert numbers(taken.heard) == [1, 0]         # in its place its last block, once more
    assert pacer.underruns(1) == 1
    assert not pacer.due(0.004)
    assert [pacer.slips(line) for line in (0, 1)] == [0, 1]


def test_without_a_line_it_ticks_by_its_own_clock() -> None:
    pacer = Pacer(1, now=5.0)
    at, ticks = 5.0, []
    for _ in range(4):
        at = pacer.deadline(at)
        assert pacer.due(at)
        pacer.take(at)
        ticks.append(round(at, 6))
    assert ticks == [5.0, 5.01, 5.02, 5.03]


def test_the_own_clock_makes_up_for_a_stall_but_not_for_a_long_one() -> None:
    pacer = Pacer(1, now=0.0)
    for now, expected in ((0.005, [1]), (1.005, [100]), (100.0, [100, 101])):
        ticks = 0
        while pacer.due(now):
            pacer.take(now)
            ticks += 1
        assert ticks in expected


def test_a_second_in_which_nobody_looked_is_made_up_for_without_a_slip() -> None:
    """All lines have 100 blocks when the box looks again; the last one of the turn is not left behind."""
    pacer, now, lost = Pacer(3, now=0.0), 0.0, [0, 0, 0]
    out: list[list[int]] = [[], [], []]
    for number in range(5):
        now = number * TICK_S
        for line in range(3):
            pacer.arrived(line, block(number), now)
        _drain(pacer, now, out, lost)
    now += 1.0
    pacer.excuse(1.0)
    for number in range(5, 105):
        for line in range(3):                     # one block of each in a turn, and a tick when it is due
            pacer.arrived(line, block(number), now)
            _drain(pacer, now, out, lost)
    assert out == [list(range(105))] * 3
    assert [pacer.slips(line) + pacer.waiting(line) for line in range(3)] == [0, 0, 0]


def test_a_line_that_ends_is_followed_by_the_own_clock_from_its_last_tick_on() -> None:
    pacer = Pacer(1, now=0.0)
    pacer.arrived(0, block(), 1.0)
    pacer.take(1.0)
    assert pacer.deadline(1.0) == 1.0 + LIVE_S
    ticks = 0
    while pacer.due(1.0 + LIVE_S):
        pacer.take(1.0 + LIVE_S)
        ticks += 1
    assert ticks == round(LIVE_S / TICK_S)


def test_a_forgotten_line_is_dead_and_its_blocks_void() -> None:
    pacer = Pacer(2, now=0.0)
    pacer.arrived(0, block(7), 0.0)
    pacer.arrived(1, block(8), 0.0)
    pacer.forget(1)
    assert numbers(pacer.take(0.0).blocks) == [7, None]


def test_a_block_that_only_delays_is_cut_out_once() -> None:
    """Line 0 was two blocks ahead when line 1 came."""
    pacer, sent, dropped = Pacer(2, now=0.0), 2, 0
    for number in range(2):
        pacer.arrived(0, block(number), 0.0)
    for tick in range(1, 4 * TRIM_TICKS):
        now = tick * TICK_S
        pacer.arrived(0, block(sent), now)
        pacer.arrived(1, block(), now)
        sent += 1
        while pacer.due(now):
            taken = pacer.take(now)
            dropped += taken.dropped[0]
            assert taken.dropped[1] == 0
    assert (dropped, pacer.slips(0), pacer.slips(1)) == (2, 2, 0)
    assert numbers(taken.blocks)[0] == (sent - 1) % 256


@pytest.mark.parametrize(("source", "ticks", "slips"), [(0, 1000, (0, 10)), (1, 1010, (10, 0))])
def test_the_clock_source_is_never_slipped_the_other_line_is(
    source: int, ticks: int, slips: tuple[int, int],
) -> None:
    """Line 1 runs one per cent fast, for ten seconds."""
    pacer, taken = Pacer(2, now=0.0), 0
    pacer.follow(source)
    arrivals = sorted([(0.01 * number, 0) for number in range(1000)]
                      + [(0.01 / 1.01 * number, 1) for number in range(1010)])
    for now, line in arrivals:
        pacer.arrived(line, block(), now)
        while pacer.due(now):
            pacer.take(now)
            taken += 1
    assert taken == pytest.approx(ticks, abs=2 * FORCE_BLOCKS)
    assert pacer.slips(source) == 0
    assert pacer.slips(1 - source) == pytest.approx(slips[1 - source], abs=FORCE_BLOCKS)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 25)), max_size=300))
def test_whatever_comes_order_is_kept_and_nothing_waits_long(arrivals: list[tuple[int, int]]) -> None:
    """(line, milliseconds since the last arrival): every block comes out once, in order, or was dropped."""
    pacer, now = Pacer(3, now=0.0), 0.0
    sent: list[list[int]] = [[], [], []]
    out: list[list[int]] = [[], [], []]
    lost = [0, 0, 0]
    for line, gap_ms in arrivals:
        until = now + gap_ms / 1000
        while (deadline := pacer.deadline(now)) <= until:
            now = max(now, deadline)
            _drain(pacer, now, out, lost)
        now = until
        sent[line].append(len(sent[line]) % 256)
        pacer.arrived(line, block(sent[line][-1]), now)
        _drain(pacer, now, out, lost)
    for line in range(3):
        waiting = len(sent[line]) - len(out[line]) - lost[line]
        assert 0 <= waiting < FORCE_BLOCKS
        steps = np.diff([-1, *out[line]]) % 256
        assert (steps >= 1).all()
        assert int((steps - 1).sum()) <= lost[line]


def _drain(pacer: Pacer, now: float, out: list[list[int]], lost: list[int]) -> None:
    for _ in range(1000):
        if not pacer.due(now):
            return
        taken = pacer.take(now)
        for line, number in enumerate(numbers(taken.blocks)):
            if number is not None:
                out[line].append(number)
            lost[line] += taken.dropped[line]
    raise AssertionError("it ticks for ever")
