"""Slips that nobody hears: a tone over blocks that are left out or are not there."""

import numpy as np
import pytest

from appliance.media import g711
from appliance.span.seam import Seam
from e1_driver import BLOCK, IDLE, Block

HZ = 210.0                                        # in no block a whole number of periods


def tone(blocks: int) -> list[Block]:
    samples = 8000 * np.sin(2 * np.pi * HZ / 8000 * np.arange(blocks * BLOCK))
    octets = g711.encode(np.stack([samples, -samples]).astype(np.int16))
    return [octets[:, at:at + BLOCK] for at in range(0, blocks * BLOCK, BLOCK)]


def steepest(blocks: list[Block]) -> int:
    """The greatest step from one sample to the next."""
    return int(np.abs(np.diff(g711.decode(np.concatenate(blocks, axis=1)).astype(int))).max())


def test_without_a_slip_every_block_goes_through_untouched() -> None:
    seam, blocks = Seam(), tone(4)
    assert all(seam.play(block) is block for block in blocks)


@pytest.mark.parametrize("at", range(1, 8))
def test_a_block_left_out_makes_no_step_and_one_block_of_difference(at: int) -> None:
    seam, blocks, said = Seam(), tone(10), []
    for number, block in enumerate(blocks):
        if number == at:
            seam.leave_out(block)
        else:
            said.append(seam.play(block))
    assert steepest(said) < 1.3 * steepest(blocks)
    assert len(said) == 9
    for before, after in zip(said[:at] + said[at + 1:], blocks[:at] + blocks[at + 2:], strict=True):
        assert before is after


@pytest.mark.parametrize("at", range(1, 8))
def test_a_block_that_is_missing_makes_no_hole_and_no_step(at: int) -> None:
    seam, blocks, said = Seam(), tone(10), []
    for number, block in enumerate(blocks):
        if number == at:
            stand_in = seam.stand_in()
            assert stand_in is not None
            said.append(stand_in)
        said.append(seam.play(block))
    assert steepest(said) < 1.3 * steepest(blocks)
    loudness = [float(np.abs(g711.decode(block).astype(int)).mean()) for block in said]
    assert min(loudness) > 0.4 * float(np.median(loudness))


def test_it_stands_in_for_one_block_only_and_a_line_that_was_away_begins_anew() -> None:
    seam, blocks = Seam(), tone(3)
    seam.play(blocks[0])
    assert seam.stand_in() is not None
    assert seam.stand_in() is None
    seam.play(blocks[1])
    seam.leave_out(blocks[2])
    seam.forget()
    assert seam.stand_in() is None
    assert seam.play(blocks[2]) is blocks[2]


def test_an_idle_timeslot_stays_idle() -> None:
    seam, idle = Seam(), np.full((2, BLOCK), IDLE, np.uint8)
    seam.leave_out(idle)
    assert (seam.play(idle) == IDLE).all()
