"""The FALC family: PEF 2256 (FALC56) version 2.1 and later over SPI; registers laid out as the QuadFALC's.

Ref: Infineon PEF 2256 H/E, data sheet rev. 1.1 (06/2005), "E1 Registers"; PEF 22554 E rev. 1.2 (01/2006) for
what a bit means. Register names as printed there.

Not checked on silicon. From print: addresses, bits, what LOS, AIS, LFA, LMFA, NMF and the counters do. Not
found in print, so to be measured on the first card: the order of the SPI command word (here: bit 15 read, 15
bits of address, then 8 of data), the step of RES (here 1.7 dB), offsets XC, RC against the frame pulse.
"""

from firmware.linecard.framer.framer import (
    AMI,
    CRC4_AUTO,
    CRC4_OFF,
    CRC4_ON,
    LOMF,
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

_CMDR = const(0x02)                               # command
_CMDR_RRES = const(0x40)
_CMDR_XRES = const(0x10)
_FMR0 = const(0x1C)                               # framer mode 0
_FMR0_HDB3 = const(0xF0)                          # XC, RC: both ways
_FMR0_AMI = const(0xA0)
_FMR0_ALM = const(0x04)                           # AIS as G.775 has it
_FMR1 = const(0x1D)
_FMR1_XFS = const(0x08)                           # CRC-4 multiframes are sent
_FMR1_XAIS = const(0x01)
_FMR2 = const(0x1E)
_FMR2_RFS_CRC4 = const(0x80)
_FMR2_RFS_AUTO = const(0xC0)
_FMR2_PLB = const(0x04)
_FMR2_AXRA = const(0x02)
_FMR2_ALMF = const(0x01)                          # 915 of 1000 blocks wrong: other frames (G.706 4.3.2)
_XSW = const(0x20)                                # service word to send: Si, -, A, Sa4 to Sa8
_XSW_XSIS = const(0x80)
_XSW_XRA = const(0x20)
_XSP = const(0x21)
_XSP_AXS = const(0x08)                            # E bits are the chip's doing
_XSP_XSIF = const(0x04)
_XC0 = const(0x22)
_XC1 = const(0x23)
_RC0 = const(0x24)
_RC1 = const(0x25)
_XPM0 = const(0x26)
_XPM1 = const(0x27)
_XPM2 = const(0x28)
_TSWM = const(0x29)
_FMR3 = const(0x31)
_LIM0 = const(0x36)
_LIM0_ONE = const(0x08)                           # a bit that is to be one
_LIM0_LL = const(0x02)
_LIM0_MAS = const(0x01)
_LIM1 = const(0x37)
_LIM1_RIL_210MV = const(0x40)                     # below this a receive level is no signal
_LIM1_RIL_50MV = const(0x70)
_LIM1_RL = const(0x02)
_PCD = const(0x38)
_PCR = const(0x39)
_LIM2 = const(0x3A)
_LIM2_SLT_50 = const(0x20)
_LIM2_ELT = const(0x04)
_SIC1 = const(0x3E)
_SIC2 = const(0x3F)
_SIC3 = const(0x40)
_SIC1_XBS_2FRAMES = const(0x02)
_SIC3_RTRI = const(0x20)
_SIC3_RESX = const(0x08)
_CMR1 = const(0x44)
_CMR2 = const(0x45)
_CMR1_DCOR_2048 = const(0x20)
_CMR1_DCS = const(0x08)
_CMR2_DCOXC = const(0x20)
_GCR = const(0x46)
_GCR_VIS = const(0x80)                            # ISR show what is masked: nothing of this interrupts
_VSTR = const(0x4A)
_RES = const(0x4B)
_RES_EV = const(0x40)
_RES_STEPS = const(0x1F)
_FRS0 = const(0x4C)
_FRS1 = const(0x4D)
_RSW = const(0x4E)
_FRS0_LOS = const(0x80)
_FRS0_AIS = const(0x40)
_FRS0_LFA = const(0x20)
_FRS0_RRA = const(0x10)
_FRS0_NMF = const(0x04)
_FRS0_LMFA = const(0x02)
_FRS1_XLS = const(0x02)
_FRS1_XLO = const(0x01)
_FECL = const(0x50)                               # the high octet is next
_CVCL = const(0x52)
_CEC1L = const(0x54)
_EBCL = const(0x56)
_DEC = const(0x60)                                # write: freeze these counters to be read
_DEC_DCEC1 = const(0x08)
_DEC_DEBC = const(0x04)
_DEC_DCVC = const(0x02)
_DEC_DFEC = const(0x01)
_SIS = const(0x64)                                # a command is not yet done
_SIS_CEC = const(0x04)
_ISR2 = const(0x6A)                               # cleared by reading
_ISR3 = const(0x6B)
_ISR2_LFA = const(0x40)
_ISR2_AIS = const(0x08)
_ISR2_LOS = const(0x04)
_ISR2_RA = const(0x01)
_ISR3_RSN = const(0x02)
_ISR3_RSP = const(0x01)
_PC5 = const(0x84)
_GPC1 = const(0x85)
_PC6 = const(0x86)
_PC5_CRP = const(0x01)
_GPC1_FSC_OUT = const(0x40)
_GCM1 = const(0x92)

_VERSIONS = (0x05, 0x10)                          # VSTR of 2.x
_GCM = b"\x00\x18\xfb\x0b\x00\x2f\xdb\xdf"        # MCLK 2.048 MHz
_LOS_PULSES = const(10)                           # 176 without, 22 with: G.775, 10 to 255 and 12.5 %
_SIGNAL_PULSES = const(21)
_XRA_AFTER_MS = const(400)                        # without multiframes, in CRC-4 (G.706 4.2, B.2.3)
_READ = const(0x80)


class Falc56(Framer):
    """`ohms` is the termination on the card: the chip drives 75 and 120 ohms alike. V2.x has one receive
    equaliser for short and long haul: `long_haul` sets the level below which there is no signal."""

    name = "falc56"
    _ORDER = (_FMR1, _GCR, _CMR1, _CMR2, _LIM0, _LIM1, _XPM0, _XPM1, _XPM2, _FMR0, _FMR2, _FMR3,
              _GPC1, _PC5, _PC6, _PCD, _PCR, _LIM2, _SIC1, _SIC2, _SIC3, _XC0, _XC1, _RC0, _RC1,
              _XSW, _XSP, _TSWM,
              _GCM1, _GCM1 + 1, _GCM1 + 2, _GCM1 + 3, _GCM1 + 4, _GCM1 + 5, _GCM1 + 6, _GCM1 + 7)

    def __init__(self, spi: Spi) -> None:
        self._buffer = bytearray(3)
        self._no_multiframe = False               # for so long that it is to be told
        self._framed_since_ms = 0
        super().__init__(spi, 0x100)

    def _fill(self) -> None:
        wanted = self._wanted
        own, crc4 = self._own_clock, self._crc4
        wanted[_FMR0] = (_FMR0_AMI if self._line_code == AMI else _FMR0_HDB3) | _FMR0_ALM
        wanted[_FMR1] = ((_FMR1_XFS if crc4 != CRC4_OFF else 0)
                         | (_FMR1_XAIS if self._ais or self._loop == LOOP_LOCAL else 0))
        wanted[_FMR2] = ((_FMR2_RFS_CRC4 if crc4 == CRC4_ON else _FMR2_RFS_AUTO if crc4 == CRC4_AUTO else 0)
                         | (_FMR2_PLB if self._loop == LOOP_PAYLOAD else 0)
                         | (_FMR2_AXRA if self._rai == RAI_AUTO else 0) | _FMR2_ALMF)
        wanted[_XSW] = _XSW_XSIS | self._sa | (_XSW_XRA if self._sends_rai() else 0)
        wanted[_XSP] = _XSP_XSIF | (_XSP_AXS if crc4 != CRC4_OFF else 0)
        wanted[_XC1] = wanted[_RC1] = 4
        wanted[_XPM0], wanted[_XPM1], wanted[_XPM2] = 0x9C, 0x03, 0x00
        wanted[_LIM0] = _LIM0_ONE | (_LIM0_LL if self._loop == LOOP_LOCAL else 0) | (_LIM0_MAS if own else 0)
        wanted[_LIM1] = ((_LIM1_RIL_50MV if self._long_haul else _LIM1_RIL_210MV)
                         | (_LIM1_RL if self._loop == LOOP_LINE else 0))
        wanted[_PCD], wanted[_PCR] = _LOS_PULSES, _SIGNAL_PULSES
        wanted[_LIM2] = _LIM2_SLT_50 | (0 if own else _LIM2_ELT)
        wanted[_SIC1] = 0 if own else _SIC1_XBS_2FRAMES
        wanted[_SIC3] = _SIC3_RTRI | _SIC3_RESX
        wanted[_CMR1] = 0 if own else _CMR1_DCOR_2048 | _CMR1_DCS
        wanted[_CMR2] = _CMR2_DCOXC
        wanted[_GCR] = _GCR_VIS
        wanted[_PC5] = _PC5_CRP
        wanted[_GPC1] = 0 if own else _GPC1_FSC_OUT
        for at in range(len(_GCM)):
            wanted[_GCM1 + at] = _GCM[at]

    def _sends_rai(self) -> bool:
        missed = self._no_multiframe and self._crc4 == CRC4_ON
        return self._rai == RAI_ON or (self._rai == RAI_AUTO and missed)

    def _begin(self, step: int, now_ms: int) -> int:
        if self._get(_VSTR) not in _VERSIONS:
            return 0
        if step == 0:
            self._no_multiframe, self._framed_since_ms = False, now_ms
            self._fill()
            self._write_all()
        if self._get(_SIS) & _SIS_CEC:
            return 1
        self._put(_CMDR, _CMDR_RRES | _CMDR_XRES)
        self._get(_ISR2)
        self._get(_ISR3)
        self._put(_DEC, _DEC_DFEC | _DEC_DCVC | _DEC_DCEC1 | _DEC_DEBC)
        for counter in (_FECL, _CVCL, _CEC1L, _EBCL):
            self._count(counter)                  # what it counted before is not of this line
        return -1

    def _lost(self) -> bool:
        return self._get(_FMR0) != self._written[_FMR0]

    def _look(self, turn: int, now_ms: int) -> None:
        self._take_alarms(self._get(_FRS0), self._get(_ISR2), now_ms)
        if turn == 0:
            self._put(_DEC, _DEC_DCVC | _DEC_DFEC)
            self.code_violations = total(self.code_violations, self._count(_CVCL))
            self.fas_errors = total(self.fas_errors, self._count(_FECL))
            faults = self._get(_FRS1)
            self._take_fault((OPEN if faults & _FRS1_XLO else 0) | (SHORT if faults & _FRS1_XLS else 0))
        else:
            self._put(_DEC, _DEC_DCEC1 | _DEC_DEBC)
            self.crc_errors = total(self.crc_errors, self._count(_CEC1L))
            self.e_bits = total(self.e_bits, self._count(_EBCL))
            self._take_sa(self._get(_RSW) & 0x1F)
            if self._get(_ISR3) & (_ISR3_RSN | _ISR3_RSP):
                self.slips = total(self.slips, 1)
            level = self._get(_RES)
            if level & _RES_EV:
                self.level_db = -((level & _RES_STEPS) * 17 // 10)

    def _take_alarms(self, status: int, happened: int, now_ms: int) -> None:
        lof = bool(status & _FRS0_LFA or happened & _ISR2_LFA)
        multiframes = self._crc4 != CRC4_OFF and not status & (_FRS0_LFA | _FRS0_LMFA | _FRS0_NMF)
        self._explain(
            bool(status & _FRS0_LOS or happened & _ISR2_LOS),
            bool(status & _FRS0_AIS or happened & _ISR2_AIS),
            lof,
            self._crc4 == CRC4_ON and bool(status & _FRS0_LMFA),
            bool(status & _FRS0_RRA or happened & _ISR2_RA),
        )
        self.crc4 = THERE if multiframes else NOT_THERE if status & _FRS0_NMF and not lof else NOT_KNOWN
        if not self.alarms & LOMF:
            self._framed_since_ms = now_ms
        told = since_ms(now_ms, self._framed_since_ms) >= _XRA_AFTER_MS
        if told != self._no_multiframe:
            self._no_multiframe = told
            self._fill()
            self._carry_out()

    def _count(self, low: int) -> int:
        """A counter that DEC froze; its high octet, read last, lets it go."""
        octets = self._get(low)
        return octets | self._get(low + 1) << 8

    def _get(self, place: int) -> int:
        buffer = self._buffer
        buffer[0], buffer[1], buffer[2] = _READ, place, 0
        self._spi.transfer(buffer)
        return buffer[2]

    def _put(self, place: int, value: int) -> None:
        buffer = self._buffer
        buffer[0], buffer[1], buffer[2] = 0, place, value
        self._spi.transfer(buffer)
