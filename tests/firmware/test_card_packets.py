"""The card's own codec says octet for octet what wire.py says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.linecard.packets import HEAD_OCTETS, STUFFED_OCTETS, Reader, Writer
from tests.firmware.test_wire import PACKETS, RISING, STUFFED

Packet = tuple[int, int, int, bytes]


def written(writer: Writer, packet: Packet) -> bytes:
    kind, span, sequence, body = packet
    writer.packet[HEAD_OCTETS:HEAD_OCTETS + len(body)] = body
    start = writer.end
    assert writer.add(kind, span, sequence, len(body))
    return bytes(writer.out[start:writer.end])


class Taken:
    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.reader = Reader(self.take)

    def take(self, kind: int, span: int, sequence: int, length: int) -> None:
        body = bytes(self.reader.packet[HEAD_OCTETS:HEAD_OCTETS + length])
        self.packets.append((kind, span, sequence, body))

    def feed(self, octets: bytes, piece: int = 4096) -> None:
        for at in range(0, len(octets), piece):
            self.reader.feed(bytearray(octets[at:at + piece]), len(octets[at:at + piece]))


@pytest.mark.parametrize(("kind", "span", "sequence", "body", "octets"), PACKETS)
def test_packet_both_ways(kind: int, span: int, sequence: int, body: bytes, octets: str) -> None:
    packet = (kind, span, sequence, body)
    assert written(Writer(1), packet) == bytes.fromhex(octets)
    taken = Taken()
    taken.feed(bytes.fromhex(octets))
    assert (taken.packets, taken.reader.bad) == ([packet], 0)


@given(st.binary(max_size=600) | st.sampled_from([data for data, _ in STUFFED]),
       st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(1, 700))
def test_both_codecs_agree(body: bytes, kind: int, sequence: int, piece: int) -> None:
    octets = written(Writer(1), (kind, 3, sequence, body))
    assert octets == bytes(wire.Writer().pack(kind, 3, sequence, body))
    taken = Taken()
    taken.feed(octets, piece)
    assert taken.packets == [(kind, 3, sequence, body)]


@settings(deadline=None)
@given(st.integers(1, 2600), st.integers(0, 2600), st.integers(1, 255))
def test_damage_costs_the_packet_it_hits_and_no_other(piece: int, at: int, flip: int) -> None:
    writer = Writer(3)
    packets = [(wire.TDM, 0, number, RISING * 10) for number in range(3)]
    octets = [bytearray(written(writer, packet)) for packet in packets]
    octets[1][at % (len(octets[1]) - 1)] ^= flip
    taken = Taken()
    taken.feed(b"".join(map(bytes, octets)), piece)
    assert taken.packets == [packets[0], packets[2]]
    assert taken.reader.bad >= 1


@settings(deadline=None)
@given(st.lists(st.binary(max_size=700) | st.sampled_from([b"\0", b"\xff" * 3000]), max_size=4))
def test_any_octets_leave_the_next_packet_whole(pieces: list[bytes]) -> None:
    taken = Taken()
    for piece in pieces:
        taken.feed(piece)
    taken.feed(b"\0" + written(Writer(1), (wire.RUN, 0, 7, b"\x01")))
    assert taken.packets[-1] == (wire.RUN, 0, 7, b"\x01")


def test_a_host_that_takes_nothing_costs_packets_and_no_room() -> None:
    writer = Writer(2)
    body = b"\x01" * wire.TDM_OCTETS
    writer.packet[HEAD_OCTETS:HEAD_OCTETS + len(body)] = body
    assert [writer.add(wire.TDM, 0, number, len(body)) for number in range(3)] == [True, True, False]
    assert len(writer.out) == 2 * STUFFED_OCTETS
    taken = Taken()
    writer.start += 100                           # some of it is taken
    writer.start = writer.end
    assert writer.add(wire.TDM, 0, 3, len(body))
    taken.feed(bytes(writer.out[writer.start:writer.end]))
    assert taken.packets == [(wire.TDM, 0, 3, body)]


def test_what_is_left_moves_to_the_front() -> None:
    writer = Writer(2)
    body = b"\x01" * wire.TDM_OCTETS
    writer.packet[HEAD_OCTETS:HEAD_OCTETS + len(body)] = body
    out = b""
    taken = Taken()
    for number in range(10):
        while not writer.add(wire.TDM, 0, number, len(body)):
            out += writer.out[writer.start:writer.start + 1000]
            writer.start = min(writer.start + 1000, writer.end)
    out += writer.out[writer.start:writer.end]
    taken.feed(out)
    assert [packet[2] for packet in taken.packets] == list(range(10))
