"""A FALC56 (PEF 2256) version 2.2 as its registers show it.

Ref: Infineon PEF 2256 H/E, data sheet rev. 1.1 (06/2005), "E1 Registers". The numbers stand here twice
on purpose: a slip of the driver's shows.
"""

from firmware.linecard.model.chip import Chip

_GCM = b"\x00\x18\xfb\x0b\x00\x2f\xdb\xdf"
_READ_ONLY = 0x48, 0x80                           # from, to: status, but for DEC (60h)
_RIL_DB = (10, 17, 22, 27, 31, 35, 38, 44)        # cable at which the pulses are below LIM1.RIL


class FalcModel(Chip):
    """SPI: u16 with bit 15 for reading and 15 bits of address, then the octet; others are ignored."""

    name = "falc56"

    def power_fail(self) -> None:
        self.registers = bytearray(0x100)
        self._frozen = [-1, -1, -1, -1]           # as of COUNTERS; -1: DEC has not been written
        self._isr2 = self._isr3 = 0
        self._busy = 0                            # blocks until a command is done
        self._was = 0                             # FRS0 before
        self._receiver.restart()

    def transfer(self, buffer: bytearray) -> None:
        address = (buffer[0] & 0x7F) << 8 | buffer[1]
        if len(buffer) != 3 or address > 0xFF:
            return
        if buffer[0] & 0x80:
            buffer[2] = self._get(address)
        else:
            self._put(address, buffer[2])

    def _get(self, address: int) -> int:
        if address == 0x4A:                       # VSTR
            return 0x05
        if address == 0x4B:                       # RES: level is valid, steps of 1.7 dB
            return 0x40 | min(25, self.faults.attenuation_db * 10 // 17) if not self._status() & 0x80 else 0
        if address == 0x4C:
            return self._status()
        if address == 0x4D:                       # FRS1: XLS, XLO
            return self.faults.short << 1 | self.faults.open
        if address == 0x4E:                       # RSW
            return 0xC0 | self._receiver.rai << 5 | self._receiver.sa
        if address == 0x64:                       # SIS: CEC
            return 0x04 if self._busy else 0
        if address == 0x6A:
            value, self._isr2 = self._isr2, 0
            return value
        if address == 0x6B:
            value, self._isr3 = self._isr3, 0
            return value
        if 0x50 <= address < 0x58:
            return self._counter(address)
        return self.registers[address] if not _READ_ONLY[0] <= address < _READ_ONLY[1] else 0

    def _put(self, address: int, value: int) -> None:
        if address == 0x02:
            if not self._busy:                    # one that comes too early is lost
                self._busy = 1
                if value & 0x40:                  # RRES
                    self._receiver.restart()
        elif address == 0x60:                     # DEC: a rise freezes, and counting begins anew
            for counter, bit in enumerate((0x02, 0x01, 0x08, 0x04)):
                if value & bit and self._frozen[counter] < 0:
                    self._frozen[counter], self._counts[counter] = self._counts[counter], 0
        elif not _READ_ONLY[0] <= address < _READ_ONLY[1]:
            self.registers[address] = value

    def _counter(self, address: int) -> int:
        """FECL, CVCL, CEC1L, EBCL and their high octets, which let a frozen counter go."""
        counter = (1, 0, 2, 3)[address - 0x50 >> 1]
        frozen = self._frozen[counter]
        value = self._counts[counter] if frozen < 0 else frozen
        if address & 1:
            self._frozen[counter] = -1
            return value >> 8
        return value & 0xFF

    def _status(self) -> int:
        """FRS0."""
        receiver = self._receiver
        if not receiver.aligned:
            return (receiver.los << 7 | (receiver.ais and not receiver.los) << 6) | 0x20 | 0x02
        multiframes = receiver.multiframes or not self.registers[0x1E] & 0x80
        return receiver.rai << 4 | receiver.given_up << 2 | (not multiframes) << 1

    def _works(self) -> bool:
        registers = self.registers
        return (registers[0x92:0x9A] == _GCM and registers[0x1C] & 0x30 in (0x20, 0x30)
                and not registers[0x1D] & 0x10 and registers[0x36] & 0x08 != 0)

    def _transmits(self) -> bool:
        return self._works() and not self.registers[0x28] & 0x40 and self.registers[0x26:0x28] == b"\x9c\x03"

    def _loops_local(self) -> bool:
        return self._works() and self.registers[0x36] & 0x02 != 0

    def _loops_line(self) -> bool:
        return self.registers[0x37] & 0x02 != 0

    def _loops_payload(self) -> bool:
        return self.registers[0x1E] & 0x04 != 0

    def _sends_ais(self) -> bool:
        return self.registers[0x1D] & 0x01 != 0

    def _sensitivity_db(self) -> int:
        return _RIL_DB[self.registers[0x37] >> 4 & 7]

    def _set_sender(self) -> None:
        registers, sender = self.registers, self._sender
        sender.crc4 = registers[0x1D] & 0x08 != 0
        sender.si = registers[0x20] & 0x80 != 0 and registers[0x21] & 0x04 != 0
        sender.sa = registers[0x20] & 0x1F
        sender.a = registers[0x20] & 0x20 != 0 or (registers[0x1E] & 0x02 != 0 and not self._receiver.aligned)

    def _set_receiver(self) -> None:
        self._receiver.mode = (0, 0, 1, 2)[self.registers[0x1E] >> 6]

    def _tick(self, slip: bool) -> None:
        self._busy = max(0, self._busy - 1)
        status = self._status()
        rose, self._was = status & ~self._was, status
        rose |= self._receiver.lost << 5
        self._isr2 |= ((rose & 0x20) << 1 | (rose & 0x40) >> 3 | (rose & 0x80) >> 5 | (rose & 0x10) >> 4)
        self._isr3 |= slip << 1
