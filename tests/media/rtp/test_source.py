"""Symmetric RTP: whom a leg answers, and whom it does not."""

from appliance.media.rtp.source import PROBATION, Source

TOLD, NATTED, STRANGER = ("192.0.2.1", 4000), ("198.51.100.7", 31_000), ("203.0.113.9", 9)


def stream(source: Source, address: tuple[str, int], packets: int, ssrc: int = 1) -> list[bool]:
    return [source.locked == address or source.judge(address, ssrc, sequence) for sequence in range(packets)]


def test_the_told_address_is_answered_at_once_and_nobody_else_after_it() -> None:
    source = Source(TOLD, latch=True)
    assert stream(source, TOLD, 2) == [True, True]
    assert not any(stream(source, STRANGER, 100))
    assert source.remote == TOLD


def test_behind_a_nat_a_stream_is_answered_but_no_single_packets() -> None:
    source = Source(TOLD, latch=True)
    assert source.remote == TOLD                  # until then
    assert stream(source, NATTED, PROBATION + 2) == [False] * (PROBATION - 1) + [True] * 3
    assert source.remote == NATTED
    assert not any(stream(source, STRANGER, 100))


def test_strangers_that_spray_packets_are_never_answered() -> None:
    source = Source(None, latch=True)
    for number in range(1000):
        assert not source.judge(("203.0.113.9", 1000 + number), number, 7 * number)
        assert not source.judge(STRANGER, 5, 7 * number)
    assert source.remote is None
    assert len(source._candidates) <= 8
    assert stream(source, NATTED, PROBATION)[-1]                 # ... and keep nobody else out


def test_another_port_of_the_told_host_is_answered_at_once() -> None:
    source = Source(TOLD, latch=True)
    assert stream(source, (TOLD[0], 5555), 1) == [True]


def test_the_told_address_wins_over_one_that_was_quicker() -> None:
    source = Source(TOLD, latch=True)
    stream(source, STRANGER, 10)
    assert source.remote == STRANGER
    assert source.judge(TOLD, 3, 3)
    assert not source.judge(STRANGER, 1, 11)
    assert source.remote == TOLD


def test_without_latching_only_the_told_address_is_answered() -> None:
    source = Source(TOLD, latch=False)
    assert not any(stream(source, NATTED, 50) + stream(source, (TOLD[0], 5555), 50))
    assert stream(source, TOLD, 1) == [True]


def test_a_packet_that_only_the_far_end_can_have_made_needs_no_other_proof() -> None:
    source = Source(None, latch=True)
    assert source.judge(NATTED, 1, 1, authentic=True)
    assert not source.judge(STRANGER, 1, 1, authentic=True)


def test_only_signalling_unlocks() -> None:
    source = Source(TOLD, latch=True)
    stream(source, NATTED, 10)
    source.tell(TOLD, latch=True, unlock=False)   # a session timer's re-INVITE: nothing new
    assert source.remote == NATTED
    source.tell(("192.0.2.50", 6000), latch=True, unlock=False)
    assert (source.locked, source.remote) == (None, ("192.0.2.50", 6000))
    stream(source, ("192.0.2.50", 6000), 1)
    source.tell(("192.0.2.50", 6000), latch=True, unlock=True)
    assert source.locked is None
