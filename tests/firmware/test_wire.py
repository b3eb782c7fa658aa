"""The line card's protocol, octet for octet."""

import ast
import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire

RISING = bytes(range(256))

# COBS as Cheshire and Baker describe it (IEEE/ACM Transactions on Networking 7, 1999): data, stuffed.
STUFFED = [
    (b"", "01"),
    (b"\0", "01 01"),
    (b"\0\0", "01 01 01"),
    (b"\0\x11\0", "01 02 11 01"),
    (bytes.fromhex("11 22 00 33"), "03 11 22 02 33"),
    (bytes.fromhex("11 22 33 44"), "05 11 22 33 44"),
    (bytes.fromhex("11 00 00 00"), "02 11 01 01 01"),
    (b"\x11" + bytes(5) + b"\x22\0\x01" + bytes(3), "02 11 01 01 01 01 02 22 02 01 01 01 01"),
    (RISING[1:255], "ff" + RISING[1:255].hex()),
    (RISING[0:255], "01 ff" + RISING[1:255].hex()),
    (RISING[1:256], "ff" + RISING[1:255].hex() + "02 ff"),
    (RISING[2:256] + b"\0", "ff" + RISING[2:256].hex() + "01 01"),
    (RISING[3:256] + b"\0\x01", "fe" + RISING[3:256].hex() + "02 01"),
]

# Kind, span, sequence, body, and the octets on the line. CRC-32 has the check value 0xCBF43926 for 123456789.
PACKETS = [
    (wire.HELLO, 0, 0, b"\x01\x01", "02 01 01 01 07 01 01 d1 73 82 14 00"),
    (wire.RUN, 1, 0x0201, b"\x01", "0a 03 01 01 02 01 8b d2 cd 7d 00"),
    (0x31, 0x32, 0x3433, b"56789", "0e 31 32 33 34 35 36 37 38 39 26 39 f4 cb 00"),
]

STATUSES = [
    ("0100 03 00 01 02 05000000 00000000 ff000000 00010000 00000080",
     (1, 0b11, 0, 1, 2, 5, 0, 255, 256, 0x80000000)),
    ("ffff 10 03 00 00 00000000 01000000 00000000 00000000 00000000",
     (0xFFFF, 0b10000, 3, 0, 0, 0, 1, 0, 0, 0)),
]

# What later cards append to it, and what it says.
LIUS = [
    ("fb 00 1f 00000000", (-5, 0, 0x1F, 0)),
    ("d4 03 00 05000000", (-44, 3, 0, 5)),
    ("80 ff ff 00000080", (wire.LEVEL_UNKNOWN, wire.FAULTS_UNKNOWN, wire.SA_UNKNOWN, 0x80000000)),
]


class Taken:
    def __init__(self) -> None:
        self.packets: list[tuple[int, int, int, bytes]] = []
        self.reader = wire.Reader(self.take)

    def take(self, kind: int, span: int, sequence: int, body: memoryview) -> None:
        self.packets.append((kind, span, sequence, bytes(body)))


def corpus() -> list[bytes]:
    writer = wire.Writer()
    status = wire.pack_status(1, 0, 0, 0, 2, 1, 2, 3, 4, 5)
    packets = [bytes(writer.pack(*packet[:4])) for packet in PACKETS]
    packets += [bytes(writer.pack(wire.STATUS, 0, 9, status)), bytes(writer.pack(wire.TDM, 0, 1, RISING * 2))]
    return [*packets, b"".join(packets), status, status + wire.pack_liu(-7, 1, 31, 2),
            wire.pack_hello_answer(1, 1, "card")]


def fuzz(data: bytes) -> None:
    """Any octets are packets or counted; what was read goes out as it came in."""
    taken = Taken()
    for at in range(0, len(data), 100):
        taken.reader.feed(data[at:at + 100])
    writer = wire.Writer()
    for packet in taken.packets:
        again = Taken()
        again.reader.feed(bytes(writer.pack(*packet)))
        assert again.packets == [packet]
    out = bytearray(len(data) + 1)
    wire.unstuff(bytearray(data), len(data), out)
    for read in (wire.read_status, wire.read_liu, wire.read_hello_answer):
        with contextlib.suppress(ValueError):
            read(data)


@pytest.mark.parametrize(("data", "stuffed"), STUFFED)
def test_cobs_both_ways(data: bytes, stuffed: str) -> None:
    out = bytearray(600)
    assert bytes(out[:wire.stuff(bytearray(data), len(data), out)]) == bytes.fromhex(stuffed)
    octets = bytearray.fromhex(stuffed)
    assert bytes(out[:wire.unstuff(octets, len(octets), out)]) == data
    assert len(out) == 600


@pytest.mark.parametrize(("kind", "span", "sequence", "body", "octets"), PACKETS)
def test_packet_both_ways(kind: int, span: int, sequence: int, body: bytes, octets: str) -> None:
    assert bytes(wire.Writer().pack(kind, span, sequence, body)) == bytes.fromhex(octets)
    taken = Taken()
    taken.reader.feed(bytes.fromhex(octets))
    assert (taken.packets, taken.reader.bad) == ([(kind, span, sequence, body)], 0)


