"""TDMoE frames, octet for octet, and streams of them."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import BLOCK, TIMESLOTS
from e1_driver.backends.tdmoe_wire import Frame, Sender, StreamReader, block_of, decode, encode

FAR, OWN = bytes.fromhex("525400123456"), bytes.fromhex("020000000001")
COUNTING = bytes(range(248))                      # timeslot 1 has 0 to 7, timeslot 31 has 240 to 247
SAME = b"\xd5" * 248

# Header fields as DAHDI's dahdi_dynamic.c and dahdi_dynamic_eth.c document them.
VECTORS = [
    ("525400123456 020000000001 d00d 0000 08 02 0000 001f" + "0000" * 8 + COUNTING.hex(),
     Frame(FAR, OWN, 0, False, 0, COUNTING)),
    ("020000000001 525400123456 d00d 0102 08 03 ff10 001f" + "0000" * 8 + SAME.hex(),
     Frame(OWN, FAR, 0x102, True, 0xFF10, SAME)),
]


def corpus() -> list[bytes]:
    frames = [bytes.fromhex(octets) for octets, _ in VECTORS]
    return [*frames, b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)]


def fuzz(data: bytes) -> None:
    """Any octets are a frame or refused, alone and on a stream."""
    with contextlib.suppress(ValueError):
        frame = decode(data)
        assert decode(encode(frame)) == frame
    with contextlib.suppress(ValueError):
        for octets in StreamReader().feed(data):
            assert len(octets) < len(data)


@pytest.mark.parametrize(("octets", "frame"), VECTORS)
def test_vector_both_ways(octets: str, frame: Frame) -> None:
    assert len(bytes.fromhex(octets)) == 286
    assert decode(bytes.fromhex(octets)) == frame
    assert encode(frame) == bytes.fromhex(octets)


def test_signalling_bits_are_taken_and_may_be_left_out() -> None:
    whole = bytes.fromhex(VECTORS[0][0])
    with_bits = whole[:22] + bytes(range(16)) + whole[38:]
    assert decode(with_bits) == VECTORS[0][1]
    assert decode(whole[:17] + b"\x00" + whole[18:22] + whole[38:]) == VECTORS[0][1]


@pytest.mark.parametrize("octets", [octets for octets, _ in VECTORS])
def test_every_cut_and_more_is_refused(octets: str) -> None:
    whole = bytes.fromhex(octets)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="TDMoE frame"):
            decode(whole[:length])
    with pytest.raises(ValueError, match="of 287 octets, wanted 286"):
        decode(whole + b"\x00")


@pytest.mark.parametrize(("at", "octet"), [(12, 0x08), (16, 0x10), (21, 0x18)])
def test_another_ethertype_chunk_or_number_of_timeslots_is_refused(at: int, octet: int) -> None:
    whole = bytearray.fromhex(VECTORS[0][0])
    whole[at] = octet
    with pytest.raises(ValueError, match="wanted 0xd00d, 8 of 31"):
        decode(bytes(whole))


def test_a_block_is_ten_frames_in_order_round_the_end_of_the_counter() -> None:
    block = np.random.default_rng(1).integers(0, 256, (TIMESLOTS, BLOCK), np.uint8)
    sender = Sender(FAR, OWN, 7)
    for first in range(0, 0x10000 + 10, 10):
        frames = sender.frames(block, yellow=first % 20 == 0)
    decoded = [decode(frame[4:]) for frame in frames]
    assert {frame[:4] for frame in frames} == {(286).to_bytes(4, "big")}
    assert [frame.counter for frame in decoded] == [(first + at) % 0x10000 for at in range(10)]
    assert {(frame.destination, frame.source, frame.subaddress, frame.yellow) for frame in decoded} == {
        (FAR, OWN, 7, first % 20 == 0)}
    assert decoded[3].samples[4 * 8:5 * 8] == block[5, 24:32].tobytes()
    samples = np.frombuffer(b"".join(frame.samples for frame in decoded), np.uint8).reshape(10, 248)
    assert (block_of(samples)[1:] == block[1:]).all()
    assert (block_of(samples)[0] == 0xFF).all()


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 700))
def test_stream_cut_anywhere(frames: list[bytes], piece: int) -> None:
    stream = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
    reader = StreamReader()
    read = [frame for at in range(0, len(stream), piece) for frame in reader.feed(stream[at:at + piece])]
    assert read == frames


def test_length_that_no_frame_has_ends_a_stream() -> None:
    reader = StreamReader()
    read = []
    with pytest.raises(ValueError, match="2147483648 octets"):
        for frame in reader.feed(b"\0\0\0\2ab\x80\0\0\0"):
            read.append(frame)
    assert read == [b"ab"]


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_a_value_error_at_worst(octets: bytes) -> None:
    fuzz(octets)
