"""Maxim (Analog Devices) DS26521, and the first channel of DS26522, over SPI.

Ref: Maxim DS26521 data sheet (102106), 8.9 (framer), 8.11 (LIU), 9 (registers). Names as printed there.

Not checked on silicon. From print, of the DS2652x and DS2651x: addresses, bits, latched bits that ones clear,
the level table 9-17, LOS and AIS. To be confirmed on the first card: that RLOF tells of frames alone, that
RCMF stays away while multiframes are searched for (in print: it comes on any boundary when CRC-4 is off), how
long MECU takes, the clock selection of GTCCR, and the pins: SPI_SWAP high (most significant bit first).
"""

from firmware.linecard.framer.framer import (
    CRC4_AUTO,
    CRC4_OFF,
    CRC4_ON,
    HDB3,
    LOOP_LINE,
    LOOP_LOCAL,
    LOOP_PAYLOAD,
    NOT_KNOWN,
    NOT_THERE,
    OPEN,
    RAI_AUTO,
    RAI_ON,
    SHORT,
    THERE,
    Framer,
    const,
    total,
)
from firmware.linecard.hal import Spi, since_ms

# Places: addresses below 200h as they are, those of the LIU, from 1000h on, put after them.
_LIU = const(0x200)
_LIU_ADDRESS = const(0x1000)
_E1RNAF = const(0x65)                             # frame without FAS as it came: Si, 1, A, Sa4 to Sa8
_LCVCR1 = const(0x50)                             # LCVCR, PCVCR, FOSCR, E1EBCR: code violations, CRC-4
                                                  # errors, FAS errors, E bits; two octets each, high first
_RMMR = const(0x80)
_TMMR = const(0x180)
_MMR_FRM_EN = const(0x80)
_MMR_INIT_DONE = const(0x40)
_MMR_SFTRST = const(0x02)
_MMR_E1 = const(0x01)
_RCR1 = const(0x81)
_RCR1_RHDB3 = const(0x40)
_RCR1_RSIGM = const(0x20)
_RCR1_RCRC4 = const(0x08)
_RCR1_FRC = const(0x04)
_RCR3 = const(0x83)
_RCR3_PLB = const(0x02)
_RCR3_FLB = const(0x01)
_RIOCR = const(0x84)
_RIOCR_RSCLKM = const(0x10)
_RESCR = const(0x85)                              # elastic stores
_TESCR = const(0x185)
_ESCR_ESE = const(0x01)
_ERCNT = const(0x86)
_ERCNT_MECU = const(0x20)
_ERCNT_EAMS = const(0x08)
_ERCNT_LCVCRF = const(0x01)
_RLS1 = const(0x90)                               # latched, to RLS4; RLS1's lower half is laid out
                                                  # as RRTS1, what is so now
_RLS2_RCMF = const(0x02)
_RLS4_RSLIP = const(0x20)
_RRTS1 = const(0xB0)
_RRTS1_RRAI = const(0x08)
_RRTS1_RAIS = const(0x04)
_RRTS1_RLOS = const(0x02)
_RRTS1_RLOF = const(0x01)
_GTCR1 = const(0xF0)
_GFCR = const(0xF1)
_GTCR2 = const(0xF2)
_GTCCR = const(0xF3)
_GTCR2_TSSYNCOUT = const(0x02)
_GTCCR_REFCLKIN = const(0xA0)
_GLSRR = const(0xF5)
_GFSRR = const(0xF6)
_IDR = const(0xF8)
_E1TAF = const(0x164)                             # timeslot 0 to send, both kinds of frames
_E1TNAF = const(0x165)
_TAF = const(0x9B)
_TNAF = const(0xC0)
_TNAF_A = const(0x20)
_TCR1 = const(0x181)
_TCR1_TSIS = const(0x10)
_TCR1_THDB3 = const(0x04)
_TCR1_TAIS = const(0x02)
_TCR1_TCRC4 = const(0x01)
_TCR2 = const(0x182)
_TCR2_AEBE = const(0x80)
_TCR2_ARA = const(0x20)
_TIOCR = const(0x184)
_TIOCR_TSCLKM = const(0x10)
_TIOCR_TSIO = const(0x04)
_LTRCR = const(0x200)
_LTITSR = const(0x201)
_LMCR = const(0x202)
_LTITSR_120_OHM = const(0x31)
_LMCR_RLB = const(0x08)
_LMCR_TE = const(0x01)
_LRSR = const(0x203)                              # LRSR, LSIMR, LLSR, LRSL
_LRSR_SCS = const(0x04)
_LRSR_OCS = const(0x02)
_LRSR_LOSS = const(0x01)
_LRISMR = const(0x207)
_LRISMR_120_OHM = const(0x30)
_LRISMR_LONG_HAUL = const(0x03)

