"""What the card asks of its framer and line interface (LIU), whichever chip: settings, alarms, counters.

A driver holds the value that each register ought to have. Settings change these values at any time, poll()
carries them into the chip; it also looks at one register after another, and at one that a reset would have
cleared at every turn: a chip that lost its registers (brown-out) is started anew.

Every 10 ms poll() takes a turn of some 30 octets of SPI, it allocates nothing. Called more often it costs a
comparison.
"""

from firmware.linecard.hal import Spi, since_ms
from firmware.wire import ALARMS, CRC4, LOOPS

HDB3, AMI = 0, 1                                  # line code
RAI_OFF, RAI_ON, RAI_AUTO = 0, 1, 2               # A bit to send; AUTO: 1 while no frames are found
OPEN, SHORT = 1, 2                                # bits of `liu_fault`
SA_UNKNOWN = -1
SA_BITS = 0x1F

LOS, LOF, LOMF, AIS, RAI = (1 << ALARMS.index(name) for name in ("los", "lof", "lomf", "ais", "rai"))
CRC4_OFF, CRC4_ON, CRC4_AUTO = (CRC4.index(name) for name in ("off", "on", "auto"))
NOT_THERE, THERE, NOT_KNOWN = CRC4_OFF, CRC4_ON, CRC4_AUTO       # Framer.crc4
LOOP_NONE, LOOP_LOCAL, LOOP_LINE, LOOP_PAYLOAD = (
    LOOPS.index(name) for name in ("none", "local", "line", "payload"))



def const(value: int) -> int:
    """To MicroPython's compiler `NAME = const(5)` is the number itself, to others this is a function."""
    return value


MOST = const(0x3FFFFFFF)                          # a total stays here: beyond are objects of the heap
_TURN_MS = const(10)


