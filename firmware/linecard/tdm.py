"""A span's blocks between bus and host: what comes from the line goes on at once, the other way is stored.

The line is the clock. The host writes a block for each that it gets; one that is late leaves a gap that is
filled with idle and counted, and what it then has more in store makes the next delay harmless: so the store
is as deep as the host's worst delay so far, at most STORE_BLOCKS.
"""

from firmware import wire
from firmware.linecard.hal import COLUMNS, Bus
from firmware.linecard.packets import HEAD_OCTETS, STUFFED_OCTETS, Reader, Writer

STORE_BLOCKS = 4

_IDLE = bytearray(b"\xd5" * wire.TDM_OCTETS)      # A-law silence; timeslot 0 to the line is the framer's
for _at in range(16 * COLUMNS, 17 * COLUMNS):
    _IDLE[_at] = 0xFF                             # timeslot 16 is nobody's telephone


class Tdm:
    """`slips`: blocks filled in, thrown away or left out, both ways."""

    def __init__(self, bus: Bus, number: int) -> None:
        self.slips = 0
        self.running = False
        self.waits = True                         # the line may wait for the host, where a line can
        self._bus = bus
        self._number = number
        self._sequence = 0
        self._heard = False                       # the host has sent a block
        self._store = [bytearray(STUFFED_OCTETS) for _ in range(STORE_BLOCKS + 1)]
        self._first = self._stored = 0

    def run(self, running: bool) -> None:
        self.running = running
        self._heard = False
        self._stored = 0

    def put(self, reader: Reader) -> None:
        """The block in `reader.packet` is the line's next but those stored."""
        self._heard = True
        if self._stored == STORE_BLOCKS:          # the oldest is the one that is late
            self._first = (self._first + 1) % len(self._store)
            self._stored -= 1
            self.slips += 1
        at = (self._first + self._stored) % len(self._store)
        packet = self._store[at]
        self._store[at] = reader.packet
        reader.packet = packet
        self._stored += 1

    def turn(self, now_ms: int, writer: Writer) -> bool:
        """What the bus has carried by now. True: there was something, `writer` may have more."""
        carried = False
        while self._bus.poll(now_ms, bool(self._stored) or not (self.waits and self._heard)):
            carried = True
            if self.running:
                self._bus.take(writer.packet, HEAD_OCTETS)
                if not writer.add(wire.TDM, self._number, self._sequence, wire.TDM_OCTETS):
                    self.slips += 1
                self._sequence = self._sequence + 1 & 0xFFFF
            if self._stored:
                self._bus.give(self._store[self._first], HEAD_OCTETS)
                self._first = (self._first + 1) % len(self._store)
                self._stored -= 1
            else:
                self._bus.give(_IDLE, 0)
                self.slips += self._heard
        return carried
