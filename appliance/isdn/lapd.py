"""LAPD frames without flags and FCS: octets <-> dataclass. No link state. Modulo 128 only.

Ref: ITU-T Q.921 (09/97), clauses 2 and 3; bare clause numbers are Q.921's.
"""
from dataclasses import dataclass
from enum import Enum, IntEnum

from appliance.errors import DecodeError


class Side(Enum):
    """Which end of the line: decides the C/R bit."""

    USER = "user"
    NETWORK = "network"

    @property
    def peer(self) -> "Side":
        return Side.NETWORK if self is Side.USER else Side.USER


class FrameKind(IntEnum):
    """The first control octet without its P/F bit (table 5/Q.921)."""

    INFORMATION = 0x00                            # the I frame; N(S) is in the same octet
    RR = 0x01
    RNR = 0x05
    REJ = 0x09
    UI = 0x03
    DM = 0x0F
    DISC = 0x43
    UA = 0x63
    SABME = 0x6F
    FRMR = 0x87
    XID = 0xAF


I_FRAME = FrameKind.INFORMATION
SUPERVISORY = {FrameKind.RR, FrameKind.RNR, FrameKind.REJ}
COMMANDS_ONLY = {I_FRAME, FrameKind.UI, FrameKind.DISC, FrameKind.SABME}
RESPONSES_ONLY = {FrameKind.DM, FrameKind.UA, FrameKind.FRMR}
WITH_INFO = {I_FRAME, FrameKind.UI, FrameKind.FRMR, FrameKind.XID}
KINDS = {kind.value: kind for kind in FrameKind}
FRMR_INFO_OCTETS = 5                              # figure 6, modulo 128
PF = 0x10                                         # in the control octet of an unnumbered frame


class FrameError(DecodeError):
    """A frame rejection condition (3.6.11); `letter` is its MDL-ERROR code in table II.1."""

    def __init__(self, letter: str, clause: str, text: str, *, sapi: int, tei: int) -> None:
        super().__init__(None, clause, text)
        self.letter, self.sapi, self.tei = letter, sapi, tei


@dataclass(frozen=True, slots=True)
class Frame:
    kind: FrameKind
    command: bool                                 # else a response
    pf: bool = False                              # P in a command, F in a response
    ns: int = 0                                   # N(S), of an I frame
    nr: int = 0                                   # N(R), of I and supervisory frames
    info: bytes = b""
    sapi: int = 0
    tei: int = 0


def encode(frame: Frame, sender: Side) -> bytes:
    """The octets of a frame that `sender` sends."""
    if not (frame.sapi < 64 and frame.tei < 128 and frame.ns < 128 and frame.nr < 128):
        raise ValueError(f"a field does not fit: {frame}")
    cr = frame.command is (sender is Side.NETWORK)      # table 1: network commands and user responses
    kind, octet2, octet3 = frame.kind, frame.sapi << 2 | cr << 1, frame.tei << 1 | 1
    if kind is I_FRAME:
        return bytes((octet2, octet3, frame.ns << 1, frame.nr << 1 | frame.pf)) + frame.info
    if kind in SUPERVISORY:
        return bytes((octet2, octet3, kind, frame.nr << 1 | frame.pf)) + frame.info
    return bytes((octet2, octet3, kind | PF * frame.pf)) + frame.info


def decode(data: bytes, sender: Side) -> Frame:
    """A frame from the octets that `sender` sent.

    FrameError: a frame rejection condition. Plain DecodeError: an invalid frame, to be discarded (2.9).
    """
    if len(data) < 3:
        raise DecodeError(None, "2.9", f"a frame of {len(data)} octets")
    octet2, octet3, control = data[0], data[1], data[2]
    if octet2 & 1 or not octet3 & 1:
        raise DecodeError(None, "3.2", f"address field {octet2:#04x} {octet3:#04x} is not of two octets")
    command = bool(octet2 & 0x02) is (sender is Side.NETWORK)
    sapi, tei, ns, nr = octet2 >> 2, octet3 >> 1, 0, 0
    if control & 0x03 != 0x03:                    # I and supervisory: a second control octet
        if len(data) < 4:
            raise DecodeError(None, "2.9", "a frame without N(R)")
        octet5, info = data[3], data[4:]
        nr, pf = octet5 >> 1, bool(octet5 & 1)
        if not control & 0x01:
            control, ns = I_FRAME, control >> 1
    else:
        control, pf, info = control & ~PF, bool(control & PF), data[3:]
    kind = KINDS.get(control)
    if kind is None:
        raise FrameError("L", "3.6.11", f"control field {control:#04x}", sapi=sapi, tei=tei)
    if kind in (RESPONSES_ONLY if command else COMMANDS_ONLY):
        raise FrameError("L", "3.6.1", f"{kind.name} with the wrong C/R bit", sapi=sapi, tei=tei)
    if info and kind not in WITH_INFO:
        raise FrameError("M", "3.6.11", f"{kind.name} with {len(info)} octets more", sapi=sapi, tei=tei)
    if kind is FrameKind.FRMR and len(info) != FRMR_INFO_OCTETS:
        raise FrameError("N", "3.6.11", f"FRMR with {len(info)} octets of information", sapi=sapi, tei=tei)
    return Frame(kind, command, pf, ns, nr, info, sapi, tei)
