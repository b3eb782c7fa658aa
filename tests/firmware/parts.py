"""Hardware of the card for tests in virtual time: pins, memory, flash. Runs on MicroPython, too."""

import sys

from firmware.linecard.guard.kept import Memory
from firmware.linecard.guard.relay import Relay
from firmware.linecard.hal import PAGE_OCTETS, SECTOR_OCTETS

ROUND_MS = 1 << (62 if sys.implementation.name == "micropython" else 30)      # of ticks_diff()


class Pin:
    """Remembers what it was set to."""

    def __init__(self, on: bool = False) -> None:
        self.on = on

    def __call__(self, value: bool | None = None) -> bool:
        if value is not None:
            self.on = bool(value)
        return self.on


class Retained:
    """A power cut is cut()."""

    def __init__(self) -> None:
        self.octets = bytearray(64)

    def cut(self) -> None:
        self.octets = bytearray(b"\xa5" * 64)     # as RAM wakes up

    def load(self, buffer: bytearray) -> None:
        buffer[:] = self.octets[:len(buffer)]

    def store(self, buffer: bytearray) -> None:
        self.octets[:len(buffer)] = buffer


class PowerCut(Exception):
    """In the middle of a write."""


class Flash:
    """A slot that is as strict as flash: only erased octets can be written. `writes` are left until a cut."""

    octets = 64 * SECTOR_OCTETS

    def __init__(self) -> None:
        self.content = bytearray(self.octets)
        self.writes: int | None = None

    def view(self) -> memoryview:
        return memoryview(bytes(self.content))

    def erase(self, at: int) -> None:
        assert at % SECTOR_OCTETS == 0
        self._spend(at, b"\xff" * SECTOR_OCTETS)

    def write(self, at: int, octets: bytes) -> None:
        assert at % PAGE_OCTETS == len(octets) % PAGE_OCTETS == 0
        assert set(self.content[at:at + len(octets)]) <= {0xFF}, "not erased"
        self._spend(at, octets)

    def _spend(self, at: int, octets: bytes) -> None:
        if self.writes is not None:
            self.writes -= 1
            if self.writes < 0:
                half = len(octets) // 2
                self.content[at:at + half] = octets[:half]
                raise PowerCut
        self.content[at:at + len(octets)] = octets


class RelayBench:
    """A relay, its card's memory, and what its coil did: (ms, energised)."""

    def __init__(self) -> None:
        self.now_ms = ROUND_MS - 30_000           # goes round soon
        self.moves: list[tuple[int, bool]] = []
        self.retained, self.coil, self.stuck = Retained(), Pin(), False
        self._coil_at: dict[str, bool] = {}
        self.operations = 0
        self.power_up()

    def power_up(self) -> None:
        self.retained.cut()
        self.coil.on = False
        self.start()

    def reset(self, for_ms: int) -> None:
        """Of the controller; the driver holds the coil."""
        self.now_ms += for_ms
        self.start()

    def start(self) -> None:
        self.relay = Relay(self._drive, self._contacts, Memory(self.retained), self._moved, self._round())
        self.relay.poll(self._round())

    def run(self, for_ms: int, step_ms: int = 50) -> None:
        until_ms = self.now_ms + for_ms
        while self.now_ms < until_ms:
            self.now_ms += min(step_ms, until_ms - self.now_ms)
            self.relay.poll(self._round())

    def _round(self) -> int:
        return self.now_ms % ROUND_MS

    def _drive(self, value: bool | None = None) -> bool:
        if value is not None and value != self.coil.on:
            self.coil.on = value
            self.moves.append((self.now_ms, value))
        return self.coil.on

    def _contacts(self, value: bool | None = None) -> bool:
        return False if self.stuck else self.coil.on

    def _moved(self) -> None:
        self.operations += 1

