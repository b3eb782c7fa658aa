"""The parts of a board, opened by the kernel's devices. What cannot be opened is a trouble, not the end."""

import glob
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from periphery import GPIO, I2C, LED

import board
from appliance.box.board import chips
from appliance.box.board.identity import Identity, IdentityError, unpack
from appliance.bus.messages import Reading

LABEL = "branchline"                              # whose the lines are, in gpioinfo

T = TypeVar("T")


class Input(Protocol):
    """One line, as python-periphery has it: true is active."""

    @property
    def fd(self) -> int: ...                      # readable: an edge was seen
    def read(self) -> bool: ...
    def read_event(self) -> object: ...
    def close(self) -> None: ...


class Light(Protocol):
    """A LED, as python-periphery has it."""

    def write(self, brightness: bool | int) -> None: ...
    def close(self) -> None: ...


class Kernel:
    """Opens devices by python-periphery. OSError: it is not there, or not ours; LookupError: no such line."""

    def input(self, pin: board.Pin) -> Input:
        return GPIO(pin.chip, pin.line, "in", edge="both", bias=pin.bias, inverted=pin.active_low,
                    label=LABEL)

    def light(self, name: str) -> Light:
        return LED(name)

    def bus(self, device: str) -> I2C:
        return I2C(device)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at one time."""

    readings: list[Reading] = field(default_factory=list)
    identity: Identity | None = None
    trouble: dict[str, str] = field(default_factory=dict)            # part -> why it could not be read


class Parts:
    """All of one board: inputs and lights are opened once, what is measured each time anew."""

    def __init__(self, description: board.Board, kernel: Kernel | None = None) -> None:
        self.description = description
        self.inputs: dict[str, Input] = {}
        self.lights: dict[str, Light] = {}
        self.trouble: dict[str, str] = {}         # part -> why it could not be opened
        self._kernel = kernel or Kernel()
        for name in description.inputs.__struct_fields__:
            if (pin := getattr(description.inputs, name)) is not None:
                self._open(self.inputs, name, self._kernel.input, pin)
        for name in description.leds.__struct_fields__:
            if led := getattr(description.leds, name):
                self._open(self.lights, name, self._kernel.light, led)

    def measure(self) -> Figures:
        """It blocks: call it from a worker thread. What cannot be read is a trouble."""
        trouble: dict[str, str] = {}
        readings = []

        def measured(name: str, measure: Callable[[], T]) -> T | None:
            try:
                return measure()
            except (OSError, ValueError, IdentityError) as error:
                trouble[name] = str(error)
                return None

        for name, sensor in self.description.sensors.items():
            if sensor.optional and sensor.file and not glob.glob(sensor.file):
                continue
            celsius = measured(f"temperature {name}", partial(self._celsius, sensor))
            if celsius is not None:
                readings.append(Reading(name=name, unit="celsius", value=celsius, low=sensor.warm_celsius,
                                        high=sensor.hot_celsius))
        if (fan := self.description.fan) is not None:
            rpm = measured("fan", partial(_number, fan.file))
            if rpm is not None:
                readings.append(Reading(name="fan", unit="rpm", value=rpm, low=fan.least_rpm))
        identity = None
        if (chip := self.description.eeprom) is not None:
            identity = measured("eeprom", partial(self._identity, chip))
        return Figures(readings, identity, trouble)

    def close(self) -> None:
        for line in self.inputs.values():
            line.close()
        for light in self.lights.values():
            light.close()

    def _celsius(self, sensor: board.Sensor) -> float:
        if sensor.bus is None or sensor.address is None:
            return _number(sensor.file or "") / 1000
        with self._kernel.bus(sensor.bus) as bus:
            return chips.read_celsius(bus, sensor.address)

    def _identity(self, chip: board.Eeprom) -> Identity:
        with self._kernel.bus(chip.bus) as bus:
            identity = unpack(chips.read_eeprom(bus, chip))
        if identity.board != self.description.id:
            raise IdentityError(f"says that the board is {identity.board!r}, the software is for "
                                f"{self.description.id!r}: write the image of that board")
        return identity

    def _open(self, parts: dict[str, T], name: str, opens: Callable[[Any], T], what: object) -> None:
        try:
            parts[name] = opens(what)
        except (OSError, LookupError) as error:
            self.trouble[name] = str(error)


def _number(pattern: str) -> float:
    """Of a file of the kernel. OSError: none matches."""
    if not (found := sorted(glob.glob(pattern))):
        raise FileNotFoundError(f"{pattern}: no such file")
    return float(Path(found[0]).read_text())
