"""RFC 3550 appendix A, by numbers."""

import numpy as np
import pytest

from appliance.media.rtp.packet import Headers
from appliance.media.rtp.stream import Streams


class Feed:
    def __init__(self) -> None:
        self.streams = Streams(2)

    def __call__(
        self, sequence: int, timestamp: int | None = None, ssrc: int = 7, arrived: float = 0,
    ) -> bool:
        one = np.ones(1, bool)
        timestamp = 160 * sequence if timestamp is None else timestamp
        headers = Headers(
            one, np.array([8]), np.array([sequence & 0xFFFF]), np.array([timestamp & 0xFFFFFFFF]),
            np.array([ssrc]), np.array([12]), np.array([160]))
        return bool(self.streams.take(np.array([1]), headers, np.array([arrived]), one).good[0])


def test_lost_late_and_twice() -> None:
    feed = Feed()
    came = [feed(sequence) for sequence in (65_534, 65_535, 0x10002, 0x10001, 0x10001, 0x10004)]
    assert came == [True, True, True, True, False, True]
    streams = feed.streams
    assert (streams.expected(1), streams.lost(1)) == (7, 2)      # 0x10000 and 0x10003 never came
    assert (streams.reordered[1], streams.duplicates[1], streams.received[1]) == (1, 1, 6)


def test_what_was_lost_is_no_loss_when_it_comes_after_all() -> None:
    feed = Feed()
    for sequence in (1, 2, 5, 6):
        feed(sequence)
    assert feed.streams.lost(1) == 2
    feed(3)
    assert feed.streams.lost(1) == 1


def test_another_stream_takes_over_with_its_second_packet_in_a_row() -> None:
    feed = Feed()
    assert feed(10)
    assert not feed(500, ssrc=8)
    assert feed(11)
    assert not feed(700, ssrc=9)                  # a third one, each packet of it alone
    assert not feed(501, ssrc=8)
    assert feed(502, ssrc=8)
    assert (feed.streams.ssrc[1], feed.streams.expected(1)) == (8, 1)
    assert feed(503, ssrc=8)


def test_a_far_leap_of_the_sequence_is_a_sender_that_began_anew() -> None:
    feed = Feed()
    assert feed(100)
    assert not feed(30_000)
    assert feed(101)
    assert not feed(40_000)
    assert feed(40_001)
    assert feed.streams.lost_ever(1) == 0


def test_time_stamps_and_sequences_go_on_over_their_ends() -> None:
    feed = Feed()
    for number in range(70_000):
        assert feed(65_000 + number, timestamp=2 ** 32 - 8000 + 160 * number)
        if number == 3:
            break
    streams = feed.streams
    streams.newest[1], streams._timestamp[1] = 2 ** 16 * 3 - 1, 2 ** 32 * 2 - 160
    assert feed(2 ** 16 * 3, timestamp=2 ** 32 * 2)
    assert (streams.newest[1], streams._timestamp[1]) == (2 ** 16 * 3, 2 ** 32 * 2)


def test_jitter_is_that_of_the_formula() -> None:
    """6.4.1 in scalar: J += (|D| - J) / 16."""
    random, feed = np.random.default_rng(1), Feed()
    expected, before = 0.0, None
    for number in range(500):
        arrived = 160 * number + float(random.normal(0, 80))
        transit = arrived - 160 * number
        if before is not None:
            expected += (abs(transit - before) - expected) / 16
        before = transit
        feed(number, arrived=arrived)
    assert feed.streams.jitter[1] == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(80 * 2 / np.pi ** 0.5, rel=0.4)         # of a difference of two normals