@pytest.mark.parametrize(("octets", "figures"), STATUSES)
def test_status_both_ways(octets: str, figures: tuple[int, ...]) -> None:
    assert wire.pack_status(*figures) == bytes.fromhex(octets)
    assert wire.read_status(bytes.fromhex(octets)) == figures
    assert wire.read_status(bytes.fromhex(octets) + b"later") == figures
    for length in range(wire.STATUS_OCTETS):
        with pytest.raises(ValueError, match="line card: status of"):
            wire.read_status(bytes.fromhex(octets)[:length])


@pytest.mark.parametrize(("octets", "figures"), LIUS)
def test_the_line_interface_follows_a_status_both_ways(octets: str, figures: tuple[int, ...]) -> None:
    """An older host reads what it knows; an older card, or half of it, tells nothing."""
    told, status = bytes.fromhex(octets), bytes.fromhex(STATUSES[0][0])
    assert wire.pack_liu(*figures) == told
    assert wire.read_liu(status + told) == wire.read_liu(status + told + b"later") == figures
    assert wire.read_status(status + told) == STATUSES[0][1]
    for length in range(wire.LIU_OCTETS):
        assert wire.read_liu(status + told[:length]) is None


@pytest.mark.parametrize("octets", ["01 00 00 00000000", "00 00 20 00000000", "00 00 fe 00000000"])
def test_a_line_interface_that_cannot_be_is_refused(octets: str) -> None:
    with pytest.raises(ValueError, match="line card: status with level"):
        wire.read_liu(bytes(wire.STATUS_OCTETS) + bytes.fromhex(octets))


def test_hello_answer_both_ways() -> None:
    assert wire.pack_hello_answer(1, 2, "Duo 0.1") == b"\x01\x02Duo 0.1"
    assert wire.read_hello_answer(b"\x01\x02Duo 0.1") == (1, 2, "Duo 0.1")
    assert wire.read_hello_answer(b"\x00\x01a\x1b\xff") == (0, 1, "a??")
    with pytest.raises(ValueError, match="of 1 octets"):
        wire.read_hello_answer(b"\x01")


@pytest.mark.parametrize("octet", [0x00, 0x01, 0xD5, 0xFF])
def test_a_block_of_one_octet_crosses_and_fits(octet: int) -> None:
    block = bytes((octet,)) * wire.TDM_OCTETS
    taken = Taken()
    taken.reader.feed(bytes(wire.Writer().pack(wire.TDM, 0, 0xFFFF, block)))
    assert taken.packets == [(wire.TDM, 0, 0xFFFF, block)]


def test_a_sequence_goes_round() -> None:
    taken = Taken()
    taken.reader.feed(bytes(wire.Writer().pack(wire.TDM, 0, 0x10000, b"")))
    assert taken.packets[0][2] == 0


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_cobs_has_no_zero_and_comes_back(data: bytes) -> None:
    out, back = bytearray(610), bytearray(610)
    length = wire.stuff(bytearray(data), len(data), out)
    assert 0 not in out[:length]
    assert length <= len(data) + len(data) // 254 + 1
    assert back[:wire.unstuff(out, length, back)] == data


@settings(deadline=None)
@given(st.integers(1, 2600), st.integers(0, 2600), st.integers(1, 255))
def test_damage_costs_the_packet_it_hits_and_no_other(piece: int, at: int, flip: int) -> None:
    writer = wire.Writer()
    packets = [(wire.TDM, 0, number, RISING * 10) for number in range(3)]
    octets = [bytearray(writer.pack(*packet)) for packet in packets]
    octets[1][at % (len(octets[1]) - 1)] ^= flip
    line = b"".join(map(bytes, octets))
    taken = Taken()
    for begin in range(0, len(line), piece):
        taken.reader.feed(line[begin:begin + piece])
    assert taken.packets == [packets[0], packets[2]]
    assert taken.reader.bad >= 1


def test_a_line_without_a_zero_octet_keeps_no_memory_busy() -> None:
    taken = Taken()
    for _ in range(100):
        taken.reader.feed(b"\x01" * 1000)
    taken.reader.feed(b"\0" + bytes(wire.Writer().pack(*PACKETS[0][:4])))
    assert taken.reader.bad == 1
    assert taken.packets == [PACKETS[0][:4]]


def test_what_micropython_has_not_is_not_used() -> None:
    """The card imports this file: modules and syntax of MicroPython 1.19 only."""
    tree = ast.parse(Path(wire.__file__).read_text())
    tried = {id(node) for block in ast.walk(tree) if isinstance(block, ast.Try) for node in ast.walk(block)}
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match | ast.AsyncFunctionDef | ast.TryStar)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in tried:
            names = {node.module} if isinstance(node, ast.ImportFrom) else {name.name for name in node.names}
            assert names <= {"struct", "binascii", "micropython"}


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_counted_at_worst(octets: bytes) -> None:
    fuzz(octets)
