"""RTP legs over sockets of this machine; time is stepped, and loopback delivers at once."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NoReturn

import numpy as np
import pytest
from pylibsrtp import Policy, Session

from appliance.media.g711 import Octets
from appliance.media.guarded import AWAY_TICKS, Failed
from appliance.media.rtp.events import Event, Listener
from appliance.media.rtp.packet import Rows
from appliance.media.rtp.playout import Playout
from appliance.media.rtp.settings import LegSettings
from appliance.media.rtp.srtp import Secured
from appliance.span.rtp import (
    BURST_S,
    MOST_BATCHES,
    RATE,
    ChangeLeg,
    CloseLeg,
    OpenLeg,
    Ports,
    RtpHeard,
    RtpLegs,
    SendEvents,
)
from e1_driver import BLOCK, IDLE
from tests.media.rtp.network import HEADER, rtp

HOST, FIRST, LAST = "127.0.0.1", 22_000, 22_999
SOUND = b"\x2a" * 160


def far_end(host: str = HOST) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((host, 0))
    one.setblocking(False)
    return one


def read_all(one: socket.socket) -> list[bytes]:
    packets = []
    while select.select([one], [], [], 0)[0]:
        packets.append(one.recv(2048))
    return packets


class Box:
    """RtpLegs with one open leg, row 1, and its far end."""

    def __init__(self, settings: LegSettings | None = None, host: str = HOST) -> None:
        self.far = far_end(host)
        self.legs, self.now, self.number = RtpLegs(3), 100.0, 0
        self.sockets = Ports(host, FIRST, LAST).take()
        self.at = (host, self.sockets.port)
        told = self.far.getsockname()[:2]
        self.legs.obey(OpenLeg(1, self.sockets, settings or LegSettings(remote=told)), self.now)
        self.heard: list[RtpHeard] = []

    def run(self, seconds: float, speaks: bool = False) -> Octets:
        """What the leg heard; it says SOUND's octet all the while."""
        blocks, rx = [], np.empty((3, BLOCK), np.uint8)
        for tick in range(round(seconds * 100)):
            self.now += 0.01
            if speaks and tick % 2 == 0:
                self.say()
            self.heard += self.legs.fill(rx, self.now)
            self.legs.send(np.full((3, BLOCK), SOUND[0], np.uint8), self.now)
            assert (rx[[0, 2]] == IDLE).all()
            blocks.append(rx[1].copy())
        return np.concatenate(blocks)

    def say(self, voice: socket.socket | None = None, ssrc: int = 5) -> None:
        (voice or self.far).sendto(rtp(self.number, 160 * self.number, SOUND, ssrc=ssrc), self.at)
        self.number += 1


Make = Callable[..., Box]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Box] = []

    def one(settings: LegSettings | None = None, host: str = HOST) -> Box:
        made.append(Box(settings, host))
        return made[-1]

    yield one
    for box in made:
        box.legs.close()
        box.far.close()
        box.legs.close()
        box.far.close()


@pytest.fixture
def box(make: Make) -> Box:
    return make()


def test_ports_are_pairs_given_by_turns_and_an_address_in_use_is_passed_over() -> None:
    ports = Ports(HOST, 23_001, 23_006)           # 23002 and 23004: two pairs
    pairs = [ports.take(), ports.take()]
    assert [one.port for one in pairs] == [23_002, 23_004]
    assert pairs[0].rtcp.getsockname()[1] == 23_003
    with pytest.raises(OSError, match="no free pair of RTP ports"):
        ports.take()
    pairs[1].close()
    pairs.append(ports.take())
    assert pairs[2].port == 23_004
    assert pairs[2].rtp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0xB8
    for one in pairs:
        one.close()


@pytest.mark.parametrize(
    ("address", "first", "last"), [(HOST, 5, 5), (HOST, 9, 8), (HOST, 0, 70_000), ("x", 1, 9)])
def test_no_range_of_ports(address: str, first: int, last: int) -> None:
    with pytest.raises(ValueError):
        Ports(address, first, last)


@pytest.mark.parametrize("host", [HOST, "::1"])
def test_audio_goes_both_ways(make: Make, host: str) -> None:
    box = make(host=host)
    assert (box.run(1.0, speaks=True)[1000:] == SOUND[0]).all()
    packets = read_all(box.far)
    assert len(packets) == 50
    assert all(packet[HEADER.size:] == SOUND for packet in packets[1:])
    figures = box.legs.figures(1)
    assert (figures.received, figures.sent, figures.strangers, figures.unsent) == (50, 50, 0, 0)
    assert figures.remote.endswith(f":{box.far.getsockname()[1]}")


def test_strangers_are_counted_and_not_heard(box: Box) -> None:
    box.run(0.5, speaks=True)
    stranger = far_end()
    for number in range(30):
        stranger.sendto(rtp(number, 160 * number, b"\x55" * 160), box.at)
    assert (box.run(0.5, speaks=True) == SOUND[0]).all()
    assert box.legs.figures(1).strangers == 30
    assert not read_all(stranger)
    stranger.close()


