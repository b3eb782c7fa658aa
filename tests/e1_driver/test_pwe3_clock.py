"""The clock of an emulated circuit with its jitter buffer, against a far end of another; no time passes."""

from random import Random

import numpy as np
import pytest

from e1_driver import BLOCK_S
from e1_driver.backends.pwe3_clock import MAX_OFFSET, PlayClock
from e1_driver.backends.pwe3_jitter import JitterBuffer
from e1_driver.backends.pwe3_wire import SEQUENCES

PER_PACKET, FRAMES_PER_S, BOUND_MS = 8, 8000, 20
PACKET_S = PER_PACKET / FRAMES_PER_S


def run(seconds: int, far_offset: float, adaptive: bool, burst: int, jitter_s: float) -> tuple[
        JitterBuffer, PlayClock]:
    """A far end that sends `burst` packets at a time through a network with `jitter_s`."""
    buffer = JitterBuffer(PER_PACKET, np.zeros(1, np.uint8), BOUND_MS * FRAMES_PER_S // 1000)
    clock, random = PlayClock(0.0, adaptive), Random(7)
    number = known = 0                            # of the packet to come, and of the first not yet put
    arrives_s = 0.0
    while clock.at_s < seconds:
        now = clock.at_s + random.expovariate(1 / 0.0003)      # how late the caller is
        while arrives_s <= now:
            number += burst
            arrives_s = number * PACKET_S / (1 + far_offset) + random.uniform(0, jitter_s)
        came, known = number - known, number
        buffer.put(np.arange(number - came, number) % SEQUENCES,
                   np.ones((came, PER_PACKET), np.uint8), np.ones(came, bool))
        buffer.play(int((now - clock.at_s) * FRAMES_PER_S))
        clock.played(buffer.offset / FRAMES_PER_S)
    return buffer, clock


@pytest.mark.parametrize("burst", [1, 10])        # a gateway; one that sends 10 ms at once, as we do
@pytest.mark.parametrize("far_offset", [50e-6, -50e-6, 0.0])
def test_the_far_ends_clock_is_recovered_without_a_slip(far_offset: float, burst: int) -> None:
    buffer, clock = run(200, far_offset, adaptive=True, burst=burst, jitter_s=0.002)
    assert (buffer.slips, buffer.lost, buffer.late) == (0, 0, 0)
    assert clock.frequency == pytest.approx(far_offset, abs=20e-6)
    assert abs(buffer.mean_level / FRAMES_PER_S - BOUND_MS / 2000) < BOUND_MS / 4000


@pytest.mark.parametrize("far_offset", [100e-6, -100e-6])
def test_an_own_clock_slips_as_often_as_the_clocks_differ(far_offset: float) -> None:
    buffer, _ = run(300, far_offset, adaptive=False, burst=1, jitter_s=0.001)
    slips = 300 * abs(far_offset) / (BOUND_MS / 1000 * 3 / 8)      # from the middle to where one is made
    assert slips - 2 < buffer.slips < slips + 1
    assert (buffer.lost, buffer.late) == (0, 0)


def test_the_frequency_is_held_and_bounded() -> None:
    clock = PlayClock(5.0, adaptive=True)
    for _ in range(100_000):
        clock.played(1.0)
    assert clock.frequency == MAX_OFFSET
    before_s = clock.at_s
    clock.played(0.0)
    assert clock.at_s - before_s == pytest.approx(BLOCK_S * (1 - MAX_OFFSET))


def test_an_own_clock_is_ten_milliseconds_whatever_the_buffer_holds() -> None:
    clock = PlayClock(5.0, adaptive=False)
    for _ in range(100):
        clock.played(0.02)
    assert clock.at_s == pytest.approx(6.0)
    clock.skip(50)
    assert clock.late_s(7.0) == pytest.approx(0.5)
