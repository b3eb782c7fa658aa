"""Which datagrams are looked at at all: by their length, their sender and their first fields. Pure.

pysnmp keeps something of every SNMPv3 message that names an engine, and decodes all of a message before it
looks who asks: what nobody here may say never comes so far.
Ref: RFC 3412 6, RFC 3414 2.4 and 3.2 (3), RFC 3416 3, RFC 3417 3 (BER).
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from appliance.config.snmp import SnmpConfig

MOST_OCTETS = 2048                                # of a message to us: 100 names and more
V2C, V3 = 1, 3                                    # msgVersion
_INTEGER, _STRING, _SEQUENCE, _RESPONSE = 0x02, 0x04, 0x30, 0xA2

Host = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(frozen=True, slots=True)
class Head:
    """How a message begins."""

    version: int
    community: bytes = b""                        # of SNMPv2c
    pdu: int = 0                                  # likewise: its tag; 0: there is none
    engine: bytes = b""                           # of SNMPv3: msgAuthoritativeEngineID
    message_id: bytes = b""                       # likewise: msgID as it is written


def head(datagram: bytes) -> Head | None:
    """None: it is no message of SNMPv2c or SNMPv3."""
    try:
        whole, _ = _element(datagram, _SEQUENCE)
        version, rest = _element(whole, _INTEGER)
        if version == bytes((V2C,)):
            community, rest = _element(rest, _STRING)
            return Head(V2C, community=community, pdu=rest[0] if rest else 0)
        if version == bytes((V3,)):
            data, rest = _element(rest, _SEQUENCE)
            message_id, _ = _element(data, _INTEGER)
            parameters, _ = _element(_element(rest, _STRING)[0], _SEQUENCE)
            return Head(V3, engine=_element(parameters, _STRING)[0], message_id=message_id)
    except ValueError:
        pass
    return None


def probe(message_id: bytes) -> bytes:
    """A request with this msgID of somebody who knows no engine: its answer names ours (RFC 3414 4)."""
    nothing = _written(_STRING)
    zero = _written(_INTEGER, b"\0")
    data = _written(_SEQUENCE, _written(_INTEGER, message_id), _written(_INTEGER, b"\x00\xff\xe3"),
                    _written(_STRING, b"\x04"), _written(_INTEGER, b"\x03"))
    parameters = _written(_STRING, _written(_SEQUENCE, nothing, zero, zero, nothing, nothing, nothing))
    get = _written(0xA0, zero, zero, zero, _written(_SEQUENCE))
    return _written(_SEQUENCE, _written(_INTEGER, bytes((V3,))), data, parameters,
                    _written(_SEQUENCE, nothing, nothing, get))


class Requests:
    """At the port where the box is asked. `communities`: what they are, by name; `engine`: our id."""

    def __init__(self, config: SnmpConfig, communities: Mapping[str, str], engine: bytes) -> None:
        self._sources = _networks(config.sources)
        self._communities = [(communities[one.name].encode(), _networks(one.sources))
                             for one in config.communities]
        self._users, self._engine = bool(config.users), engine

    def lets_in(self, datagram: bytes, host: Host) -> bytes | None:
        """What there is to answer; None: nobody is answered."""
        if len(datagram) > MOST_OCTETS or (self._sources and not _within(host, self._sources)):
            return None
        found = head(datagram)
        if found is None:
            return None
        if found.version == V2C:
            known = any([hmac.compare_digest(found.community, one) and _within(host, networks)
                         for one, networks in self._communities])
            return datagram if known else None
        if not self._users or len(found.message_id) > 4:
            return None
        return datagram if found.engine in (b"", self._engine) else probe(found.message_id)


class Replies:
    """At the socket from which notifications go: what their targets say. `targets`: host, community.

    They answer in their own engine's name: what is in ours, or in nobody's, asks us, which is not done here.
    """

    def __init__(self, targets: Iterable[tuple[str, str]], engine: bytes) -> None:
        self._engine = engine
        self._targets: dict[Host, set[bytes]] = {}
        for host, community in targets:
            known = self._targets.setdefault(plain(host), set())
            if community:
                known.add(community.encode())

    def lets_in(self, datagram: bytes, host: Host) -> bytes | None:
        """As of Requests."""
        known, found = self._targets.get(host), head(datagram)
        if known is None or found is None or len(datagram) > MOST_OCTETS:
            return None
        if found.version == V2C:
            return datagram if found.pdu == _RESPONSE and found.community in known else None
        return None if found.engine in (b"", self._engine) else datagram


def plain(address: str) -> Host:
    """Without an interface; of an IPv4 address that is written as one of IPv6 (RFC 4291 2.5.5.2) that."""
    host = ip_address(address.partition("%")[0])
    return (host.ipv4_mapped or host) if isinstance(host, IPv6Address) else host


def _within(host: Host, networks: Networks) -> bool:
    return any(host in one for one in networks)


def _networks(texts: Iterable[str]) -> Networks:
    return [ip_network(text) for text in texts]


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """What is in it, and what is behind it. ValueError: it is another one, or cut off."""
    if len(octets) < 2 or octets[0] != tag:
        raise ValueError("another element")
    length, at = octets[1], 2
    if length & 0x80:
        at += length & 0x7F
        if not 3 <= at <= 6 or len(octets) < at:
            raise ValueError("a length without an end")
        length = int.from_bytes(octets[2:at], "big")
    if len(octets) < at + length:
        raise ValueError("cut off")
    return octets[at:at + length], octets[at + length:]


def _written(tag: int, *parts: bytes) -> bytes:
    """Of less than 128 octets."""
    octets = b"".join(parts)
    return bytes((tag, len(octets))) + octets
