"""Messages longer than a frame (Q.931 annex H)."""
import itertools

import pytest

from appliance.isdn.elements import Display, Facility, UserUser
from appliance.isdn.q931 import Message, MessageType, decode, encode
from appliance.isdn.segments import MOST_SEGMENTS, N201_OCTETS, PART_OCTETS, Reassembly, cut

T314_S = 4.0


def facilities(count: int) -> Message:
    elements = tuple(Facility.read(b"\x91" + bytes([number]) * 99) for number in range(count))
    return Message(MessageType.FACILITY, 0x1234, True, elements)


def put(reassembly: Reassembly, octets: bytes, now: float = 0.0) -> bytes | None:
    return reassembly.take(decode(octets), now, T314_S)


def test_a_message_that_fits_is_sent_as_it_is() -> None:
    octets = encode(Message(MessageType.SETUP, 1, False, (Display("x"), UserUser(4, b"y" * 100))))
    assert cut(octets) == [octets]


@pytest.mark.parametrize("count", [3, 10, 18])
def test_a_long_message_comes_in_parts_that_fit_and_is_whole_again(count: int) -> None:
    octets = encode(facilities(count))
    parts = cut(octets)
    assert len(parts) > 1 and max(map(len, parts)) <= N201_OCTETS
    reassembly = Reassembly()
    assert [put(reassembly, part) for part in parts] == [b""] * (len(parts) - 1) + [octets]
    assert decode(octets) == facilities(count)


def test_a_segment_is_laid_out_as_the_annex_draws_it() -> None:
    first = cut(encode(facilities(3)))[0]
    # discriminator, reference with flag, SEGMENT, element 0: first and one more to come, of a FACILITY
    assert first[:9] == bytes.fromhex("08 02 92 34 60 00 02 81 62")
    assert len(first) == N201_OCTETS


def test_a_message_of_more_than_eight_segments_is_refused() -> None:
    longest = bytes.fromhex("08 02 00 01 62") + bytes(MOST_SEGMENTS * PART_OCTETS)
    assert len(cut(longest)) == MOST_SEGMENTS
    with pytest.raises(ValueError, match="segments"):
        cut(longest + b"\0")


def test_segments_out_of_turn_are_discarded_with_all_before_them() -> None:
    whole = encode(facilities(10))
    parts = cut(whole)
    for order in itertools.permutations(range(4)):
        reassembly = Reassembly()
        taken = [put(reassembly, parts[at]) for at in order]
        expected = order.index(0)                 # what comes before the first one belongs to nothing
        assert taken[:expected] == [None] * expected
        assert (whole in [put(reassembly, part) for part in parts])     # a new first one begins anew


def test_t314_and_another_message_of_the_call_end_the_waiting() -> None:
    first, second, third, *_ = cut(encode(facilities(10)))
    late = Reassembly()
    assert put(late, first, 0.0) == b"" and put(late, second, T314_S - 0.1) == b""
    assert put(late, third, 2 * T314_S) is None
    cleared = Reassembly()
    put(cleared, first)
    cleared.interrupted(Message(MessageType.RELEASE, 0x1234, False))      # another call's: the flag differs
    assert put(cleared, second) == b""
    cleared.interrupted(Message(MessageType.RELEASE, 0x1234, True))
    assert put(cleared, third) is None
