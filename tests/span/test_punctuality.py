"""Late by how much, told to the millisecond."""

import pytest

from appliance.span.punctuality import STEPS, Histogram, Punctuality

TICK_S = 0.01


def test_a_quantile_is_the_end_of_its_step_and_never_more_than_the_greatest() -> None:
    histogram = Histogram()
    assert histogram.quantile_ms(0.999) == 0.0
    for us in [*range(0, 999), 8050.0]:
        histogram.add(us)
    assert [histogram.quantile_ms(share) for share in (0.1, 0.5, 0.999, 1.0)] == [0.1, 0.5, 1.0, 8.05]
    histogram.add(1e9)
    assert (histogram.counts[STEPS - 1], histogram.max_us) == (1, 1e9)


def test_ticks_that_come_as_the_lines_give_them_are_not_late() -> None:
    ticks = Punctuality(TICK_S)
    for number in range(10_000):                  # a line 50 ppm slower than our clock
        at = number * TICK_S * 1.000_05
        ticks.nothing_due(at - 0.004)             # another line's block came, this tick's did not
        ticks.tick(at, at + 0.002)
        ticks.nothing_due(at)
    assert (ticks.ticks, ticks.late) == (10_000, 0)
    assert ticks.lateness.quantile_ms(0.999) <= 0.1
    assert ticks.work.quantile_ms(0.999) == pytest.approx(2.0, abs=0.11)


def test_a_late_tick_is_late_once_and_a_stall_by_each_tick_that_is_made_up_for() -> None:
    ticks = Punctuality(TICK_S)
    times = [0.0, 0.01, 0.032, 0.033, 0.04]       # the thread came 12 ms late; the next block waits already
    for at in times:
        ticks.tick(at, at)
    assert ticks.late == 1
    assert ticks.lateness.max_us == pytest.approx(12_000, abs=30)
    for number in range(100):                     # a second during which nothing ran
        ticks.tick(1.04 + 0.001 * number, 1.04 + 0.001 * number)
    assert ticks.late == 1 + 100
    ticks.nothing_due(1.14)
    ticks.tick(1.149, 1.149)
    assert ticks.late == 1 + 100


def test_a_line_that_gives_nothing_for_a_while_makes_no_late_tick() -> None:
    ticks = Punctuality(TICK_S)
    ticks.tick(0.0, 0.0)
    ticks.nothing_due(0.1)
    ticks.tick(0.1, 0.1)
    assert ticks.late == 0