class Framer:
    """What each driver is. Attributes are as of the last poll():

    `ready`: the chip is there, all its registers were written. `alarms`: bits as of wire.ALARMS, as the chip
    detects them, not debounced; LOS, AIS and LOF each alone, as the first of them explains the others, RAI
    and LOMF only with frames. `crc4`: of the far end, a code of wire.CRC4. `code_violations`, `fas_errors`,
    `crc_errors`, `e_bits`, `slips`: totals; nothing is lost while poll() comes every 30 ms and less than half
    of all bits are violations. `sa_bits`: received, Sa4 the 16's bit, or SA_UNKNOWN. `level_db`: as last
    received, at most 0, in the chip's steps. `liu_fault`: OPEN, SHORT of the pair on which we send.
    `restarts`, `repairs`: how often the chip had lost its registers, or one of them.
    """

    name = ""
    _ORDER: "tuple[int, ...]" = ()                # places of the registers, in the order of writing

    def __init__(self, spi: Spi, registers: int) -> None:
        self._spi = spi
        self._wanted = bytearray(registers)
        self._written = bytearray(registers)
        self._crc4, self._own_clock = CRC4_AUTO, False
        self._line_code, self._long_haul, self._ohms = HDB3, False, 120
        self._loop, self._ais, self._rai, self._sa = LOOP_NONE, False, RAI_AUTO, SA_BITS
        self._begun = self._changed = False
        self._polled_ms = 0
        self._turn = self._step = self._looked_at = 0
        self._sa_before, self._fault_before = SA_UNKNOWN, 0
        self.ready = False
        self.alarms = LOS
        self.crc4 = NOT_KNOWN
        self.code_violations = self.fas_errors = self.crc_errors = self.e_bits = self.slips = 0
        self.sa_bits = SA_UNKNOWN
        self.level_db = 0
        self.liu_fault = 0
        self.restarts = self.repairs = 0
        self._fill()

    def reset(self) -> None:
        """The next poll() begins to start the chip anew; settings and totals stay."""
        self._down()

    def configure(self, crc4: int, own_clock: bool, line_code: int = HDB3, long_haul: bool = False,
                  ohms: int = 120) -> None:
        """`crc4`: a code of wire.CRC4; `own_clock`: this end leads. ValueError: no such setting."""
        if not (0 <= crc4 < len(CRC4) and line_code in (HDB3, AMI) and ohms in (75, 120)):
            raise ValueError("framer: crc4 0 to 2, line code 0 or 1, 75 or 120 ohms")
        self._crc4, self._own_clock = crc4, own_clock
        self._line_code, self._long_haul, self._ohms = line_code, long_haul, ohms
        self._change()

    def set_loop(self, loop: int) -> None:
        """A code of wire.LOOPS. LOCAL also sends AIS, so that the far end knows. ValueError: no such code."""
        if not 0 <= loop < len(LOOPS):
            raise ValueError("framer: no such loop")
        self._loop = loop
        self._change()

    def set_ais(self, on: bool) -> None:
        self._ais = on
        self._change()

    def set_rai(self, rai: int) -> None:
        """RAI_OFF, RAI_ON or RAI_AUTO."""
        self._rai = rai
        self._change()

    def set_sa(self, sa: int) -> None:
        """Sa4 to Sa8 to send, Sa4 the 16's bit."""
        self._sa = sa & SA_BITS
        self._change()

    def clear_counters(self) -> None:
        self.code_violations = self.fas_errors = self.crc_errors = self.e_bits = self.slips = 0

    def clock_ok(self) -> bool:
        """What is recovered from the line is the far end's clock."""
        return self.ready and not self.alarms & (LOS | LOF | AIS)

    def poll(self, now_ms: int) -> int:
        """Settings out, what the chip says in. `alarms`."""
        due = not self._begun or since_ms(now_ms, self._polled_ms) >= _TURN_MS
        if not due and not (self.ready and self._changed):
            return self.alarms
        if self.ready and self._lost() and self._lost():         # not by a single misread octet
            self.restarts += 1
            self._down()
        if self.ready and self._changed:
            self._carry_out()
        if due:
            self._begun, self._polled_ms = True, now_ms
            if self.ready:
                self._look(self._turn, now_ms)
                self._turn ^= 1
                if not self._turn:
                    self._look_after()
            else:
                self._start(now_ms)
        return self.alarms

    def _fill(self) -> None:
        """`_wanted` as the settings demand it."""
        raise NotImplementedError

    def _begin(self, step: int, now_ms: int) -> int:
        """Start the chip: does a step, gives the next; 0: it does not answer; -1: done."""
        raise NotImplementedError

    def _lost(self) -> bool:
        """A register that is never at its reset value is not what it ought to be."""
        raise NotImplementedError

    def _look(self, turn: int, now_ms: int) -> None:
        """Take in half of what the chip says."""
        raise NotImplementedError

    def _get(self, place: int) -> int:
        raise NotImplementedError

    def _put(self, place: int, value: int) -> None:
        raise NotImplementedError

    def _change(self) -> None:
        self._fill()
        self._changed = True

    def _down(self) -> None:
        self.ready = False
        self._step = 0
        self.alarms, self.crc4, self.sa_bits, self.liu_fault = LOS, NOT_KNOWN, SA_UNKNOWN, 0
        self._sa_before, self._fault_before = SA_UNKNOWN, 0

    def _start(self, now_ms: int) -> None:
        self._step = self._begin(self._step, now_ms)
        if self._step < 0:
            self.ready, self._turn = True, 0

    def _write_all(self) -> None:
        for place in self._ORDER:
            self._write(place)
        self._changed = False

    def _carry_out(self) -> None:
        for place in self._ORDER:
            if self._wanted[place] != self._written[place]:
                self._write(place)
        self._changed = False

    def _write(self, place: int) -> None:
        self._put(place, self._wanted[place])
        self._written[place] = self._wanted[place]

    def _look_after(self) -> None:
        """One register: is it what it ought to be? All of them have their turn within a second."""
        self._looked_at = (self._looked_at + 1) % len(self._ORDER)
        place = self._ORDER[self._looked_at]
        if self._get(place) != self._wanted[place]:
            self.repairs += 1
            self._write(place)

    def _explain(self, los: bool, ais: bool, lof: bool, lomf: bool, rai: bool) -> None:
        if los:
            self.alarms = LOS
        elif ais and lof:
            self.alarms = AIS
        elif lof:
            self.alarms = LOF
        else:
            self.alarms = (LOMF if lomf else 0) | (RAI if rai else 0)

    def _take_sa(self, sa: int) -> None:
        """`sa` as one frame had it: believed when it was the same twice."""
        if self.alarms & (LOS | AIS | LOF):
            sa = SA_UNKNOWN
        if sa == self._sa_before or sa == SA_UNKNOWN:
            self.sa_bits = sa
        self._sa_before = sa

    def _take_fault(self, fault: int) -> None:
        """As it was twice: the pulses of a single moment may look like either."""
        if fault == self._fault_before:
            self.liu_fault = fault
        self._fault_before = fault


def total(before: int, more: int) -> int:
    """A total that stays at MOST."""
    return before + more if before <= MOST - more else MOST
