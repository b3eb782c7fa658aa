"""RTP legs' sockets: what the real-time thread reads and writes around a tick.

The asyncio side takes a pair of sockets from Ports and orders OpenLeg; the real-time thread obeys between
two ticks, calls fill() before a tick and send() after it. No descriptor needs watching: packets wait for the
tick, and the kernel notes when they came.
"""

import contextlib
import secrets
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import numpy as np

from appliance.media.g711 import Octets
from appliance.media.guarded import AWAY_TICKS, Failed
from appliance.media.rtp.legs import Legs, RtpHeard
from appliance.media.rtp.packet import WIDTH
from appliance.media.rtp.rtcp import PACKET_TYPES
from appliance.media.rtp.settings import LegFigures, LegSettings
from appliance.media.rtp.source import Address, Source
from appliance.media.tones import SAMPLE_RATE_HZ
from appliance.span.rtp_ports import Ports, Sockets
from e1_driver import BLOCK, IDLE

if TYPE_CHECKING:
    from appliance.media.rtp.srtp import Secured

__all__ = [
    "ChangeLeg", "CloseLeg", "OpenLeg", "Ports", "RtpHeard", "RtpLegs", "RtpOrder", "SendEvents", "Sockets"]

ROUNDS, MOST_PACKETS = 100, 1500                  # read in one tick of one leg, about, and of all: 2 ms
MOST_BATCHES = 8                                  # heard in one tick, of a leg one packet each
RATE, BURST_S = 250, 1.0                          # packets a second that a leg may have; at once
REPORT_ROUNDS = 4                                 # RTCP packets read of one leg in one look
LOOK_TICKS = 10                                   # between looks at RTCP, in and out
AWAY_S = AWAY_TICKS * BLOCK / SAMPLE_RATE_HZ

_TIME = struct.Struct("@qq")
_CONTROL_OCTETS = socket.CMSG_SPACE(_TIME.size)
_ENTRY = struct.Struct(f"@qq{_TIME.size}s")        # of a packet: row, octets, when it came
_FIRST_WORDS = struct.Struct(">BBHII")

Whence = tuple[str, int] | tuple[str, int, int, int]             # as recvmsg() tells: of IPv4, of IPv6


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
    secured: "Secured | None"
    paid_until: float = 0.0                       # by RATE, what came already
    strangers: int = 0
    malformed: int = 0
    refused: int = 0
    unsent: int = 0
    failures: int = 0
    away_until: float = 0.0                       # it failed: nothing is read or sent
    to: Address | None = None
    usual: object = None                          # whose packets need no look; None: every packet does


