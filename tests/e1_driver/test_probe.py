"""In-band detection of a far loop: loops with a delay and errors, and far ends that only look like one."""

from collections import deque
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import BEARERS, BLOCK, IDLE, TIMESLOTS, Block
from e1_driver.testing.bert import Bert
from e1_driver.testing.prbs import pattern
from e1_driver.testing.probe import Echo, LoopProbe

SECONDS = 3


class FarEnd:
    """Loops the timeslots `looped` after `delay` blocks, sends a pattern of its own on `sending`."""

    def __init__(self, looped: tuple[int, ...] = (), delay: int = 1, sending: tuple[int, ...] = (),
                 own: str = "qrss", ratio: float = 0.0) -> None:
        self._looped, self._ratio = list(looped), ratio
        self._way = deque(np.full((delay, TIMESLOTS, BLOCK), IDLE, np.uint8))
        self._sender = Bert(pattern(own), sending) if sending else None
        self._noise = np.random.default_rng(4)

    def exchange(self, sent: Block) -> Block:
        self._way.append(sent)
        ours = self._way.popleft()
        back = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
        back[self._looped] = ours[self._looped]
        if self._sender:
            self._sender.transmit(back)
        wrong = self._noise.random((TIMESLOTS, BLOCK, 8)) < self._ratio
        return back ^ np.packbits(wrong, axis=2)[:, :, 0]


def probed(far: FarEnd, timeslots: tuple[int, ...] = BEARERS, seed: int = 1) -> Echo:
    probe = LoopProbe(timeslots, Random(seed))
    line = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
    for _ in range(100 * SECONDS):
        probe.receive(line)
        out = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
        probe.transmit(out)
        line = far.exchange(out)
    return probe.result()


@pytest.mark.parametrize("delay", [0, 7, 60])
def test_a_looped_line_and_its_delay(delay: int) -> None:
    found = probed(FarEnd(BEARERS, delay))
    assert (found.looped, found.foreign, found.delay_ms) == (BEARERS, (), 10.0 + 10.0 * delay)


def test_a_loop_with_errors() -> None:
    assert probed(FarEnd(BEARERS, 2, ratio=0.01)).looped == BEARERS


def test_one_looped_timeslot() -> None:
    found = probed(FarEnd((7,)))
    assert (found.looped, found.foreign) == ((7,), ())


def test_one_probed_timeslot() -> None:
    assert probed(FarEnd(BEARERS), (31,)).looped == (31,)


def test_a_far_end_that_sends_the_same_pattern_is_no_loop() -> None:
    found = probed(FarEnd(looped=(2,), sending=(3, 4)))
    assert (found.looped, found.foreign) == ((2,), (3, 4))


@pytest.mark.parametrize("own", ["prbs15", "ones"])
def test_a_far_end_that_sends_another_pattern(own: str) -> None:
    found = probed(FarEnd(sending=(3, 4), own=own))
    assert (found.looped, found.foreign, found.delay_ms) == ((), (), None)


def test_an_open_line() -> None:
    found = probed(FarEnd())
    assert (found.timeslots, found.looped, found.foreign) == (BEARERS, (), ())


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_anything_may_come(data: bytes) -> None:
    fuzz(data)


def fuzz(data: bytes) -> None:
    """Any line."""
    probe = LoopProbe((1, 31), Random(1))
    for at in range(0, min(len(data), 800), 8):
        block = np.resize(np.frombuffer(data[at:], np.uint8), (TIMESLOTS, BLOCK))
        probe.receive(block)
        probe.transmit(block.copy())
    assert probe.result().looped == ()
