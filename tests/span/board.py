"""The switchboard with the real engine, stepped tick by tick: every timeslot says its leg's letter.

A letter is four samples of the block, its own ones, so that in any sum each voice is still to be told.
"""

import numpy as np

from appliance.bus.messages import Event
from appliance.media import g711
from appliance.media.engine import Engine, Sound, Tick
from appliance.media.g711 import Octets
from appliance.media.plan import Plan
from appliance.span.rtp import Ports, RtpOrder
from appliance.span.switchboard import Switchboard
from e1_driver import BLOCK, IDLE

REC = "0123456789abcdef" * 2
SPANS = ["telco", "pbx"]
LETTERS = "abcdefghijklmnopqrst"                  # legs from the left, sounds from the right
VOICE = 4008                                      # a value of A-law
PLACES = {                                        # leg -> span, timeslot
    letter: (SPANS[index % 2], 5 + index) for index, letter in enumerate("abcdefgh")}
PORTS = {letter: SPANS.index(span) * 32 + timeslot for letter, (span, timeslot) in PLACES.items()}


def block(letters: str) -> Octets:
    """A-law uint8[BLOCK] in which these are heard."""
    samples = np.zeros(BLOCK, np.int16)
    for letter in letters:
        samples[_slot(letter)] = VOICE
    return g711.encode(samples)


def voices(octets: Octets) -> dict[str, float]:
    """Who is heard in uint8[BLOCK], and how loud: 1.0 is as it was said."""
    samples = g711.decode(octets).astype(float)
    heard = {letter: samples[_slot(letter)].mean() / VOICE for letter in LETTERS}
    return {letter: loud for letter, loud in heard.items() if loud > 0.02}


def _slot(letter: str) -> slice:
    at = 4 * LETTERS.index(letter)
    return slice(at, at + 4)


def compile_sound(fragments: list[str], repeat: bool) -> tuple[Sound | None, str]:
    """ "prompt:xyz" is a block of each of these letters, "music:xyz" too; anything else is missing."""
    there = [one for one in fragments if one.startswith(("prompt:", "music:"))]
    wrong = "; ".join(one for one in fragments if one not in there)
    octets = [block(letter) for one in there for letter in one.partition(":")[2]]
    key = repeat, tuple(there)
    if there and key not in _SOUNDS:
        _SOUNDS[key] = Sound(np.concatenate(octets), repeat, music=there[0].startswith("music:"))
    return _SOUNDS.get(key), wrong


_SOUNDS: dict[tuple[bool, tuple[str, ...]], Sound] = {}


class Box:
    """`said` are all events, `orders` all orders to RTP legs."""

    def __init__(
        self, recordings: int = 2, left: dict[bytes, int] | None = None, rtp_legs: int = 0,
        rtp_ports: Ports | None = None,
    ) -> None:
        self.board = Switchboard(SPANS, compile_sound, recordings, left, rtp_legs, rtp_ports)
        self.engine = Engine(self.board.ports)
        self.rx = self.engine.blank()
        for letter, port in PORTS.items():
            self.rx[port] = block(letter)
        self.said: list[Event] = []
        self.orders: list[RtpOrder] = []

    def bind(self, legs: str) -> None:
        for leg in legs:
            self.board.bind(leg, *PLACES[leg])

    def tick(self) -> Tick:
        plan = self.board.take_plan(self.engine.number)
        if plan is not None:
            self.engine.change(plan)
        tick = self.engine.tick(self.rx)
        for tag in tick.ended:
            self.board.player_ended(tag)
        for kind, leg, what in tick.heard:
            self.board.heard(kind, leg, what, at=0.0)
        for level in tick.levels:
            self.board.measured(*level)
        self.said += self.board.take_events()
        self.orders += self.board.take_orders()
        return tick

    def hears(self, legs: str) -> list[str]:
        """Whom each of these hears in the next tick."""
        tick = self.tick()
        return ["".join(voices(tick.tx[PORTS[leg]])) for leg in legs]

    def settled(self, legs: str) -> list[str]:
        """The same, one tick later: what was cut has died away."""
        self.tick()
        return self.hears(legs)

    def recorded(self) -> dict[str, list[str]]:
        """Of the next tick, by id: whom the left side has, and the right one."""
        tick = self.tick()
        return _tapped(tick.recordings, tick.audio)

    def listened(self) -> dict[str, list[str]]:
        """The same of who listens."""
        tick = self.tick()
        return _tapped(tick.listeners, tick.live)


def _tapped(names: Octets, audio: Octets) -> dict[str, list[str]]:
    return {name.tobytes().hex(): ["".join(voices(side)) for side in sides]
            for name, sides in zip(names, audio, strict=True) if name.any()}


def nothing_is_left(plan: Plan, ports: int) -> bool:
    """No row of the engine is used: nobody hears, is heard, watched, tapped, measured or changed."""
    return ((plan.source == ports).all() and not plan.playing and plan.mixing is None
            and not any(tag for watch in plan.watches for tag in watch.tags)
            and all((watch.ports == ports).all() for watch in plan.watches)
            and not plan.masks.ports.size and (plan.echo == ports).all()
            and not plan.received.ports.size and not plan.sent.ports.size and (plan.agcs.ports == ports).all()
            and not plan.taps.names.any() and not plan.live.names.any() and not any(plan.meters.tags))


def silent(tick: Tick) -> bool:
    return bool((tick.tx == IDLE).all())
