"""Line cards without hardware: their firmware on MicroPython's unix port, their chips as models.

`python -m hil_tests.instruments.card PATH_A PATH_B` joins the lines of two cards, whose ports are then at
PATH_A and PATH_B, with .control behind it the control port; until Ctrl-C. A card that is killed is gone from
its paths as an unplugged one is.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from hil_tests.instruments.line import InstrumentError

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = Path(sys.executable).with_name("micropython")
CHIP = "falc56"
HARDWARE = "simulated"                            # what images of the firmware are made for
START_S = 20.0
CLOCK_MS = 100                                    # a step of advance()
AGAIN_S = 0.2
HEAP = "8M"


class Card:
    """One card with one span, its ports at PATH and PATH.control, its flash in a folder. Context manager.

    It starts again by itself when it resets, and only then. `pins` and `reference` are what it last said.
    """

    def __init__(self, path: Path, folder: Path, line: socket.socket, chip: str = CHIP,
                 clock_ms: int | None = None) -> None:
        """`line`: one end of a datagram pair, kept by the caller. `clock_ms`: time goes by advance() only."""
        self.path, self.control = path, path.with_name(f"{path.name}.control")
        self.pins: dict[str, bool] = {}
        self.reference: int | None = None
        self.resets: list[str] = []
        self._folder, self._line, self._chip = folder, line, chip
        self._clock_ms = self._reached_ms = clock_ms
        self._process: subprocess.Popen[bytes] | None = None
        self._bench: socket.socket | None = None
        self._changed = threading.Condition()
        folder.mkdir(parents=True, exist_ok=True)
        self.plug_in()

    def __enter__(self) -> "Card":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.kill()

    def plug_in(self, cause: str = "power-up") -> None:
        """Start the firmware, for this reason. InstrumentError: it does not come up."""
        if cause == "power-up":
            (self._folder / "retained").unlink(missing_ok=True)
        self.reference = None
        ports = [_port(path) for path in (self.path, self.control)]
        self._bench, bench = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        bench.setblocking(False)
        self._line.setblocking(False)
        descriptors = [*ports, bench.fileno(), self._line.fileno()]
        words = [f"serial={self.path.name}", f"cause={cause}", f"chips={self._chip}",
                 f"folder={self._folder}", f"ports={ports[0]}", f"control={ports[1]}",
                 f"bench={bench.fileno()}", f"lines={self._line.fileno()}"]
        if self._clock_ms is not None:
            words.append(f"clock={self._clock_ms}")
        self._process = subprocess.Popen(
            [INTERPRETER, "-X", f"heapsize={HEAP}", "-m", "firmware.linecard.guard.boot", *words],
            cwd=ROOT, pass_fds=descriptors, stdin=subprocess.DEVNULL,
            start_new_session=True)               # Ctrl-C is for whoever made it
        for port in ports:
            os.close(port)                        # the device lives as long as the card does
        bench.close()
        threading.Thread(target=self._hear, args=(self._bench,), daemon=True).start()
        with self._changed:
            if not self._changed.wait_for(lambda: self.reference is not None, START_S):
                raise InstrumentError(f"the line card at {self.path} does not start")

    def kill(self) -> None:
        """As when it is unplugged: no farewell to anybody."""
        if self._process and self._bench:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._bench.close()
            self._process = self._bench = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pin(self, name: str, on: bool) -> None:
        """An input of the card's, as firmware/linecard/hal names it."""
        self._say(f"pin {name} {on:d}")

    def analogue(self, name: str, value: int) -> None:
        self._say(f"read {name} {value}")

    def fault(self, name: str, value: int) -> None:
        """Of the line, as firmware/linecard/model/chip.py names it; 0: gone."""
        self._say(f"fault {name} {value:d}")

    def cable(self, plugged: bool) -> None:
        for way in ("cut", "open"):
            self.fault(way, not plugged)

    def advance(self, ms: int) -> None:
        """Let so much time go by, at least 2 ms, in steps that the card's watchdog does not mind.

        What was due before the last two is done, and said, then. A card that resets meanwhile is there again.
        """
        if self._clock_ms is None:
            raise InstrumentError("the line card has a clock of its own")
        for step in [CLOCK_MS] * ((ms - 2) // CLOCK_MS) + [(ms - 2) % CLOCK_MS, 1, 1]:
            self._clock_ms += step
            self._reach()

    def stall(self, ms: int) -> None:
        """The program stands still for so long, then goes on, unless the watchdog has bitten."""
        if self._clock_ms is None:
            raise InstrumentError("the line card has a clock of its own")
        self._clock_ms += ms
        self._reach()

    def _reach(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with suppress(OSError):               # it resets: once more
                self._say(f"clock ms {self._clock_ms}")
            with self._changed:
                if self._changed.wait_for(lambda: self._reached_ms == self._clock_ms, AGAIN_S):
                    return
        raise InstrumentError(f"the line card at {self.path} stands still")

    def _say(self, words: str) -> None:
        if not self._bench:
            raise InstrumentError("the line card is unplugged")
        self._bench.send(f"{words}\n".encode())

    def _hear(self, bench: socket.socket) -> None:
        """A thread: what one life of the card says, and its next life when it resets."""
        cause = None
        with suppress(OSError):                   # closed: it was killed
            while words := _received(bench):
                with self._changed:
                    if words[0] == "pin":
                        self.pins[words[1]] = words[2] == "1"
                    elif words[0] == "reference":
                        self.reference = int(words[1])
                    elif words[0] == "clock":
                        self._reached_ms = int(words[1])
                    elif words[0] == "reset":
                        cause = words[1]
                        self.resets.append(cause)
                    self._changed.notify_all()
        if cause and self._process:
            self._process.wait()
            bench.close()
            self.plug_in(cause)


def _received(bench: socket.socket) -> list[str]:
    """The next words; none: it has ended."""
    try:
        return bench.recv(200).decode().split()
    except ConnectionResetError:                  # it ended without reading all; its last words come now
        return bench.recv(200).decode().split()


def _port(path: Path) -> int:
    """A pseudo-terminal at a path; its controlling side."""
    controlling, device = os.openpty()
    tty.setraw(device)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(os.ttyname(device))
    new.replace(path)
    os.close(device)                              # now a host that closes is seen
    os.set_blocking(controlling, False)
    return controlling


@contextmanager
def joined(path_a: Path, path_b: Path, chips: tuple[str, str] = (CHIP, CHIP)) -> Iterator[tuple[Card, Card]]:
    """Two cards with a cable between them."""
    with tempfile.TemporaryDirectory() as folder:
        lines = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        cards: list[Card] = []
        try:
            for path, line, chip in zip((path_a, path_b), lines, chips, strict=True):
                cards.append(Card(path, Path(folder) / path.name, line, chip))
            yield cards[0], cards[1]
        finally:
            for card in cards:
                card.kill()
            for line in lines:
                line.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Two line cards, their lines joined.")
    parser.add_argument("paths", nargs=2, type=Path)
    args = parser.parse_args()
    with joined(*args.paths), suppress(KeyboardInterrupt):
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
