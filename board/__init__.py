"""What a board is, as data: spans, serial ports, pins, sensors. A new board is a new folder here.

Beside `board/<id>/board.toml` lie the udev rules that give devices the names it uses and, where the kernel
has to be told what is wired, a device-tree overlay.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

FOLDER = Path(__file__).parent
RULES = FOLDER / "70-branchline.rules"            # udev's, for every board
ON_A_BOX = Path("/etc/branchline/board")          # holds the id of the board that this box is

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,30}$")]
Device = Annotated[str, msgspec.Meta(pattern="^/dev/[a-z0-9/_.-]+$")]
SysFile = Annotated[str, msgspec.Meta(pattern="^/sys/")]
Address = Annotated[int, msgspec.Meta(ge=0x08, le=0x77)]             # of I2C, 7 bits
Positive = Annotated[int, msgspec.Meta(gt=0)]

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<key>.*)`)?$", re.DOTALL)


class BoardError(Exception):
    """A board's description cannot be used: says which file, which key and why."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of board.toml: keys that nobody knows are errors."""


class Span(_Table, frozen=True):
    """One E1 that is on the board."""

    name: Name
    url: str                                      # as in the configuration's spans


class LineCard(_Table, frozen=True):
    """The reference card's control port; its spans have ports of their own."""

    control: Device


class Pin(_Table, frozen=True):
    """One GPIO line."""

    chip: Device
    line: str | int                               # its name, or its number on the chip
    active_low: bool = False
    bias: Literal["default", "pull_up", "pull_down"] = "default"


class Inputs(_Table, frozen=True):
    """What the board tells by a pin; each is active when its name is true."""

    relay: Pin | None = None                      # the fail-to-wire relay is energised: the line is ours
    button: Pin | None = None                     # is pressed
    power_fail: Pin | None = None                 # the supply goes: only the hold-up capacitor is left
    on_battery: Pin | None = None                 # the UPS feeds the box from its battery
    battery_low: Pin | None = None                # ... which soon is empty


class Leds(_Table, frozen=True):
    """Names below /sys/class/leds."""

    status: str = ""                              # green: well; blinking: degraded
    fault: str = ""                               # red: unfit
    identify: str = ""                            # blue: here I am


class Eeprom(_Table, frozen=True):
    """Holds the serial number and the board's id: appliance/box/board/identity.py has the layout."""

    bus: Device
    address: Address
    page_octets: Positive = 8                     # that are written at once
    write_ms: Positive = 5                        # ... within
    address_octets: Literal[1, 2] = 1             # of a place in it


class Sensor(_Table, frozen=True):
    """A temperature: of an LM75 on I2C, or of a file of the kernel in thousandths of a degree."""

    warm_celsius: float                           # worth a warning
    hot_celsius: float                            # the box is unfit
    bus: Device | None = None
    address: Address | None = None
    file: SysFile | None = None                   # below /sys; the first that matches it
    optional: bool = False                        # not every board of this kind has it

    def __post_init__(self) -> None:
        if (self.file is None) != (self.bus is not None and self.address is not None):
            raise ValueError("give bus and address, or file")
        if not self.warm_celsius < self.hot_celsius:
            raise ValueError("hot_celsius is to be above warm_celsius")


class Fan(_Table, frozen=True):
    """A fan that the kernel drives; boxd only looks whether it turns."""

    file: SysFile                                 # turns a minute; the first that matches it
    least_rpm: Positive


class Watchdog(_Table, frozen=True):
    """boxd's own. The one that watches the kernel is systemd's."""

    device: Device
    timeout_s: Positive


class Board(_Table, frozen=True, rename={"spans": "span", "sensors": "temperature"}):
    id: Name                                      # as in ON_A_BOX and in the EEPROM
    name: str
    arch: Literal["amd64", "arm64"]               # as Debian says it
    overlay: str = ""                             # device-tree source beside board.toml
    spans: tuple[Span, ...] = ()
    linecard: LineCard | None = None
    inputs: Inputs = Inputs()
    leds: Leds = Leds()
    eeprom: Eeprom | None = None
    sensors: dict[Name, Sensor] = {}
    fan: Fan | None = None
    watchdog: Watchdog | None = None

    @property
    def folder(self) -> Path:
        return FOLDER / self.id

    @property
    def rules(self) -> Path:
        """udev's, for what this board has besides; those of other boards do no harm here."""
        return self.folder / f"71-branchline-{self.id}.rules"


def known() -> list[str]:
    """Ids of the boards there are."""
    return sorted(path.parent.name for path in FOLDER.glob("*/board.toml"))


def load(board_id: str) -> Board:
    """BoardError: there is none, or a key of it is wrong."""
    if board_id not in known():
        raise BoardError(f"no board {board_id!r}, there are {', '.join(known())}")
    return read(FOLDER / board_id / "board.toml")


def read(path: Path) -> Board:
    """A description, whose folder has the name of the board. BoardError."""
    try:
        board = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Board)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: {error}") from None
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        what, key = (found["what"], found["key"]) if found else (str(error), None)
        raise BoardError(f"{path}: {key or 'top'}: {what}") from None
    if board.id != path.parent.name:
        raise BoardError(f"{path}: id: is {board.id!r} in the folder of {path.parent.name!r}")
    return board


def of_this_box(file: Path = ON_A_BOX) -> Board | None:
    """The board that we run on; None: no appliance, a laptop. BoardError."""
    try:
        board_id = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BoardError(f"{file}: {error}") from None
    try:
        return load(board_id)
    except BoardError as error:
        raise BoardError(f"{file}: {error}") from None
