"""The play-out buffer: order, loss, two clocks, cuts and restarts, frame by frame."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import BEARERS, D_TIMESLOT, IDLE, Block
from e1_driver.backends.tdmoe_playout import PlayOut

TARGET = 20
SAME = b"\xd5" * 248
MOST_OCTETS = 200                                 # of an input of fuzz(): each is a frame or a block


def samples(counter: int) -> bytes:
    """Timeslot k has k in its first octet and the counter in the next two."""
    return b"".join(bytes((slot, *counter.to_bytes(2, "big"), 0, 0, 0, 0, 0)) for slot in range(1, 32))


def put(play_out: PlayOut, *counters: int) -> None:
    for counter in counters:
        play_out.put(counter % 0x10000, samples(counter % 0x10000))


def counters(block: Block) -> list[int | None]:
    """Which frames a block is made of; None: idle."""
    found: list[int | None] = []
    for column in range(0, 80, 8):
        idle = (block[list(BEARERS), column] == IDLE).all() and (block[D_TIMESLOT, column] == 0xFF)
        found.append(None if idle else int(block[3, column + 1]) << 8 | int(block[3, column + 2]))
        assert idle or (block[1:, column] == np.arange(1, 32)).all()
    return found


def play(play_out: PlayOut) -> list[int | None]:
    block = play_out.take()
    assert block is not None
    return counters(block)


def started(first: int = 0) -> PlayOut:
    play_out = PlayOut(TARGET)
    put(play_out, *range(first, first + TARGET))
    return play_out


def corpus() -> list[bytes]:
    even = bytes((*[1] * 10, 0)) * 6
    return [bytes(range(199)), even, even + bytes((200,)) + even]


def fuzz(data: bytes) -> None:
    """An octet is a step of the counter before the next frame, or 0: our clock asks."""
    play_out = PlayOut(TARGET)
    counter = asked = played = 0
    for octet in data:
        if octet:
            counter += octet if octet < 100 else (octet - 200) * 300
            play_out.put(counter % 0x10000, SAME)
        else:
            asked += 1
            played += play_out.take(asked % 3) is not None
    frames = len(data) - asked
    assert play_out.taken + play_out.late == frames
    assert 10 * played <= play_out.taken + play_out.lost


def test_nothing_is_played_before_the_target_is_there() -> None:
    play_out = PlayOut(TARGET)
    put(play_out, *range(TARGET - 1))
    assert play_out.take() is None
    put(play_out, TARGET - 1)
    assert play(play_out) == list(range(10))
    assert (play_out.taken, play_out.lost, play_out.late, play_out.slips) == (20, 0, 0, 0)


def test_order_is_the_counters_also_round_its_end() -> None:
    play_out = PlayOut(TARGET)
    late_by = Random(3)
    order = sorted(range(0xFFF7, 0xFFF6 + 40), key=lambda counter: counter + 8 * late_by.random())
    assert order != sorted(order)
    put(play_out, 0xFFF6, *order)
    assert [play(play_out) for _ in range(2)] == [
        list(range(0xFFF6, 0x10000)), list(range(10))]


def test_loss_is_idle_and_counted_once() -> None:
    play_out = started()
    put(play_out, 20, 21, 29)
    assert [play(play_out) for _ in range(3)][2] == [20, 21, *[None] * 7, 29]
    assert (play_out.lost, play_out.late) == (7, 0)


def test_late_and_double_frames_are_counted_and_change_nothing() -> None:
    play_out = started()
    play(play_out)
    put(play_out, 3, 9, 15, 15)
    assert play(play_out) == list(range(10, 20))
    assert (play_out.late, play_out.taken, play_out.lost) == (4, 20, 0)


def test_slower_far_end_is_one_slip_and_then_even_again() -> None:
    play_out = started()
    for first in range(20, 1000, 9):              # one frame in ten too few
        put(play_out, *range(first, first + 9))
        if play_out.take() is None:
            break
    assert play_out.slips == 1
    put(play_out, *range(first + 9, first + 40))
    assert play_out.take() is not None
    assert (play_out.slips, play_out.lost) == (1, 0)


def test_faster_far_end_slips_a_block_at_a_time() -> None:
    play_out = started()
    played = 0
    for first in range(20, 20 + 11 * 200, 11):
        put(play_out, *range(first, first + 11))
        play(play_out)
        played += 10
    assert play_out.slips == pytest.approx((20 + 11 * 200 - 2 * TARGET - 20 - played) / 10, abs=2)
    assert play_out.lost == 0


def test_flood_is_left_out_down_to_the_target() -> None:
    play_out = started()
    put(play_out, *range(20, 520))
    assert play(play_out) == list(range(500, 510))
    assert (play_out.slips, play_out.lost) == (50, 0)


def test_blocks_that_will_be_taken_at_once_are_no_flood() -> None:
    play_out = started()
    put(play_out, *range(20, 120))
    for owed in range(9, -1, -1):
        block = play_out.take(owed)
        assert block is not None
        assert counters(block) == list(range(90 - 10 * owed, 100 - 10 * owed))
    assert play_out.slips == 0


def test_cut_is_one_slip_and_its_frames_are_lost_without_a_gap_to_play() -> None:
    play_out = started()
    for _ in range(2):
        play(play_out)
    assert [play_out.take() for _ in range(30)] == [None] * 30
    put(play_out, *range(320, 340))
    assert play(play_out) == list(range(320, 330))
    assert (play_out.lost, play_out.slips) == (300, 1)


@pytest.mark.parametrize("first", [5, 40_000])
def test_restarted_far_end_is_heard_within_ten_frames_and_its_filling(first: int) -> None:
    play_out = started(7000)
    for begin in range(7020, 7100, 10):
        play(play_out)
        put(play_out, *range(begin, begin + 10))
    put(play_out, *range(first, first + 10 + TARGET))
    blocks = [play_out.take() for _ in range(2)]
    assert blocks[0] is not None
    assert first + 9 in counters(blocks[0])
    assert play_out.late <= 10


def test_new_stream_after_clear_loses_nothing() -> None:
    play_out = started()
    play(play_out)
    play_out.clear()
    put(play_out, *range(30_000, 30_020))
    assert play(play_out) == list(range(30_000, 30_010))
    assert play_out.lost == 0


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(0, 0xFFFF), st.integers(0, 60)), max_size=300))
def test_any_counters_are_only_counted(arrivals: list[int]) -> None:
    play_out = PlayOut(TARGET)
    for number, counter in enumerate(arrivals):
        put(play_out, counter)
        if number % 10 == 9:
            play_out.take()
    assert play_out.taken + play_out.late == len(arrivals)
