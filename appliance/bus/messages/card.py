"""What boxd says and is asked of line cards: fail-to-wire relay, sensors, button, crash record, firmware.

Words in `sense`, `why`, `reset`, `troubles`, `phase` are those of the rows in firmware/control.py.
"""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request


class CardRelay(msgspec.Struct, frozen=True, kw_only=True):
    """The relay that joins the telco line to the old PBX unless it is energised."""

    energised: bool
    sense: str                                    # its contacts: joined, box, moving
    why: str
    lease_s: float                                # it stays energised without another word for so long
    operations: int                               # in its life


class CardUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """New firmware for a card, the last one that people wanted since boxd began."""

    state: Literal["sending", "starting", "trial", "done", "failed"]
    version: str
    sent_octets: int
    octets: int
    error: str = ""                               # why it failed


class CardState(Event, frozen=True):
    """Said on change and every 10 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    card: str
    device: str
    trouble: str = ""                             # why nothing is heard of it; "": it is there
    bypass: bool = False                          # people want the telco line at the PBX
    relay: CardRelay | None = None                # None, and the rest is empty: nothing was heard of it yet
    hardware: str = ""
    serial: str = ""
    version: str = ""
    slot: str = ""                                # a, b, built-in
    trial: bool = False                           # its firmware is not confirmed
    reset: str = ""                               # how it started
    resets: int = 0                               # since its last power-up
    uptime_s: int = 0
    troubles: list[str] = msgspec.field(default_factory=list)
    alarm: bool = False                           # of the dry contact
    temperature_celsius: float | None = None
    supplies_mv: dict[str, int] = msgspec.field(default_factory=dict)
    crashes: int = 0                              # that nobody has cleared
    bad_packets: int = 0
    update: CardUpdate | None = None


class CardButton(Event, frozen=True):
    """Somebody pressed the card's button. factory-reset: held, and pressed again."""

    owner: ClassVar[str] = "boxd"
    at: float
    card: str
    asked: Literal["identify", "factory-reset"]


class CardList(Reply, frozen=True):
    cards: list[CardState]


class GetCards(Request[CardList], frozen=True):
    owner: ClassVar[str] = "boxd"


class IdentifyCard(Request[Done], frozen=True):
    """Let all LEDs of a card blink for so long; 0: no more."""

    owner: ClassVar[str] = "boxd"
    card: str
    for_s: int = 60


class SetRelay(Request[Done], frozen=True):
    """`bypass`: join the telco line to the PBX at once, until told otherwise; calls on it end. Kept."""

    owner: ClassVar[str] = "boxd"
    card: str
    bypass: bool
    who: str = ""                                 # for the log


class CardCrash(Reply, frozen=True):
    """The card's last crash; `count` 0: none."""

    count: int
    reset: str = ""
    uptime_s: int = 0
    text: str = ""


class GetCardCrash(Request[CardCrash], frozen=True):
    owner: ClassVar[str] = "boxd"
    card: str


class ClearCardCrash(Request[Done], frozen=True):
    owner: ClassVar[str] = "boxd"
    card: str


class ResetCard(Request[Done], frozen=True):
    """Start the card's controller anew; its spans are away for seconds, the relay stays."""

    owner: ClassVar[str] = "boxd"
    card: str


class UpdateCard(Request[Done], frozen=True):
    """Begin to update a card's firmware; what becomes of it is in CardState. Its spans go away meanwhile."""

    owner: ClassVar[str] = "boxd"
    card: str
    image: bytes                                  # a signed one
    forced: bool = False                          # an older version, too
