"""What a board's EEPROM holds, its lights, its parts without a kernel; on a real one they are in QEMU."""

import asyncio
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from periphery import I2C

import board
from appliance.box.board import chips
from appliance.box.board.identity import OCTETS, Identity, IdentityError, pack, unpack
from appliance.box.board.lights import BLINK_S, Panel
from appliance.box.board.parts import Input, Kernel, Light, Parts
from appliance.box.board.tending import Tended
from appliance.bus.client import Bus
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig

IDENTITY = Identity("cm", "B2", "BL-000042", date(2026, 10, 1))


@given(st.builds(
    Identity, board=st.from_regex("[a-z][a-z0-9-]{0,15}", fullmatch=True),
    revision=st.from_regex("[A-Z0-9][A-Z0-9.-]{0,7}", fullmatch=True),
    serial=st.from_regex("[A-Z0-9][A-Z0-9-]{3,27}", fullmatch=True),
    made=st.dates(date(2000, 1, 1)).map(lambda day: day.replace(day=1))))
def test_an_identity_comes_back(identity: Identity) -> None:
    assert len(pack(identity)) == OCTETS and unpack(pack(identity)) == identity


@given(st.integers(0, OCTETS - 1), st.integers(1, 255))
def test_one_octet_that_changed_is_noticed(at: int, change: int) -> None:
    octets = bytearray(pack(IDENTITY))
    octets[at] ^= change
    with pytest.raises(IdentityError):
        unpack(bytes(octets))


@given(st.binary(max_size=2 * OCTETS))
def test_any_octets_are_refused_in_words(octets: bytes) -> None:
    with pytest.raises(IdentityError, match=r"never written|damaged"):
        unpack(octets)


def test_the_layout_is_what_boards_in_the_field_have() -> None:
    assert pack(IDENTITY).hex(" ", 4) == (
        "424c4857 010a07ea 636d0000 00000000 00000000 00000000 42320000 00000000 "
        "424c2d30 30303034 32000000 00000000 00000000 00000000 00000000 c022e236")


@pytest.mark.parametrize(("field", "value"), [
    ("serial", "bl-1"), ("serial", "A" * 29), ("serial", "A\0BC"), ("revision", ""), ("board", "CM")])
def test_an_identity_that_does_not_fit_is_refused(field: str, value: str) -> None:
    with pytest.raises(IdentityError, match=f"{field}: "):
        replace(IDENTITY, **{field: value})       # type: ignore[arg-type]


def test_lights() -> None:
    panel = Panel()
    assert panel.shows(0.0) == {"status": False, "fault": True, "identify": False}
    panel.state = "ok"
    assert panel.shows(0.0) == {"status": True, "fault": False, "identify": False} and not panel.blinks(0.0)
    panel.state = "degraded"
    assert [panel.shows(at * BLINK_S)["status"] for at in range(4)] == [True, False, True, False]
    panel.state, panel.powering_off = "unfit", True
    assert [panel.shows(at * BLINK_S)["fault"] for at in range(4)] == [True, False, True, False]
    panel.identify(2.0, 10.0)
    assert panel.identifying(11.9) and panel.blinks(11.9) and not panel.identifying(12.0)


class Chip:
    """An I2C bus with 256 octets at 0x50, and a page of 8."""

    def __init__(self) -> None:
        self.octets, self._at, self._busy = bytearray(b"\xff" * 256), 0, 0

    def transfer(self, address: int, messages: list[I2C.Message]) -> None:
        if address != 0x50 or self._busy:
            self._busy = max(0, self._busy - 1)
            raise OSError(6, "No such device or address")
        for message in messages:
            if message.read:
                message.data = self.octets[self._at:self._at + len(message.data)]
            else:
                octets = bytes(message.data)
                self._at = octets[0]
                for place, octet in enumerate(octets[1:]):
                    self.octets[self._at & ~7 | self._at + place & 7] = octet
                self._busy = 2 if len(octets) > 1 else 0


EEPROM = board.Eeprom(bus="/dev/x", address=0x50, write_ms=1)


def test_pages_are_written_one_by_one_as_the_chip_gets_ready() -> None:
    chip = Chip()
    chips.write_eeprom(chip, EEPROM, pack(IDENTITY))
    assert unpack(bytes(chip.octets[:OCTETS])) == IDENTITY
    with pytest.raises(OSError, match="No such device"):
        chips.write_eeprom(chip, msgspec.structs.replace(EEPROM, address=0x51), b"x")


