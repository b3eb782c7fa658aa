"""The box's serial number, for who has no boxd to ask: a unit of root, a verb."""

import contextlib
from pathlib import Path

import board
from appliance.box.board import chips
from appliance.box.board.identity import IdentityError, unpack
from appliance.box.board.parts import Kernel

DMI = Path("/sys/class/dmi/id/product_serial")    # of a PC; root alone reads it


def serial() -> str:
    """"": it has none that can be read."""
    with contextlib.suppress(OSError, ValueError, board.BoardError, IdentityError):
        description = board.of_this_box()
        if description is not None and (chip := description.eeprom) is not None:
            with Kernel().bus(chip.bus) as bus:
                return unpack(chips.read_eeprom(bus, chip)).serial
    with contextlib.suppress(OSError):
        return DMI.read_text(errors="replace").strip()
    return ""