def test_a_far_end_behind_a_nat_is_answered_where_its_stream_comes_from(make: Make) -> None:
    box = make(LegSettings(remote=("127.0.0.77", 9)))
    read_all(box.far)
    box.run(1.0, speaks=True)
    assert len(read_all(box.far)) > 40
    assert box.legs.figures(1).remote == f"{HOST}:{box.far.getsockname()[1]}"


def test_a_change_moves_the_leg_and_a_close_frees_its_port(box: Box) -> None:
    box.run(0.3, speaks=True)
    read_all(box.far)
    other = far_end()
    box.legs.obey(ChangeLeg(1, LegSettings(remote=other.getsockname())), box.now)
    box.run(0.2)
    for _ in range(30):
        box.say(other, ssrc=6)
        box.run(0.02)
    assert (box.run(0.02) == SOUND[0]).all()
    assert len(read_all(other)) > 30
    assert not read_all(box.far)
    box.legs.obey(CloseLeg(1), box.now)
    assert box.sockets.rtp.fileno() == -1
    assert (box.run(0.1) == IDLE).all()
    box.legs.obey(CloseLeg(1), box.now)
    with pytest.raises(KeyError):
        box.legs.figures(1)
    other.close()


def test_reports_are_exchanged_and_bye_is_said_and_heard(box: Box) -> None:
    reports = far_end()
    told = LegSettings(remote=box.far.getsockname(), remote_rtcp=reports.getsockname())
    box.legs.obey(ChangeLeg(1, told), box.now)
    box.run(14, speaks=True)
    said = read_all(reports)
    assert 2 <= len(said) <= 6
    assert {packet[1] for packet in said} == {200}
    bye = b"\x80\xc9\x00\x01\x00\x00\x00\x05" + b"\x81\xcb\x00\x01\x00\x00\x00\x05"
    reports.sendto(bye, (HOST, box.sockets.port + 1))
    box.run(0.2)
    assert [one.what for one in box.heard] == ["the far end said BYE"]
    box.legs.obey(CloseLeg(1), box.now)
    last, = read_all(reports)
    assert b"\x81\xcb\x00\x01" in last
    reports.close()


def test_reports_of_another_host_are_heard_where_signalling_told_of_it(make: Make) -> None:
    box, reports = make(), far_end("127.0.0.2")
    box.run(0.1, speaks=True)
    report = b"\x80\xc9\x00\x01\x00\x00\x00\x05" + b"\x81\xcb\x00\x01\x00\x00\x00\x05"
    for remote_rtcp, strangers in ((None, 1), (reports.getsockname(), 1)):
        box.legs.obey(
            ChangeLeg(1, LegSettings(remote=box.far.getsockname(), remote_rtcp=remote_rtcp)), box.now)
        reports.sendto(report, (HOST, box.sockets.port + 1))
        box.run(0.2)
        assert box.legs.figures(1).strangers == strangers
    assert [one.what for one in box.heard] == ["the far end said BYE"]
    reports.close()


def test_reports_share_the_port_where_agreed(make: Make) -> None:
    box = make()
    box.legs.obey(ChangeLeg(1, LegSettings(remote=box.far.getsockname(), rtcp_mux=True)), box.now)
    box.run(10, speaks=True)
    kinds = {packet[1] & 127 if packet[1] < 192 else packet[1] for packet in read_all(box.far)}
    assert kinds == {8, 200}
    report = b"\x81\xc9\x00\x07" + bytes([0, 0, 0, 5]) + bytes(24)
    box.far.sendto(report, box.at)
    box.run(0.1)
    assert box.legs.figures(1).malformed == 0


def test_srtp_both_ways_and_nothing_unprotected_or_altered_is_heard(make: Make) -> None:
    ours, theirs = os.urandom(30), os.urandom(30)
    box = make(LegSettings(send_key=ours, receive_key=theirs))
    sends = Session(Policy(theirs, Policy.SSRC_ANY_OUTBOUND))
    opens = Session(Policy(ours, Policy.SSRC_ANY_INBOUND))
    for _ in range(50):
        packet = sends.protect(rtp(box.number, 160 * box.number, SOUND))
        box.far.sendto(packet, box.at)
        box.number += 1
        heard = box.run(0.02)
    assert (heard == SOUND[0]).all()
    packets = read_all(box.far)
    assert len(packets) > 40
    assert all(opens.unprotect(packet)[HEADER.size:] == SOUND for packet in packets[1:])
    box.far.sendto(packet, box.at)                # a replay
    box.far.sendto(rtp(box.number, 160 * box.number, SOUND), box.at)
    box.far.sendto(packet[:50] + b"\x00" + packet[51:], box.at)
    box.run(0.1)
    assert box.legs.figures(1).malformed == 3
    assert box.legs.figures(1).received == 50


def test_a_flood_of_the_far_end_is_cut_to_the_rate_of_a_leg(box: Box) -> None:
    box.run(0.2, speaks=True)
    for _ in range(60):
        for _ in range(100):
            box.say()
        box.run(0.01)
    figures = box.legs.figures(1)
    assert figures.received <= RATE * (BURST_S + 1)
    assert figures.refused > 300


