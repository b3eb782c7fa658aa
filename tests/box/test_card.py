"""boxd's end of a card's control port: with the real firmware on MicroPython, both on the test's clock."""

import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from appliance.box.card.control import Pressed
from appliance.box.card.tended import TendedCard, Wellness
from appliance.box.card.updating import Updating
from appliance.bus.messages import CardUpdate
from appliance.config.schema import CardConfig
from firmware import control, image, release
from hil_tests.instruments.card import Card

HOLD_S = 20
PATIENCE_S = 20.0                                 # of this machine
STEP_MS = 500


class Bench:
    """A card, the host's end of its control port, and one clock for both. The host may die and come back."""

    def __init__(self, card: Card, name: str = "card-1", relay: str = "fit") -> None:
        self.card, self.now_ms = card, 0
        self.config = CardConfig.model_validate({"name": name, "control": str(card.control), "relay": relay})
        self.wellness, self.up, self.events = Wellness(), set[str](), list[object]()
        self.host: TendedCard | None = None
        self.port: serial.Serial | None = None
        self.start_host()

    def start_host(self, bypass: bool = False) -> TendedCard:
        self.host = TendedCard(self.config, bypass)
        self._open()
        return self.host

    def kill_host(self) -> None:
        self._close()
        self.host = None

    def run(self, for_s: float) -> None:
        """Time goes by for both; a card that resets is opened again."""
        for _ in range(round(for_s * 1000 / STEP_MS)):
            self.now_ms += STEP_MS
            resets = len(self.card.resets)
            self.card.advance(STEP_MS)
            if self.host is not None:
                self._turn()
            if len(self.card.resets) != resets:
                self._close()
        if self.host is not None:
            self._catch_up()

    @property
    def energised(self) -> bool:
        return self.card.pins.get("relay", False)

    def _turn(self) -> None:
        now = self.now_ms / 1000
        assert self.host is not None
        if self.port is None:
            self._open()
        if self.wellness.at:
            self.wellness.at = now
        for _ in range(40):                       # as long as both have something to say
            self._pump(now)
            if self.port is None or self.host.updating is None or self.host.updating.state != "sending":
                break
            self.card.advance(2)

    def _catch_up(self) -> None:
        """Until the host has heard all that the card said: the kernel brings it when it has time."""
        if self.port is None:
            self._open()
        assert self.host is not None and self.host.link is not None and self.port is not None
        answered: list[str] = []
        self.host.link.ask(control.CRASH_READ, b"", answered.append, self.now_ms / 1000)
        until = time.monotonic() + PATIENCE_S
        while not answered:
            assert time.monotonic() < until, "the card does not answer"
            select.select([self.port], [], [], 0.01)
            self.card.advance(2)
            self._pump(self.now_ms / 1000)

    def _pump(self, now: float) -> None:
        assert self.host is not None and self.port is not None
        link = self.host.link
        if link is None:
            return
        try:
            link.receive(self.port.read(65_536), now)
            self.host.tend(self.wellness, self.up, now)
            self.port.write(link.take_octets())
        except (OSError, serial.SerialException):
            link.close("gone")
        self.events += link.take_events()
        if link.trouble:
            self._close()

    def _open(self) -> None:
        assert self.host is not None
        self.port = serial.Serial(str(self.card.control), timeout=0)
        self.host.connected(self.now_ms / 1000)

    def _close(self) -> None:
        if self.port is not None:
            self.port.close()
            self.port = None
        if self.host is not None:
            self.host.lost("gone")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far, Card(tmp_path / "card", tmp_path / "flash", near, clock_ms=0) as card:
        one = Bench(card)
        one.wellness = Wellness(fit=True, well=True, at=1.0)
        yield one
        one.kill_host()


def test_the_line_is_the_boxs_while_it_is_fit(bench: Bench) -> None:
    bench.run(11)
    assert bench.energised
    assert bench.card.pins["contact"]             # made: all is well
    bench.wellness = Wellness(fit=False, well=False, at=bench.now_ms / 1000)
    bench.run(HOLD_S - 2)
    assert bench.energised
    assert not bench.card.pins["contact"]
    bench.run(3)
    assert not bench.energised


@pytest.mark.need(14)
def test_a_host_that_dies_and_comes_back_in_time_moves_nothing(bench: Bench) -> None:
    bench.run(11)
    bench.kill_host()
    bench.run(HOLD_S - 3)
    assert bench.energised
    bench.start_host()
    bench.run(30)
    assert bench.host is not None
    state = bench.host.state(0.0)
    assert state.relay is not None
    assert (state.relay.energised, state.relay.operations, state.relay.sense) == (True, 1, "box")
    bench.kill_host()
    bench.run(HOLD_S + 1)
    assert not bench.energised


