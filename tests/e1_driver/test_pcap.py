"""The trace file's octets, worked out from libpcap's file format and its LINKTYPE_LINUX_LAPD header."""
import pytest

from e1_driver.watch.pcap import write

FILE_HEADER = "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 000000b1"
RECORD_TIME = "59682f00 0007a120"                 # 2017-07-14 02:40:00.5 UTC


@pytest.mark.parametrize(("outgoing", "network_side", "cooked"), [
    (True, True, "0004 20fd 0001 0100000000000000 0030"),
    (False, True, "0000 20fd 0001 0100000000000000 0030"),
    (True, False, "0004 20fd 0001 0000000000000000 0030"),
])
def test_one_frame(outgoing: bool, network_side: bool, cooked: str) -> None:
    octets = write([(1_500_000_000.5, outgoing, b"\x02\x01\x7f")], network_side)
    assert octets == bytes.fromhex(f"{FILE_HEADER} {RECORD_TIME} 00000013 00000013 {cooked} 02 01 7f")


def test_no_frame_is_a_file_still() -> None:
    assert write([], network_side=False) == bytes.fromhex(FILE_HEADER)


def test_microseconds_do_not_overflow() -> None:
    octets = write([(1_500_000_000.9999999, True, b"")], network_side=True)
    assert octets[24:32] == bytes.fromhex("59682f01 00000000")
