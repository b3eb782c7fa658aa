"""RTP legs' sockets: what the real-time thread reads and writes around a tick, and how ports are given out.

The asyncio side takes a pair of sockets from Ports and orders OpenLeg; the real-time thread obeys between
two ticks, calls fill() before a tick and send() after it. No descriptor needs watching: packets wait for the
tick, and the kernel notes when they came.
"""

import errno
import secrets
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

import numpy as np

from appliance.media.g711 import Octets
from appliance.media.rtp.legs import Legs, RtpHeard
from appliance.media.rtp.packet import WIDTH
from appliance.media.rtp.rtcp import PACKET_TYPES
from appliance.media.rtp.settings import LegFigures, LegSettings
from appliance.media.rtp.source import Address, Source
from appliance.media.rtp.srtp import Secured
from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import IDLE

__all__ = [
    "ChangeLeg", "CloseLeg", "OpenLeg", "Ports", "RtpHeard", "RtpLegs", "RtpOrder", "SendEvents", "Sockets"]

EXPEDITED = 46 << 2                               # DSCP EF (RFC 3246) in the octet of IPv4 and IPv6
ROUNDS, MOST_PACKETS = 100, 1500                  # read in one tick of one leg, about, and of all: 2 ms
MOST_BATCHES = 8                                  # heard in one tick, of a leg one packet each
RATE, BURST_S = 250, 1.0                          # packets a second that a leg may have; at once
REPORT_ROUNDS = 4                                 # RTCP packets read of one leg in one look
LOOK_TICKS = 10                                   # between looks at RTCP, in and out

_SO_TIMESTAMPNS = 35                              # asm-generic/socket.h; Python has no name for it
_TIME = struct.Struct("@qq")
_CONTROL_OCTETS = socket.CMSG_SPACE(_TIME.size)
_FIRST_WORDS = struct.Struct(">BBHII")

Whence = tuple[str, int] | tuple[str, int, int, int]             # as recvmsg() tells: of IPv4, of IPv6
_Packet = tuple[int, int, bytes]                                 # row, octets, when it came


@dataclass(frozen=True, slots=True)
class Sockets:
    """One leg's: RTP on an even port, RTCP on the next."""

    rtp: socket.socket
    rtcp: socket.socket
    port: int

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class Ports:
    """Gives out pairs of sockets on `address`, IPv4 or IPv6, of `first` to `last` by turns."""

    def __init__(self, address: str, first: int, last: int) -> None:
        """ValueError: no pair of ports is in the range, or the address is none."""
        self._address = str(ip_address(address))
        self._family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        self._even = deque(range(first + first % 2, last, 2))
        if not self._even or not 1 <= first <= last <= 65535:
            raise ValueError(f"RTP ports {first} to {last}: no pair of an even port and the next in it")

    def take(self, wanted: int = 0) -> Sockets:
        """`wanted`: that port, which a leg had before; 0: any. For the asyncio side.

        OSError: all are in use, that one is or is not one of ours, or the address is not this machine's.
        """
        if wanted:
            if wanted not in self._even:
                raise OSError(errno.EINVAL, "not an even port of the range for RTP")
            return self._pair(wanted)
        trouble: OSError | None = None
        for _ in range(len(self._even)):
            port = self._even[0]
            self._even.rotate(-1)
            try:
                return self._pair(port)
            except OSError as error:
                trouble = error
        raise OSError(trouble.errno if trouble else 0, f"no free pair of RTP ports: {trouble}", self._address)

    def reach(self, host: str) -> bool:
        """Whether that numeric address is of the same IP version."""
        return (":" in host) == (self._family == socket.AF_INET6)

    def _pair(self, port: int) -> Sockets:
        made: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                made.append(socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
                if self._family == socket.AF_INET:
                    made[-1].setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED)
                else:
                    made[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED)
                made[-1].setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                made[-1].bind((self._address, number))
        except OSError:
            for one in made:
                one.close()
            raise
        return Sockets(made[0], made[1], port)


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """`row`, 0 to legs-1, must be closed. The sockets are the leg's from now on."""

    row: int
    sockets: Sockets
    settings: LegSettings


