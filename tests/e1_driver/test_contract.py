"""What every backend promises, on a pair of each."""

import select
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e1_driver import BEARERS, BLOCK, TIMESLOTS, open_span
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.ends import End, check_carried, run

PAIRS = {
    "virtual": ("virtual:{}/a", "virtual:{}/b"),
    "virtual, stepped": ("virtual:{}/a?clock=step", "virtual:{}/b"),
    "e1d": ("e1d:{}?intf=0&line=0", "e1d:{}?intf=1&line=0"),
}

Pair = tuple[End, End]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        path = tmp_path / "line.sock"
        if request.param == "e1d":
            stack.enter_context(E1dServer(path))
        ends = []
        for seed, url in enumerate(PAIRS[request.param]):
            span = open_span(url.format(path))
            stack.callback(span.close)
            ends.append(End(span, seed))
        yield ends[0], ends[1]


def is_e1d(request: pytest.FixtureRequest) -> bool:
    return "e1d" in request.node.callspec.id


def both_up(pair: Pair) -> bool:
    return all(end.span.status().up and end.received for end in pair)


def test_bearers_cross_unchanged_in_order(pair: Pair, request: pytest.FixtureRequest) -> None:
    run(*pair, until=lambda: both_up(pair))
    first = [len(end.sent) for end in pair]
    run(*pair, until=lambda: all(len(end.sent) >= start + 60 for end, start in zip(pair, first, strict=True)))
    for (end, far), start in zip((pair, pair[::-1]), first, strict=True):
        check_carried(end.sent[start:start + 40], far.received, BLOCK if is_e1d(request) else 0)


def test_frames_cross_both_ways_in_order(pair: Pair) -> None:
    run(*pair, until=lambda: both_up(pair))
    lengths = (3, 4, 5, 50, 100, 261, 262)
    sent = [[bytes((mark,)) * length for length in lengths] for mark in (0x55, 0xFF)]
    for end, frames in zip(pair, sent, strict=True):
        assert all(end.span.send_frame(frame) for frame in frames)
    run(*pair, until=lambda: all(len(end.frames) >= 7 for end in pair))
    assert [end.frames for end in pair] == sent[::-1]
    for end in pair:
        counters = end.span.counters()
        assert (counters.frames_in, counters.frames_out) == (7, 7)
        assert (counters.fcs_errors, counters.aborts, counters.runts, counters.giants) == (0, 0, 0, 0)


def test_a_received_block_stays_as_it_was(pair: Pair) -> None:
    run(*pair, until=lambda: both_up(pair))
    block = pair[0].received[-1]
    assert block.shape == (TIMESLOTS, BLOCK)
    before = block.copy()
    count = len(pair[0].received)
    run(*pair, until=lambda: len(pair[0].received) > count + 5)
    assert (block == before).all()
    block[BEARERS[0]] = 0                         # it is the caller's


def test_frame_queue_is_bounded_and_giants_and_runts_are_not_taken(pair: Pair) -> None:
    span = pair[0].span
    assert not span.send_frame(bytes(265))
    assert not span.send_frame(bytes(2))
    assert (span.counters().giants, span.counters().runts, span.counters().frames_out) == (1, 1, 0)
    frames = sum(span.send_frame(bytes(260)) for _ in range(1000))
    assert 20 < frames < 1000
    assert span.counters().frames_out == frames


def test_nothing_to_read_is_none_at_once_and_the_descriptor_stays(pair: Pair) -> None:
    descriptors = [end.span.fileno() for end in pair]
    for end in pair:
        while end.turn(time.monotonic()):
            assert len(end.received) < 50
    run(*pair, until=lambda: both_up(pair))
    assert [end.span.fileno() for end in pair] == descriptors


def test_the_clock_is_eight_thousand_octets_a_second(pair: Pair, request: pytest.FixtureRequest) -> None:
    run(*pair, until=lambda: both_up(pair))
    end, began = pair[1], time.monotonic()
    before = len(end.received)
    run(*pair, until=lambda: len(end.received) >= before + 50)
    took_s = time.monotonic() - began
    if "stepped" in request.node.callspec.id:
        assert took_s < 0.5                       # faster than life
    else:
        assert took_s > 0.35                      # 50 blocks, some of which may have waited for us


def test_close_twice_and_the_far_end_sees_it(pair: Pair) -> None:
    run(*pair, until=lambda: both_up(pair))
    near, far = pair
    near.span.close()
    near.span.close()
    poll = select.poll()
    poll.register(far.span.fileno(), select.POLLIN)
    assert poll.poll(5000)
