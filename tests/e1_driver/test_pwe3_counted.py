"""Emulated circuits whose two ends are kept waiting: whatever is not as it was sent is in a counter.

Both ends are told the time, so the same seed is the same run; the loopback interface has delivered a packet
when send returns.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from random import Random

import numpy as np
import pytest

from e1_driver import BLOCK, IDLE, TIMESLOTS, Alarm, Block, Span, open_span
from tests.e1_driver.circuits import pair_urls

START_S, UPSET_S, AFTER_S = 1000.0, 12.0, 1.5
FRAMES_PER_PACKET = 8
LONGEST_S = 0.24                                  # the clock makes up for it


class End:
    """Numbers the frames that it sends, in timeslots 1 to 3; looks at the numbers that come."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.filled, self.jumps = 0, 0            # frames since the first number; changes of the delay
        self._expected: int | None = None
        self._sent = 0

    def turn(self, now: float) -> None:
        while (block := self.span.read(now)) is not None:
            self.look(block)
            self.span.write(self.answer(block))

    def look(self, block: Block) -> None:
        for mark, high, low in block[1:4].T.tolist():
            number = high << 8 | low
            if self._expected is None and mark != 1:
                continue
            if mark != 1:
                self.filled += 1
                number = self._expected or 0
            elif self._expected not in (None, number):
                self.jumps += 1
            self._expected = (number + 1) % 65536

    def answer(self, block: Block) -> Block:
        numbers = np.arange(self._sent, self._sent + BLOCK)
        self._sent += BLOCK
        sent = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
        sent[1], sent[2], sent[3] = 1, numbers >> 8 & 0xFF, numbers & 0xFF
        return sent


class Echo(End):
    """Sends back what it hears."""

    def look(self, block: Block) -> None:
        pass

    def answer(self, block: Block) -> Block:
        return block


class Listener(End):
    """Hears its own echo, and keeps of each block whether it was as sent, and what this end says."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.good: list[bool] = []
        self.told: list[int] = []

    def look(self, block: Block) -> None:
        before = self.filled, self.jumps
        super().look(block)
        counters = self.span.counters()
        self.good.append((self.filled, self.jumps) == before)
        self.told.append(counters.packets_lost + counters.slips + counters.e_bits)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def spans(stack: ExitStack, scheme: str, options: str = "") -> list[Span]:
    both = [open_span(url) for url in pair_urls(scheme, options)]
    for span in both:
        stack.callback(span.close)
    return both


def run(ends: list[End], seed: int, upset: float) -> None:
    """Each end is woken every few ms; of a share `upset` of the times it has to wait for 30 ms and more."""
    random, wake_s = Random(seed), [START_S, START_S + 0.003]
    calm_s = START_S + UPSET_S
    while (now := min(wake_s)) < calm_s + AFTER_S:
        which = wake_s.index(now)
        ends[which].turn(now)
        kept_waiting = calm_s > now > START_S + 1 and random.random() < upset
        wake_s[which] += min(random.expovariate(1 / 0.03), LONGEST_S) if kept_waiting else (
            random.uniform(0.001, 0.008))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_filled_was_lost_and_where_the_delay_changes_is_a_slip(stack: ExitStack, seed: int) -> None:
    ends = [End(span) for span in spans(stack, "cesop")]
    run(ends, seed, upset=0.005 if seed < 2 else 0.08)
    for end in ends:
        counters = end.span.counters()
        assert counters.packets_lost > 0
        assert end.jumps <= counters.slips
        if not counters.slips:
            assert end.filled == FRAMES_PER_PACKET * counters.packets_lost
            assert counters.packets_late == counters.packets_lost       # the network lost none


@pytest.mark.parametrize("seed", [1, 2, 3])      # 3: also one packet alone that the far end loses
def test_with_satop_this_end_tells_of_what_either_end_lost(stack: ExitStack, seed: int) -> None:
    near, far = spans(stack, "satop")
    listener = Listener(near)
    run([listener, Echo(far)], seed, upset=0.01)
    assert near.counters().packets_lost > 0 and far.counters().packets_lost > 0
    bad = [block for block, good in enumerate(listener.good) if not good]
    assert len(bad) > 10
    told = [*listener.told, *4 * listener.told[-1:]]
    silent = [block for block in bad if told[block - 3] == told[block + 3]]
    assert silent == []


def test_a_far_end_that_began_anew_is_a_slip_and_los_until_it_is_played(stack: ExitStack) -> None:
    urls = pair_urls("cesop")
    near = End(open_span(urls[0]))
    stack.callback(near.span.close)
    now, before = START_S, near.span.counters()
    for _ in range(2):
        far = End(open_span(urls[1]))
        before = near.span.counters()
        seen: set[Alarm] = set()
        for _ in range(50):
            far.turn(now)
            near.turn(now)
            seen |= near.span.status().alarms
            now += 0.01
        assert near.span.status().up and Alarm.LOS in seen
        far.span.close()
    told = {name: count - asdict(before)[name] for name, count in asdict(near.span.counters()).items()}
    assert (told["slips"], near.jumps) == (1, 1)
