"""What SoftSpan does for every backend that carries octets: HDLC, loops, bounds."""

from collections import deque

import numpy as np
import pytest

from e1_driver import BEARERS, BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Abilities, Alarm, Block, LineStatus, Loop
from e1_driver.soft import BLOCK_LOOPS, HDLC_COUNTERS, LOOPED_BLOCKS, SoftSpan

Blocks = deque[Block]


class Carrier(SoftSpan):
    """The least backend: blocks that come in, blocks that went out."""

    def __init__(self, loops: frozenset[Loop] = BLOCK_LOOPS) -> None:
        super().__init__(Abilities(frozenset({Alarm.LOS}), HDLC_COUNTERS, loops))
        self.coming: Blocks = deque()
        self.gone: Blocks = deque()

    def fileno(self) -> int:
        return -1

    def _receive(self, now: float) -> Block | None:
        return self.coming.popleft() if self.coming else None

    def _transmit(self, block: Block) -> None:
        self.gone.append(block)

    def _status(self) -> LineStatus:
        return LineStatus()

    def close(self) -> None: ...


def filled(octet: int) -> Block:
    return np.full((TIMESLOTS, BLOCK), octet, np.uint8)


def turn(span: Carrier, line: int, ours: int) -> tuple[Block, Block]:
    """One block in, filled with `line`, and one out, filled with `ours`: what was read and what was sent."""
    span.coming.append(filled(line))
    read = span.read(0.0)
    assert read is not None
    span.write(filled(ours))
    return read, span.gone.pop()


def bearers(block: Block) -> int:
    [octet] = np.unique(block[BEARERS, :])
    return int(octet)


def test_local_gives_back_what_is_sent_and_the_line_is_idle() -> None:
    span = Carrier()
    span.loop(Loop.LOCAL)
    turns = [turn(span, line=100 + n, ours=n) for n in range(5)]
    assert [bearers(read) for read, _ in turns] == [IDLE, 0, 1, 2, 3]
    assert [int(read[0, 0]) for read, _ in turns] == [100, 101, 102, 103, 104]      # row 0 is the line's
    assert [bearers(sent) for _, sent in turns] == [IDLE] * 5
    assert span.send_frame(b"to ourselves")
    for _ in range(3):
        turn(span, 0, 0)
    assert span.receive_frames() == [b"to ourselves"]
    span.loop(Loop.NONE)
    read, sent = turn(span, 7, 8)
    assert (bearers(read), bearers(sent)) == (7, 8)


def test_payload_gives_the_far_end_what_it_sent_and_its_timeslot_16() -> None:
    span = Carrier()
    span.loop(Loop.PAYLOAD)
    for n in range(5):
        read, sent = turn(span, line=n, ours=99)
        assert bearers(read) == bearers(sent) == int(sent[D_TIMESLOT, 0]) == n
        read[:] = 0                               # the caller's to change
    span.write(filled(99))                        # more than was read
    assert bearers(span.gone.pop()) == IDLE


def test_while_a_loop_to_the_far_end_stands_frames_are_refused_not_lost_later() -> None:
    span = Carrier(BLOCK_LOOPS | {Loop.LINE})
    for loop in (Loop.PAYLOAD, Loop.LINE):
        assert span.send_frame(b"was waiting")
        span.loop(loop)
        assert not span.send_frame(b"refused")
        span.loop(Loop.NONE)
        _, sent = turn(span, 0, 0)
        assert (sent[D_TIMESLOT] == sent[D_TIMESLOT, 0]).all()        # flags and nothing else
    assert span.counters().frames_out == 2


@pytest.mark.parametrize("loop", [Loop.LOCAL, Loop.PAYLOAD])
def test_a_loop_holds_a_bounded_number_of_blocks_and_counts_what_it_throws_away(loop: Loop) -> None:
    span = Carrier()
    span.loop(loop)
    for n in range(LOOPED_BLOCKS + 3):
        if loop is Loop.LOCAL:
            span.write(filled(n))
        else:
            span.coming.append(filled(n))
            span.read(0.0)
    assert span.counters().slips == 3
    span.coming.append(filled(99))
    if loop is Loop.LOCAL:
        block = span.read(0.0)
    else:
        span.write(filled(99))
        block = span.gone.pop()
    assert block is not None
    assert bearers(block) == 3


def test_switching_the_same_loop_again_changes_nothing() -> None:
    span = Carrier()
    span.loop(Loop.LOCAL)
    turn(span, 1, 2)
    span.loop(Loop.LOCAL)
    read, _ = turn(span, 1, 3)
    assert bearers(read) == 2
    assert span.status().loop is Loop.LOCAL


def test_a_loop_that_the_backend_has_not_is_refused_and_the_one_that_stands_stays() -> None:
    span = Carrier()
    span.loop(Loop.LOCAL)
    with pytest.raises(ValueError, match=r"loop line: this interface cannot .*, it can: local, payload"):
        span.loop(Loop.LINE)
    assert span.status().loop is Loop.LOCAL
    with pytest.raises(ValueError, match="it can: none"):
        Carrier(frozenset()).loop(Loop.LOCAL)


def test_the_callers_block_is_not_written_to() -> None:
    span, block = Carrier(), filled(9)
    for loop in Loop:
        if loop is not Loop.LINE:
            span.loop(loop)
            span.write(block)
    assert (block == 9).all()
