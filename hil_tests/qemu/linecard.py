"""A line card at the shipped image: the real firmware outside, its ports serial USB devices of the guest.

QEMU has no ACM device; its serial one is a ttyUSB with an id of its own: the board `qemu` has rules for it.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hil_tests.instruments.card import Card
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.qemu.box import Site, until
from hil_tests.qemu.calling import CONFIGURATION, SPAN, UP_S, Say, call, site
from hil_tests.qemu.following import TIMERS_MS
from hil_tests.qemu.machine import SLOW, Disk, Machine
from hil_tests.vm.debian import BenchError

HOLD_S = 20.0
EARLY_S = 5.0                                     # leases come every second, of a slow guest later
SLOWER, STEP_MS = 3, 20                           # the cards' time: a third of ours
AT_CARD = CONFIGURATION.replace(SPAN, "card:/dev/linecard-span0") + f"""\
cards:
  - {{{{name: card1, control: /dev/linecard-control, hold_s: {HOLD_S:g}}}}}
"""


class Paced(threading.Thread):
    """Two cards whose time goes slower than ours: who waits for a block goes by their clock."""

    def __init__(self, cards: Sequence[Card]) -> None:
        super().__init__(name="cards", daemon=True)
        self._cards, self._over = cards, threading.Event()
        self.at_ms = 0                            # of the cards

    def run(self) -> None:
        while not self._over.wait(STEP_MS * SLOWER / 1000):
            for card in self._cards:
                card.advance(STEP_MS)
            self.at_ms += STEP_MS

    def stop(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def paced(folder: Path) -> Iterator[tuple[Card, Card, Paced]]:
    """A far card, the box's, a cable between them, and their time."""
    lines = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with contextlib.ExitStack() as exits:
        for line in lines:
            exits.enter_context(line)
        far, card = (exits.enter_context(Card(folder / name, folder / f"{name}-flash", line, clock_ms=0))
                     for name, line in zip(("far", "card"), lines, strict=True))
        time_of = Paced((far, card))
        time_of.start()
        exits.callback(time_of.stop)
        yield far, card, time_of


def run(folder: Path, image: Path, say: Say) -> dict[str, float]:
    """A call by the card; the box dies, the relay falls; it starts, has the line again, and is called."""
    branch, disk = site(folder, AT_CARD), Disk.made(folder / "disk.qcow2", image)
    with (paced(folder) as (far, card, cards),
          SoftwareExchange(f"card:{far.path}?clock=own", "network", hunt="up", timers=TIMERS_MS) as far_end,
          Machine(folder, disk, stick=branch.stick, devices=ports(card)) as box):
        figures = serves(branch, box, far_end, card, say)
        box.kill()
        figures["fell_s"] = fell_s(card, cards)
        say(f"the box died; {figures['fell_s']:.1f} s of the card's later the relay fell")
        far_end.wait_down(UP_S * SLOW)
        box.start()
        again = serves(branch, box, far_end, card, say)
        box.power_off()
    return figures | {f"again_{name}": figure for name, figure in again.items()}


def ports(card: Card) -> Sequence[str]:
    """Devices of a machine that has this card."""
    words = ["-device", "qemu-xhci,id=cards"]
    for name, path in (("span0", card.path), ("control", card.control)):
        words += ["-chardev", f"serial,id={name},path={path}",
                  "-device", f"usb-serial,bus=cards.0,chardev={name},serial=linecard-{name}"]
    return words


def serves(branch: Site, box: Machine, far_end: SoftwareExchange, card: Card, say: Say) -> dict[str, float]:
    """The D-channel comes up, the relay goes over to the box, a call goes through."""
    far_end.wait_up(UP_S * SLOW)
    figures = {"channel_s": time.monotonic() - box.began, "channel_cpu_s": box.cpu_s()}
    until(lambda: card.pins.get("relay", False), UP_S, "the relay does not go over to the box")
    figures["relay_s"] = time.monotonic() - box.began
    say(f"D-channel up at {figures['channel_s']:.0f} s, the relay is the box's at {figures['relay_s']:.0f} s")
    branch.wait_up(box, UP_S)
    figures |= call(far_end, say)
    say(branch.branchline(box, "card"))
    return figures


def fell_s(card: Card, cards: Paced) -> float:
    """Seconds of the card's until the relay joins telco and PBX. BenchError: too early, or not at all."""
    died_ms = cards.at_ms
    until(lambda: not card.pins["relay"], HOLD_S * SLOWER * 3, "the relay does not fall")
    if (fell := (cards.at_ms - died_ms) / 1000) < HOLD_S - EARLY_S:
        raise BenchError(f"the relay fell after {fell:.1f} s, hold_s is {HOLD_S:g}")
    return fell