@dataclass(frozen=True, slots=True)
class ChangeLeg:
    """New settings of an open leg; the sound goes on. A new `remote` or `relatch` unlocks the source."""

    row: int
    settings: LegSettings
    relatch: bool = False


@dataclass(frozen=True, slots=True)
class SendEvents:
    """Send `digits` (0-9 * # A-D) as RFC 4733 events, after those that wait."""

    row: int
    digits: str
    tone_ms: int = 100
    pause_ms: int = 100


@dataclass(frozen=True, slots=True)
class CloseLeg:
    """Say BYE, close its sockets."""

    row: int


RtpOrder = OpenLeg | ChangeLeg | SendEvents | CloseLeg


@dataclass(slots=True)
class _Leg:
    row: int
    sockets: Sockets
    socket: socket.socket                         # RTP's
    source: Source
    settings: LegSettings
    secured: Secured | None
    paid_until: float = 0.0                       # by RATE, what came already
    strangers: int = 0
    malformed: int = 0
    refused: int = 0
    unsent: int = 0
    to: Address | None = None
    usual: object = None                          # whose packets need no look; None: every packet does


class RtpLegs:
    """All legs of the box, rows 0 to legs-1. The real-time thread's, but figures()."""

    def __init__(self, legs: int) -> None:
        self.legs = legs
        self._media = Legs(legs)
        self._open: dict[int, _Leg] = {}
        self._by_descriptor: dict[int, _Leg] = {}                # of RTP's socket
        self._by_report_descriptor: dict[int, _Leg] = {}         # of RTCP's
        self._epoll, self._report_epoll = select.epoll(), select.epoll()
        self._packets = np.zeros((max(legs, 1), WIDTH), np.uint8)
        self._room = [row.data for row in self._packets]
        self._out = [row.data for row in self._media.senders.packets]
        self._ticks = 0

    def obey(self, order: RtpOrder, now: float) -> None:
        """Between two ticks. An order for a row that is not open (or is, of OpenLeg) does nothing."""
        leg = self._open.get(order.row)
        match order:
            case OpenLeg(row=row, sockets=sockets, settings=settings):
                if leg is None:
                    self._begin(row, sockets, settings, now)
            case ChangeLeg(settings=settings, relatch=relatch):
                if leg is not None:
                    self._change(leg, settings, relatch)
            case SendEvents(row=row, digits=digits, tone_ms=tone_ms, pause_ms=pause_ms):
                if leg is not None:
                    self._media.senders.events(row, digits, tone_ms * 8, pause_ms * 8)
            case CloseLeg():
                if leg is not None:
                    self._end(leg, now)

    def fill(self, rx: Octets, now: float) -> Sequence[RtpHeard]:
        """Before a tick: the A-law of every leg into uint8[legs, BLOCK], a closed row's is silence."""
        if not self._open:
            rx[:] = IDLE
            return ()
        waiting: dict[int, _Packet] = {}          # of each leg one
        read = batches = 0
        for _ in range(ROUNDS):
            ready = [descriptor for descriptor, _ in self._epoll.poll(0)]
            if not waiting.keys().isdisjoint(ready):
                self._hear(waiting, now)
                waiting, batches = {}, batches + 1
            if not ready or read > MOST_PACKETS or batches == MOST_BATCHES:
                break
            self._read(ready, waiting, now)
            read += len(ready)
        self._hear(waiting, now)
        self._ticks += 1
        if self._ticks % LOOK_TICKS == 0:
            self._report(now)
        return self._media.fill(rx, now)

    def send(self, tx: Octets, now: float) -> None:
        """After a tick: what every leg hears, A-law uint8[legs, BLOCK]."""
        if not self._open:
            return
        for row, size in zip(*self._media.senders.take(tx), strict=True):
            leg = self._open[row]
            if leg.to is None:
                continue
            packet: memoryview | bytes = self._out[row][:size]
            if leg.secured is not None:
                packet = leg.secured.protect(bytes(packet))
            try:
                leg.socket.sendto(packet, leg.to)
            except OSError:                       # no route, no buffer: the next one may have it
                leg.unsent += 1

    def figures(self, row: int) -> LegFigures:
        """From any thread. KeyError: the row is not open."""
        leg = self._open[row]
        figures = self._media.figures(row)
        return replace(
            figures, strangers=leg.strangers, malformed=figures.malformed + leg.malformed,
            refused=leg.refused, unsent=leg.unsent, remote="" if leg.to is None else _shown(leg.to))

    def close(self) -> None:
        """All legs, as CloseLeg."""
        for leg in [*self._open.values()]:
            self._end(leg, time.monotonic())
        self._epoll.close()
        self._report_epoll.close()

    def _begin(self, row: int, sockets: Sockets, settings: LegSettings, now: float) -> None:
        source = Source(_written(settings.remote), settings.latch)
        leg = _Leg(row, sockets, sockets.rtp, source, settings, _secured(settings), to=settings.remote)
        self._open[row] = self._by_descriptor[sockets.rtp.fileno()] = leg
        numbers = secrets.randbits(32), secrets.randbits(15), secrets.randbits(32)
        self._media.open(row, settings, secrets.token_urlsafe(12), numbers, now)
        self._epoll.register(sockets.rtp.fileno(), select.EPOLLIN)
        self._by_report_descriptor[sockets.rtcp.fileno()] = leg
        self._report_epoll.register(sockets.rtcp.fileno(), select.EPOLLIN)

    def _change(self, leg: _Leg, settings: LegSettings, relatch: bool) -> None:
        keys = leg.settings.send_key, leg.settings.receive_key
        if (settings.send_key, settings.receive_key) != keys:
            leg.secured = _secured(settings)
        leg.settings = settings
        locked = leg.source.locked
        leg.source.tell(_written(settings.remote), settings.latch, relatch)
        if locked is not None and leg.source.locked is None:
            self._media.expect_another(leg.row)
        leg.to, leg.usual = leg.source.remote, None
        self._media.change(leg.row, settings)

    def _end(self, leg: _Leg, now: float) -> None:
        self._send_report(leg, self._media.bye(leg.row, now, time.time()))
        self._epoll.unregister(leg.sockets.rtp.fileno())
        self._report_epoll.unregister(leg.sockets.rtcp.fileno())
        del self._by_descriptor[leg.sockets.rtp.fileno()], self._open[leg.row]
        del self._by_report_descriptor[leg.sockets.rtcp.fileno()]
        self._media.close(leg.row)
        leg.sockets.close()

    def _read(self, ready: list[int], waiting: dict[int, _Packet], now: float) -> None:
        """One packet of each of the descriptors, behind those that wait."""
        least = now + BURST_S
        for descriptor in ready:
            leg, room = self._by_descriptor[descriptor], self._room[len(waiting)]
            try:
                size, control, _, sender = leg.socket.recvmsg_into([room], _CONTROL_OCTETS)
            except OSError:
                continue
            stamp = control[0][2] if control else _TIME.pack(*divmod(time.time_ns(), 1_000_000_000))
            if sender != leg.usual:
                size = self._admit(leg, room, size, sender, stamp, now)
            if leg.paid_until > least:
                leg.refused += 1
            elif size:
                leg.paid_until = max(leg.paid_until, now) + 1 / RATE
                waiting[descriptor] = leg.row, size, stamp

    def _hear(self, waiting: dict[int, _Packet], now: float) -> None:
        if waiting:
            rows, sizes, stamps = zip(*waiting.values(), strict=True)
            time_ns = np.frombuffer(b"".join(stamps), np.int64).reshape(-1, 2)
            arrived = (time_ns[:, 0] % 1_000_000 + time_ns[:, 1] * 1e-9) * SAMPLE_RATE_HZ
            self._media.receive(
                np.array(rows, np.intp), self._packets[:len(rows)], np.array(sizes, np.int64), arrived, now)

    def _admit(
        self, leg: _Leg, room: memoryview, size: int, whence: Whence, stamp: bytes, now: float,
    ) -> int:
        """Octets of the far end's RTP packet in `room`, opened; 0: it is none, and was dealt with."""
        sender = whence[0], whence[1]
        if size < _FIRST_WORDS.size or room[0] >> 6 != 2:
            leg.malformed += 1
            return 0
        if leg.settings.rtcp_mux and room[1] in PACKET_TYPES:
            self._take_report(leg, bytes(room[:size]), sender, stamp, now)
            return 0
        if leg.secured is not None:
            opened = leg.secured.unprotect(bytes(room[:size]))
            if opened is None:
                leg.malformed += 1
                return 0
            size = len(opened)
            room[:size] = opened
        if leg.source.locked != sender:
            _, _, sequence, _, ssrc = _FIRST_WORDS.unpack_from(room)
            if not leg.source.judge(sender, ssrc, sequence, leg.secured is not None):
                leg.strangers += 1
                return 0
            leg.to = sender
        if leg.secured is None and not leg.settings.rtcp_mux:
            leg.usual = whence
        return size

    def _report(self, now: float) -> None:
        """RTCP out when it is due, and in."""
        wall_s = time.time()
        for row, packet in self._media.reports(now, wall_s):
            self._send_report(self._open[row], packet)
        for descriptor, _ in self._report_epoll.poll(0):
            leg = self._by_report_descriptor[descriptor]
            for _ in range(REPORT_ROUNDS):
                try:
                    packet, control, _, sender = leg.sockets.rtcp.recvmsg(WIDTH, _CONTROL_OCTETS)
                except OSError:
                    break
                stamp = control[0][2] if control else b""
                self._take_report(leg, packet, sender[:2], stamp, now)

    def _take_report(
        self, leg: _Leg, packet: bytes, sender: Address, stamp: bytes, now: float,
    ) -> None:
        far_ends = leg.source.remote, _written(leg.settings.remote_rtcp)
        if all(one is None or one[0] != sender[0] for one in far_ends):
            leg.strangers += 1
            return
        opened = packet if leg.secured is None else leg.secured.unprotect_rtcp(packet)
        if opened is None:
            leg.malformed += 1
        else:
            wall_s, waited_s = time.time(), 0.0
            if len(stamp) == _TIME.size:
                seconds, nanoseconds = _TIME.unpack(stamp)
                waited_s = max(0.0, wall_s - seconds - nanoseconds * 1e-9)
            self._media.receive_rtcp(leg.row, opened, wall_s - waited_s, now - waited_s)

    def _send_report(self, leg: _Leg, packet: bytes) -> None:
        remote = leg.source.remote
        if remote is None:
            return
        told = leg.settings.remote_rtcp
        if leg.settings.rtcp_mux:
            told = remote
        elif told is None or leg.source.locked not in (None, leg.source.told):
            told = remote[0], remote[1] + 1 & 0xFFFF
        if leg.secured is not None:
            packet = leg.secured.protect_rtcp(packet)
        try:
            (leg.sockets.rtp if leg.settings.rtcp_mux else leg.sockets.rtcp).sendto(packet, told)
        except OSError:
            leg.unsent += 1


def _secured(settings: LegSettings) -> Secured | None:
    return Secured(settings.send_key, settings.receive_key) if settings.send_key else None


def _written(told: Address | None) -> Address | None:
    """An address as the kernel writes it: IPv6 has more than one way."""
    return told and (str(ip_address(told[0])), told[1])


def _shown(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
