"""The card's end of the control port: who speaks, and packets both ways."""

from firmware import control
from firmware.linecard.packets import HEAD_OCTETS, Reader, Writer
from firmware.wire import HELLO, HELLO_ANSWER, pack_hello_answer

try:
    from collections.abc import Callable

    from firmware.linecard.hal import Port
except ImportError:                               # MicroPython: annotations are not looked at
    pass

_WAITING_PACKETS = 4                              # that the host has not taken; more are left out
_READ_OCTETS = 1024
_READS = 4                                        # in a turn


class Session:
    """`take` gets kind, sequence and body of each packet after a HELLO; `greeted` is called at one."""

    def __init__(self, port: "Port", spans: int, name: str, take: "Callable[[int, int, bytes], None]",
                 greeted: "Callable[[], None]") -> None:
        self._port, self._spans, self._name = port, spans, name
        self._take, self._greeted = take, greeted
        self._reader, self._writer = Reader(self._hear), Writer(_WAITING_PACKETS)
        self._read = bytearray(_READ_OCTETS)
        self._sequences = {kind: 0 for kind in control.CARD_SAYS}
        self.version = 0                          # that both speak; 0: nobody listens

    def poll(self) -> None:
        for _ in range(_READS):
            if not self._port.is_open():
                self._rest()
                break
            octets = self._port.readinto(self._read)
            if not octets:
                break
            self._reader.feed(self._read, octets)
        writer = self._writer
        if writer.start < writer.end:
            writer.start += self._port.write(writer.out, writer.start, writer.end - writer.start)

    def say(self, kind: int, body: bytes) -> None:
        """Nothing when nobody listens."""
        if self.version:
            self._send(kind, body)

    def _send(self, kind: int, body: bytes) -> None:
        self._writer.packet[HEAD_OCTETS:HEAD_OCTETS + len(body)] = body
        self._writer.add(kind, 0, self._sequences[kind], len(body))
        self._sequences[kind] = (self._sequences[kind] + 1) & 0xFFFF

    def _rest(self) -> None:
        if self.version:
            self.version = 0
            self._reader.clear()
            self._writer.clear()

    def _hear(self, kind: int, span: int, sequence: int, length: int) -> None:
        body = bytes(memoryview(self._reader.packet)[HEAD_OCTETS:HEAD_OCTETS + length])
        if kind == HELLO and length >= 2:
            self._writer.clear()
            self.version = control.VERSION if body[0] <= control.VERSION <= body[1] else 0
            self._send(HELLO_ANSWER, pack_hello_answer(self.version, self._spans, self._name))
            if self.version:
                self._greeted()
        elif self.version:
            self._take(kind, sequence, body)
