"""The head of a recording: octets written by hand from the RIFF and RFC 2361 layouts, both ways."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recording.wav import HEAD_OCTETS, Header, ticks_in

A = Header("00112233445566778899aabbccddeeff", 0x0102030405060708, 0, 0, False)
B = Header("ffeeddccbbaa99887766554433221100", -2, 3, 1, True, 4, 0x010203)
VECTORS = [
    (A, "52494646 78000000 57415645"
        "666d7420 12000000 0600 0200 401f0000 803e0000 0200 0800 0000"
        "66616374 04000000 00000000"
        "626c7263 3e000000 0100 0000 00112233445566778899aabbccddeeff 0807060504030201 0000000000000000"
        "00000000 00000000" + "00" * 18 + "64617461 00000000"),
    (B, "52494646 58020000 57415645"
        "666d7420 12000000 0600 0200 401f0000 803e0000 0200 0800 0000"
        "66616374 04000000 f0000000"
        "626c7263 3e000000 0100 0100 ffeeddccbbaa99887766554433221100 feffffffffffffff 0100000000000000"
        "04000000 03020100" + "00" * 18 + "64617461 e0010000"),
]


@pytest.mark.parametrize(("header", "octets"), VECTORS)
def test_head_and_octets(header: Header, octets: str) -> None:
    assert header.write() == bytes.fromhex(octets)
    assert Header.read(bytes.fromhex(octets)) == header


def test_the_file_is_its_own_journal() -> None:
    assert (B.next_tick, B.duration_s, B.gap_s) == (1, 0.03, 0.01)
    assert [ticks_in(octets) for octets in (0, 127, 128, 287, 288, 449)] == [0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize(("ticks", "gap_ticks"), [(0, 1), (4, 1), (5, 2), (8, 5), (20, 5)])
def test_silence_that_was_being_written_counts_as_far_as_it_got(ticks: int, gap_ticks: int) -> None:
    cut_off = Header("00" * 16, 100, 4, 1, True, hole_at=4, hole_ticks=4)
    assert cut_off.with_ticks(ticks) == Header("00" * 16, 100, ticks, gap_ticks, False)


def test_every_cut_is_refused() -> None:
    for length in range(HEAD_OCTETS):
        with pytest.raises(ValueError, match="octets are no recording"):
            Header.read(A.write()[:length])


@pytest.mark.parametrize("at", [0, 8, 12, 20, 22, 24, 38, 50, 58, 120])
def test_a_foreign_file_is_refused(at: int) -> None:
    octets = bytearray(A.write())
    octets[at] ^= 0x40
    with pytest.raises(ValueError, match=r"not the head of a recording|this box reads version 1"):
        Header.read(bytes(octets))


@given(st.binary(min_size=HEAD_OCTETS, max_size=HEAD_OCTETS), st.sets(st.integers(0, HEAD_OCTETS - 1)))
def test_any_octets_are_refused_or_read(noise: bytes, places: set[int]) -> None:
    octets = bytearray(B.write())
    for place in places:
        octets[place] = noise[place]
    with contextlib.suppress(ValueError):         # any other exception fails the test
        Header.read(bytes(octets))