class RtpLegs:
    """All legs of the box, rows 0 to legs-1. The real-time thread's, but figures().

    A leg that fails is made anew and away for AWAY_S, which is told of it and in take_failed(); the others
    carry on.
    """

    def __init__(self, legs: int) -> None:
        self.legs = legs
        self._secured = _secured()
        self._media = Legs(legs)
        self._open: dict[int, _Leg] = {}
        self._by_descriptor: dict[int, _Leg] = {}                # of RTP's socket
        self._by_report_descriptor: dict[int, _Leg] = {}         # of RTCP's
        self._epoll, self._report_epoll = select.epoll(), select.epoll()
        self._packets = np.zeros((max(legs, 1), WIDTH), np.uint8)
        self._room = [[row.data] for row in self._packets]
        self._entries = np.zeros((max(legs, 1), _ENTRY.size // 8), np.int64)
        self._entry_octets = self._entries.data.cast("B")
        self._out = [row.data for row in self._media.senders.packets]
        self._ticks = 0
        self._away: dict[int, _Leg] = {}          # by row
        self._failed: list[Failed] = []
        self._heard: list[RtpHeard] = []

    def take_failed(self) -> list[Failed]:
        """What legs raised since the last call."""
        failed, self._failed = self._failed, []
        return failed

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
        for leg in [*self._away.values()]:
            if now >= leg.away_until:
                self._come_back(leg)
        waiting: set[int] = set()                 # descriptors; of each leg one packet
        read = batches = 0
        for _ in range(ROUNDS):
            ready = [descriptor for descriptor, _ in self._epoll.poll(0)]
            if not waiting.isdisjoint(ready):
                self._hear(len(waiting), now)
                waiting, batches = set(), batches + 1
            if not ready or read > MOST_PACKETS or batches == MOST_BATCHES:
                break
            self._read(ready, waiting, now)
            read += len(ready)
        self._hear(len(waiting), now)
        self._ticks += 1
        if self._ticks % LOOK_TICKS == 0:
            self._report(now)
        heard = self._media.fill(rx, now)
        self._put_away(now)
        heard += self._heard
        self._heard = []
        return heard

    def send(self, tx: Octets, now: float) -> None:
        """After a tick: what every leg hears, A-law uint8[legs, BLOCK]."""
        if not self._open:
            return
        for row, size in zip(*self._media.senders.take(tx), strict=True):
            leg = self._open[row]
            if leg.to is None or leg.away_until:
                continue
            packet: memoryview | bytes = self._out[row][:size]
            try:
                if leg.secured is not None:
                    packet = leg.secured.protect(bytes(packet))
                leg.socket.sendto(packet, leg.to)
            except OSError:                       # no route, no buffer: the next one may have it
                leg.unsent += 1
            except Exception as error:
                self._fails(leg, error)
        self._put_away(now)

    def figures(self, row: int) -> LegFigures:
        """From any thread. KeyError: the row is not open."""
        leg = self._open[row]
        figures = self._media.figures(row)
        return replace(
            figures, strangers=leg.strangers, malformed=figures.malformed + leg.malformed,
            refused=leg.refused, unsent=leg.unsent, failures=leg.failures,
            remote="" if leg.to is None else _shown(leg.to))

    def close(self) -> None:
        """All legs, as CloseLeg."""
        for leg in [*self._open.values()]:
            self._end(leg, time.monotonic())
        self._epoll.close()
        self._report_epoll.close()

    def _begin(self, row: int, sockets: Sockets, settings: LegSettings, now: float) -> None:
        source = Source(_written(settings.remote), settings.latch)
        leg = _Leg(row, sockets, sockets.rtp, source, settings, self._keyed(settings),
                   to=settings.remote)
        self._open[row] = self._by_descriptor[sockets.rtp.fileno()] = leg
        self._by_report_descriptor[sockets.rtcp.fileno()] = leg
        self._open_media(leg, now)
        self._watch(leg)

    def _open_media(self, leg: _Leg, now: float) -> None:
        numbers = secrets.randbits(32), secrets.randbits(15), secrets.randbits(32)
        self._media.open(leg.row, leg.settings, secrets.token_urlsafe(12), numbers, now)

    def _watch(self, leg: _Leg) -> None:
        self._epoll.register(leg.sockets.rtp.fileno(), select.EPOLLIN)
        self._report_epoll.register(leg.sockets.rtcp.fileno(), select.EPOLLIN)

    def _leave(self, leg: _Leg) -> None:
        self._epoll.unregister(leg.sockets.rtp.fileno())
        self._report_epoll.unregister(leg.sockets.rtcp.fileno())

    def _put_away(self, now: float) -> None:
        """Legs that failed, for AWAY_S. Their audio is made anew; who the far end is and the keys stay."""
        failed, self._media.failed[:] = [*self._media.failed], []
        for row, error in failed:
            leg = self._open.get(row)
            if leg is None or leg.away_until:
                continue
            leg.failures += 1
            leg.away_until, self._away[row] = now + AWAY_S, leg
            self._leave(leg)
            self._media.close(row)
            self._open_media(leg, now)
            self._failed.append(Failed(f"RTP at port {leg.sockets.port}", error))
            self._heard.append(RtpHeard(row, "rtp-trouble", f"failed, is away for {AWAY_S:g} s"))

    def _come_back(self, leg: _Leg) -> None:
        """What waits is too old to be heard."""
        with contextlib.suppress(OSError):
            for _ in range(2 * RATE):
                leg.socket.recv(1)
        leg.away_until = 0.0
        del self._away[leg.row]
        self._watch(leg)

    def _change(self, leg: _Leg, settings: LegSettings, relatch: bool) -> None:
        keys = leg.settings.send_key, leg.settings.receive_key
        if (settings.send_key, settings.receive_key) != keys:
            leg.secured = self._keyed(settings)
        leg.settings = settings
        locked = leg.source.locked
        leg.source.tell(_written(settings.remote), settings.latch, relatch)
        if locked is not None and leg.source.locked is None:
            self._media.expect_another(leg.row)
        leg.to, leg.usual = leg.source.remote, None
        self._media.change(leg.row, settings)

    def _end(self, leg: _Leg, now: float) -> None:
        self._send_report(leg, self._media.bye(leg.row, now, time.time()))
        if self._away.pop(leg.row, None) is None:
            self._leave(leg)
        del self._by_descriptor[leg.sockets.rtp.fileno()], self._open[leg.row]
        del self._by_report_descriptor[leg.sockets.rtcp.fileno()]
        self._media.close(leg.row)
        leg.sockets.close()

    def _read(self, ready: list[int], waiting: set[int], now: float) -> None:
        """One packet of each of the descriptors, behind those that wait."""
        least = now + BURST_S
        for descriptor in ready:
            leg, room = self._by_descriptor[descriptor], self._room[len(waiting)]
            try:
                size, control, _, sender = leg.socket.recvmsg_into(room, _CONTROL_OCTETS)
            except OSError:
                continue
            stamp = control[0][2] if control else _TIME.pack(*divmod(time.time_ns(), 1_000_000_000))
            if sender != leg.usual:
                try:
                    size = self._admit(leg, room[0], size, sender, stamp, now)
                except Exception as error:
                    size = self._fails(leg, error)
            if leg.paid_until > least:
                leg.refused += 1
            elif size:
                leg.paid_until = max(leg.paid_until, now) + 1 / RATE
                _ENTRY.pack_into(self._entry_octets, _ENTRY.size * len(waiting), leg.row, size, stamp)
                waiting.add(descriptor)

    def _hear(self, number: int, now: float) -> None:
        """The packets that were read."""
        if number:
            entries = self._entries[:number]
            arrived = entries[:, 2] * float(SAMPLE_RATE_HZ) + entries[:, 3] * (SAMPLE_RATE_HZ * 1e-9)
            self._media.receive(entries[:, 0], self._packets[:number], entries[:, 1], arrived, now)

    def _fails(self, leg: _Leg, error: Exception) -> int:
        """It is put away after all others had their turn."""
        self._media.failed.append((leg.row, error))
        return 0

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
            try:
                self._read_reports(leg, now)
            except Exception as error:
                self._fails(leg, error)

    def _read_reports(self, leg: _Leg, now: float) -> None:
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
        try:
            if leg.secured is not None:
                packet = leg.secured.protect_rtcp(packet)
            (leg.sockets.rtp if leg.settings.rtcp_mux else leg.sockets.rtcp).sendto(packet, told)
        except OSError:
            leg.unsent += 1
        except Exception as error:
            self._fails(leg, error)

    def _keyed(self, settings: LegSettings) -> "Secured | None":
        return self._secured(settings.send_key, settings.receive_key) if settings.send_key else None


def _secured() -> "type[Secured]":
    """Imported before any leg is opened, as a tick waits for no disk: 5 MB of boxes that have RTP legs."""
    from appliance.media.rtp.srtp import Secured

    return Secured


def _written(told: Address | None) -> Address | None:
    """An address as the kernel writes it: IPv6 has more than one way."""
    return told and (str(ip_address(told[0])), told[1])


def _shown(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
