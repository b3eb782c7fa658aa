"""Network cards as the kernel tells them, below /sys/class/net, which answers from memory.

Ref: Linux, Documentation/ABI/testing/sysfs-class-net and sysfs-class-net-statistics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys/class/net")
MOST_CARDS = 64
ETHERNET, LOOPBACK = 1, 772                       # ARPHRD_* of linux/if_arp.h
COUNTS = ("rx_bytes", "rx_packets", "rx_dropped", "rx_errors", "tx_bytes", "tx_packets", "tx_dropped",
          "tx_errors", "multicast")


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """`counts`: since the card is there, by the names of COUNTS; those of groups are in rx_packets, too."""

    name: str
    index: int
    kind: int                                     # ARPHRD_*
    flags: int                                    # IFF_* of linux/if.h
    oper: str                                     # of RFC 2863 in the kernel's words, e.g. up, lowerlayerdown
    mtu: int
    mac: str
    mbps: int                                     # 0: not known, or it is down
    device: bool                                  # there is hardware behind it
    counts: dict[str, int]

    @property
    def linked(self) -> bool | None:
        """None: it cannot tell."""
        return None if self.oper == "unknown" else self.oper == "up"


def network_cards(root: Path = SYS) -> Iterator[NetworkCard]:
    """By name, the loopback among them. One that goes while it is read is left out."""
    try:
        folders = sorted(root.iterdir())[:MOST_CARDS]
    except OSError:
        return
    for folder in folders:
        try:
            yield _card(folder)
        except (OSError, ValueError):
            continue


def outside(root: Path = SYS) -> Iterator[NetworkCard]:
    """Those that lead to others."""
    return (card for card in network_cards(root) if card.kind != LOOPBACK)


def _card(folder: Path) -> NetworkCard:
    def read(name: str) -> str:
        return (folder / name).read_text(encoding="ascii").strip()

    def number(name: str) -> int:
        try:
            return int(read(name))
        except (OSError, ValueError):             # a card that is down has no speed
            return 0

    return NetworkCard(
        folder.name, int(read("ifindex")), number("type"), int(read("flags"), 16), read("operstate"),
        number("mtu"), read("address"), max(0, number("speed")), (folder / "device").exists(),
        {name: number(f"statistics/{name}") for name in COUNTS})