class Wire:
    """A pin that a test moves: an edge makes its descriptor readable."""

    def __init__(self) -> None:
        self.fd, self._to = os.pipe()
        self.active = False

    def move(self, active: bool) -> None:
        self.active = active
        os.write(self._to, b"!")

    def read(self) -> bool:
        return self.active

    def read_event(self) -> object:
        return os.read(self.fd, 1)

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._to)


class NoKernel(Kernel):
    """Pins by their numbers; no lights, no buses."""

    def __init__(self) -> None:
        self.wires: dict[str | int, Wire] = {}

    def input(self, pin: board.Pin) -> Input:
        if pin.line == 99:
            raise LookupError("no such line")
        return self.wires.setdefault(pin.line, Wire())

    def light(self, name: str) -> Light:
        raise OSError(2, "No such file or directory", name)

    def bus(self, device: str) -> I2C:
        raise OSError(2, "No such file or directory", device)


def pin(line: int) -> board.Pin:
    return board.Pin(chip="/dev/gpio", line=line)


def test_what_a_board_lacks_is_a_trouble_and_the_rest_works(tmp_path: Path) -> None:
    (tmp_path / "temp1").write_text("48500\n")
    def sensor(file: str, optional: bool = False) -> board.Sensor:
        return board.Sensor(file=file, optional=optional, warm_celsius=60, hot_celsius=75)

    described = board.Board(
        id="cm", name="x", arch="arm64", eeprom=EEPROM, leds=board.Leds(fault="red"),
        inputs=board.Inputs(relay=pin(1), on_battery=pin(99)),
        fan=board.Fan(file=str(tmp_path / "fan*"), least_rpm=600),
        sensors={"here": sensor(str(tmp_path / "temp*")), "optional": sensor("/sys/none*", optional=True),
                 "gone": sensor("/sys/none*")})
    parts = Parts(described, NoKernel())
    assert set(parts.inputs) == {"relay"} and set(parts.trouble) == {"on_battery", "fault"}
    figures = parts.measure()
    assert [(one.name, one.value) for one in figures.readings] == [("here", 48.5)]
    assert set(figures.trouble) == {"temperature gone", "fan", "eeprom"}
    assert figures.trouble["fan"].endswith("fan*: no such file")
    (tmp_path / "fan1").write_text("1200\n")
    assert figures != parts.measure() and parts.measure().readings[-1].low == 600
    parts.close()


class Dead:
    """A light or a line whose expander does not answer any more."""

    fd = 0                                        # never watched

    def write(self, brightness: bool | int) -> None:
        raise OSError(121, "Remote I/O error")

    def read(self) -> bool:
        raise OSError(121, "Remote I/O error")

    read_event = read

    def close(self) -> None:
        pass


class DeadKernel(NoKernel):
    def input(self, pin: board.Pin) -> Input:
        return Dead() if pin.line == 7 else super().input(pin)

    def light(self, name: str) -> Light:
        return Dead()


async def test_what_fails_later_is_a_trouble_and_the_box_goes_on(bus_server: Path, tmp_path: Path) -> None:
    described = board.Board(id="cm", name="x", arch="arm64", leds=board.Leds(fault="red"),
                            inputs=board.Inputs(relay=pin(1), on_battery=pin(7), power_fail=pin(2)))
    kernel = DeadKernel()
    config = Config(spans=[SpanConfig(name="one", url="virtual:x/a", side="user", trunk="telco")])
    bus = await Bus.connect(bus_server, "boxd")
    context = Context("boxd", config, tmp_path, bus_server, bus, asyncio.Event())
    tended = Tended(context, Parts(described, kernel))
    running = asyncio.create_task(tended.run(context.stop))
    while "fault" not in tended.hardware().trouble:
        await asyncio.sleep(0)
        assert not running.done(), "a light must not end boxd"
    kernel.wires[2].read = Dead().read            # type: ignore[method-assign]
    kernel.wires[2].move(True)
    while "power_fail" not in tended.hardware().trouble:
        await asyncio.sleep(0)
        assert not running.done(), "nor an input"
    assert set(tended.hardware().trouble) == {"fault", "on_battery", "power_fail"}
    assert tended.hardware().inputs == {"relay": False}
    context.stop.set()
    await running
    await bus.close()
