"""The other side of the simulated devices: what a person, the mains or the weather would do."""

import os
import struct
from pathlib import Path

from periphery import I2C

import board

NAME_OCTETS = 64                                  # linux/uleds.h


def pull(name: str, active: bool) -> None:
    """An input's pin to its active level, or away from it."""
    description = board.of_this_box()
    if description is None:
        raise ValueError("the guest is to be a board")
    pin: board.Pin = getattr(description.inputs, name)
    chip = Path(pin.chip).resolve().name
    lines = Path("/sys/kernel/config/gpio-sim/bench/bank0")
    (number,) = [one.name.removeprefix("line") for one in lines.glob("line*")
                 if (one / "name").read_text().strip() == pin.line]
    high = active != pin.active_low
    Path(f"/sys/devices/platform/gpio-sim.0/{chip}/sim_gpio{number}/pull").write_text(
        "pull-up" if high else "pull-down")


def celsius(degrees: float) -> None:
    """Of the board's thermometer."""
    with I2C("/dev/branchline/i2c") as bus:
        bus.transfer(0x48, [I2C.Message(b"\0" + int(degrees * 256).to_bytes(2, signed=True))])


class Lamp:
    """A LED that this process is (linux/uleds.h): it sees what brightness the kernel gives it."""

    def __init__(self, name: str) -> None:
        self._fd = os.open("/dev/uleds", os.O_RDWR | os.O_NONBLOCK)
        os.write(self._fd, struct.pack(f"{NAME_OCTETS}si", name.encode(), 1))

    def brightness(self) -> int | None:
        """As changed since the last time; None: it was not."""
        try:
            (value,) = struct.unpack("i", os.read(self._fd, 4))
        except BlockingIOError:
            return None
        return int(value)

    def close(self) -> None:
        os.close(self._fd)
