"""What network cards have counted, from one round to the next: a new cable is judged by itself. Pure."""

from collections.abc import Sequence

import msgspec

from appliance.box.network_cards import NetworkCard


class Packets(msgspec.Struct, frozen=True, kw_only=True):
    """Since the kernel started, which start `boot` names; "": not known."""

    boot: str
    cards: dict[str, tuple[int, int]]             # by _key: damaged, and all with them, both ways


def counted(cards: Sequence[NetworkCard], boot: str) -> Packets:
    """To be held against the next time."""
    found = {}
    for card in cards:
        wrong = card.counts["rx_errors"] + card.counts["tx_errors"]
        found[_key(card)] = wrong, wrong + card.counts["rx_packets"] + card.counts["tx_packets"]
    return Packets(boot=boot, cards=found)


def damaged(card: NetworkCard, now: Packets, before: Packets | None) -> float:
    """The share of its packets since `before`. A driver that was loaded again counts from nothing, as after
    a start."""
    wrong, every = now.cards[_key(card)]
    if before is not None and now.boot and before.boot == now.boot:
        had_wrong, had = before.cards.get(_key(card), (0, 0))
        if had_wrong <= wrong and had <= every:
            wrong, every = wrong - had_wrong, every - had
    return wrong / max(1, every)


def _key(card: NetworkCard) -> str:
    return f"{card.name} {card.mac}"
