"""What the URL of an emulated circuit says. Opens nothing.

    satop:HOST:PORT?...     RFC 4553: the whole line bit by bit
    cesop:HOST:PORT?...     RFC 5086, basic NxDS0: timeslots

HOST is an IPv4 address or an IPv6 address in brackets. Options:

    port=N            our UDP port; the peer's PORT when left out
    listen=ADDRESS    our address; any when left out
    frames=8          E1 frames in a packet, 8 for each ms. cesop with up to 4 timeslots: 32, with one: 64
    jitter_ms=20      what the jitter buffer holds at most; half of it is the delay that it adds
    clock=line        line: blocks come at the far end's rate, recovered from its packets; own: at this box's
    rtp=off           on: an RTP header, with payload_type=96 and ssrc=NUMBER (chosen at random when left out)
    timeslots=1-31    cesop: which the circuit has, such as 1-15,16; without 16 there is no D-channel
    crc4=auto         satop: on, off or auto (see crc4.Crc4)
"""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e1_driver import BLOCK, BLOCK_S, TIMESLOTS, Clock
from e1_driver.framing.timeslot_0 import Crc4
from e1_driver.url import split_options

Address = tuple[Any, ...]                         # as the socket module has them: host, port, and two of IPv6

CONTROL_WORD_OCTETS = 4
RTP_OCTETS = 12
DYNAMIC_PAYLOAD_TYPES = range(96, 128)            # RFC 3551 3
DATAGRAM_OCTETS = {2: 1472, 4: 1452}              # of an Ethernet frame, by the length of the socket address
FRAMES_PER_S = round(BLOCK / BLOCK_S)

_FRAMES, _JITTER_MS = range(8, 81, 8), range(5, 501)          # a packet is whole ms: RFC 5086 5
_PORTS = range(1, 65536)
_COMMON = {"port": "", "listen": "", "frames": "", "jitter_ms": "20", "clock": "line", "rtp": "off",
           "payload_type": "96", "ssrc": ""}


@dataclass(frozen=True, slots=True)
class Form:
    """What both ends of a circuit have agreed on. `structured`: M means something (CESoPSN); else ignored."""

    payload_octets: int
    structured: bool = False
    rtp: bool = False
    payload_type: int = DYNAMIC_PAYLOAD_TYPES.start
    ssrc: int = 0

    @property
    def header_octets(self) -> int:
        return CONTROL_WORD_OCTETS + self.rtp * RTP_OCTETS

    @property
    def packet_octets(self) -> int:
        return self.header_octets + self.payload_octets


@dataclass(frozen=True, slots=True)
class Circuit:
    """`timeslots` are those of the packets, SAToP's all 32. `bound_frames`: of the jitter buffer."""

    url: str
    peer: Address
    local: Address
    timeslots: tuple[int, ...]
    frames: int
    bound_frames: int
    clock: Clock
    crc4: Crc4
    form: Form


def satop_circuit(rest: str) -> Circuit:
    """ValueError naming the part of the URL that is wrong and what is allowed."""
    url = f"satop:{rest}"
    place, options = split_options(url, rest, {**_COMMON, "crc4": Crc4.AUTO})
    return _circuit(url, place, options, tuple(range(TIMESLOTS)))


def cesop_circuit(rest: str) -> Circuit:
    """ValueError naming the part of the URL that is wrong and what is allowed."""
    url = f"cesop:{rest}"
    place, options = split_options(url, rest, {**_COMMON, "timeslots": "1-31"})
    return _circuit(url, place, options, _timeslots(url, options["timeslots"]))


def _circuit(url: str, place: str, options: Mapping[str, str], timeslots: tuple[int, ...]) -> Circuit:
    peer, local = _addresses(url, place, options)
    default = 64 if len(timeslots) == 1 else 32 if len(timeslots) < 5 else 8      # RFC 5086: what all have
    frames = _number(url, "frames", options["frames"] or str(default), _FRAMES)
    form = _form(url, options, frames, len(timeslots))
    if form.packet_octets > DATAGRAM_OCTETS[len(peer)]:
        fits = (DATAGRAM_OCTETS[len(peer)] - form.header_octets) // len(timeslots) // 8 * 8
        raise ValueError(f"{url}: frames: a packet of {form.packet_octets} octets does not fit an Ethernet "
                         f"frame, at most {fits} frames do")
    jitter_ms = _number(url, "jitter_ms", options["jitter_ms"], _JITTER_MS)
    clock = Clock(_one_of(url, "clock", options["clock"], tuple(Clock)))
    crc4 = Crc4(_one_of(url, "crc4", options.get("crc4", Crc4.OFF), tuple(Crc4)))
    return Circuit(url, peer, local, timeslots, frames, jitter_ms * FRAMES_PER_S // 1000, clock, crc4, form)


def resolve(host: str, port: int) -> Address:
    """Of an IPv4 or IPv6 address as text; LookupError when it is none. No names: they would be a wait."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        raise LookupError(f"{host!r} is no IP address") from None
    address: Address = found[0][4]
    return address


def _addresses(url: str, place: str, options: Mapping[str, str]) -> tuple[Address, Address]:
    host, _, port = place.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        peer = resolve(host[1:-1] if bracketed else host, _number(url, "PORT after HOST", port, _PORTS))
    except LookupError as error:
        raise ValueError(f"{url}: HOST: {error}, write 192.0.2.7:2142 or [2001:db8::7]:2142") from None
    if bracketed != (len(peer) > 2):
        raise ValueError(f"{url}: HOST: brackets are for IPv6 addresses, and these need them")
    local_port = _number(url, "port", options["port"] or port, _PORTS)
    if not options["listen"]:
        return peer, ("", local_port)
    try:
        local = resolve(options["listen"], local_port)
    except LookupError as error:
        raise ValueError(f"{url}: listen: {error}") from None
    if len(local) != len(peer):
        raise ValueError(f"{url}: listen: HOST and listen are both IPv4 or both IPv6")
    return peer, local


def _form(url: str, options: Mapping[str, str], frames: int, width: int) -> Form:
    rtp = _one_of(url, "rtp", options["rtp"], ("on", "off")) == "on"
    if options["ssrc"] and not rtp:
        raise ValueError(f"{url}: ssrc: only with rtp=on")
    ssrc = options["ssrc"] or str(secrets.randbits(32))
    return Form(frames * width, width < TIMESLOTS, rtp,
                _number(url, "payload_type", options["payload_type"], DYNAMIC_PAYLOAD_TYPES),
                _number(url, "ssrc", ssrc, range(1 << 32)))


def _number(url: str, name: str, text: str, allowed: range) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) in allowed):
        kind = "number" if allowed.step == 1 else f"multiple of {allowed.step}"
        raise ValueError(f"{url}: {name}: {text!r} is no {kind} from {allowed[0]} to {allowed[-1]}")
    return int(text)


def _one_of(url: str, name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise ValueError(f"{url}: {name}: {text!r}, write {' or '.join(allowed)}")
    return text


def _timeslots(url: str, text: str) -> tuple[int, ...]:
    timeslots: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = _number(url, "timeslots", first, range(1, TIMESLOTS))
        high = _number(url, "timeslots", last, range(1, TIMESLOTS)) if dash else low
        timeslots += range(low, high + 1)
        if high < low:
            raise ValueError(f"{url}: timeslots: {part!r} goes backwards")
    if timeslots != sorted(set(timeslots)):
        raise ValueError(f"{url}: timeslots: {text!r}: each once, in ascending order, such as 1-15,16")
    return tuple(timeslots)
