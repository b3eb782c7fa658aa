"""A span of the firmware between a bus and a host in memory; runs on MicroPython.

Arguments: blocks, seed. Both ways so many blocks, all different, are carried and compared; then the same
again under a locked heap, where whoever allocates is a MemoryError, and timed. Prints the CPU seconds that
it took and how much the heap grew.
"""

import gc
import sys
import time

import micropython

from firmware import wire
from firmware.linecard import octets
from firmware.linecard.card import Card
from firmware.linecard.clock import Clock
from firmware.linecard.framer import CHIPS, open_framer
from firmware.linecard.span import Span

DIFFERENT = 24


class Bus:
    """Frame by frame, as DMA leaves it."""

    def __init__(self, blocks: "list[bytearray]") -> None:
        self.missed = 0
        self.given = [bytearray(wire.TDM_OCTETS) for _ in blocks]
        self.due = False
        self._blocks = blocks
        self._at = -1

    def poll(self, now_ms: int, ready: bool) -> bool:
        due, self.due = self.due, False
        if due:
            self._at = (self._at + 1) % len(self._blocks)
        return due

    def take(self, out: bytearray, at: int) -> None:
        octets.rows(self._blocks[self._at], 0, out, at)

    def give(self, block: bytearray, at: int) -> None:
        octets.frames(block, at, self.given[self._at], 0)


class Port:
    """The host's side: `say` is what it sends next, `out` what it was sent."""

    def __init__(self) -> None:
        self.say: bytearray | None = None
        self.out = bytearray(4 * wire.TDM_OCTETS)
        self.length = 0

    def is_open(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        if self.say is None:
            return 0
        length = octets.copy(self.say, 0, len(self.say), buffer, 0)
        self.say = None
        return length

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        self.length = octets.copy(buffer, at, length, self.out, self.length)
        return length


def noise(seed: int) -> bytearray:
    """A block, by its number one of noise, of noise without or with many zeros, or of one octet."""
    out = bytearray(wire.TDM_OCTETS)
    kind, number = seed % 4, seed
    for at in range(len(out)):
        number = (number * 1103515245 + 12345) & 0x7FFFFFFF
        octet = number >> 16 & 0xFF
        out[at] = (octet, octet | 1, octet if at % 3 else 0, seed // 4 % 3 * 127)[kind]
    return out


class Bench:
    def __init__(self, seed: int) -> None:
        self.bus = Bus([noise(seed + number) for number in range(DIFFERENT)])
        self.port = Port()
        framer = open_framer(CHIPS[0], self)
        clock = Clock([framer], self.refer)
        self.span = Span(0, 1, "bench", self.port, self.bus, framer, clock, 0)
        self.card = Card((self.span, clock))
        writer = wire.Writer()
        self.rows = [noise(1000 + seed + number) for number in range(DIFFERENT)]
        self.packets = [bytearray(writer.pack(wire.TDM, 0, number, block))
                        for number, block in enumerate(self.rows)]
        for kind, body in ((wire.HELLO, b"\x01\x01"), (wire.SET, b"\0\0\x02"), (wire.RUN, b"\x01")):
            self.port.say = bytearray(writer.pack(kind, 0, 0, body))
            self.card.turn(0)

    def transfer(self, buffer: bytearray) -> None:
        """No chip answers."""

    def refer(self, source: int) -> None:
        """No clock either."""

    def turn(self, number: int) -> None:
        """10 ms: the host's block, then a block of the bus, each way."""
        self.port.length = 0
        self.port.say = self.packets[number % DIFFERENT]
        self.bus.due = True
        self.card.turn(10 * (number + 1))

    def check(self) -> None:
        """Each block arrives at the other side as it was."""
        came = []
        reader = wire.Reader(
            lambda kind, span, sequence, body: came.append(bytes(body)) if kind == wire.TDM else None)
        line, block = bytearray(wire.TDM_OCTETS), bytearray(wire.TDM_OCTETS)
        for number in range(DIFFERENT):
            self.turn(number)
            reader.feed(bytes(self.port.out[:self.port.length]))
            octets.rows(self.bus._blocks[number], 0, line, 0)
            octets.rows(self.bus.given[number], 0, block, 0)
            assert came == [line], number
            assert block == self.rows[number], number
            came.clear()
        assert self.span.tdm.slips == 0


def main(blocks: int, seed: int) -> None:
    bench = Bench(seed)
    bench.check()
    gc.collect()
    gc.disable()
    began = time.clock()  # type: ignore[attr-defined]  # of the unix port, CPU seconds
    before = gc.mem_alloc()
    micropython.heap_lock()
    for number in range(DIFFERENT, DIFFERENT + blocks):
        bench.turn(number)
    micropython.heap_unlock()
    grown = gc.mem_alloc() - before
    took_s = time.clock() - began  # type: ignore[attr-defined]
    assert bench.span.tdm.slips == 0
    print(took_s, grown)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
