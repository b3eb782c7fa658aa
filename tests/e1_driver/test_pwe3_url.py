"""The URL of an emulated circuit: what is wrong is said, what is left out is as others expect it."""

import socket
import time

import pytest

from e1_driver import LineError, open_span
from e1_driver.soft import idle_block
from tests.e1_driver.circuits import HOST, FarEnd


@pytest.mark.parametrize(("url", "names", "allows"), [
    ("satop:192.0.2.7", "PORT", "1 to 65535"),
    ("satop:192.0.2.7:0", "PORT", "1 to 65535"),
    ("satop:192.0.2.7:65536", "PORT", "1 to 65535"),
    ("satop:192.0.2.7:²", "PORT", "1 to 65535"),
    ("satop:gateway.example:2142", "HOST", "192.0.2.7:2142"),
    ("satop::2142", "HOST", "192.0.2.7:2142"),
    ("satop:2001:db8::7:2142", "HOST", "brackets"),
    ("satop:[192.0.2.7]:2142", "HOST", "brackets"),
    ("satop:192.0.2.7:2142?port=x", "port", "1 to 65535"),
    ("satop:192.0.2.7:2142?listen=eth0", "listen", "IP address"),
    ("satop:192.0.2.7:2142?listen=::1", "listen", "both IPv4 or both IPv6"),
    ("satop:192.0.2.7:2142?frames=9", "frames", "multiple of 8 from 8 to 80"),
    ("satop:192.0.2.7:2142?frames=48", "frames", "at most 40"),
    ("cesop:[2001:db8::7]:2142?frames=48&timeslots=1-30&rtp=on", "frames", "at most 40"),
    ("satop:192.0.2.7:2142?jitter_ms=4", "jitter_ms", "5 to 500"),
    ("satop:192.0.2.7:2142?clock=far", "clock", "line or own"),
    ("satop:192.0.2.7:2142?rtp=yes", "rtp", "on or off"),
    ("satop:192.0.2.7:2142?ssrc=1", "ssrc", "rtp=on"),
    ("satop:192.0.2.7:2142?rtp=on&ssrc=4294967296", "ssrc", "0 to 4294967295"),
    ("satop:192.0.2.7:2142?rtp=on&payload_type=8", "payload_type", "96 to 127"),
    ("satop:192.0.2.7:2142?crc4=yes", "crc4", "on or off or auto"),
    ("satop:192.0.2.7:2142?timeslots=1-31", "timeslots", "jitter_ms"),
    ("cesop:192.0.2.7:2142?crc4=on", "crc4", "timeslots"),
    ("cesop:192.0.2.7:2142?timeslots=0-31", "timeslots", "1 to 31"),
    ("cesop:192.0.2.7:2142?timeslots=", "timeslots", "1 to 31"),
    ("cesop:192.0.2.7:2142?timeslots=5-1", "timeslots", "backwards"),
    ("cesop:192.0.2.7:2142?timeslots=1-5,5", "timeslots", "ascending"),
])
def test_a_wrong_url_says_which_part_and_what_is_allowed(url: str, names: str, allows: str) -> None:
    with pytest.raises(ValueError) as told:
        open_span(url)
    text = str(told.value)
    assert text.startswith(url)
    assert names in text.removeprefix(url) and allows in text


def test_a_port_in_use_is_a_line_error_with_the_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        with pytest.raises(LineError, match=f"any address, port {port}: Address already in use"):
            open_span(f"satop:{HOST}:2142?port={port}")
    with pytest.raises(LineError, match=r"192\.0\.2\.1, port"):
        open_span(f"satop:192.0.2.7:2142?port={port}&listen=192.0.2.1")


@pytest.mark.parametrize(("scheme", "options", "octets"), [
    ("satop", "", [260] * 10),
    ("satop", "&frames=40&rtp=on", [1296] * 2),
    ("cesop", "", [252] * 10),
    ("cesop", "&frames=40", [1244] * 2),
    ("cesop", "&timeslots=1-15,16", [132] * 10),
    ("cesop", "&timeslots=2,16", [68] * 2),       # 32 frames: the third waits for the next block
    ("cesop", "&timeslots=16", [68]),             # 64 frames
])
def test_packets_are_of_the_size_that_others_expect(scheme: str, options: str, octets: list[int]) -> None:
    with FarEnd(scheme, options) as far:
        span = open_span(far.url)
        span.read(time.monotonic())
        span.write(idle_block())
        assert [len(packet) for packet in far.received()] == octets
        span.close()
