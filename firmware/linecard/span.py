"""One span of the card: what the host says of it, and what it tells the host. See wire.py."""

import struct

from firmware import wire
from firmware.linecard.alarms import Alarms
from firmware.linecard.clock import Clock
from firmware.linecard.framer.framer import LOS, SA_UNKNOWN, Framer
from firmware.linecard.hal import BLOCK_MS, Bus, Port, since_ms
from firmware.linecard.packets import HEAD_OCTETS, Reader, Writer
from firmware.linecard.tdm import Tdm

STATUS_MS = 100
WAITING_PACKETS = 6                               # that the host has not taken; then blocks are left out

_NONE, _LOCAL = wire.LOOPS.index("none"), wire.LOOPS.index("local")
_LONG = wire.HAULS.index("long")
_LINE, _OWN = wire.CLOCKS.index("line"), wire.CLOCKS.index("own")
_SET_OCTETS = 6                                   # older hosts leave the second half out
_READ_OCTETS = 4096
_READS = 4                                        # in a turn


class Span:
    """A part of the card. At rest, without a host, it sends AIS: there is equipment, out of order."""

    def __init__(self, number: int, spans: int, name: str, port: Port, bus: Bus, framer: Framer,
                 clock: Clock, now_ms: int) -> None:
        """`spans` and `name` are the card's."""
        self.alarms = Alarms()
        self.framer = framer
        self.tdm = Tdm(bus, number)
        self.version = 0                          # that both speak; 0: the span is at rest
        self._number, self._spans = number, spans
        self._name = name.encode()
        self._port, self._bus, self._clock = port, bus, clock
        self._reader, self._writer = Reader(self._take), Writer(WAITING_PACKETS)
        self._read = bytearray(_READ_OCTETS)
        self._answers = 0                         # the SET in force
        self._loop = _NONE
        self._own = False                         # our clock leads
        self._code = self._haul = self._ohms = 0  # codes of wire.py, as last set, at rest too
        self._repaired = 0                        # of the framer, before HELLO
        self._framer_ms = self._status_ms = now_ms
        self._told = -1                           # what the last STATUS said, its counters aside
        self._statuses = self._hellos = 0         # sequences
        self._rest()

    def poll(self, now_ms: int) -> None:
        self._hear()
        self.tdm.turn(now_ms, self._writer)
        if since_ms(now_ms, self._framer_ms) >= BLOCK_MS:
            self._framer_ms = now_ms
            self.framer.poll(now_ms)
            self.alarms.poll(self.framer.alarms, now_ms)
        if self.version:
            self._tell(now_ms)
        writer = self._writer
        if writer.start < writer.end:
            writer.start += self._port.write(writer.out, writer.start, writer.end - writer.start)

    def _hear(self) -> None:
        for _ in range(_READS):
            if not self._port.is_open():
                if self.version:
                    self._rest()
                return
            octets = self._port.readinto(self._read)
            if not octets:
                return
            self._reader.feed(self._read, octets)

    def _rest(self) -> None:
        self.version = self._answers = 0
        self.tdm.run(False)
        self.tdm.slips = self._bus.missed = 0
        self._reader.clear()
        self._writer.clear()
        self.framer.clear_counters()
        self._repaired = self.framer.restarts + self.framer.repairs
        self.framer.set_ais(True)
        self._apply(_NONE, self._own, wire.CRC4.index("auto"))

    def _apply(self, loop: int, own: bool, crc4: int) -> None:
        self._loop, self._own = loop, own
        self._clock.follow(self._number, not own)
        self.framer.configure(crc4, own, self._code, self._haul == _LONG, wire.OHMS[self._ohms])
        self.framer.set_loop(loop)
        self.tdm.waits = loop in (_NONE, _LOCAL)

    def _take(self, kind: int, span: int, sequence: int, length: int) -> None:
        """A packet of the host's. What we do not know is a later version's."""
        body = self._reader.packet
        at = HEAD_OCTETS
        if kind == wire.HELLO and length >= 2:
            self._rest()
            self._greet(body[at], body[at + 1], span)
        elif not self.version or span != self._number:
            return
        elif kind == wire.TDM and length == wire.TDM_OCTETS and self.tdm.running:
            self.tdm.put(self._reader)
        elif kind == wire.RUN and length:
            self._run(body[at] == 1)
        elif kind == wire.SET and length >= 3:
            self._set(sequence, bytes(body[at:at + min(length, _SET_OCTETS)]))

    def _set(self, sequence: int, body: bytes) -> None:
        """An order that names what we have not got is none."""
        loop, clock, crc4 = body[0], body[1], body[2]
        code, haul, ohms = (body[3], body[4], body[5]) if len(body) == _SET_OCTETS else (0, 0, 0)
        if (loop < len(wire.LOOPS) and clock < len(wire.CLOCKS) and crc4 < len(wire.CRC4)
                and code < len(wire.LINE_CODES) and haul < len(wire.HAULS) and ohms < len(wire.OHMS)):
            self._answers = sequence
            self._code, self._haul, self._ohms = code, haul, ohms
            self._apply(loop, clock == _OWN, crc4)

    def _run(self, running: bool) -> None:
        if running != self.tdm.running:
            self.tdm.run(running)
            self.framer.set_ais(not running)

    def _greet(self, lowest: int, highest: int, span: int) -> None:
        self.version = wire.VERSION if lowest <= wire.VERSION <= highest else 0
        packet = self._writer.packet
        packet[HEAD_OCTETS], packet[HEAD_OCTETS + 1] = self.version, self._spans
        for at, octet in enumerate(self._name):
            packet[HEAD_OCTETS + 2 + at] = octet
        self._writer.add(wire.HELLO_ANSWER, span, self._hellos, 2 + len(self._name))
        self._hellos = self._hellos + 1 & 0xFFFF
        self._told = -1

    def _tell(self, now_ms: int) -> None:
        framer = self.framer
        clock = _LINE if self._clock.source >= 0 else _OWN
        state = (self._answers << 12 | framer.liu_fault << 10 | self.alarms.value << 5 | self._loop << 3
                 | clock << 2 | framer.crc4)      # 28 bits: more would be an object of the heap
        if state == self._told and since_ms(now_ms, self._status_ms) < STATUS_MS:
            return
        self._told, self._status_ms = state, now_ms
        packet = self._writer.packet
        struct.pack_into(
            wire.STATUS_FORMAT, packet, HEAD_OCTETS, self._answers, self.alarms.value, self._loop, clock,
            framer.crc4, framer.code_violations, framer.fas_errors, framer.crc_errors, framer.e_bits,
            self.tdm.slips + self._bus.missed + framer.slips)
        struct.pack_into(
            wire.LIU_FORMAT, packet, HEAD_OCTETS + wire.STATUS_OCTETS,
            wire.LEVEL_UNKNOWN if framer.alarms & LOS else framer.level_db,
            framer.liu_fault if framer.ready else wire.FAULTS_UNKNOWN,
            wire.SA_UNKNOWN if framer.sa_bits == SA_UNKNOWN else framer.sa_bits,
            framer.restarts + framer.repairs - self._repaired)
        self._writer.add(wire.STATUS, self._number, self._statuses, wire.STATUS_OCTETS + wire.LIU_OCTETS)
        self._statuses = self._statuses + 1 & 0xFFFF
