"""The card's hardware on MicroPython's unix port. `python -m hil_tests.instruments.card` makes such cards.

Ports are pseudo-terminals whose controlling sides come as descriptors. A line is a datagram socket on which
each card sends the other a block every 10 ms, framed, as model.Chip makes it. The bench gives pins and
analogue inputs their values and is told of changes, in lines of words:

| to the card | |
|---|---|
| pin NAME 0, 1 | an input, as the names in __init__ have them |
| read NAME N | an analogue input |
| fault NAME N | of the line, as model.chip.Faults has them |
| clock ms N | the time, when the bench is the clock: it starts with clock=N |
| from the card | |
| pin NAME 0, 1 | an output changed |
| reference N | the buses go by another clock |
| clock N | this time has come, and all of the last one is done |
| reset CAUSE | it ends, and is to be started again |

Two such cards keep step: each waits for the other's block, and for a late host, a while (PATIENCE_MS), so
that a busy machine spoils no call. What a real card does at once happens here after that.
"""

import os
import select
import sys
import time

from firmware.linecard import hal, octets
from firmware.linecard.hal import (
    BLOCK_MS,
    BLOCK_OCTETS,
    LINE_SUPPLY,
    RELAY,
    RELAY_SENSE,
    RESET,
    SECTOR_OCTETS,
    SUPPLY,
    SUPPLY_GOOD,
    TEMPERATURE,
    WATCHDOG,
    release_modulus,
    since_ms,
)
from firmware.linecard.model import open_model

try:
    from firmware.linecard.model.chip import Chip
except ImportError:                               # MicroPython: annotations are not looked at
    pass

PATIENCE_MS = 500                                 # for a late host
FAR_MS = 700                                      # for the far end, which may be waiting for its host
CATCH_UP_MS = 100                                 # the line makes up for so much, as e1_driver's virtual ones

_SLOT_OCTETS = 512 * 1024
_BENCH_OCTETS = 4096
_SILENT = bytes(BLOCK_OCTETS + 1)
_ERASED = b"\xff" * SECTOR_OCTETS


class Port:
    """A pseudo-terminal's controlling side."""

    def __init__(self, descriptor: int) -> None:
        self._file = open(descriptor, "r+b")
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def is_open(self) -> bool:
        for _, events in self._poll.ipoll(0):
            return not events & select.POLLHUP
        return True

    def readinto(self, buffer: bytearray) -> int:
        try:
            return self._file.readinto(buffer) or 0
        except OSError:                           # the host closed it just now
            return 0

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        try:
            return self._file.write(buffer, at, length) or 0  # type: ignore[call-arg]  # MicroPython's
        except OSError:
            return length                         # nobody will read it


class Line:
    """What the far end's chip sends, and ours: 10 ms of it and an octet that says whether it sends at all."""

    def __init__(self, descriptor: int) -> None:
        self._in = bytearray(BLOCK_OCTETS + 1)
        self._file = open(descriptor, "r+b")
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def receive(self) -> "bytearray | None":
        """The oldest 10 ms that nobody took, empty when the line was silent. None: they are not there yet."""
        for _ in self._poll.ipoll(0):
            if self._file.readinto(self._in) == len(self._in):
                return self._in[:BLOCK_OCTETS] if self._in[BLOCK_OCTETS] else bytearray()
        return None

    def send(self, block: "bytes | bytearray | None") -> None:
        try:
            self._file.write(_SILENT if block is None else bytes(block) + b"\1")
        except OSError:                           # the far end is gone
            return


class Bus:
    """A span's TDM bus, its chip and its line, 10 ms at a time."""

    def __init__(self, chip: "Chip", line: Line, now_ms: int) -> None:
        self.missed = 0
        self._chip, self._line = chip, line
        self._due_ms = self._heard_ms = now_ms
        self._alive = False                       # there is a card at the far end, that keeps step
        self._got: bytearray | None = None
        self._given = bytearray(b"\xff" * BLOCK_OCTETS)
        self._taken = bytearray(BLOCK_OCTETS)

    def poll(self, now_ms: int, ready: bool) -> bool:
        late_ms = since_ms(now_ms, self._due_ms)
        if late_ms < 0 or (late_ms < PATIENCE_MS and not ready):
            return False
        self._listen(now_ms)
        if self._alive and self._got is None:
            return False
        self._due_ms += BLOCK_MS
        if late_ms > CATCH_UP_MS:
            self._due_ms += late_ms - CATCH_UP_MS
        self._line.send(self._chip.send(self._given))
        self._taken = self._chip.receive(self._got or None)
        self._got = None
        return True

    def take(self, out: bytearray, at: int) -> None:
        octets.copy(self._taken, 0, BLOCK_OCTETS, out, at)

    def give(self, block: bytearray, at: int) -> None:
        octets.copy(block, at, BLOCK_OCTETS, self._given, 0)

    def _listen(self, now_ms: int) -> None:
        if self._got is None:
            self._got = got = self._line.receive()
            while not self._alive and got is not None:                # sent before we began to keep step
                self._got, got = got, self._line.receive()
        if self._got is not None:
            self._alive, self._heard_ms = True, now_ms
        elif since_ms(now_ms, self._heard_ms) > FAR_MS:
            self._alive = False


class Pin:
    """An input that the bench sets, or an output that it hears of."""

    def __init__(self, name: str, bench: "Bench") -> None:
        self.on = name == SUPPLY_GOOD
        self._name, self._bench = name, bench

    def __call__(self, value: bool | None = None) -> bool:
        if value is not None and bool(value) != self.on:
            self.on = bool(value)
            self._bench.say(f"pin {self._name} {self.on:d}")
            if self._name == RELAY:               # its contacts go with it, until the bench says otherwise
                self._bench.pin(RELAY_SENSE).on = self.on
        return self.on


