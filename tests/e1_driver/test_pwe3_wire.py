"""Packets of emulated circuits: one list of vectors, both ways; what is refused; batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.backends.pwe3_url import Form
from e1_driver.backends.pwe3_wire import RDI, Batch, L, R, decode, encode

SATOP = Form(256)
NX31 = Form(31 * 8, structured=True)
ONE = Form(8, structured=True)
ONE_RTP = Form(8, structured=True, rtp=True, payload_type=97, ssrc=0xDEADBEEF)
SATOP_RTP = Form(256, rtp=True, ssrc=1)
E1_MS = bytes(range(256))
OCTETS_31 = b"\xd5" * 248

# octets written by hand from the figures of RFC 4553 4.3.1, RFC 5086 4.3 and RFC 3550 5.1
VECTORS = [                                       # octets, form, flags, sequence number, timestamp, payload
    ("00 00 00 00" + E1_MS.hex(), SATOP, 0, 0, 0, E1_MS),
    ("08 00 00 01" + E1_MS.hex(), SATOP, L, 1, 0, E1_MS),
    ("04 00 80 00" + E1_MS.hex(), SATOP, R, 0x8000, 0, E1_MS),
    ("0c 00 ff ff" + E1_MS.hex(), SATOP, L | R, 0xFFFF, 0, E1_MS),
    ("02 00 12 34" + OCTETS_31.hex(), NX31, RDI, 0x1234, 0, OCTETS_31),
    ("06 00 12 35" + OCTETS_31.hex(), NX31, RDI | R, 0x1235, 0, OCTETS_31),
    ("00 0c 00 07 0102030405060708", ONE, 0, 7, 0, bytes(range(1, 9))),               # LEN of short packets
    ("08 3f 00 07" + "55" * 59, Form(59), L, 7, 0, b"\x55" * 59),
    ("00 00 00 07" + "55" * 60, Form(60), 0, 7, 0, b"\x55" * 60),
    ("80 61 fe 01 01020304 deadbeef 00 18 fe 01 ffeeddccbbaa9988",
     ONE_RTP, 0, 0xFE01, 0x01020304, bytes.fromhex("ffeeddccbbaa9988")),
    ("80 60 00 02 fffffff8 00000001 04 00 00 02" + E1_MS.hex(), SATOP_RTP, R, 2, 0xFFFFFFF8, E1_MS),
]


def read(packet: bytes, form: Form) -> Batch:
    row = np.zeros((1, max(len(packet), form.packet_octets + 1)), np.uint8)
    row[0, :len(packet)] = np.frombuffer(packet, np.uint8)
    return decode(form, row, np.array([len(packet)]))


@pytest.mark.parametrize(("octets", "form", "flags", "sequence", "timestamp", "payload"), VECTORS)
def test_vector_both_ways(
        octets: str, form: Form, flags: int, sequence: int, timestamp: int, payload: bytes) -> None:
    packet = bytes.fromhex(octets)
    payloads = np.frombuffer(payload, np.uint8)[None]
    assert encode(form, flags, sequence, timestamp, payloads, 8).tobytes() == packet
    good, sequences, read_flags = read(packet, form)
    assert (good.tolist(), sequences.tolist(), read_flags.tolist()) == ([True], [sequence], [flags])
    assert packet[form.header_octets:] == payload


@pytest.mark.parametrize(("octets", "form", "flags"), [
    ("08 00 00 01", SATOP, L),                    # the payload left out
    ("0c 04 00 01", NX31, L | R),                 # ... with LEN
    ("80 60 00 01 00000000 00000001 08 10 00 01", SATOP_RTP, L),
    ("80 60 00 01 00000000 00000001 08 04 00 01", SATOP_RTP, L),     # LEN without the RTP header
    ("80 ff 00 01 00000000 00000001 08 00 00 01", SATOP_RTP, L),     # M, another payload type
    ("03 00 00 01" + E1_MS.hex(), SATOP, 0),      # RSV is ignored (RFC 4553 4.3.1)
])
def test_what_others_may_send_is_read(octets: str, form: Form, flags: int) -> None:
    good, sequences, read_flags = read(bytes.fromhex(octets), form)
    assert (good.tolist(), sequences.tolist(), read_flags.tolist()) == ([True], [1], [flags])


@pytest.mark.parametrize(("octets", "form"), [
    ("", SATOP),
    ("08 00 00", SATOP),
    ("00 00 00 01", SATOP),                       # no payload without L
    ("00 00 00 01" + "ff" * 255, SATOP),
    ("00 00 00 01" + "ff" * 257, SATOP),
    ("08 00 00 01" + "ff" * 255, SATOP),
    ("10 00 00 07" + "ff" * 256, SATOP),          # an associated channel (RFC 4385)
    ("00 40 00 01" + "ff" * 256, SATOP),          # the first fragment
    ("00 c0 00 01" + "ff" * 256, SATOP),
    ("00 3f 00 01" + "ff" * 256, SATOP),          # LEN says another thing
    ("00 0b 00 01" + "ff" * 8, ONE),
    ("01 0c 00 01" + "ff" * 8, ONE),              # M = 01 reserved
    ("03 0c 00 01" + "ff" * 8, ONE),              # M = 11 signalling
    ("09 0c 00 01" + "ff" * 8, ONE),
    ("0a 0c 00 01" + "ff" * 8, ONE),
    ("40 60 00 01 00000000 00000001 00 00 00 01" + "ff" * 256, SATOP_RTP),     # version 1
    ("a0 60 00 01 00000000 00000001 00 00 00 01" + "ff" * 256, SATOP_RTP),     # padding
    ("90 60 00 01 00000000 00000001 00 00 00 01" + "ff" * 256, SATOP_RTP),     # an extension
    ("81 60 00 01 00000000 00000001 00 00 00 01" + "ff" * 256, SATOP_RTP),     # a contributing source
])
def test_what_is_no_packet_of_the_circuit_is_refused(octets: str, form: Form) -> None:
    assert read(bytes.fromhex(octets), form).good.tolist() == [False]


def test_a_batch_is_numbered_and_stamped_across_the_wraps() -> None:
    form = Form(8, rtp=True)
    packets = encode(form, 0, 0xFFFE, 0xFFFFFFF0, np.zeros((4, 8), np.uint8), 8)
    assert [packet[2:4].tobytes().hex() for packet in packets] == ["fffe", "ffff", "0000", "0001"]
    assert [packet[4:8].tobytes().hex() for packet in packets] == [
        "fffffff0", "fffffff8", "00000000", "00000008"]
    assert decode(form, packets, np.full(4, 24)).sequences.tolist() == [0xFFFE, 0xFFFF, 0, 1]


@given(st.lists(st.sampled_from([bytes.fromhex(octets) for octets, form, *_ in VECTORS if form == NX31]) |
                st.binary(max_size=300) | st.binary(min_size=252, max_size=252), min_size=1, max_size=8))
def test_a_batch_is_read_as_its_packets_one_by_one(packets: list[bytes]) -> None:
    rows = np.zeros((len(packets), 300), np.uint8)
    for row, packet in zip(rows, packets, strict=True):
        row[:len(packet)] = np.frombuffer(packet, np.uint8)
    batch = decode(NX31, rows, np.array([len(packet) for packet in packets]))
    assert [[column[row] for column in batch] for row in range(len(packets))] == [
        [column[0] for column in read(packet, NX31)] for packet in packets]