def test_what_the_card_tells(bench: Bench) -> None:
    assert bench.host is not None
    bench.card.analogue("temperature", 8_700)
    bench.card.analogue("supply", 5_100)
    bench.run(6)
    bench.card.pin("button", True)
    bench.run(0.5)
    bench.card.pin("button", False)
    bench.run(11)
    bench.card.pin("relay-sense", False)          # its contacts are stuck
    bench.run(1)
    state = bench.host.state(0.0)
    assert state.temperature_celsius == 87.0
    assert state.supplies_mv == {"usb": 5100, "line": 3300}
    assert state.troubles == ["relay", "temperature"]
    assert (state.hardware, state.version, state.slot) == ("simulated", "0.0.0", "built-in")
    assert state.reset == "power-up"
    assert state.alarm
    assert Pressed("identify") in bench.events


@pytest.mark.need(14)
def test_a_program_that_stands_still_is_started_anew_and_the_relay_stays(bench: Bench) -> None:
    bench.run(11)
    assert bench.energised
    bench.card.stall(3_000)                       # the watchdog waits for 4 s
    bench.run(2)
    assert bench.card.resets == []
    bench.card.stall(5_000)
    bench.card.advance(500)
    assert bench.card.resets == ["watchdog"]
    bench.kill_host()
    host = bench.start_host()
    bench.run(5)
    state = host.state(0.0)
    assert state.relay is not None and host.link is not None and host.link.facts.crash is not None
    assert (state.relay.energised, state.relay.operations) == (True, 1)
    assert (state.reset, state.resets) == ("watchdog", 1)
    assert (host.link.facts.crash[2], host.link.facts.crash[3]) == (1, "the program stood still")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    release.new_key(path)
    return path


def build(key: Path, version: tuple[int, int, int], files: dict[str, bytes]) -> bytes:
    return release.sign(release.romfs(files), "simulated", version, release.read_key(key))


@pytest.mark.need(19)
def test_the_firmware_is_updated_by_the_firmware(bench: Bench, key: Path, tmp_path: Path) -> None:
    """A good image through a trial, with the relay still; a bad one back by itself; a foreign one refused."""
    (tmp_path / "flash" / "release-key").write_bytes(Path(f"{key}.modulus").read_bytes())
    bench.card.kill()
    bench.card.plug_in()                          # the key is built in
    bench.kill_host()
    host = bench.start_host()
    bench.run(11)
    assert bench.energised
    good = build(key, (1, 1, 0), release.compiled("simulated"))
    bench.up = {"e1"}
    host.update(good, False, bench.up, bench.now_ms / 1000)
    bench.run(5)
    assert host.updating is not None and host.updating.state in ("starting", "trial")
    bench.up = set()                              # its span does not come back yet
    bench.run(20)
    assert update_of(bench).state == "trial"
    bench.up = {"e1"}
    bench.run(2)
    assert update_of(bench).state == "done"
    state = host.state(0.0)
    assert (state.version, state.slot, state.trial, state.reset) == ("1.1.0", "a", False, "update")
    assert state.relay is not None
    assert (state.relay.energised, state.relay.operations) == (True, 1)

    other = tmp_path / "other"
    release.new_key(other)
    host.update(build(other, (1, 2, 0), {"x.mpy": b"x"}), False, (), bench.now_ms / 1000)
    bench.run(3)
    assert "signature" in update_of(bench).error
    host.update(build(key, (1, 0, 9), {"x.mpy": b"x"}), False, (), bench.now_ms / 1000)
    bench.run(3)
    assert "older" in update_of(bench).error

    dead = {**release.compiled("simulated"), "firmware/linecard/main.mpy": b"no bytecode"}
    host.update(build(key, (1, 2, 0), dead), False, (), bench.now_ms / 1000)
    bench.run(8)
    assert "went back to firmware 1.1.0" in update_of(bench).error
    assert (host.state(0.0).version, host.state(0.0).crashes) == ("1.1.0", 3)
    assert host.link is not None and host.link.facts.crash is not None
    assert "incompatible .mpy file" in host.link.facts.crash[3]
    assert bench.energised


def update_of(bench: Bench) -> CardUpdate:
    assert bench.host is not None
    update = bench.host.state(0.0).update
    assert update is not None
    return update


def test_rubbish_is_no_image() -> None:
    with pytest.raises(image.ImageError, match="no image"):
        Updating(os.urandom(5000), False, 0.0)
