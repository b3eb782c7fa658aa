"""A DS26521 as its registers show it.

Ref: Maxim DS26521 data sheet (102106), chapter 9. The numbers stand here a second time on purpose: a slip of
the driver's shows.
"""

from firmware.linecard.model.chip import Chip

_LEVELS_DB = (2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20, 23, 26, 29, 32, 36, 40, 44)     # table 9-17
_SENSITIVITY_DB = (15, 21, 33, 46)                # LRISMR.RSMS and 3 dB more: below it is a loss
_GARBAGE = 0x5A                                   # what a register holds after power-on
_KNOWN = (0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0xF0, 0xF1, 0xF2, 0xF3, 0x164, 0x165, 0x180, 0x181, 0x182,
          0x184, 0x185, 0x200, 0x201, 0x202, 0x207)
_PAGES = (range(0xF0), range(0x100, 0x1F0), range(0x200, 0x220))


class DsModel(Chip):
    """SPI, most significant bit first: read, 14 bits of address, burst; then octets."""

    name = "ds26521"

    def power_fail(self) -> None:
        self.registers = bytearray(bytes((_GARBAGE,)) * 0x220)
        for place in (0x90, 0x91, 0x92, 0x93, 0xF5, 0xF6):
            self.registers[place] = 0
        self._latched = bytearray(4)              # RLS1 to RLS4
        self._latched_counts = [0, 0, 0, 0]
        self._was = 0                             # RRTS1 before
        self._clean = False                       # all registers have been written since power-on
        self._receiver.restart()

    def transfer(self, buffer: bytearray) -> None:
        address = (buffer[0] & 0x7F) << 7 | buffer[1] >> 1
        if len(buffer) < 3 or (len(buffer) > 3 and not buffer[1] & 1):
            return
        for at in range(2, len(buffer)):
            if buffer[0] & 0x80:
                buffer[at] = self._get(address + at - 2)
            else:
                self._put(address + at - 2, buffer[at])

    def _get(self, address: int) -> int:
        if address == 0xF8:                       # IDR
            return 0x71
        if address == 0xB0:
            return self._status()
        if 0x90 <= address < 0x94:
            return self._latched[address - 0x90]
        if 0x50 <= address < 0x58:                # LCVCR, PCVCR, FOSCR, E1EBCR: high octet first
            count = self._latched_counts[(0, 2, 1, 3)[address - 0x50 >> 1]]
            return count & 0xFF if address & 1 else count >> 8
        if address == 0x65:                       # E1RNAF
            return 0xC0 | self._receiver.rai << 5 | self._receiver.sa
        if address == 0x1003:                     # LRSR
            return self.faults.short << 2 | self.faults.open << 1 | self._receiver.los
        if address == 0x1006:                     # LRSL
            return sum(self.faults.attenuation_db >= level for level in _LEVELS_DB) << 4
        place = self._place(address)
        return self.registers[place] if place >= 0 else 0

    def _put(self, address: int, value: int) -> None:
        place = self._place(address)
        registers = self.registers
        if 0x90 <= address < 0x94:
            self._latched[address - 0x90] &= ~value & 0xFF       # cleared by ones
        elif place < 0 or ((registers[0xF5] or registers[0xF6]) and place not in (0xF5, 0xF6)):
            return                                # in reset nothing else is taken
        elif place == 0x86 and value & 0x28 == 0x28 and not registers[0x86] & 0x20:
            for counter in range(4):              # EAMS and a rise of MECU
                self._latched_counts[counter], self._counts[counter] = self._counts[counter], 0
            registers[place] = value
        else:
            registers[place] = value
        self._clean = False

    @staticmethod
    def _place(address: int) -> int:
        return address if address < 0x200 else address - 0xE00 if 0x1000 <= address < 0x1020 else -1

    def _status(self) -> int:
        """RRTS1."""
        receiver = self._receiver
        if receiver.aligned:
            return receiver.rai << 3
        return (receiver.ais and not receiver.los) << 2 | receiver.los << 1 | 1

    def _works(self) -> bool:
        registers = self.registers
        if not self._clean:                       # what nobody wrote holds something that disturbs
            unknown = (place for page in _PAGES for place in page if place not in _KNOWN)
            self._clean = not any(registers[place] for place in unknown)
        return (self._clean and registers[0x80] == 0xC1 and registers[0x180] == 0xC1
                and not registers[0x200] & 0x02 and not registers[0xF5] | registers[0xF6])

    def _transmits(self) -> bool:
        return self._works() and self.registers[0x202] & 0x05 == 0x01           # TE, not TPDE

    def _loops_local(self) -> bool:
        return self._works() and self.registers[0x83] & 0x01 != 0

    def _loops_line(self) -> bool:
        return self.registers[0x202] & 0x08 != 0

    def _loops_payload(self) -> bool:
        return self.registers[0x83] & 0x02 != 0

    def _sends_ais(self) -> bool:
        return self.registers[0x181] & 0x02 != 0 or self.registers[0x83] & 0x01 != 0

    def _sensitivity_db(self) -> int:
        return _SENSITIVITY_DB[self.registers[0x207] & 3]

    def _set_sender(self) -> None:
        registers, sender, receiver = self.registers, self._sender, self._receiver
        sender.crc4 = registers[0x181] & 0x01 != 0
        sender.si = registers[0x164] & registers[0x165] & 0x80 != 0 and registers[0x181] & 0x10 != 0
        sender.sa = registers[0x165] & 0x1F
        automatic = not receiver.aligned or (receiver.mode == 1 and receiver.missed)
        sender.a = registers[0x165] & 0x20 != 0 or (registers[0x182] & 0x20 != 0 and automatic)

    def _set_receiver(self) -> None:
        self._receiver.mode = 1 if self.registers[0x81] & 0x08 else 0

    def _tick(self, slip: bool) -> None:
        status = self._status()
        rose, fell = status & ~self._was, self._was & ~status
        self._was = status
        rose |= self._receiver.lost
        self._latched[0] |= rose | fell << 4
        if self._receiver.multiframes or not self._receiver.mode:
            self._latched[1] |= 0x02              # RCMF
        self._latched[3] |= slip << 5
