"""Spans and network cards as IF-MIB has them.

Ref: RFC 2863; RFC 4805 2.1 for a line: type ds1(18), 2048000 bit/s, no physical address, no counters of
packets, a connector but where it is carried over a network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.box.network_cards import ETHERNET, LOOPBACK, SYS, NetworkCard, network_cards
from appliance.box.snmp.tree import (
    Oid,
    Row,
    Value,
    counter32,
    counter64,
    gauge,
    integer,
    octets,
    text,
    ticks,
    truth,
)

INTERFACES: Oid = (1, 3, 6, 1, 2, 1, 2)
EXTENDED: Oid = (1, 3, 6, 1, 2, 1, 31, 1)
IF_INDEX, IF_ADMIN, IF_OPER = ((*INTERFACES, 2, 1, column) for column in (1, 7, 8))
LINK_DOWN: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3)
LINK_UP: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 4)

UP, DOWN, TESTING, UNKNOWN = 1, 2, 3, 4
SPANS_FROM = 1001                                 # those of network cards are the kernel's, and small
_DS1, _ETHERNET, _LOOPBACK, _OTHER = 18, 6, 24, 1
_E1_BPS = 2_048_000
_ACTIVE = 1                                       # ifStackStatus
_IFF_UP, _IFF_PROMISC = 0x1, 0x100
COPPER = ("card", "dahdi", "e1d")                 # backends of a copper pair; others come over a network

_OPER = {"up": UP, "down": DOWN, "testing": TESTING, "unknown": UNKNOWN, "dormant": 5, "notpresent": 6,
         "lowerlayerdown": 7}
_TYPES = {ETHERNET: _ETHERNET, LOOPBACK: _LOOPBACK}
# Of a card's counts: column of ifTable, and of ifXTable with 64 bits. rx_packets: without those to groups,
# which the kernel counts among them.
_COUNTS = {"rx_bytes": (10, 6), "rx_packets": (11, 7), "rx_dropped": (13, None), "rx_errors": (14, None),
           "tx_bytes": (16, 10), "tx_packets": (17, 11), "tx_dropped": (19, None), "tx_errors": (20, None),
           "multicast": (None, 8)}


@dataclass(frozen=True, slots=True)
class Interface:
    """As ifTable and ifXTable show it."""

    index: int
    name: str
    description: str
    type: int
    bps: int
    admin: int
    oper: int
    changed_s: float = 0.0                        # since the agent began
    mtu: int = 0
    address: bytes = b""
    told: bool = False                            # notifications of it are sent
    connector: bool = True
    promiscuous: bool = False
    counts: dict[str, int] = field(default_factory=dict)             # of _COUNTS


def span(index: int, name: str, url: str, oper: int, changed_s: float, told: bool) -> Interface:
    return Interface(index, name, f"E1 {name}", _DS1, _E1_BPS, TESTING if oper == TESTING else UP, oper,
                     changed_s, told=told, connector=url.partition(":")[0] in COPPER)


def cards(root: Path = SYS) -> Iterator[Interface]:
    """Network cards."""
    return map(_interface, network_cards(root))


def rows(found: list[Interface]) -> Iterator[Row]:
    """ifNumber and ifTable."""
    yield (*INTERFACES, 1, 0), integer(len(found))
    for one in found:
        columns: dict[int, Value] = {
            1: integer(one.index), 2: text(one.description), 3: integer(one.type), 4: integer(one.mtu),
            5: gauge(one.bps), 6: octets(one.address), 7: integer(one.admin), 8: integer(one.oper),
            9: ticks(one.changed_s)}
        for name, value in one.counts.items():
            if (column := _COUNTS[name][0]) is not None:
                columns[column] = counter32(value)
        yield from (((*INTERFACES, 2, 1, column, one.index), value) for column, value in columns.items())


def extended_rows(found: list[Interface], changed_s: float) -> Iterator[Row]:
    """ifXTable, ifStackTable (nothing lies above or below anything) and when the list changed."""
    for one in found:
        columns: dict[int, Value] = {
            1: text(one.name), 14: integer(1 if one.told else 2), 15: gauge(round(one.bps / 1e6)),
            16: truth(one.promiscuous), 17: truth(one.connector), 18: text(""), 19: ticks(0)}
        for name, value in one.counts.items():
            if (column := _COUNTS[name][1]) is not None:
                columns[column] = counter64(value)
        yield from (((*EXTENDED, 1, 1, column, one.index), value) for column, value in columns.items())
        yield (*EXTENDED, 2, 1, 3, 0, one.index), integer(_ACTIVE)
        yield (*EXTENDED, 2, 1, 3, one.index, 0), integer(_ACTIVE)
    yield (*EXTENDED, 5, 0), ticks(changed_s)
    yield (*EXTENDED, 6, 0), ticks(changed_s)


def _interface(card: NetworkCard) -> Interface:
    kind = _TYPES.get(card.kind, _OTHER)
    mac = card.mac if kind == _ETHERNET else ""
    oper = UP if kind == _LOOPBACK and card.flags & _IFF_UP else _OPER.get(card.oper, UNKNOWN)
    counts = card.counts | {"rx_packets": max(0, card.counts["rx_packets"] - card.counts["multicast"])}
    return Interface(
        card.index, card.name, card.name, kind, card.mbps * 1_000_000, UP if card.flags & _IFF_UP else DOWN,
        oper, mtu=card.mtu, address=bytes.fromhex(mac.replace(":", "")), connector=card.device,
        promiscuous=bool(card.flags & _IFF_PROMISC), counts=counts)
