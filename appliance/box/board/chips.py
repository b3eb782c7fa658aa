"""Chips of the board on an I2C bus: the EEPROM that holds its identity, thermometers like the LM75.

Ref: NXP LM75B, 7.4.3 (temperature register); Microchip 24AA025E48 and 24AA256, page write.
"""

import time
from typing import Protocol

from periphery import I2C

import board
from appliance.box.board.identity import OCTETS

WRITE_TRIES = 5                                   # of write_ms each, until the chip answers again

_TEMPERATURE = b"\x00"                            # pointer to the register
_UNITS = 256                                      # of it in a degree


class Bus(Protocol):
    """As python-periphery has it."""

    def transfer(self, address: int, messages: list[I2C.Message]) -> None: ...


def read_celsius(bus: Bus, address: int) -> float:
    """Of an LM75 or one of its kin: two octets, two's complement, the first whole degrees. OSError."""
    return int.from_bytes(_read(bus, address, _TEMPERATURE, 2), signed=True) / _UNITS


def read_eeprom(bus: Bus, chip: board.Eeprom) -> bytes:
    """What is to be an identity. OSError."""
    return _read(bus, chip.address, bytes(chip.address_octets), OCTETS)


def write_eeprom(bus: Bus, chip: board.Eeprom, octets: bytes) -> None:
    """Page by page, from its beginning on. OSError."""
    for at in range(0, len(octets), chip.page_octets):
        message = at.to_bytes(chip.address_octets) + octets[at:at + chip.page_octets]
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                bus.transfer(chip.address, [I2C.Message(message)])
                break
            except OSError:                       # it does not answer while it writes the page before
                if attempt == WRITE_TRIES:
                    raise
            time.sleep(chip.write_ms / 1000)
    time.sleep(chip.write_ms / 1000)              # the last page


def _read(bus: Bus, address: int, place: bytes, octets: int) -> bytes:
    answer = I2C.Message(bytes(octets), read=True)
    bus.transfer(address, [I2C.Message(place), answer])
    return bytes(answer.data)