def test_a_burst_of_one_leg_does_not_hold_up_a_tick_and_is_heard_in_the_next_ones(box: Box) -> None:
    for _ in range(60):
        box.say()
    box.run(0.01)
    assert box.legs.figures(1).received == MOST_BATCHES
    box.run(0.1)
    assert box.legs.figures(1).received == 60


def test_keys_go_out_as_events(box: Box) -> None:
    box.legs.obey(SendEvents(1, "42"), box.now)
    box.run(1.0)
    events = [packet for packet in read_all(box.far) if packet[1] & 127 == 101]
    assert [events[0][HEADER.size], events[-1][HEADER.size]] == [4, 2]


def test_a_far_end_that_is_gone_does_no_harm(make: Make) -> None:
    """Its port is closed: the kernel says so, and the leg goes on."""
    gone = far_end()
    address = gone.getsockname()
    gone.close()
    box = make(LegSettings(remote=address))
    box.run(6.0)
    assert [one.what for one in box.heard] == ["nothing comes for 5 s"]


def test_orders_for_rows_that_are_not_open_do_nothing() -> None:
    legs = RtpLegs(2)
    legs.obey(ChangeLeg(0, LegSettings()), 0.0)
    legs.obey(SendEvents(0, "1"), 0.0)
    assert legs.fill(np.empty((2, BLOCK), np.uint8), 0.0) == ()
    legs.close()


def raise_it(*_: object) -> NoReturn:
    raise FloatingPointError("broken")


def broken_sending(legs: RtpLegs, patch: pytest.MonkeyPatch) -> None:
    secured = Secured(bytes(30), bytes(30))
    patch.setattr(secured, "protect", raise_it)
    patch.setattr(secured, "unprotect", bytes)
    patch.setattr(legs._open[1], "secured", secured)


def broken_playing(legs: RtpLegs, patch: pytest.MonkeyPatch) -> None:
    """Its packets belong far outside the buffer, however often it is made anew."""
    first = legs._media._playout._first.copy()
    first[1] = 1 << 40
    patch.setattr(legs._media._playout, "_first", first)


def broken_concealing(legs: RtpLegs, patch: pytest.MonkeyPatch) -> None:
    real = Playout._begin

    def begin(playout: Playout, rows: Rows, first: Rows) -> None:
        if 1 in rows:
            raise_it()
        real(playout, rows, first)
    patch.setattr(Playout, "_begin", begin)


def broken_hearing(legs: RtpLegs, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Listener, "hear", raise_it)     # only leg 1 is sent events


Break = Callable[[RtpLegs, pytest.MonkeyPatch], None]


@pytest.mark.parametrize("spoil", [broken_sending, broken_playing, broken_concealing, broken_hearing])
def test_a_leg_that_fails_is_away_for_a_while_and_the_others_carry_on(spoil: Break) -> None:
    """Leg 1 fails at every packet, hole or event; legs 0 and 2 lose no octet and no packet."""
    legs, ports, now = RtpLegs(3), Ports(HOST, FIRST, LAST), 100.0
    fars, ats = [far_end() for _ in range(3)], []
    for row, far in enumerate(fars):
        sockets = ports.take()
        ats.append((HOST, sockets.port))
        legs.obey(OpenLeg(row, sockets, LegSettings(remote=far.getsockname())), now)
    heard: list[Octets] = []
    failed: list[tuple[int, Failed]] = []
    told: list[RtpHeard] = []
    rx, tx = np.empty((3, BLOCK), np.uint8), np.full((3, BLOCK), 7, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        for tick in range(420):
            now += 0.01
            if tick == 100:
                spoil(legs, patch)
            if tick == 300:
                patch.undo()
            if tick % 2 == 0:
                for row, (far, at) in enumerate(zip(fars, ats, strict=True)):
                    hole = row == 1 and tick % 20 == 8
                    event = row == 1 and tick % 20 == 10
                    payload = Event(1, True, 160).encode() if event else SOUND
                    kind = 101 if event else 8
                    if not hole:
                        far.sendto(rtp(tick // 2, 80 * tick, payload, kind=kind), at)
            told += legs.fill(rx, now)
            heard.append(rx.copy())
            legs.send(tx, now)
            failed += [(tick, one) for one in legs.take_failed()]
    assert all((np.stack(heard)[10:, row] == SOUND[0]).all() for row in (0, 2))
    assert [len(read_all(far)) for far in (fars[0], fars[2])] == [210, 210]
    assert len(failed) in (2, 3)
    assert all(later[0] - earlier[0] >= AWAY_TICKS for earlier, later in pairwise(failed))
    assert {one.part for _, one in failed} == {f"RTP at port {ats[1][1]}"}
    troubles = [one for one in told if one.kind == "rtp-trouble"]
    assert [(one.row, one.what) for one in troubles] == [(1, "failed, is away for 1 s")] * len(failed)
    assert [legs.figures(row).failures for row in range(3)] == [0, len(failed), 0]
    back = np.stack(heard)[-10:, 1]
    assert (back != IDLE).any()                   # mended by now, and heard again
    legs.close()
    for far in fars:
        far.close()
