"""osmo-e1d's messages, octet for octet."""

import contextlib
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver.backends.e1d_wire import (
    ANY,
    Event,
    LineMode,
    Message,
    Request,
    TimeslotMode,
    decode,
    encode,
    read_interfaces,
    read_lines,
    timeslot_open,
)

pytestmark = pytest.mark.skipif(sys.byteorder == "big", reason="vectors are those of a little-endian machine")

VECTORS = [
    ("e101 0800 00 ff ff ff", Message(Request.INTF_QUERY)),
    ("e101 0800 01 00 ff ff", Message(Request.LINE_QUERY, 0)),
    ("e101 0800 02 01 00 1f", Message(Request.TS_QUERY, 1, 0, 31)),
    ("e101 0900 03 00 01 ff 20", Message(Request.LINE_CONFIG, 0, 1, ANY, bytes((LineMode.CHANNELIZED,)))),
    ("e101 0c00 04 00 00 05 10 00 5000",
     Message(Request.TS_OPEN, 0, 0, 5, timeslot_open(TimeslotMode.RAW, 80))),
    ("e101 0c00 04 01 00 10 11 00 a000",
     Message(Request.TS_OPEN, 1, 0, 16, timeslot_open(TimeslotMode.HDLC_FCS, 160))),
    ("e101 0e00 84 00 00 00 05 10 00 0000 a5", Message(0x84, 0, 0, 0, bytes.fromhex("0510000000a5"))),
    ("e101 0800 40 01 00 00", Message(Event.LOS_ON, 1, 0, 0)),
    ("e101 0900 7f 00 00 00 81", Message(Event.SABITS, 0, 0, 0, b"\x81")),
]


@pytest.mark.parametrize(("octets", "message"), VECTORS)
def test_vector_both_ways(octets: str, message: Message) -> None:
    assert decode(bytes.fromhex(octets)) == message
    assert encode(message) == bytes.fromhex(octets)


@pytest.mark.parametrize(("octets", "_"), VECTORS)
def test_every_cut_is_refused(octets: str, _: Message) -> None:
    whole = bytes.fromhex(octets)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="osmo-e1d message"):
            decode(whole[:length])


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_garbage_is_a_value_error_at_worst(octets: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(octets)
    for read in (read_interfaces, read_lines):
        with contextlib.suppress(ValueError):
            read(octets)


def test_lists_in_answers() -> None:
    assert read_interfaces(bytes.fromhex("0001 0102")) == {0: 1, 1: 2}
    assert read_lines(bytes.fromhex("002000 012100")) == {0: 0x20, 1: 0x21}


def test_kind_of_a_message() -> None:
    assert Message(0x84).answers(Request.TS_OPEN)
    assert not Message(0x40).answers(Request.TS_OPEN)
    assert Message(0xC1).is_error
    assert not Message(0x84).is_error
