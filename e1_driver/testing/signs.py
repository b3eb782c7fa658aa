"""What the far end's D-channel frames give away: which side it speaks as, whose rules, how numbers come.

Ref: ITU-T Q.921 (09/97) 3.3.2 and table 1 (C/R), table 5 (control field); Q.931 (05/98) 4.2 to 4.5;
ECMA-143 and ECMA-165 (QSIG: networking extensions, codeset 4).
"""

from dataclasses import dataclass

from e1_driver.testing.d_channel import Side

_C_R, _P_F = 0x02, 0x10
_COMMANDS = {0x6F, 0x43, 0x03}                    # SABME, DISC, UI: no response has their control field
_RESPONSES = {0x63, 0x0F, 0x87}                   # UA, DM, FRMR: and no command has these
_Q931 = 0x08
_SETUP, _INFORMATION = 0x05, 0x7B
_CALLED, _FACILITY, _SHIFT, _SENDING_COMPLETE = 0x70, 0x1C, 0x90, 0xA1
_NETWORKING, _ROSE = 0x1F, 0x11                   # protocol profiles of Facility: Q.932 8.2.3, ECMA-165
_PRIVATE_PLAN = 9
_QSIG_CODESET = 4


def speaker(frame: bytes) -> Side | None:
    """As which side this was sent; None: it may be a command or a response, or is no frame of SAPI 0."""
    if len(frame) < 3 or frame[0] & ~_C_R or not frame[1] & 1:
        return None
    control, c_r = frame[2], bool(frame[0] & _C_R)
    if not control & 1 or control & ~_P_F in _COMMANDS:
        return Side.NETWORK if c_r else Side.USER
    if control & 3 == 3 and control & ~_P_F in _RESPONSES:
        return Side.USER if c_r else Side.NETWORK
    return None


@dataclass(frozen=True, slots=True)
class Offered:
    """A call that came. `complete`: it said that no more digits follow."""

    called: str
    complete: bool


class Messages:
    """Of Q.931, as far as they tell whose they are. Any octets will do."""

    def __init__(self) -> None:
        self.seen = 0
        self.qsig = self.rose = self.private = 0  # messages with such a sign
        self.digits_later = 0                     # INFORMATION with digits
        self.offered: list[Offered] = []

    def take(self, frame: bytes) -> None:
        """A frame that came in; what is no I or UI frame with a message is left alone."""
        if len(frame) < 4 or (frame[2] & 1 and frame[2] & ~_P_F != 0x03):
            return
        message = frame[3:] if frame[2] & 1 else frame[4:]
        if len(message) < 2 or message[0] != _Q931:
            return
        at = 2 + (message[1] & 0x0F)
        if len(message) <= at:
            return
        self.seen += 1
        self._read(message[at], message[at + 1:])

    def _read(self, kind: int, rest: bytes) -> None:
        called, complete, codeset, once = "", False, 0, -1
        while rest:
            identifier = rest[0]
            if identifier & 0x80:                 # one octet, 4.5.1
                rest = rest[1:]
                if identifier & 0xF0 == _SHIFT:
                    once, codeset = (identifier & 7, codeset) if identifier & 8 else (-1, identifier & 7)
                    self.qsig += identifier & 7 == _QSIG_CODESET
                    continue
                complete |= identifier == _SENDING_COMPLETE
            else:
                if len(rest) < 2 or len(rest) < 2 + rest[1]:
                    return
                content, rest = rest[2:2 + rest[1]], rest[2 + rest[1]:]
                if once < 0 and codeset == 0:
                    called += self._element(identifier, content)
            once = -1
        if kind == _SETUP and called:
            self.offered.append(Offered(called, complete))
        self.digits_later += kind == _INFORMATION and bool(called)

    def _element(self, identifier: int, content: bytes) -> str:
        """Digits, of the called number."""
        if identifier == _FACILITY and content:
            self.qsig += content[0] & 0x1F == _NETWORKING
            self.rose += content[0] & 0x1F == _ROSE
        elif identifier == _CALLED and content:
            self.private += content[0] & 0x0F == _PRIVATE_PLAN
            return "".join(chr(octet & 0x7F) for octet in content[1:] if chr(octet & 0x7F) in "0123456789*#")
        return ""
