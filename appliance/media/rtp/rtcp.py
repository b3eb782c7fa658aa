"""RTCP of one leg: sender and receiver reports with CNAME, BYE; what the far end's reports say.

Ref: RFC 3550 6.1 (compound packets), 6.3.1 (interval), 6.4 (reports), 6.5.1 (CNAME), 6.6 (BYE).
"""

import random
import struct
from dataclasses import dataclass

SR, RR, SDES, BYE = 200, 201, 202, 203
PACKET_TYPES = range(192, 224)                    # RFC 5761 4: what no RTP packet has in its second octet

INTERVAL_S = 5.0                                  # 6.2: the least for two members
COMPENSATION = 1.21828                            # 6.3.1: e - 3/2
NTP_EPOCH_S = 2_208_988_800                       # 1900 to 1970

_HEAD = struct.Struct(">BBH")
_BLOCK = struct.Struct(">IIIIII")
_SENDER = struct.Struct(">IIIII")
_CNAME = 1
_MOST_LOST = 0x7FFFFF


@dataclass(frozen=True, slots=True)
class Sent:
    """Of our stream. `timestamp`: RTP's, now."""

    ssrc: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Received:
    """Of the far end's stream."""

    ssrc: int
    expected: int
    lost: int
    newest: int                                   # extended sequence number
    jitter: int                                   # samples


class Reports:
    """`due_s` says when to call report(). Times are monotonic seconds but `wall_s`, which is Unix time."""

    def __init__(self, cname: str, now: float) -> None:
        self.round_trip_s: float | None = None
        self.far_jitter: int | None = None        # samples
        self.far_lost: int | None = None
        self.left = False                         # the far end said BYE
        self._cname = cname.encode()
        self._random = random.Random()
        self._expected = self._lost = self._sent = 0             # at the last report
        self._heard_ntp, self._heard_s = 0, 0.0                  # middle of the last SR's time, when it came
        self.due_s = now + self._interval() / 2                  # 6.2: half of it before the first

    def report(self, sent: Sent, received: Received | None, now: float, wall_s: float) -> bytes:
        """A compound packet; the next one is due later."""
        self.due_s = now + self._interval()
        return self._reports(sent, received, now, wall_s) + self._description(sent.ssrc)

    def bye(self, sent: Sent, received: Received | None, now: float, wall_s: float) -> bytes:
        return (self._reports(sent, received, now, wall_s) + self._description(sent.ssrc)
                + _HEAD.pack(0x81, BYE, 1) + struct.pack(">I", sent.ssrc))

    def hear(self, packet: bytes, ours: int, theirs: int, wall_s: float, now: float) -> bool:
        """Take in a compound packet about the SSRCs `ours` and `theirs`; False: it is none."""
        parts, at = [], 0
        while at < len(packet):
            if len(packet) - at < _HEAD.size:
                return False
            first, kind, words = _HEAD.unpack_from(packet, at)
            end = at + 4 * (words + 1)
            if first >> 6 != 2 or end > len(packet):
                return False
            parts.append((first & 31, kind, packet[at + _HEAD.size:end]))
            at = end
        if not parts or parts[0][1] not in (SR, RR):
            return False
        for count, kind, body in parts:
            if kind in (SR, RR):
                self._hear_report(kind, count, body, ours, theirs, wall_s, now)
            elif kind == BYE:
                self.left |= any(struct.unpack_from(">I", body, 4 * source)[0] == theirs
                                 for source in range(min(count, len(body) // 4)))
        return True

    def _hear_report(
        self, kind: int, count: int, body: bytes, ours: int, theirs: int, wall_s: float, now: float,
    ) -> None:
        at = 4 + (_SENDER.size if kind == SR else 0)
        if len(body) < at + count * _BLOCK.size:
            return
        if kind == SR and struct.unpack_from(">I", body)[0] == theirs:
            seconds, fraction = struct.unpack_from(">II", body, 4)
            self._heard_ntp, self._heard_s = (seconds << 16 | fraction >> 16) & 0xFFFFFFFF, now
        for block in range(count):
            ssrc, lost, _, jitter, last, delay = _BLOCK.unpack_from(body, at + block * _BLOCK.size)
            if ssrc == ours:
                lost &= 0xFFFFFF
                self.far_lost = lost - (1 << 24) if lost > _MOST_LOST else lost
                self.far_jitter = jitter
                if last:
                    trip = _middle(wall_s) - last - delay & 0xFFFFFFFF
                    if trip < 1 << 31:            # less than none: clocks of a broken far end
                        self.round_trip_s = trip / 65536

    def _reports(self, sent: Sent, received: Received | None, now: float, wall_s: float) -> bytes:
        blocks = b"" if received is None else self._block(received, now)
        count = 0x80 | bool(blocks)
        if sent.packets == self._sent:            # 6.4: nothing was sent meanwhile
            body = struct.pack(">I", sent.ssrc) + blocks
            return _HEAD.pack(count, RR, len(body) // 4) + body
        self._sent = sent.packets
        seconds = wall_s + NTP_EPOCH_S
        body = struct.pack(">I", sent.ssrc) + _SENDER.pack(
            int(seconds) & 0xFFFFFFFF, int(seconds % 1 * (1 << 32)), sent.timestamp,
            sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF) + blocks
        return _HEAD.pack(count, SR, len(body) // 4) + body

    def _block(self, received: Received, now: float) -> bytes:
        expected, lost = received.expected - self._expected, received.lost - self._lost
        self._expected, self._lost = received.expected, received.lost
        share = lost * 256 // expected if expected > 0 and lost > 0 else 0
        delay = int((now - self._heard_s) * 65536) & 0xFFFFFFFF if self._heard_ntp else 0
        return _BLOCK.pack(
            received.ssrc, min(share, 255) << 24 | min(received.lost, _MOST_LOST),
            received.newest & 0xFFFFFFFF, received.jitter & 0xFFFFFFFF, self._heard_ntp, delay)

    def _description(self, ssrc: int) -> bytes:
        chunk = struct.pack(">IBB", ssrc, _CNAME, len(self._cname)) + self._cname
        chunk += bytes(4 - len(chunk) % 4)        # ends with at least one zero
        return _HEAD.pack(0x81, SDES, len(chunk) // 4) + chunk

    def _interval(self) -> float:
        return INTERVAL_S * (0.5 + self._random.random()) / COMPENSATION


def _middle(wall_s: float) -> int:
    """The middle 32 bits of an NTP time."""
    return int((wall_s + NTP_EPOCH_S) * 65536) & 0xFFFFFFFF