_PAGES = ((0, 0xF0), (0x100, 0xF0), (_LIU, 0x20))                # receive and transmit framer, LIU
_ZEROS = const(16)                                # written in one transfer
_IDS = (0x70, 0x68)                               # of IDR: DS26521, DS26522
_LEVELS_DB = (0, -2, -5, -7, -10, -12, -15, -17, -20, -23, -26, -29, -32, -36, -40, -44)  # table 9-17, E1
_SEARCH_MS = const(400)                           # for multiframes from frame alignment on (G.706 B.2.3)
_READ = const(0x80)
_BURST = const(0x01)


class Ds26521(Framer):
    name = "ds26521"
    _ORDER = (_GTCCR, _GTCR2, _GFCR, _GTCR1, _RCR1, _RCR3, _RIOCR, _RESCR, _ERCNT, _TCR1, _TCR2, _TIOCR,
              _TESCR, _E1TAF, _E1TNAF, _RMMR, _TMMR, _LTRCR, _LTITSR, _LRISMR, _LMCR)

    def __init__(self, spi: Spi) -> None:
        self._one = bytearray(3)
        self._four = bytearray(2 + 4)             # RLS1 to RLS4; LRSR to LRSL
        self._counters = bytearray(2 + 8)
        self._zeros = bytearray(2 + _ZEROS)
        self._given_up = False                    # in AUTO: the far end has no multiframes, frames are enough
        self._searching_since_ms = 0
        super().__init__(spi, _LIU + 0x20)

    def _fill(self) -> None:
        wanted = self._wanted
        crc4, hdb3 = self._crc4, self._line_code == HDB3
        wanted[_GTCCR] = _GTCCR_REFCLKIN if self._own_clock else 0
        wanted[_GTCR2] = _GTCR2_TSSYNCOUT
        wanted[_RMMR] = wanted[_TMMR] = _MMR_FRM_EN | _MMR_INIT_DONE | _MMR_E1
        searches = crc4 == CRC4_ON or (crc4 == CRC4_AUTO and not self._given_up)
        wanted[_RCR1] = (_RCR1_RSIGM | _RCR1_FRC | (_RCR1_RHDB3 if hdb3 else 0)
                         | (_RCR1_RCRC4 if searches else 0))
        wanted[_RCR3] = ((_RCR3_FLB if self._loop == LOOP_LOCAL else 0)      # which sends AIS, too
                         | (_RCR3_PLB if self._loop == LOOP_PAYLOAD else 0))
        wanted[_RIOCR] = _RIOCR_RSCLKM
        wanted[_RESCR] = wanted[_TESCR] = _ESCR_ESE
        wanted[_ERCNT] = _ERCNT_EAMS | (_ERCNT_LCVCRF if hdb3 else 0)
        wanted[_TCR1] = (_TCR1_TSIS | (_TCR1_THDB3 if hdb3 else 0) | (_TCR1_TAIS if self._ais else 0)
                         | (_TCR1_TCRC4 if crc4 != CRC4_OFF else 0))
        wanted[_TCR2] = ((_TCR2_AEBE if crc4 != CRC4_OFF else 0)
                         | (_TCR2_ARA if self._rai == RAI_AUTO else 0))
        wanted[_TIOCR] = _TIOCR_TSCLKM | _TIOCR_TSIO
        wanted[_E1TAF] = _TAF
        wanted[_E1TNAF] = _TNAF | self._sa | (_TNAF_A if self._rai == RAI_ON else 0)
        wanted[_LTITSR] = _LTITSR_120_OHM if self._ohms == 120 else 0
        wanted[_LRISMR] = ((_LRISMR_120_OHM if self._ohms == 120 else 0)
                           | (_LRISMR_LONG_HAUL if self._long_haul else 0))
        wanted[_LMCR] = _LMCR_TE | (_LMCR_RLB if self._loop == LOOP_LINE else 0)

    def _begin(self, step: int, now_ms: int) -> int:
        if self._get(_IDR) & 0xF8 not in _IDS:
            return 0
        if step == 0:                             # a turn is much longer than the 100 us that a reset takes
            self._put(_GLSRR, 1)
            self._put(_GFSRR, 1)
            return 1
        if step == 1:
            self._put(_GLSRR, 0)
            self._put(_GFSRR, 0)
            self._put(_RMMR, _MMR_SFTRST)
            self._put(_TMMR, _MMR_SFTRST)
            return 2
        for page, registers in _PAGES:            # what they hold after power-on is anything
            for place in range(page, page + registers, _ZEROS):
                for at in range(2, 2 + _ZEROS):   # a transfer leaves in it what came back
                    self._zeros[at] = 0
                self._burst(place, self._zeros, 0)
        self._put(_RMMR, _MMR_E1)                 # the kind of line first, then the framers run
        self._put(_TMMR, _MMR_E1)
        self._put(_RMMR, _MMR_FRM_EN | _MMR_E1)
        self._put(_TMMR, _MMR_FRM_EN | _MMR_E1)
        self._given_up, self._searching_since_ms = False, now_ms
        self._fill()
        self._write_all()
        self._burst(_RLS1, self._four, _READ)
        self._burst(_RLS1, self._four, 0)
        self._freeze()
        self._freeze()                            # what was counted before is not of this line
        return -1

    def _lost(self) -> bool:
        return self._get(_RMMR) != self._written[_RMMR]

    def _look(self, turn: int, now_ms: int) -> None:
        status = self._get(_RRTS1)
        latched = self._four
        self._burst(_RLS1, latched, _READ)
        happened, multiframes = latched[2], bool(latched[3] & _RLS2_RCMF)
        if latched[5] & _RLS4_RSLIP:
            self.slips = total(self.slips, 1)
        self._burst(_RLS1, latched, 0)            # the ones that were read are written back: cleared
        self._take_alarms(status, happened, multiframes, now_ms)
        if turn == 0:
            counters = self._counters
            self._burst(_LCVCR1, counters, _READ)
            self.code_violations = total(self.code_violations, counters[2] << 8 | counters[3])
            self.crc_errors = total(self.crc_errors, counters[4] << 8 | counters[5])
            self.fas_errors = total(self.fas_errors, counters[6] << 8 | counters[7])
            self.e_bits = total(self.e_bits, counters[8] << 8 | counters[9])
            self._freeze()
        else:
            self._burst(_LRSR, self._four, _READ)
            faults = self._four[2]
            self._take_fault((OPEN if faults & _LRSR_OCS else 0) | (SHORT if faults & _LRSR_SCS else 0))
            if not faults & _LRSR_LOSS:
                self.level_db = _LEVELS_DB[self._four[5] >> 4]
            self._take_sa(self._get(_E1RNAF) & 0x1F)

    def _take_alarms(self, status: int, happened: int, multiframes: bool, now_ms: int) -> None:
        lof = bool((status | happened) & _RRTS1_RLOF)
        searched = bool(self._written[_RCR1] & _RCR1_RCRC4)
        found = searched and multiframes and not status & _RRTS1_RLOF
        self._explain(
            bool((status | happened) & _RRTS1_RLOS),
            bool((status | happened) & _RRTS1_RAIS),
            lof,
            self._crc4 == CRC4_ON and not found,
            bool((status | happened) & _RRTS1_RRAI),
        )
        self.crc4 = THERE if found else NOT_THERE if self._crc4 == CRC4_AUTO and self._given_up else NOT_KNOWN
        if found or lof:
            self._searching_since_ms = now_ms
        given_up = (self._crc4 == CRC4_AUTO and not lof
                    and (self._given_up or since_ms(now_ms, self._searching_since_ms) >= _SEARCH_MS))
        if given_up != self._given_up:
            self._given_up, self._searching_since_ms = given_up, now_ms
            self._fill()
            self._carry_out()

    def _freeze(self) -> None:
        """A rise of MECU puts the counters where they are read, and begins anew; the next turn reads them."""
        self._put(_ERCNT, self._wanted[_ERCNT] | _ERCNT_MECU)
        self._put(_ERCNT, self._wanted[_ERCNT])

    def _get(self, place: int) -> int:
        self._one[2] = 0
        self._address(place, self._one, _READ, 0)
        self._spi.transfer(self._one)
        return self._one[2]

    def _put(self, place: int, value: int) -> None:
        self._one[2] = value
        self._address(place, self._one, 0, 0)
        self._spi.transfer(self._one)

    def _burst(self, place: int, buffer: bytearray, read: int) -> None:
        """Registers one after another, from or to `buffer` behind the address."""
        self._address(place, buffer, read, _BURST)
        self._spi.transfer(buffer)

    def _address(self, place: int, buffer: bytearray, read: int, burst: int) -> None:
        if place >= _LIU:
            place += _LIU_ADDRESS - _LIU
        buffer[0], buffer[1] = read | place >> 7, (place & 0x7F) << 1 | burst