class Bench:
    """What the bench says, and is told."""

    def __init__(self, descriptor: int, chips: "tuple[Chip, ...]") -> None:
        self.pins: dict[str, Pin] = {}
        self.analogue = {SUPPLY: 5000, LINE_SUPPLY: 3300, TEMPERATURE: 3500}
        self.now_ms: int | None = None            # None: the machine is the clock
        self._chips = chips
        self._file = open(descriptor, "r+b")
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._buffer = bytearray(_BENCH_OCTETS)

    def pin(self, name: str) -> Pin:
        if name not in self.pins:
            self.pins[name] = Pin(name, self)
        return self.pins[name]

    def say(self, words: str) -> None:
        self._file.write(words.encode())

    def hear(self) -> None:
        for _ in self._poll.ipoll(0):
            length = self._file.readinto(self._buffer)
            if not length:                        # the bench is gone, and so are we
                sys.exit(0)
            for words in bytes(self._buffer[:length]).decode().split("\n"):
                if words:
                    self._obey(words.split())

    def _obey(self, words: "list[str]") -> None:
        what, name, value = words
        if what == "pin":
            self.pin(name).on = value == "1"
        elif what == "read":
            self.analogue[name] = int(value)
        elif what == "clock":
            self.now_ms = int(value)
            self.say("clock " + value)
        elif what == "fault":
            for chip in self._chips:
                setattr(chip.faults, name, int(value))


class Watchdog:
    """Bites when it is fed too late."""

    def __init__(self, hal: "Storage", timeout_ms: int) -> None:
        self._hal, self._timeout_ms = hal, timeout_ms
        self._fed_ms = hal.now_ms()

    def feed(self) -> None:
        now_ms = self._hal.now_ms()
        if since_ms(now_ms, self._fed_ms) > self._timeout_ms:
            self._hal.stop(WATCHDOG)
        self._fed_ms = now_ms


class Retained:
    """A file that the bench removes when it cuts the power."""

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self, buffer: bytearray) -> None:
        try:
            with open(self._path, "rb") as file:
                file.readinto(buffer)
        except OSError:
            return

    def store(self, buffer: bytearray) -> None:
        with open(self._path, "wb") as file:
            file.write(buffer)


class Slot:
    """A file as large as the flash."""

    octets = _SLOT_OCTETS

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            os.stat(path)
        except OSError:
            with open(path, "wb") as file:
                for _ in range(self.octets // SECTOR_OCTETS):
                    file.write(_ERASED)

    def view(self) -> memoryview:
        with open(self._path, "rb") as file:
            return memoryview(file.read())

    def erase(self, at: int) -> None:
        self.write(at, _ERASED)

    def write(self, at: int, octets: bytes) -> None:
        with open(self._path, "r+b") as file:
            file.seek(at)
            file.write(octets)


class Storage:
    """See Storage in __init__."""

    hardware = "simulated"

    def __init__(self, words: "list[str]") -> None:
        """`words`: name=value; hil_tests/instruments/card.py knows them."""
        self._options = dict([word.split("=", 1) for word in words])
        self.folder = self._options["folder"] + "/"
        self.modulus = release_modulus(self.folder)
        self.retained: hal.Retained = Retained(self.folder + "retained")
        self.slots: tuple[hal.Slot, hal.Slot] = (Slot(self.folder + "slot-a"), Slot(self.folder + "slot-b"))

    def now_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[return-value]  # a type of its own in the stubs

    def watchdog(self, timeout_ms: int) -> Watchdog:
        return Watchdog(self, timeout_ms)

    def reset(self) -> None:
        self.stop(RESET)

    def stop(self, cause: str) -> None:
        """The bench starts the card again, for this reason."""
        with open(int(self._options["bench"]), "wb") as bench:
            bench.write(b"reset " + cause.encode())
        sys.exit(0)


class Hal(Storage):
    """See Hal in __init__."""

    name = "Branchline E1 card, simulated"

    def __init__(self, words: "list[str]") -> None:
        super().__init__(words)
        options = self._options
        self.serial = options["serial"]
        self.reset_cause = options["cause"]
        self.chips = tuple(options["chips"].split(","))
        self.ports: tuple[hal.Port, ...] = tuple([Port(int(each)) for each in options["ports"].split(",")])
        self.control: hal.Port = Port(int(options["control"]))
        lines = [Line(int(each)) for each in options["lines"].split(",")]
        chips = tuple([open_model(name) for name in self.chips])
        self._bench = Bench(int(options["bench"]), chips)
        if "clock" in options:
            self._bench.now_ms = int(options["clock"])
        self.spis: tuple[hal.Spi, ...] = chips
        self.buses: tuple[hal.Bus, ...] = tuple(
            [Bus(chip, lines[span], self.now_ms()) for span, chip in enumerate(chips)])

    def now_ms(self) -> int:
        if self._bench.now_ms is not None:
            return self._bench.now_ms
        return super().now_ms()

    def wait(self) -> None:
        time.sleep_ms(1)
        self._bench.hear()

    def reference(self, source: int) -> None:
        self._bench.say(f"reference {source}")

    def pin(self, name: str) -> Pin:
        return self._bench.pin(name)

    def read(self, name: str) -> int:
        return self._bench.analogue[name]
