"""D-channel frames by name, and a test of the D-channel: who answers, from which side, or is it ourselves.

Ref: ITU-T Q.921 (09/97) 2.9 (frames to be ignored), 3.3.2 (C/R), table 5 (control field); Q.931 table 4-2.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

_U_FRAMES = {0x6F: "SABME", 0x0F: "DM", 0x03: "UI", 0x43: "DISC", 0x63: "UA", 0x87: "FRMR", 0xAF: "XID"}
_S_FRAMES = {0x01: "RR", 0x05: "RNR", 0x09: "REJ"}
_P_F = 0x10
_Q931 = 0x08                                      # protocol discriminator
_MESSAGES = {
    0x01: "ALERTING", 0x02: "CALL PROCEEDING", 0x03: "PROGRESS", 0x05: "SETUP", 0x07: "CONNECT",
    0x0D: "SETUP ACKNOWLEDGE", 0x0F: "CONNECT ACKNOWLEDGE", 0x45: "DISCONNECT", 0x46: "RESTART",
    0x4D: "RELEASE", 0x4E: "RESTART ACKNOWLEDGE", 0x5A: "RELEASE COMPLETE", 0x62: "FACILITY",
    0x6E: "NOTIFY", 0x75: "STATUS ENQUIRY", 0x7B: "INFORMATION", 0x7D: "STATUS",
}

_C_R = 0x02
_TEI_0 = 0x01
_SABME, _UA, _UI = 0x7F, 0x73, 0x03               # the first two with P and F
_SIGNED_SAPI = 32 << 2                            # nobody serves it: whoever is no loop ignores it (2.9)
_SIGNATURE_OCTETS = 8
_SIGNATURES = 3
_PERIOD_S = 1.0                                   # T200


class Side(StrEnum):
    """Of Q.921 and Q.931: which end of the line we are."""

    USER = "user"
    NETWORK = "network"


def frame_name(frame: bytes) -> str:
    """What a frame without FCS is: `SABME`, `RR`, `I SETUP`. Anything else is `?`."""
    if len(frame) < 3 or frame[0] & 1 or not frame[1] & 1:
        return "?"
    control = frame[2]
    if control & 3 == 3:
        return _U_FRAMES.get(control & ~_P_F, "?")
    if len(frame) < 4:
        return "?"
    if control & 1:
        return _S_FRAMES.get(control, "?")
    information = frame[4:]
    if len(information) < 2 or information[0] != _Q931:
        return "I"
    at = 2 + (information[1] & 0x0F)
    message = _MESSAGES.get(information[at]) if len(information) > at else None
    return f"I {message}" if message else "I"


@dataclass(frozen=True, slots=True)
class Signalling:
    """What a test of the D-channel met."""

    side: Side
    sabme_sent: int = 0
    signed_sent: int = 0                          # frames that only a loop sends back
    signed_back: int = 0
    received: int = 0                             # good frames, of any kind
    ua: int = 0
    dm: int = 0
    disc: int = 0
    sabme: int = 0                                # of the other side, as it should be
    sabme_same_side: int = 0                      # with our own C/R bit: the far end thinks it is our side

    @property
    def looped(self) -> bool:
        return self.signed_back > 0

    @property
    def answered(self) -> bool:
        return self.ua > 0 and not self.looped


class SignallingTest:
    """Tries to set up layer 2 as our side: SABME each second until a UA comes, and signed frames."""

    def __init__(self, side: Side, random: Random) -> None:
        self._random = random
        self._ours = _C_R if side is Side.NETWORK else 0      # C/R of our commands and of answers to us
        self._theirs = self._ours ^ _C_R                      # C/R of their commands and of our answers
        self._due_s: float | None = None
        self._signed: set[bytes] = set()
        self._counts = dict.fromkeys(
            ("sabme_sent", "signed_sent", "signed_back", "received", "ua", "dm", "disc", "sabme",
             "sabme_same_side"), 0)
        self._side = side

    def turn(self, now_s: float, received: list[bytes]) -> list[bytes]:
        """Frames that came since the last turn in, frames to send out. Call it ten times a second."""
        send: list[bytes] = []
        for frame in received:
            send += self._take(frame)
        if self._due_s is None or now_s >= self._due_s:
            self._due_s = now_s + _PERIOD_S
            if not self._counts["ua"]:
                self._counts["sabme_sent"] += 1
                send.append(bytes((self._ours, _TEI_0, _SABME)))
            if len(self._signed) < _SIGNATURES:
                signed = bytes((_SIGNED_SAPI | self._ours, _TEI_0, _UI))
                signed += self._random.randbytes(_SIGNATURE_OCTETS)
                self._signed.add(signed)
                self._counts["signed_sent"] += 1
                send.append(signed)
        return send

    def result(self) -> Signalling:
        return Signalling(self._side, **self._counts)

    def _take(self, frame: bytes) -> list[bytes]:
        self._counts["received"] += 1
        if frame in self._signed:
            self._counts["signed_back"] += 1
            return []
        name, c_r = frame_name(frame), frame[0] & _C_R
        if name == "SABME" and c_r == self._theirs:
            self._counts["sabme"] += 1
            return [bytes((self._theirs, _TEI_0, _UA))]
        if name == "SABME":
            self._counts["sabme_same_side"] += 1
        elif name in ("UA", "DM", "DISC"):
            self._counts[name.lower()] += 1
        return []
