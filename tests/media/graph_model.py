"""What should be heard, said simply: things by name, sums by recursion, one port at a time."""

from dataclasses import dataclass, field

import numpy as np

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.plan import Floats
from appliance.media.players import FADE
from e1_driver import BLOCK, IDLE

Ref = tuple[str, int]                             # ("port" | "sent" | "player" | "mix", number)
SILENCE = np.full(BLOCK, IDLE, np.uint8)
SLEW_DB = 1.0
SWELLING = (np.arange(FADE) + 0.5) / FADE


@dataclass
class Player:
    octets: Octets
    repeat: bool
    at: int = 0
    held: bool = False
    was_held: bool = False                        # in the last tick

    @property
    def sounds(self) -> bool:
        return self.at > 0 and (self.repeat or self.at < len(self.octets))

    def next_block(self) -> Octets:
        if self.repeat:
            return np.resize(np.roll(self.octets, -self.at), BLOCK)
        return np.concatenate([self.octets[self.at:self.at + BLOCK], SILENCE])[:BLOCK]

    def play(self) -> Octets:
        swells, self.was_held = self.was_held and self.at > 0, self.held
        if self.held:
            return SILENCE
        block = self.next_block()
        if swells:
            block = np.concatenate([octets(g711.decode(block[:FADE]) * SWELLING), block[FADE:]])
        length = len(self.octets)
        self.at = (self.at + BLOCK) % length if self.repeat else min(self.at + BLOCK, length)
        return block


@dataclass
class Mix:
    conference: int | None
    without: Ref | None
    terms: list[tuple[Ref, float]]


@dataclass
class Tap:
    sides: list[Ref | None]
    paused: bool = False


@dataclass
class Gain:
    wanted_db: float
    now_db: float = 0.0


@dataclass
class Model:
    """A change is made in its fields; tick() gives what each thing said in one tick."""

    hears: dict[int, Ref] = field(default_factory=dict)          # port -> what; missing: silence
    players: dict[int, Player] = field(default_factory=dict)
    conferences: dict[int, dict[Ref, float]] = field(default_factory=dict)       # members' gains in dB
    mixes: dict[int, Mix] = field(default_factory=dict)
    taps: dict[bytes, Tap] = field(default_factory=dict)
    gains: dict[Ref, Gain] = field(default_factory=dict)         # of ("port", n) and ("sent", n)
    blocks: dict[Ref, Octets] = field(default_factory=dict)      # of the last tick
    dying: dict[int, Floats] = field(default_factory=dict)       # port -> players that were cut there
    played: dict[int, dict[int, tuple[Player, float]]] = field(default_factory=dict)     # port -> those heard

    def forget(self, ref: Ref) -> None:
        self.hears = {port: what for port, what in self.hears.items() if what != ref}
        for members in self.conferences.values():
            members.pop(ref, None)
        for mix in self.mixes.values():
            mix.terms = [term for term in mix.terms if term[0] != ref]
            mix.without = None if mix.without == ref else mix.without
        for tap in self.taps.values():
            tap.sides = [None if side == ref else side for side in tap.sides]

    def clear(self, port: int) -> None:
        self.hears.pop(port, None)
        for ref in (("port", port), ("sent", port)):
            self.forget(ref)
            self.gains.pop(ref, None)

    def tick(self, rx: Octets) -> None:
        hearing = {port: self._players(ref) for port, ref in self.hears.items()}
        self.dying = {}
        for port, played in self.played.items():
            for number, (player, factor) in played.items():
                if player.sounds and number not in hearing.get(port, {}):
                    self.dying[port] = self.dying.get(port, 0.0) + ending(player) * factor
        self.played = hearing
        for gain in self.gains.values():
            gain.now_db += max(-SLEW_DB, min(SLEW_DB, gain.wanted_db - gain.now_db))
        self.blocks = {("port", port): self._louder(("port", port), block) for port, block in enumerate(rx)}
        self.blocks |= {("player", number): player.play() for number, player in self.players.items()}

    def said(self, ref: Ref | None) -> list[Octets]:
        """What it may have said: of a mix, sums that differ by 1 before A-law."""
        if ref is None:
            return [SILENCE]
        if ref[0] == "sent":
            return self._sent(ref[1])
        if ref[0] == "mix":
            total = np.rint(self._sum(self.mixes[ref[1]]))
            return [octets(total + off) for off in (0, -1, 1)]
        return [self.blocks[ref]]

    def _sent(self, port: int) -> list[Octets]:
        possible = self.said(self.hears.get(port))
        if port in self.dying:
            possible = [np.concatenate([octets(g711.decode(block[:FADE]) + self.dying[port]), block[FADE:]])
                        for block in possible]
        return [self._louder(("sent", port), block) for block in possible]

    def _players(self, ref: Ref) -> dict[int, tuple[Player, float]]:
        """Those that sound there, by number, and how much of each."""
        parts = self._parts(self.mixes[ref[1]]) if ref[0] == "mix" else [(ref, 0.0)]
        heard: dict[int, tuple[Player, float]] = {}
        for (kind, number), gain_db in parts:
            if kind == "player" and not self.players[number].held:
                _, before = heard.get(number, (None, 0.0))
                heard[number] = self.players[number], before + 10 ** (gain_db / 20)
        return heard

    def _louder(self, ref: Ref, block: Octets) -> Octets:
        gain_db = self.gains[ref].now_db if ref in self.gains else 0.0
        return octets(np.rint(g711.decode(block) * 10 ** (gain_db / 20)))

    def _sum(self, mix: Mix) -> Floats:
        total = np.zeros(BLOCK)
        for ref, gain_db in self._parts(mix):
            total = total + g711.decode(self.blocks[ref]) * 10 ** (gain_db / 20)
        return total

    def _parts(self, mix: Mix) -> list[tuple[Ref, float]]:
        members = list(self.conferences[mix.conference].items()) if mix.conference is not None else []
        return [part for part in members + mix.terms if part[0] != mix.without]


def octets(samples: Floats) -> Octets:
    return g711.encode(samples.clip(-32767, 32767).astype(np.int16))


def ending(player: Player) -> Floats:
    """How it dies away, in linear samples."""
    return np.trunc(g711.decode(player.next_block()[:FADE]) * SWELLING[::-1])


def agrees(got: Octets, possible: list[Octets]) -> bool:
    return bool(np.logical_or.reduce([got == one for one in possible]).all())
