"""Each part of a board by itself, through python-periphery, on devices of the kernel."""

import fcntl
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from periphery import I2C, SPI

import board
from appliance.box.board import chips
from appliance.box.board.parts import Parts
from hil_tests.qemu.peripherals.guest.simulated import Lamp, celsius, pull


@pytest.fixture
def lamps() -> Iterator[dict[str, Lamp]]:
    description = board.of_this_box()
    assert description is not None
    names = {part: getattr(description.leds, part) for part in description.leds.__struct_fields__}
    lamps = {part: Lamp(name) for part, name in names.items()}
    yield lamps
    for lamp in lamps.values():
        lamp.close()


@pytest.fixture
def parts(lamps: dict[str, Lamp]) -> Iterator[Parts]:
    description = board.of_this_box()
    assert description is not None
    parts = Parts(description)
    yield parts
    parts.close()


def test_all_parts_open_and_inputs_follow_their_pins(parts: Parts) -> None:
    assert parts.trouble == {}
    assert {name: line.read() for name, line in parts.inputs.items()} == {
        "relay": False, "button": False, "power_fail": False, "on_battery": False, "battery_low": False}
    for name, line in parts.inputs.items():
        pull(name, True)
        assert line.read(), name
        pull(name, False)
        assert not line.read(), name


def test_each_edge_is_an_event(parts: Parts) -> None:
    line = parts.inputs["button"]
    pull("button", True)
    pull("button", False)
    seen = [line.read_event(), line.read_event()]                    # they wait in the kernel, none is lost
    assert [event.edge for event in seen] == ["rising", "falling"]   # type: ignore[attr-defined]


def test_lights_reach_the_kernel(parts: Parts, lamps: dict[str, Lamp]) -> None:
    for name, light in parts.lights.items():
        light.write(True)
        assert lamps[name].brightness() == 1
        light.write(False)
        assert lamps[name].brightness() == 0


def test_the_thermometer_is_read(parts: Parts) -> None:
    for degrees in (25.5, -10.25, 80.0):
        celsius(degrees)
        (reading,) = parts.measure().readings
        assert (reading.name, reading.unit, reading.value) == ("board", "celsius", degrees)


def test_a_chip_that_is_not_there_is_an_error() -> None:
    with I2C("/dev/branchline/i2c") as bus, pytest.raises(OSError, match="No such device"):
        chips.read_celsius(bus, 0x49)


def test_the_factory_writes_the_identity_and_boxd_reads_it(parts: Parts) -> None:
    assert "never written" in parts.measure().trouble["eeprom"]

    def write(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "appliance.launch", "board", "write-eeprom",
                               "--revision", "B2", *options], capture_output=True, text=True)

    done = write("--serial", "BL-000042")
    assert done.returncode == 0, done.stderr
    measured = parts.measure()
    assert measured.trouble == {} and measured.identity is not None
    assert (measured.identity.serial, measured.identity.revision) == ("BL-000042", "B2")
    refused = write("--serial", "BL-000043")
    assert refused.returncode == os.EX_CANTCREAT and "BL-000042" in refused.stderr
    done = write("--serial", "BL-000043", "--replace")
    assert done.returncode == 0, done.stderr
    with I2C("/dev/branchline/i2c") as bus:                # a worn cell
        bus.transfer(0x50, [I2C.Message(bytes((20, 0x55)))])
        time.sleep(0.01)
    assert "checksum" in parts.measure().trouble["eeprom"]


def test_registers_of_a_chip_on_spi() -> None:
    with SPI("/dev/spidev0.0", 0, 1_000_000) as bus:
        bus.transfer([0x12, 0xA5, 0x5A])
        assert bus.transfer([0x92, 0, 0, 0]) == [0, 0xA5, 0x5A, 0]


def test_the_clock_chip_keeps_what_it_is_set_to() -> None:
    """By the kernel's device, as hwclock does: the year is QEMU's own to begin with."""
    set_time, read_time, fields = 0x4024700A, 0x80247009, struct.Struct("9i")
    with Path("/dev/rtc0").open("rb", buffering=0) as clock:
        fcntl.ioctl(clock, set_time, fields.pack(0, 30, 12, 1, 9, 2031 - 1900, 0, 0, 0))
        told = fields.unpack(fcntl.ioctl(clock, read_time, bytes(fields.size)))
    assert told[1:6] == (30, 12, 1, 9, 2031 - 1900)
