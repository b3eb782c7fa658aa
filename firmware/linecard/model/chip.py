"""What the models of the chips share: the line with its faults, the loops, the counters, time in 10 ms.

The bus side is one block each way (32 rows of 80 octets), the line side 10 ms of the line. In each 10 ms call
send() and then receive(). A model that is not set up as its data sheet wants hears and sends nothing.
"""

from firmware.linecard.model.e1 import BLOCK_OCTETS, Receiver, Sender

AIS_LINE = b"\xff" * BLOCK_OCTETS
_NO_FRAMES = b"\x55" * BLOCK_OCTETS
COUNTERS = ("code_violations", "fas_errors", "crc_errors", "e_bits")
_COUNTER_MOST = 0xFFFF


class Faults:
    """Of the line that comes in, and of the pair on which we send."""

    def __init__(self) -> None:
        self.cut = False                          # nothing comes in
        self.ais = False
        self.attenuation_db = 0
        self.bit_error_every = 0                  # bits; 0: none
        self.lof = False                          # a signal comes in that has no frames
        self.code_violations = 0                  # in each 10 ms
        self.slips = 0                            # of the elastic store, still to come
        self.open = self.short = False            # the pair on which we send
        self._until_error = 0

    def bend(self, line: "bytearray | None") -> "bytearray | None":
        """What arrives of `line`."""
        if self.ais:
            return bytearray(AIS_LINE)
        if line is None or self.cut:
            return None
        if self.lof:
            return bytearray(_NO_FRAMES)
        if self.bit_error_every:
            line = bytearray(line)
            while self._until_error < 8 * len(line):
                line[self._until_error // 8] ^= 0x80 >> self._until_error % 8
                self._until_error += self.bit_error_every
            self._until_error -= 8 * len(line)
        return line


class Chip:
    """`registers`: as a debugger would see them, by place; `faults`: of the line."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._receiver, self._sender = Receiver(), Sender()
        self._heard: bytearray | None = None      # what last arrived
        self._sent, self._block = bytearray(AIS_LINE), bytearray(AIS_LINE)
        self.registers = bytearray()
        self._counts = [0] * len(COUNTERS)
        self.power_fail()

    def power_fail(self) -> None:
        """The supply was away for a moment: all registers are as after power-on."""
        raise NotImplementedError

    def transfer(self, buffer: bytearray) -> None:
        """The chip's SPI."""
        raise NotImplementedError

    def send(self, block: bytearray) -> "bytearray | None":
        """A block of the bus to 10 ms of the line; None: the line is silent."""
        self._set_sender()
        self._sent = self._sender.send(self._block if self._loops_payload() else block, self._receiver)
        if not self._transmits() or self.faults.open or self.faults.short:
            return None
        if self._loops_line():
            return self._heard
        return bytearray(AIS_LINE) if self._sends_ais() else self._sent

    def receive(self, line: "bytearray | None") -> bytearray:
        """10 ms of the line, None when it is silent, to a block of the bus."""
        faults, receiver = self.faults, self._receiver
        arrived = faults.bend(line) if faults.attenuation_db <= self._sensitivity_db() else None
        self._heard = arrived
        if self._loops_local():
            arrived = self._sent
        elif not self._works():
            arrived = None
        self._set_receiver()
        self._block = receiver.receive(arrived)
        self._count(0, faults.code_violations if arrived is not None else 0)
        self._count(1, receiver.fas_errors)
        self._count(2, receiver.crc_errors)
        self._count(3, receiver.e_bits)
        receiver.fas_errors = receiver.crc_errors = receiver.e_bits = 0
        self._tick(faults.slips > 0)
        faults.slips = max(0, faults.slips - 1)
        return self._block

    def _count(self, counter: int, more: int) -> None:
        self._counts[counter] = min(_COUNTER_MOST, self._counts[counter] + more)

    def _works(self) -> bool:
        """It is set up so that line and framer run."""
        raise NotImplementedError

    def _transmits(self) -> bool:
        raise NotImplementedError

    def _loops_local(self) -> bool:
        raise NotImplementedError

    def _loops_line(self) -> bool:
        raise NotImplementedError

    def _loops_payload(self) -> bool:
        raise NotImplementedError

    def _sends_ais(self) -> bool:
        raise NotImplementedError

    def _sensitivity_db(self) -> int:
        raise NotImplementedError

    def _set_sender(self) -> None:
        raise NotImplementedError

    def _set_receiver(self) -> None:
        raise NotImplementedError

    def _tick(self, slip: bool) -> None:
        """10 ms passed: status bits, latched ones too."""
        raise NotImplementedError
