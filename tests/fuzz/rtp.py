"""Packets of anybody to a leg's RTP and RTCP."""

import numpy as np

from appliance.media.rtp.events import Event
from appliance.media.rtp.legs import Legs
from appliance.media.rtp.packet import WIDTH
from appliance.media.rtp.rtcp import Received, Reports, Sent
from appliance.media.rtp.settings import LegSettings
from e1_driver import BLOCK
from tests.media.rtp.network import SSRC, rtp

MOST_OCTETS = WIDTH
SHARE = 0.2                                       # two seconds of ticks each
PACKET_OCTETS = 172                               # the data is cut into packets of so many
MOST_AHEAD_TICKS = 200                            # whatever came, in 2 s good audio is heard again


def corpus() -> list[bytes]:
    talk = b"".join(rtp(number, 160 * number, bytes([number]) * 160) for number in range(8))
    press = [rtp(9, 1440, Event(5, end, 800).encode(), 101) for end in (False, True)]
    reports = Reports("far", 0.0)
    report = reports.report(Sent(SSRC, 0, 9, 900), Received(1, 90, 5, 99, 7), 1.0, 1e9)
    return [talk, *press, report, reports.bye(Sent(SSRC, 0, 9, 900), None, 2.0, 1e9),
            rtp(1, 2, b"\x40", 13), b"\xb1" + rtp(1, 2, bytes(20))[1:] + b"\x04", bytes(PACKET_OCTETS)]


def fuzz(data: bytes) -> None:
    """Nothing raises or is kept without bound; a far end that talks sense afterwards is heard."""
    legs, now = Legs(1), 0.0
    legs.open(0, LegSettings(regenerate_digits=True), "us", (1, 2, 3), now)
    rx = np.empty((1, BLOCK), np.uint8)

    def hear(packet: bytes) -> None:
        octets = np.zeros((1, WIDTH), np.uint8)
        octets[0, :len(packet)] = np.frombuffer(packet, np.uint8)
        legs.receive(np.zeros(1, np.intp), octets, np.array([len(packet)]), np.array([8000 * now]), now)

    legs.receive_rtcp(0, data, 1e9, now)
    hear(data)
    for start in range(0, len(data), PACKET_OCTETS):
        now += 0.01
        hear(data[start:start + PACKET_OCTETS])
        legs.fill(rx, now)
        legs.receive_rtcp(0, data[start:], 1e9, now)
        legs.reports(now, 1e9)
    for number in range(MOST_AHEAD_TICKS):
        now += 0.01
        if number % 2 == 0:
            hear(rtp(7 + number // 2, 80 * number, b"\x2a" * 160, ssrc=77))
        legs.fill(rx, now)
    for _, error in legs.failed:
        raise error
    assert (rx == 0x2A).all()
    figures = legs.figures(0)
    assert min(figures.lost, figures.late, figures.concealed_ms, figures.depth_ms) >= 0
