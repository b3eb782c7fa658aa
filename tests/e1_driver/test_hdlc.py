"""HDLC: octets that come from outside, a bit-by-bit sender written from Q.921 2, and any cut of any line."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver.framing.hdlc import MAX_OCTETS, MIN_OCTETS, QUEUE_BITS, Decoder, Encoder, fcs

FLAG = "01111110"
SABME = bytes.fromhex("02017f")

FCS_VECTORS = [
    (b"123456789", "6e90"),                       # the check value 0x906E of CRC-16/X.25, low octet first
    (bytes.fromhex("033f"), "5bec"),              # the example of ISO 3309: SABM, P = 1
    (bytes.fromhex("0173"), "8357"),              # the example of ISO 3309: UA, F = 1
    (bytes.fromhex("a00a000200232193"), "1871"),  # an SNRM of IEC 62056-46, as meters send it
]

frames_of_any_kind = st.binary(min_size=MIN_OCTETS, max_size=MAX_OCTETS)
flags_between = st.sampled_from([FLAG, FLAG * 2, "0111111" + FLAG, "0111111" * 3 + FLAG])     # sharing a 0


def frame_bits(frame: bytes) -> str:
    """Q.921 2.6 to 2.8 one bit at a time: LSB first, the FCS, a zero after five ones."""
    remainder = 0xFFFF
    bits = [octet >> place & 1 for octet in frame for place in range(8)]
    for bit in bits:
        feedback = (remainder ^ bit) & 1
        remainder = remainder >> 1 ^ (0x8408 if feedback else 0)
    bits += [~remainder >> place & 1 for place in range(16)]
    line, ones = "", 0
    for bit in bits:
        line += str(bit)
        ones = ones + 1 if bit else 0
        if ones == 5:
            line, ones = line + "0", 0
    return line


def timeslot(bits: str) -> bytes:
    """Line order to octets, first bit most significant; filled up with flags."""
    bits += FLAG * 2
    return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits) - 7, 8))


def cut(octets: bytes, lengths: Sequence[int]) -> list[bytes]:
    ends = itertools.takewhile(lambda end: end < len(octets), itertools.accumulate(itertools.cycle(lengths)))
    return [octets[start:end] for start, end in itertools.pairwise([0, *ends, len(octets)])]


def counts(decoder: Decoder) -> tuple[int, int, int, int]:
    return decoder.fcs_errors, decoder.aborts, decoder.runts, decoder.giants


@pytest.mark.parametrize(("octets", "check"), FCS_VECTORS)
def test_fcs_vector(octets: bytes, check: str) -> None:
    assert fcs(octets).hex() == check


def test_sabme_on_the_line() -> None:
    encoder = Encoder()
    encoder.send(SABME)
    # flag, 02 01 7f LSB first with a zero stuffed after five ones of 7f, the FCS dc e1, flags
    bits = "01111110" "01000000" "10000000" "111110110" "00111011" "10000111" "01111110" "01111110"
    assert encoder.pull(8) == bytes(int(bits[at:at + 8], 2) for at in range(0, 64, 8))


@settings(deadline=None)
@given(st.lists(frames_of_any_kind, max_size=8))
def test_encoder_sends_what_the_recommendation_says(frames: list[bytes]) -> None:
    encoder = Encoder()
    expected = FLAG
    for frame in frames:
        encoder.send(frame)
        expected += frame_bits(frame) + FLAG
    octets = timeslot(expected)
    assert encoder.pull(len(octets)) == octets


@settings(deadline=None)
@given(
    st.lists(st.tuples(frames_of_any_kind, flags_between), min_size=1, max_size=6),
    st.text("01", max_size=40),
    st.lists(st.integers(1, 100), min_size=1, max_size=5),
)
def test_decoder_reads_any_line_however_it_is_cut(
    sent: list[tuple[bytes, str]], before: str, lengths: list[int],
) -> None:
    decoder, read = Decoder(), []
    line = before + FLAG + "".join(frame_bits(frame) + flags for frame, flags in sent)
    for block in cut(timeslot(line), lengths):
        read += decoder.feed(block)
    assert read[-len(sent):] == [frame for frame, _ in sent]


@settings(deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_garbage_never_raises_and_every_cut_reads_the_same(garbage: bytes, lengths: list[int]) -> None:
    whole, pieces = Decoder(), Decoder()
    good = bytes.fromhex("7e7e") + timeslot(FLAG + frame_bits(SABME) + FLAG)
    at_once = whole.feed(garbage + good)
    by_piece = [frame for block in cut(garbage + good, lengths) for frame in pieces.feed(block)]
    assert at_once == by_piece
    assert counts(whole) == counts(pieces)
    assert at_once[-1] == SABME


@pytest.mark.parametrize(("line", "expected"), [
    (frame_bits(SABME)[:20] + "1111111", (0, 1, 0, 0)),               # given up by its sender
    (frame_bits(SABME).replace("1", "0", 1), (1, 0, 0, 0)),
    (frame_bits(SABME) + "0", (1, 0, 0, 0)),                          # not whole octets
    (frame_bits(b"\x02\x01"), (0, 0, 1, 0)),
    (frame_bits(bytes(MAX_OCTETS + 1)), (0, 0, 0, 1)),
    (frame_bits(bytes(1000)), (0, 0, 0, 1)),
    ("1" * 4000, (0, 0, 0, 0)),                                       # timeslot cut between frames
    (frame_bits(SABME)[:20] + "1" * 4000, (0, 1, 0, 0)),              # ... and within one
    ("0" * 4000, (0, 0, 0, 1)),
])
def test_a_bad_frame_is_counted_once(line: str, expected: tuple[int, int, int, int]) -> None:
    for lengths in ([1], [80], [5000]):
        decoder, read = Decoder(), []
        octets = timeslot(FLAG + line + FLAG + frame_bits(SABME) + FLAG)
        for block in cut(octets, lengths):
            read += decoder.feed(block)
        assert read == [SABME]
        assert counts(decoder) == expected


@pytest.mark.parametrize("held", range(8))
def test_idle_flags_of_any_rotation_change_nothing(held: int) -> None:
    decoder = Decoder()
    octets = timeslot("0" * held + FLAG * 400)
    decoder.feed(octets[:80])
    for _ in range(1000):
        assert decoder.feed(octets[80:160]) == []
    assert decoder.feed(timeslot(FLAG[8 - held:] + frame_bits(SABME) + FLAG)) == [SABME]
    assert counts(decoder) == (0, 0, 0, 0)


def test_the_same_bad_block_again_is_counted_again() -> None:
    decoder = Decoder()
    block = timeslot(FLAG * 30 + "0000" + FLAG * 30 + "0000")
    for _ in range(5):
        decoder.feed(block)
    assert decoder.runts == 10


def test_queue_holds_about_a_second_of_line() -> None:
    encoder, frame = Encoder(), bytes(100)
    sent = next(count for count in itertools.count() if not encoder.send(frame))
    assert QUEUE_BITS <= sent * 103 * 8 < QUEUE_BITS + 103 * 8        # with FCS and flag; no bit stuffed
    decoder = Decoder()
    assert decoder.feed(encoder.pull(QUEUE_BITS // 8 + 200)) == [frame] * sent
    assert encoder.send(frame)


@pytest.mark.parametrize("length", [0, MIN_OCTETS - 1, MAX_OCTETS + 1])
def test_a_frame_that_no_link_layer_sends_is_not_taken(length: int) -> None:
    assert not Encoder().send(bytes(length))


@settings(deadline=None)
@given(frames_of_any_kind, st.data())
def test_damage_fails_the_fcs_at_either_end(frame: bytes, data: st.DataObject) -> None:
    def damage(bits: int) -> int:
        return data.draw(st.integers(0, bits - 1))

    for encoder, decoder in ((Encoder(damage), Decoder()), (Encoder(), Decoder(damage))):
        encoder.send(frame)
        assert decoder.feed(encoder.pull(400)) == []
        assert counts(decoder) == (1, 0, 0, 0)
