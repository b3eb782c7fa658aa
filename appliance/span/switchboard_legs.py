"""Legs by name and by port, with all that was wished for each. A wish may come before its leg is bound."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from appliance.bus.client import Refused
from appliance.media.plan import Sound

MAX_UNBOUND = 1000                                # legs that have wishes and were not bound yet
MAX_NAME = 64                                     # characters

Mode = Literal["listen", "whisper", "barge"]


@dataclass(slots=True)
class Player:
    """`row` of the graph; what its end is told by is `tag`."""

    row: int
    tag: int
    sound: Sound


@dataclass(slots=True)
class Play:
    name: str
    sound: Sound
    wrong: str                                    # fragments that could not be played
    player: Player | None = None                  # None: the leg is not bound


@dataclass(slots=True)
class Sending:
    """Digits on their way to the leg."""

    order: str
    player: Player
    in_band: bool                                 # otherwise the player only tells when it is over


@dataclass(slots=True, eq=False)
class Conference:
    name: str
    number: int                                   # of the graph
    seats: dict[str, "Leg"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bridged:
    peer: "Leg"


@dataclass(frozen=True, slots=True)
class Seated:
    conference: Conference
    gain_db: float
    speaks: bool
    hears: bool


@dataclass(frozen=True, slots=True)
class Supervising:
    agent: "Leg"
    mode: Mode


@dataclass(frozen=True, slots=True)
class Settings:
    received_db: float = 0.0
    sent_db: float = 0.0
    agc: bool = False
    echo: bool = False
    mask_digits: bool = False
    kinds: frozenset[str] = frozenset()           # listened for beside DTMF


@dataclass(slots=True, eq=False)
class Leg:
    name: str
    port: int | None = None
    link: Bridged | Seated | Supervising | None = None
    supervisors: dict[str, "Leg"] = field(default_factory=dict)
    settings: Settings = Settings()
    play: Play | None = None
    music: Player | None = None                   # stands still until the leg hears it again
    sending: Sending | None = None
    sent_order: str = ""                          # of the last digits
    mix: int | None = None                        # row of the graph, when the leg hears a mix
    tells_digits: bool = False                    # by RFC 4733: it is not listened to in-band

    @property
    def empty(self) -> bool:
        return (self.port is None and self.link is None and self.play is None and not self.supervisors
                and self.settings == Settings())

    @property
    def covered_by(self) -> int | None:
        """The row of what is played to the leg over all that it is connected with."""
        if self.sending is not None and self.sending.in_band:
            return self.sending.player.row
        return None if self.play is None or self.play.player is None else self.play.player.row


class Legs:
    """`forget` is called with a leg that waited too long to be bound."""

    def __init__(self, forget: Callable[[Leg, str], None]) -> None:
        self._forget = forget
        self.by_name: dict[str, Leg] = {}         # the unbound ones in order of their last wish
        self.by_port: dict[int, Leg] = {}

    def __iter__(self) -> Iterator[Leg]:
        return iter(self.by_name.values())

    def wish(self, name: str) -> Leg:
        """The leg of that name, which may be new. Refused: no name."""
        leg = self.by_name.pop(name, None)
        if leg is None:
            check_name("leg", name)
            self._make_room()
            leg = Leg(name)
        self.by_name[name] = leg
        return leg

    def wish_two(self, name_a: str, name_b: str) -> tuple[Leg, Leg]:
        """Both; to make room for one does not end the other. Refused: no name."""
        check_name("leg", name_a)
        check_name("leg", name_b)
        pair = self.wish(name_a), self.wish(name_b)
        self.by_name |= {leg.name: leg for leg in pair}
        return pair

    def get(self, name: str) -> Leg | None:
        return self.by_name.get(name)

    def port(self, name: str) -> int | None:
        leg = self.by_name.get(name)
        return None if leg is None else leg.port

    def bound(self, name: str) -> tuple[Leg, int]:
        """The leg and its port. Refused: it is not bound."""
        leg = self.by_name.get(name)
        if leg is None or leg.port is None:
            raise Refused(f"leg {name[:MAX_NAME]!r} has no timeslot and is no RTP leg: its call is over, "
                          "or it is to be bound first")
        return leg, leg.port

    def put(self, leg: Leg, port: int | None) -> None:
        """The leg is on that port, or on none, from now on."""
        if leg.port is not None:
            del self.by_port[leg.port]
        leg.port = port
        if port is not None:
            self.by_port[port] = leg

    def drop(self, leg: Leg) -> None:
        self.put(leg, None)
        self.by_name.pop(leg.name, None)

    def drop_empty(self, leg: Leg) -> None:
        if leg.empty:
            self.by_name.pop(leg.name, None)

    def change(self, name: str, **settings: Any) -> Leg:
        """The leg with these of its Settings changed."""
        leg = self.wish(name)
        leg.settings = replace(leg.settings, **settings)
        return leg

    def _make_room(self) -> None:
        if len(self.by_name) - len(self.by_port) >= MAX_UNBOUND:
            oldest = next(leg for leg in self if leg.port is None)
            self._forget(oldest, f"{MAX_UNBOUND} legs wait to be bound, this one waited longest")


def check_name(what: str, name: str) -> None:
    """Refused: empty, longer than MAX_NAME, or not printable."""
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise Refused(f"{what} {name[:MAX_NAME]!r}: a name has 1 to {MAX_NAME} printable characters")
