"""What every backend promises, as checks of a pair of ends; needs no test runner, so it runs on any machine.

`python -m tests.e1_driver.contract URL_A URL_B [property=value ...]` checks a pair from outside, such as two
cards with a cable between them. The properties are Pair's numbers and switches.
"""

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from e1_driver import BEARERS, BLOCK, TIMESLOTS, Alarm, LineError, Loop, Span, open_span
from tests.e1_driver.ends import End, check_carried, run

WINDOW_BLOCKS = 20                                # compared octet for octet
SETTLE_BLOCKS = 15                                # longer than any backend's delay there and back
TRIES = 60
SOON_S = 1.0                                      # a far end that goes is an alarm within this
FAS, FAS_MASK = 0x1B, 0x7F                        # G.704 2.3.2
FRAMES = [bytes((0xFF, 0x55, mark)) * (octets // 3) + bytes(octets % 3)
          for mark, octets in enumerate((3, 4, 5, 50, 100, 261, 262))]
BAD_FRAMES = ("fcs_errors", "aborts", "runts", "giants")

CHECKS: "dict[str, Callable[[Pair], None]]" = {}


@dataclass
class Pair:
    """Two open ends of one line, and what is known of what lies between them."""

    a: End
    b: End
    skew_octets: int = 0                          # how much later one bearer may be than another
    sees_far_end: bool = True                     # an alarm when the far end closes
    gone: Alarm = Alarm.LOS                       # ... and which
    paced: bool = True                            # by a clock that goes as life does
    pump: Callable[[], None] | None = None        # carries a block each way, where no clock does
    reopen_b: Callable[[], Span] | None = None

    @property
    def ends(self) -> tuple[End, End]:
        return self.a, self.b

    def run(self, until: Callable[[], bool], within_s: float = 20.0) -> None:
        run(*self.ends, until=until, within_s=within_s, pump=self.pump)

    def run_up(self, *ends: End) -> None:
        """Until these ends are up; both, when none is named."""
        self.run(lambda: all(end.span.status().up and end.received for end in ends or self.ends))

    def run_blocks(self, blocks: int) -> None:
        """Until each end has sent so many more."""
        first = [len(end.sent) for end in self.ends]
        self.run(lambda: all(len(end.sent) >= start + blocks
                             for end, start in zip(self.ends, first, strict=True)))

    def settle(self, *ends: End) -> None:
        """Likewise, and until nothing is on its way from when they were not: alarms told of that. The other
        end of a line with a loop on it may have an alarm."""
        self.run_up(*ends)
        self.run_blocks(SETTLE_BLOCKS)

    def lost(self) -> int:
        """What both ends have told of so far that they did not carry as it was."""
        counted = [end.span.counters() for end in self.ends]
        return sum(each.slips + each.packets_lost + each.packets_late for each in counted)


def promise(check: Callable[[Pair], None]) -> Callable[[Pair], None]:
    CHECKS[check.__name__] = check
    return check


def crosses(pair: Pair, *ways: tuple[End, End]) -> None:
    """What the first of each way sends arrives at the second unchanged; a loss is one that is told of."""
    for _ in range(TRIES):
        pair.settle(*(receiver for _, receiver in ways))
        lost, first = pair.lost(), [len(sender.sent) for sender, _ in ways]
        pair.run_blocks(WINDOW_BLOCKS + SETTLE_BLOCKS)
        if pair.lost() == lost:
            for (sender, receiver), start in zip(ways, first, strict=True):
                sent = sender.sent[start:start + WINDOW_BLOCKS]
                check_carried(sent, receiver.received[-100:], pair.skew_octets)
            return
    raise AssertionError(f"not {WINDOW_BLOCKS} blocks without a slip or a lost packet")


def frames_cross(pair: Pair, sender: End, receiver: End) -> None:
    """What the one sends arrives at the other, whole, once, in order, and counted; a loss is told of."""
    assert any(_frames_cross_once(pair, sender, receiver) for _ in range(TRIES)), "never without a loss"


def _frames_cross_once(pair: Pair, sender: End, receiver: End) -> bool:
    pair.settle(receiver)
    lost, start = pair.lost(), len(receiver.frames)
    sent, got = sender.span.counters(), receiver.span.counters()
    assert all(sender.span.send_frame(frame) for frame in FRAMES)
    last = len(receiver.received) + WINDOW_BLOCKS + SETTLE_BLOCKS
    pair.run(lambda: len(receiver.frames) >= start + len(FRAMES) or len(receiver.received) >= last)
    if pair.lost() != lost:
        return False
    assert receiver.frames[start:] == FRAMES
    assert sender.span.counters().frames_out - sent.frames_out == len(FRAMES)
    now = receiver.span.counters()
    assert now.frames_in - got.frames_in == len(FRAMES)
    assert [getattr(now, name) - getattr(got, name) for name in BAD_FRAMES] == [0] * len(BAD_FRAMES)
    return True


def _framed(end: End) -> bool:
    """Timeslot 0 of the newest block has the frame alignment signal in every other frame."""
    is_fas = end.received[-1][0] & FAS_MASK == FAS
    return bool(is_fas[::2].all() != is_fas[1::2].all())


# --- the promises -----------------------------------------------------------------------------------------

@promise
def bearers_cross_unchanged_in_order(pair: Pair) -> None:
    crosses(pair, (pair.a, pair.b), (pair.b, pair.a))


@promise
def frames_cross_both_ways_in_order(pair: Pair) -> None:
    pair.run_up()
    frames_cross(pair, pair.a, pair.b)
    frames_cross(pair, pair.b, pair.a)


@promise
def abilities_are_the_truth(pair: Pair) -> None:
    pair.run_up()
    frames_cross(pair, pair.a, pair.b)
    frames_cross(pair, pair.b, pair.a)
    pair.settle()
    for end in pair.ends:
        can, counters = end.span.abilities, asdict(end.span.counters())
        assert can.counters <= counters.keys()
        assert all(value == 0 for name, value in counters.items() if name not in can.counters)
        assert all(counters[name] for name in ("blocks_in", "blocks_out", "frames_in", "frames_out"))
        assert Alarm.LOS in can.alarms
        assert Loop.NONE not in can.loops
        assert end.span.status().loop is Loop.NONE
    pair.run(lambda: all(_framed(end) for end in pair.ends if end.span.abilities.whole_line))


@promise
def each_loop_loops_and_none_brings_traffic_back(pair: Pair) -> None:
    for near, far in (pair.ends, pair.ends[::-1]):
        can = near.span.abilities.loops
        for loop in sorted(can):
            pair.run_up()
            near.span.loop(loop)
            assert near.span.status().loop is loop
            hears = near if loop is Loop.LOCAL else far
            crosses(pair, (hears, hears))
            frames_cross(pair, hears, hears)
            near.span.loop(Loop.NONE)
            assert near.span.status().loop is Loop.NONE
            crosses(pair, (near, far), (far, near))
            frames_cross(pair, near, far)
        for loop in set(Loop) - can - {Loop.NONE}:
            try:
                near.span.loop(loop)
            except ValueError as error:
                assert str(loop) in str(error)
            else:
                raise AssertionError(f"took the loop {loop}, which it does not name")


@promise
def a_received_block_stays_as_it_was(pair: Pair) -> None:
    pair.run_up()
    block = pair.a.received[-1]
    assert block.shape == (TIMESLOTS, BLOCK)
    before = block.copy()
    pair.run_blocks(5)
    assert (block == before).all()
    block[BEARERS[0]] = 0                         # it is the caller's


@promise
def frame_queue_is_bounded_and_giants_and_runts_are_not_taken(pair: Pair) -> None:
    span = pair.a.span
    before = span.counters()
    assert not span.send_frame(bytes(265))
    assert not span.send_frame(bytes(2))
    counters = span.counters()
    assert (counters.giants - before.giants, counters.runts - before.runts) == (1, 1)
    frames = sum(span.send_frame(bytes(260)) for _ in range(1000))
    assert 20 < frames < 1000
    assert span.counters().frames_out == before.frames_out + frames


@promise
def nothing_to_read_is_none_at_once_and_the_descriptor_stays(pair: Pair) -> None:
    descriptors = [end.span.fileno() for end in pair.ends]
    for end in pair.ends:
        while end.turn(time.monotonic()):
            assert len(end.received) < 50
    pair.run_up()
    assert [end.span.fileno() for end in pair.ends] == descriptors


@promise
def the_clock_is_eight_thousand_octets_a_second(pair: Pair) -> None:
    pair.run_up()
    began, blocks = time.monotonic(), 50 if pair.paced else 500
    pair.run_blocks(blocks)
    took_s = time.monotonic() - began
    if pair.paced:
        assert took_s > 0.2                       # of 0.5, some of which may have waited for us
    else:
        assert took_s < 5                         # faster than life


@promise
def a_far_end_that_goes_is_los_and_clears_when_it_returns(pair: Pair) -> None:
    pair.run_up()
    near = pair.a
    pair.b.span.close()
    if not pair.sees_far_end:
        return
    took_s = run(near, until=lambda: pair.gone in near.span.status().alarms, pump=pair.pump)
    assert took_s < SOON_S
    if pair.reopen_b:
        pair.b = End(pair.reopen_b(), seed=3)
        pair.run_up()
        crosses(pair, (pair.a, pair.b), (pair.b, pair.a))
        pair.b.span.close()


@promise
def close_twice_and_the_far_end_goes_on(pair: Pair) -> None:
    pair.run_up()
    near, far = pair.ends
    near.span.close()
    near.span.close()
    blocks = len(far.received)
    with suppress(LineError):                     # it was one device, and is gone
        run(far, until=lambda: len(far.received) > blocks or not far.span.status().up, pump=pair.pump)


# --- pairs ------------------------------------------------------------------------------------------------

@contextmanager
def opened(url_a: str, url_b: str, **properties: Any) -> Iterator[Pair]:
    """A pair of these URLs with these properties of Pair."""
    with ExitStack() as stack:
        def open_one(url: str) -> Span:
            span = open_span(url)
            stack.callback(span.close)
            return span
        a, b = (End(open_one(url), seed) for seed, url in enumerate((url_a, url_b)))
        pair = Pair(a, b, reopen_b=lambda: open_one(url_b), **properties)
        yield pair


def outside(line: str) -> AbstractContextManager[Pair]:
    """`URL_A URL_B property=value ...`"""
    url_a, url_b, *words = line.split()
    properties = dict(word.split("=") for word in words)
    return opened(url_a, url_b, **{name: int(value) for name, value in properties.items()})


def main() -> int:
    failed = 0
    for name, check in CHECKS.items():
        try:
            with outside(" ".join(sys.argv[1:])) as pair:
                check(pair)
        except Exception:                         # whatever it is, the other checks are wanted as well
            failed += 1
            traceback.print_exc()
        else:
            print("ok", name, flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} promises kept", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
