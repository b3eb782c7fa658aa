"""What the card runs, chosen by guard/boot.py: its parts, made of the hardware that there is."""

import sys

from firmware.linecard.card import Card
from firmware.linecard.clock import Clock
from firmware.linecard.framer import open_framer
from firmware.linecard.guard.guard import Guard
from firmware.linecard.guard.watchdog import TIMEOUT_MS, Watchdog
from firmware.linecard.span import Span

try:
    from firmware.linecard.guard.boot import Started
    from firmware.linecard.hal import Hal, Part
except ImportError:                               # MicroPython: annotations are not looked at
    pass


def main(words: "list[str]", started: "Started") -> None:
    """Does not return. `words`: what the unix port is started with; `started`: which firmware this is."""
    if sys.platform == "rp2":
        from firmware.linecard.hal.rp2 import Hal as Hardware
    else:
        from firmware.linecard.hal.unix import Hal as Hardware
    hal = Hardware(words)
    guard = Guard(hal, started, hal.now_ms())     # first of all: it puts the relay where it was
    try:
        run(hal, guard)
    except Exception as error:
        guard.crashed(error)
        hal.reset()


def run(hal: "Hal", guard: Guard) -> None:
    framers = [open_framer(chip, hal.spis[span]) for span, chip in enumerate(hal.chips)]
    clock = Clock(framers, hal.reference)
    now_ms = hal.now_ms()
    spans = [Span(number, len(framers), hal.name, hal.ports[number], hal.buses[number], framer, clock, now_ms)
             for number, framer in enumerate(framers)]
    guard.watch(spans)
    parts: list[Part] = list(spans)               # what the line needs goes first
    parts.extend((clock, guard, Watchdog(hal.watchdog(TIMEOUT_MS), now_ms)))
    card = Card(parts)
    while True:
        card.turn(hal.now_ms())
        hal.wait()
