"""The guard's control port in virtual time, and any octets on it, both ways."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box.card.control import CardControl
from appliance.box.card.updating import Updating
from firmware import control, release, wire
from firmware.linecard import hal
from firmware.linecard.guard import slots
from firmware.linecard.guard.boot import Started, chosen
from firmware.linecard.guard.guard import Guard
from firmware.linecard.guard.kept import Files
from tests.firmware.parts import Flash, Pin, Retained

HELLO = bytes((control.VERSION, control.VERSION))


class Port:
    """What the host wrote, and reads."""

    def __init__(self) -> None:
        self.opened, self.to_card, self.to_host = True, b"", b""

    def is_open(self) -> bool:
        return self.opened

    def readinto(self, buffer: bytearray) -> int:
        octets, self.to_card = self.to_card[:len(buffer)], self.to_card[len(buffer):]
        buffer[:len(octets)] = octets
        return len(octets)

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        self.to_host += bytes(buffer[at:at + length])
        return length


class Hardware:
    """Of a card; `resets` is what reset() does, since nothing ends here."""

    name, serial, hardware, modulus, reset_cause = "card", "7", "simulated", 0, hal.POWER_UP
    chips: tuple[str, ...] = ("none",)
    ports: tuple[hal.Port, ...] = ()
    buses: tuple[hal.Bus, ...] = ()

    def __init__(self, folder: str) -> None:
        self.folder = folder + "/"
        self.port = Port()
        self.control: hal.Port = self.port
        self.spis: tuple[hal.Spi, ...] = ()
        self.retained: hal.Retained = Retained()
        self.slots: tuple[hal.Slot, hal.Slot] = (Flash(), Flash())
        self.pins: dict[str, Pin] = {}
        self.resets = 0

    def now_ms(self) -> int:
        raise NotImplementedError

    def wait(self) -> None:
        raise NotImplementedError

    def reference(self, source: int) -> None:
        raise NotImplementedError

    def pin(self, name: str) -> Pin:
        return self.pins.setdefault(name, Pin())

    def read(self, name: str) -> int:
        return {hal.SUPPLY: 5000, hal.LINE_SUPPLY: 3300, hal.TEMPERATURE: 3500}[name]

    def watchdog(self, timeout_ms: int) -> hal.Watchdog:
        raise NotImplementedError

    def reset(self) -> None:
        self.resets += 1


class Bench:
    def __init__(self, folder: str) -> None:
        self.hardware = Hardware(folder)
        self.guard = Guard(self.hardware, Started(), 0)
        self.now_ms = 0
        self.heard: list[tuple[int, bytes]] = []
        self._writer, self._sequence = wire.Writer(), itertools.count()
        self._reader = wire.Reader(lambda kind, span, sequence, body: self.heard.append((kind, bytes(body))))

    def say(self, kind: int, body: bytes = b"") -> list[tuple[int, bytes]]:
        """What the card says to it."""
        self.hardware.port.to_card += bytes(self._writer.pack(kind, 0, next(self._sequence), body))
        return self.run(10)

    def run(self, for_ms: int) -> list[tuple[int, bytes]]:
        self.heard.clear()
        for _ in range(for_ms):
            self.now_ms += 1
            self.guard.poll(self.now_ms)
        self._reader.feed(self.hardware.port.to_host)
        self.hardware.port.to_host = b""
        return list(self.heard)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield Bench(str(tmp_path))


def test_it_says_nothing_before_hello_and_all_after(bench: Bench) -> None:
    assert bench.say(control.LEASE, control.pack_lease(True, False, False, 20_000)) == []
    assert [kind for kind, _ in bench.say(wire.HELLO, HELLO)] == [
        wire.HELLO_ANSWER, control.CARD, control.CRASH, control.SENSORS, control.STATE]
    bench.run(500)                                # the relay's contacts have settled
    states = [body for kind, body in bench.run(3000) if kind == control.STATE]
    assert [control.read_state(body)[1] for body in states] == [1, 2, 3]
    bench.hardware.port.opened = False
    bench.run(5)
    bench.hardware.port.opened = True
    assert bench.run(2000) == []


def test_a_host_of_another_version_is_told_so(bench: Bench) -> None:
    ((kind, body),) = bench.say(wire.HELLO, bytes((control.VERSION + 1, control.VERSION + 5)))
    assert (kind, wire.read_hello_answer(body)[0]) == (wire.HELLO_ANSWER, 0)


@pytest.mark.parametrize(("kind", "body", "refusal"), [
    (control.IDENTIFY, b"\x05\0", ""), (control.IDENTIFY, b"", "a packet of 0 octets"),
    (control.CRASH_CLEAR, b"", ""), (control.LEASE, b"\x01", "a packet of 1 octets"),
    (control.UPDATE_BEGIN, b"", "a packet of 0 octets"), (control.UPDATE_BEGIN, b"\0rubbish", "no image"),
    (control.UPDATE_CHUNK, b"\0\0", "a packet of 2 octets"), (control.UPDATE_END, b"", "0 of 0 octets"),
    (control.UPDATE_ACTIVATE, b"", "nothing is staged"), (control.UPDATE_CONFIRM, b"", "")])
def test_what_is_asked_is_answered(bench: Bench, kind: int, body: bytes, refusal: str) -> None:
    bench.say(wire.HELLO, HELLO)
    (answer,) = [body for said, body in bench.say(kind, body) if said == control.ANSWER]
    asked, sequence, why = control.read_answer(answer)
    assert (asked, sequence) == (kind, 1)
    assert refusal in why and bool(refusal) == bool(why)


def test_a_reset_waits_for_its_answer_to_be_fetched(bench: Bench) -> None:
    bench.say(wire.HELLO, HELLO)
    assert any(kind == control.ANSWER for kind, _ in bench.say(control.RESET))
    bench.run(100)
    assert bench.hardware.resets == 0
    bench.run(200)
    assert bench.hardware.resets > 0


def test_an_error_of_the_program_is_on_record(bench: Bench, tmp_path: Path) -> None:
    bench.run(2500)
    try:
        raise RuntimeError("of the test")
    except RuntimeError as error:
        bench.guard.crashed(error)
    again = Guard(bench.hardware, chosen(bench.hardware), bench.now_ms)
    bench.guard = again
    said = dict(bench.say(wire.HELLO, HELLO))
    reset, uptime_s, count, words = control.read_crash(said[control.CRASH]) or (0, 0, 0, "")
    assert (control.RESETS[reset], uptime_s, count) == ("crash", 2, 1)
    assert "RuntimeError: of the test" in words
    assert control.RESETS[control.read_card(said[control.CARD])[1]] == "crash"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_update_gets_through_a_port_that_loses_packets(bench: Bench, seed: int) -> None:
    """One in ten, both ways. The card ends by a reset, on trial."""
    chance, key = Random(seed), rsa.generate_private_key(65537, 3072)
    port = bench.hardware.port
    bench.hardware.modulus = key.public_key().public_numbers().n
    bench.guard = Guard(bench.hardware, Started(), 0)
    host = CardControl(20.0, 0.0)
    updating = Updating(release.sign(bytes(20_000), "simulated", (1, 0, 0), key), False, 0.0)

    def left(octets: bytes) -> bytes:
        return b"".join(packet + b"\0" for packet in octets.split(b"\0") if packet and chance.random() > 0.1)

    while updating.state == "sending":
        bench.now_ms += 20
        bench.guard.poll(bench.now_ms)
        bench.guard.poll(bench.now_ms)
        octets, port.to_host = port.to_host, b""
        host.receive(left(octets), bench.now_ms / 1000)
        updating.drive(host, bench.now_ms / 1000)
        port.to_card += left(host.take_octets())
    assert (updating.state, updating.error, host.trouble) == ("starting", "", "")
    bench.run(300)
    assert bench.hardware.resets > 0
    assert slots.Record(Files(bench.hardware.folder)).trial == 0


def corpus() -> list[bytes]:
    """The messages of both sides, each as a packet."""
    writer = wire.Writer()
    bodies = [
        (wire.HELLO, HELLO), (control.LEASE, control.pack_lease(True, True, False, 20_000)),
        (control.IDENTIFY, b"\x05\0"), (control.UPDATE_BEGIN, b"\x01BLC1" + bytes(500)),
        (control.UPDATE_CHUNK, bytes(1028)), (control.UPDATE_END, b""), (control.CRASH_READ, b""),
        (wire.HELLO_ANSWER, wire.pack_hello_answer(1, 1, "card")),
        (control.CARD, control.pack_card(2, 0, 0, False, "simulated", "1", "1.0.0")),
        (control.STATE, control.pack_state(0, 1, 0, 0, False, 0, 0, False, 0, 0, 0)),
        (control.SENSORS, control.pack_sensors(3500, [5000, 3300])),
        (control.CRASH, control.pack_crash(2, 1, 1, "words")), (control.UPDATE, control.pack_update(1, 0, 9)),
        (control.ANSWER, control.pack_answer(control.RESET, 0, "no")), (control.LOG, b"\0line")]
    return [bytes(writer.pack(kind, 0, 0, body)) for kind, body in bodies]


def fuzz(data: bytes) -> None:
    """Any octets, and packets of any octets: both sides go on, and the card still answers HELLO."""
    with tempfile.TemporaryDirectory() as folder:
        bench, host = Bench(folder), CardControl(20.0, 0.0)
        hello = bytes(wire.Writer().pack(wire.HELLO, 0, 0, HELLO))
        made = bytes(wire.Writer().pack(data[0], 0, 0, data[1:])) if data else b""
        bench.hardware.port.to_card = hello + data + b"\0" + made
        bench.run(20)
        host.receive(corpus()[7] + data + b"\0" + made, 0.1)
        host.take_octets()
        host.take_events()
        assert bench.hardware.resets == 0
        assert any(kind == wire.HELLO_ANSWER for kind, _ in bench.say(wire.HELLO, HELLO))


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.binary(max_size=300), st.builds(
    lambda kind, body: bytes((kind,)) + body,
    st.sampled_from([*control.HOST_SAYS, *control.CARD_SAYS]), st.binary(max_size=60))))
def test_any_octets(data: bytes) -> None:
    fuzz(data)
