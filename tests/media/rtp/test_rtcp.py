import struct

import pytest

from appliance.media.rtp.rtcp import Received, Reports, Sent


def pair() -> tuple[Reports, Reports]:
    return Reports("us", 0.0), Reports("them", 0.0)


def test_two_ends_know_the_round_trip_and_what_the_other_misses() -> None:
    """100 ms there, 50 ms back; the far end's clock stands an hour apart."""
    ours, theirs = pair()
    sent, far = Sent(1, 4000, 100, 16_000), Sent(2, 9000, 90, 14_400)
    assert theirs.hear(ours.report(sent, None, 10.0, 1e9), 2, 1, 1e9 + 3600.1, 110.1)
    answer = theirs.report(far, Received(1, 100, 7, 65_635, 44), 112.1, 1e9 + 3602.1)
    assert ours.hear(answer, 1, 2, 1e9 + 2.15, 12.15)
    assert ours.round_trip_s == pytest.approx(0.15, abs=0.001)
    assert (ours.far_lost, ours.far_jitter) == (7, 44)


def test_a_report_is_the_octets_of_the_rfc() -> None:
    """RFC 3550 6.4.1 and 6.5: every field where the figure has it."""
    ours, _ = pair()
    packet = ours.report(Sent(0xCAFE, 4000, 100, 16_000), Received(0xBEEF, 200, 50, 0x1_0005, 9), 5.0, 0.5)
    head = struct.unpack_from(">BBHIIIIII", packet)
    assert head == (0x81, 200, 12, 0xCAFE, 2_208_988_800, 1 << 31, 4000, 100, 16_000)
    assert struct.unpack_from(">IIIIII", packet, 28) == (0xBEEF, 64 << 24 | 50, 0x1_0005, 9, 0, 0)
    assert packet[52:] == bytes.fromhex("81ca0003 0000cafe 0102") + b"us" + bytes(4)
    assert len(packet) % 4 == 0


def test_who_sent_nothing_since_reports_as_a_receiver_and_bye_ends_it() -> None:
    ours, theirs = pair()
    sent = Sent(1, 0, 5, 800)
    ours.report(sent, None, 1.0, 1e9)
    assert ours.report(sent, None, 6.0, 1e9)[1] == 201
    assert theirs.hear(ours.bye(sent, None, 7.0, 1e9), 2, 1, 1e9, 7.0)
    assert theirs.left


def test_a_bye_of_another_source_is_none() -> None:
    ours, theirs = pair()
    assert theirs.hear(ours.bye(Sent(77, 0, 5, 800), None, 7.0, 1e9), 2, 1, 1e9, 7.0)
    assert not theirs.left


def test_the_interval_is_random_about_five_seconds() -> None:
    """6.3.1: between half and one and a half times 5 s, over e - 3/2."""
    ours, _ = pair()
    gaps = []
    for _ in range(500):
        before = ours.due_s
        ours.report(Sent(1, 0, 0, 0), None, before, 1e9)
        gaps.append(ours.due_s - before)
    assert 2.05 < min(gaps) < 2.3 < 5.9 < max(gaps) < 6.16
    assert sum(gaps) / len(gaps) == pytest.approx(5 / 1.21828, rel=0.05)


@pytest.mark.parametrize("packet", [
    b"", b"\x80", bytes(8), b"\x81\xcb\x00\x01\x00\x00\x00\x01", b"\x80\xc9\x00\x05\x00\x00\x00\x01",
    b"\x40\xc9\x00\x01\x00\x00\x00\x01",
], ids=["nothing", "octet", "version 0", "BYE alone", "cut", "version 1"])
def test_no_compound_packet(packet: bytes) -> None:
    ours, _ = pair()
    assert not ours.hear(packet, 1, 2, 0.0, 0.0)


def test_more_blocks_than_there_are_is_not_believed() -> None:
    ours, _ = pair()
    ours.hear(b"\x9f\xc8\x00\x06" + bytes(24), 1, 2, 0.0, 0.0)
    assert (ours.far_lost, ours.round_trip_s) == (None, None)
