"""LAPD frames by vector, both ways, and what is no frame."""
import pytest

from appliance.errors import DecodeError
from appliance.isdn.lapd import Frame, FrameError, FrameKind, Side, decode, encode

USER, NETWORK = Side.USER, Side.NETWORK
K = FrameKind

FRAMES = [                                        # worked out from figures 3 to 6 and tables 1 and 5 of Q.921
    ("00 01 7f", USER, Frame(K.SABME, True, True)),
    ("02 01 7f", NETWORK, Frame(K.SABME, True, True)),
    ("00 01 6f", USER, Frame(K.SABME, True, False)),
    ("02 01 73", USER, Frame(K.UA, False, True)),
    ("00 01 73", NETWORK, Frame(K.UA, False, True)),
    ("00 01 63", NETWORK, Frame(K.UA, False, False)),
    ("00 01 53", USER, Frame(K.DISC, True, True)),
    ("02 01 43", NETWORK, Frame(K.DISC, True, False)),
    ("00 01 1f", NETWORK, Frame(K.DM, False, True)),
    ("02 01 0f", USER, Frame(K.DM, False, False)),
    ("02 01 00 00 08 02", NETWORK, Frame(K.INFORMATION, True, False, 0, 0, b"\x08\x02")),
    ("00 01 0a 07 55", USER, Frame(K.INFORMATION, True, True, 5, 3, b"\x55")),
    ("00 01 fe fe 01", USER, Frame(K.INFORMATION, True, False, 127, 127, b"\x01")),
    ("00 01 01 03", USER, Frame(K.RR, True, True, nr=1)),
    ("02 01 01 80", USER, Frame(K.RR, False, False, nr=64)),
    ("02 01 01 01", NETWORK, Frame(K.RR, True, True, nr=0)),
    ("00 01 05 02", NETWORK, Frame(K.RNR, False, False, nr=1)),
    ("00 01 05 ff", USER, Frame(K.RNR, True, True, nr=127)),
    ("00 01 09 0a", NETWORK, Frame(K.REJ, False, False, nr=5)),
    ("02 01 09 0b", USER, Frame(K.REJ, False, True, nr=5)),
    ("02 01 97 3f 00 02 04 01", USER, Frame(K.FRMR, False, True, info=b"\x3f\x00\x02\x04\x01")),
    ("00 01 87 3f 00 02 04 01", NETWORK, Frame(K.FRMR, False, False, info=b"\x3f\x00\x02\x04\x01")),
    ("02 ff 03 08", NETWORK, Frame(K.UI, True, False, info=b"\x08", tei=127)),
    ("fc ff 13 0f", USER, Frame(K.UI, True, True, info=b"\x0f", sapi=63, tei=127)),
    ("02 01 bf 82", NETWORK, Frame(K.XID, True, True, info=b"\x82")),
    ("02 01 af", USER, Frame(K.XID, False, False)),
]


@pytest.mark.parametrize(("octets", "sender", "frame"), FRAMES)
def test_frame_both_ways(octets: str, sender: Side, frame: Frame) -> None:
    assert decode(bytes.fromhex(octets), sender) == frame
    assert encode(frame, sender) == bytes.fromhex(octets)


@pytest.mark.parametrize(("octets", "letter"), [
    ("00 01 6b", "L"),                            # no such control field
    ("00 01 0d 00", "L"),                         # a fourth supervisory frame does not exist
    ("02 01 7f", "L"),                            # SABME as a response: our own frames on a looped line
    ("00 01 73", "L"),                            # UA as a command
    ("00 01 7f 00", "M"),                         # SABME with information
    ("00 01 01 00 00", "M"),                      # RR with information
])
def test_frame_rejection_condition(octets: str, letter: str) -> None:
    with pytest.raises(FrameError) as raised:
        decode(bytes.fromhex(octets), USER)
    assert raised.value.letter == letter


@pytest.mark.parametrize("octets", ["", "00", "00 01", "00 01 01", "00 01 00", "01 01 7f", "00 00 7f"])
def test_invalid_frame_is_no_rejection_condition(octets: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(bytes.fromhex(octets), USER)
    assert not isinstance(raised.value, FrameError)


@pytest.mark.parametrize("frame", [
    Frame(K.RR, True, nr=128), Frame(K.UI, True, sapi=64), Frame(K.UI, True, tei=128)])
def test_field_out_of_range_is_not_sent(frame: Frame) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(frame, USER)
