"""The card's hardware as the rest of the firmware sees it: `rp2.py` on a RP2350, `unix.py` on a computer.

Time is `now_ms`, a small integer that goes round at 2**30 (12 days): never compare two of them, subtract with
since_ms(). A part takes the buses and pins that it needs when it is made, allocates then and not again, and
has `poll(now_ms)`, called about once a millisecond; what may fail by what others send must not raise: what
does raise ends the program, is kept as the crash record, and the card starts again.
"""

try:
    from time import ticks_diff  # type: ignore[attr-defined]  # MicroPython's
except ImportError:
    def ticks_diff(later: int, earlier: int) -> int:
        return ((later - earlier + (1 << 29)) & ((1 << 30) - 1)) - (1 << 29)

try:
    from typing import Protocol
except ImportError:                               # MicroPython
    Protocol = object  # type: ignore[assignment]

since_ms = ticks_diff                             # since_ms(now_ms, then_ms): from then to now

BLOCK_MS = 10
ROWS, COLUMNS = 32, 80                            # a block: row = timeslot, column = frame
BLOCK_OCTETS = ROWS * COLUMNS

RETAINED_OCTETS = 28
SECTOR_OCTETS, PAGE_OCTETS = 4096, 256

# Names of pins. True is what the name says: relay energised, LED lit, button pressed, contact made.
RELAY, RELAY_SENSE, BUTTON, CONTACT, SUPPLY_GOOD = "relay", "relay-sense", "button", "contact", "supply-good"
LED = "led-{}-{}"                                 # span, colour: led-0-green, led-0-red

# Analogue inputs.
SUPPLY, TEMPERATURE = "supply", "temperature"     # millivolts; hundredths of a degree Celsius
LINE_SUPPLY = "line-supply"                       # 3.3 V of framer and line interface, millivolts

# Why the card started: what Hal.reset_cause gives.
POWER_UP, WATCHDOG, RESET = "power-up", "watchdog", "reset"

# Clock references besides a span's number.
OWN, HOLD = -1, -2                                # the card's oscillator; as the reference was when it went


def release_modulus(folder: str) -> int:
    """Of the key that signs this card's firmware: big-endian in the file release-key; 0: there is none."""
    try:
        with open(folder + "release-key", "rb") as file:
            return int.from_bytes(file.read(), "big")
    except OSError:
        return 0


class Port(Protocol):
    """One serial port to the host. Never waits."""

    def is_open(self) -> bool:
        """The host has opened it."""

    def readinto(self, buffer: bytearray) -> int:
        """How many octets came, 0: none."""

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        """How many of the `length` octets of `buffer` from `at` on were taken."""


class Spi(Protocol):
    """One chip's SPI, its select line included."""

    def transfer(self, buffer: bytearray) -> None:
        """Send the buffer and put what comes back in its place."""


class Bus(Protocol):
    """The TDM bus of a span. When poll() says so, 10 ms have passed: take() and give() once each."""

    missed: int                                   # blocks that nobody took or gave in time

    def poll(self, now_ms: int, ready: bool) -> bool:
        """`ready`: there is a block to give. (The model's line waits for it a while, a real one does not.)"""

    def take(self, out: bytearray, at: int) -> None:
        """The block that came from the line into `out` from `at` on, row by row."""

    def give(self, block: bytearray, at: int) -> None:
        """The block that goes to the line next."""


class Pin(Protocol):
    """As machine.Pin: called without an argument it tells, with one it sets."""

    def __call__(self, value: bool | None = None) -> bool: ...


class Part(Protocol):
    """What the card's loop turns."""

    def poll(self, now_ms: int) -> None: ...


class Watchdog(Protocol):
    def feed(self) -> None: ...


class Retained(Protocol):
    """RETAINED_OCTETS that a reset keeps and a power-up does not (they may be anything then)."""

    def load(self, buffer: bytearray) -> None:
        """Its first octets into all of `buffer`."""

    def store(self, buffer: bytearray) -> None: ...


class Slot(Protocol):
    """Flash for an image of the firmware."""

    octets: int                                   # how many there are, whole sectors

    def view(self) -> memoryview:
        """All of it, to read."""

    def erase(self, at: int) -> None:
        """The sector that begins there: SECTOR_OCTETS of 0xFF. The controller stands still for some 50 ms."""

    def write(self, at: int, octets: bytes) -> None:
        """To erased flash; `at` and the length whole PAGE_OCTETS."""


class Storage(Protocol):
    """What outlasts the program. It can be had without the rest: guard/boot.py starts from it."""

    folder: str                                   # where small files are kept over a restart, ends with /
    hardware: str                                 # what images of the firmware are made for, ASCII
    modulus: int                                  # of the key that signs them; 0: none was built in
    retained: Retained
    slots: tuple[Slot, Slot]

    def watchdog(self, timeout_ms: int) -> Watchdog:
        """Starts it, or another one in its place: unless it is fed the card resets, and the relay drops."""

    def reset(self) -> None:
        """Start again; does not return."""


class Hal(Storage, Protocol):
    """Everything there is. `ports`, `spis`, `buses` and `chips` have an item for each span."""

    name: str                                     # of the card, ASCII
    serial: str                                   # of this very one, ASCII
    chips: tuple[str, ...]                        # which framer, a name of firmware.linecard.framer
    ports: tuple[Port, ...]
    control: Port
    spis: tuple[Spi, ...]
    buses: tuple[Bus, ...]
    reset_cause: str

    def now_ms(self) -> int: ...

    def wait(self) -> None:
        """Until something may have happened, a millisecond at most."""

    def reference(self, source: int) -> None:
        """The bus clock follows a span's line, or OWN, or HOLD."""

    def pin(self, name: str) -> Pin: ...

    def read(self, name: str) -> int:
        """An analogue input, SUPPLY or TEMPERATURE."""
