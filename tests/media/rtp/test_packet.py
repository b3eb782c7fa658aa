import numpy as np
import pytest

from appliance.media.rtp import packet
from appliance.media.rtp.packet import WIDTH, Headers
from tests.media.rtp.network import rtp


def parsed(*packets: bytes) -> Headers:
    octets = np.zeros((len(packets), WIDTH), np.uint8)
    for row, data in enumerate(packets):
        octets[row, :len(data)] = np.frombuffer(data, np.uint8)
    return packet.parse(octets, packet.heads(octets, np.array([len(data) for data in packets])))


def test_fields_of_a_plain_packet() -> None:
    headers = parsed(rtp(0xFFFE, 0xFFFFFF00, bytes(160), kind=0, marker=True, ssrc=0xDEADBEEF))
    assert (headers.valid[0], headers.payload_type[0]) == (True, 0)
    assert (headers.sequence[0], headers.timestamp[0], headers.ssrc[0]) == (0xFFFE, 0xFFFFFF00, 0xDEADBEEF)
    assert (headers.at[0], headers.octets[0]) == (12, 160)


PLAIN = rtp(1, 2, b"")[1:]


@pytest.mark.parametrize(("octets", "at", "length"), [
    (b"\x82" + PLAIN + bytes(8) + b"audio", 20, 5),                           # two contributing sources
    (b"\x90" + PLAIN + b"\xbe\xde\x00\x01" + bytes(4) + b"audio", 20, 5),     # an extension of one word
    (b"\xa0" + PLAIN + b"audio\x00\x00\x03", 12, 5),                          # padding
    (b"\xb1" + PLAIN + bytes(4) + b"\x00\x00\x00\x00" + b"audio\x01", 20, 5),
], ids=["sources", "extension", "padding", "all"])
def test_what_may_stand_before_and_behind_the_payload(octets: bytes, at: int, length: int) -> None:
    headers = parsed(octets, rtp(1, 2, bytes(160)))
    assert headers.valid.all()
    assert (headers.at[0], headers.octets[0]) == (at, length)
    assert (headers.at[1], headers.octets[1]) == (12, 160)


@pytest.mark.parametrize("octets", [
    b"", b"\x80", b"\x80" + PLAIN[:-1], b"\x40" + PLAIN + bytes(160), b"\x8f" + PLAIN + bytes(59),
    b"\x90" + PLAIN + b"\x00\x00\xff\xff" + bytes(160), b"\xa0" + PLAIN + bytes(160),
    b"\xa0" + PLAIN + b"au\x04",
], ids=["nothing", "octet", "cut", "version 1", "sources cut", "extension cut", "padding 0", "padding all"])
def test_no_packet(octets: bytes) -> None:
    assert not parsed(octets).valid[0]
