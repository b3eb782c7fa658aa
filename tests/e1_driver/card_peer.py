"""Two line cards in one program, their lines joined: a pseudo-terminal each, spoken to by firmware/wire.py.

`python -m tests.e1_driver.card_peer PATH_A PATH_B` links the two devices to these paths and says "ready".
They do what no good card does. Commands come on standard input, each is answered with "done": `noise CARD N`
octets of rubbish, `lose CARD N` blocks that the host does not get, `deaf CARD N` SETs that the card does not
get, `mute CARD`. `--version 0` is a card that does not speak ours, `--old` one that knows nothing of line
interfaces. The clock waits half a second for a late
host, so that a busy machine spoils no test. When standard input ends so does it: both are unplugged.
"""

import argparse
import os
import selectors
import sys
import time
import tty
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from firmware import wire

BLOCK_S = 0.01
PATIENCE_S = 0.5
STATUS_BLOCKS = 10
PREFILL_BLOCKS = 1
ROOM_BLOCKS = 10
IDLE = b"\xff" * 80 + (b"\xd5" * 80) * 15 + b"\xff" * 80 + (b"\xd5" * 80) * 15
FRAMING = b"\x9b\xdf" * 40


@dataclass
class Card:
    """One card with one span."""

    name: bytes
    version: int
    old: bool
    fd: int = -1
    greeted: bool = False
    running: bool = False
    muted: bool = False
    loop: str = "none"
    clock: int = 0
    answers: int = 0
    lose: int = 0
    deaf: int = 0
    slips: int = 0
    to_line: deque[bytes] = field(default_factory=deque)
    heard: bool = False                           # the host has written a block

    def __post_init__(self) -> None:
        self.fd, device = os.openpty()
        tty.setraw(device)
        self.path = os.ttyname(device)
        os.close(device)                          # now a host that closes is seen
        os.set_blocking(self.fd, False)
        self.writer, self.reader = wire.Writer(), wire.Reader(self.take)
        self.sequences = {wire.TDM: 0, wire.STATUS: 0, wire.HELLO_ANSWER: 0}
        self.unsent = b""

    def rest(self) -> None:
        self.greeted = self.running = self.heard = False
        self.loop, self.unsent, self.answers = "none", b"", 0
        self.to_line.clear()

    def hear(self) -> None:
        try:
            self.reader.feed(os.read(self.fd, 65_536))
        except BlockingIOError:
            pass
        except OSError:                           # nobody has the device open
            self.rest()

    def take(self, kind: int, span: int, sequence: int, body: memoryview) -> None:
        if kind == wire.HELLO:
            self.rest()
            self.greeted = True
            self.say(wire.HELLO_ANSWER, wire.pack_hello_answer(self.version, 1, self.name.decode()))
        elif kind == wire.SET and self.deaf:
            self.deaf -= 1
        elif kind == wire.SET:
            self.loop, self.clock, self.answers = wire.LOOPS[body[0]], body[1], sequence
        elif kind == wire.RUN:
            self.running = bool(body[0])
            self.to_line.extend([IDLE] * PREFILL_BLOCKS)
        elif kind == wire.TDM:
            self.heard = True
            if len(self.to_line) < ROOM_BLOCKS:
                self.to_line.append(bytes(body))
            else:
                self.slips += 1

    def say(self, kind: int, body: bytes) -> None:
        if self.muted:
            return
        packet = self.writer.pack(kind, 0, self.sequences[kind], body)
        self.sequences[kind] += 1
        if kind == wire.TDM and self.lose:
            self.lose -= 1
            return
        if len(self.unsent) < 1 << 18:
            self.unsent += packet
        self.flush()

    def flush(self) -> None:
        try:
            self.unsent = self.unsent[os.write(self.fd, self.unsent):]
        except OSError:
            return

    def waits(self) -> bool:
        """The line would have to fill in for a host that answers."""
        return self.running and self.heard and not self.to_line and self.loop == "none"

    def pull(self) -> bytes:
        self.slips += self.waits()
        return self.to_line.popleft() if self.to_line else IDLE

    def status(self, far: "Card") -> bytes:
        alarms = (not far.running) << wire.ALARMS.index("los")
        loop = wire.LOOPS.index(self.loop)
        status = wire.pack_status(self.answers, alarms, loop, self.clock, 1, 0, 0, 0, 0, self.slips)
        return status if self.old else status + wire.pack_liu(-3, 0, 31, 0)


def tick(cards: tuple[Card, Card]) -> None:
    sent = [FRAMING + card.pull()[80:] for card in cards]
    lines = [sent[1 - at] if card.loop == "payload" else sent[at] for at, card in enumerate(cards)]
    for at, card in enumerate(cards):
        if card.running:
            card.say(wire.TDM, lines[1 - at])


def command(cards: tuple[Card, Card], line: str) -> None:
    name, card, *figures = line.split()
    at = cards[int(card)]
    numbers = [int(figure) for figure in figures]
    if name == "lose":
        at.lose = numbers[0]
    elif name == "deaf":
        at.deaf = numbers[0]
    elif name == "mute":
        at.muted = True
    elif name == "noise":
        at.unsent += Random(1).randbytes(numbers[0])
    print("done", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs=2, type=Path)
    parser.add_argument("--version", type=int, default=wire.VERSION)
    parser.add_argument("--old", action="store_true")
    args = parser.parse_args()
    cards = Card(b"test card A", args.version, args.old), Card(b"test card B", args.version, args.old)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    for card, path in zip(cards, args.paths, strict=True):
        path.symlink_to(card.path)
    print("ready", flush=True)
    next_tick, ticks = time.monotonic(), 0
    ticked_at = next_tick
    while True:
        if selector.select(0.001):
            line = sys.stdin.readline()
            if not line:
                return
            command(cards, line)
        for card in cards:
            card.hear()
            card.flush()
        if time.monotonic() < next_tick:
            continue
        if any(card.waits() for card in cards) and time.monotonic() < ticked_at + PATIENCE_S:
            next_tick = time.monotonic()
            continue
        ticked_at = time.monotonic()
        tick(cards)
        next_tick += BLOCK_S
        ticks += 1
        if ticks % STATUS_BLOCKS == 0:
            for card, far in (cards, cards[::-1]):
                if card.greeted:
                    card.say(wire.STATUS, card.status(far))


if __name__ == "__main__":
    main()
