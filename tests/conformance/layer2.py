"""Runs layer-2 purposes: a tester that writes raw frames against `appliance.isdn.q921.Link`, in virtual time.

Ref: ITU-T Q.921 (09/97); in the manner of ETSI EN 300 402-4 and -7. The rows are in layer2_*.txt.

Preambles, by the state column. 4: nothing was done. 5: DL-ESTABLISH was requested, SABME is out. 6: the link
was up, DL-RELEASE was requested, DISC is out. 7: the tester set the link up, V(S) = V(A) = V(R) = 0. 7 by us:
the IUT set it up. 8: as 7, then T203 ran out, the enquiry RR P = 1 is out.

Steps (the tester's view; T200, T203, k and N200 are the Link's own):

    !FRAME           the tester sends a frame
    ?FRAME           the next frame that the IUT sends is this one
    ?DL-EST [WORD]   the next event is Established, and WORDs hold: peer or own, reset or new, lost or whole
    ?DL-REL          the next event is Released
    ?DL-DATA INFO    the next event is Received with this information
    ?DL-UDATA INFO   the next event is ReceivedUnit with this information
    ?MDL-ERR X       the next event is Trouble with letter X of table II.1
    ?A / B           either is good
    ?nothing         nothing is sent nor told; always so between steps, written where silence is the purpose
    establish, release, busy, ready, data INFO, unit INFO    requests to the IUT
    deactivate       layer 1 is gone
    refused INFO     the request to send this is refused
    T200, T203       the time of this timer passes; nothing happens before its end
    wait SECONDS     time passes; what happens in it is expected by the steps that follow
    state N          the IUT is in state N, found out from outside (the last step: it disturbs)
    with k=1 n200=1  the first step: parameters of the Link other than the defaults

FRAME is NAME [NUMBERS] [P | F] [cmd | rsp] [INFO], such as `SABME P`, `I 0,0`, `I 0,0 P 0801`, `RR 1`.
NUMBERS are N(S),N(R) of an I frame and N(R) of a supervisory one; `=` is the N(R) that acknowledges all that
the IUT sent, `*` (expected) is any. P makes a command and F a response; without either, supervisory frames
are responses, others what they can be; cmd and rsp say it outright. `raw 00 01 7f` is a frame by its octets.
INFO is hexadecimal octets without blanks, msg1-msg9 for short messages that differ, len260 for that many
octets; `!I` without it carries msg1, `?I` without it takes any.

All that the IUT sends or tells must be expected before the next stimulus, or the row fails: frames in their
order and events in theirs; the two are not ordered against each other.
"""
from dataclasses import replace

from appliance.errors import StateError
from appliance.isdn.lapd import I_FRAME, RESPONSES_ONLY, SUPERVISORY, Frame, FrameKind, Side, decode, encode
from appliance.isdn.q921 import (
    Established,
    Link,
    LinkEvent,
    Parameters,
    Received,
    ReceivedUnit,
    Released,
    Trouble,
)
from tests.conformance.purposes import BadRow, Failed, Purpose

DEFAULTS = {"t200_s": 1.0, "t203_s": 10.0, "n200": 3, "n201_octets": 260, "k": 7}
EPSILON_S = 1e-6                                  # just before a timer runs out
NAMES = {kind: kind.name for kind in FrameKind} | {I_FRAME: "I"}
KINDS = {name: kind for kind, name in NAMES.items()}
MODULO = 128

PREAMBLES = {
    "4": (),
    "5": ("establish", "?SABME P"),
    "6": ("!SABME P", "?UA F", "?DL-EST", "release", "?DISC P"),
    "7": ("!SABME P", "?UA F", "?DL-EST"),
    "7 by us": ("establish", "?SABME P", "!UA F", "?DL-EST"),
    "8": ("!SABME P", "?UA F", "?DL-EST", "T203", "?RR 0 P"),
}
# What tells a state from outside: answers to commands, and what T200 does.
POSTAMBLES = {
    "4": ("!DISC P", "?DM F", "wait 30", "?nothing"),
    "5": ("!DISC P", "?DM F", "wait 1", "?SABME P"),
    "6": ("!SABME P", "?DM F", "wait 1", "?DISC P"),
    "7": ("!RR = P", "?RR * F / RNR * F", "wait 1.5", "?nothing"),
    "8": ("!RR = P", "?RR * F / RNR * F", "wait 1", "?RR * P / RNR * P / I * P"),
}


def run(purpose: Purpose, side: Side) -> None:
    """Failed: the Link does not meet the purpose. BadRow: the purpose makes no sense."""
    steps = list(purpose.steps)
    options: dict[str, float | int] = dict(DEFAULTS)
    if steps[0].startswith("with "):
        for name, _, value in (part.partition("=") for part in steps.pop(0)[5:].split()):
            if name not in options:
                raise BadRow(f"{purpose.id}: the Link has no parameter {name}")
            options[name] = type(DEFAULTS[name])(value)
    if purpose.state not in PREAMBLES:
        raise BadRow(f"{purpose.id}: no preamble for state {purpose.state}")
    tester = Tester(side, options)
    step = ""
    try:
        for step in (*PREAMBLES[purpose.state], *steps):
            if step.startswith("state "):
                for check in POSTAMBLES[step[6:]]:
                    tester.do(check)
            else:
                tester.do(step)
        tester.settle()
    except Failed as failure:
        raise Failed(f"{purpose.id} ({side.value}), at {step}: {failure}") from None


class Tester:
    """One link under test and the far end that is played by hand."""

    def __init__(self, side: Side, options: dict[str, float | int]) -> None:
        self._side, self._options, self._now = side, options, 0.0
        self._link = Link(side, Parameters(**options))   # type: ignore[arg-type]
        self._frames: list[bytes] = []            # sent by the IUT and not expected yet
        self._next_ns = 0                         # of the IUT's I frames, all that came so far
        self._events: list[LinkEvent] = []

    def do(self, step: str) -> None:
        """One step of a row."""
        if step.startswith("?"):
            self._expect(step[1:].strip())
            return
        self.settle()
        word, _, rest = step.partition(" ")
        match word:
            case "establish":
                self._link.establish(self._now)
            case "release":
                self._link.release(self._now)
            case "busy" | "ready":
                self._link.set_busy(word == "busy", self._now)
            case "data":
                self._link.send(_info(rest), self._now)
            case "unit":
                self._link.send_unit(_info(rest), self._now)
            case "deactivate":
                self._link.deactivate(self._now)
            case "refused":
                self._refused(_info(rest))
            case "T200" | "T203":
                duration_s = self._options[f"{word.lower()}_s"]
                self._pass(duration_s - EPSILON_S)
                self.settle()
                self._pass(EPSILON_S)
            case "wait":
                self._pass(float(rest))
            case _ if step.startswith("!"):
                self._link.receive(self._octets(step[1:].strip()), self._now)
            case _:
                raise BadRow(f"no such step: {step}")
        self._collect()

    def settle(self) -> None:
        """All that the IUT sent and told was expected."""
        left = [self._text(octets) for octets in self._frames] + [str(event) for event in self._events]
        if left:
            raise Failed(f"not expected: {', '.join(left)}")

    def _collect(self) -> None:
        self._events += self._link.take_events()
        for octets in self._link.take_frames():
            self._frames.append(octets)
            frame = decode(octets, self._side)
            if frame.kind is FrameKind.SABME or frame.kind is FrameKind.UA:
                self._next_ns = 0
            elif frame.kind is I_FRAME and frame.ns == self._next_ns:
                self._next_ns = (frame.ns + 1) % MODULO

    def _pass(self, for_s: float) -> None:
        end = self._now + for_s
        while (at := self._link.next_deadline()) is not None and at <= end + 1e-9:
            self._now = max(self._now, at)
            self._link.expire(self._now)
            self._collect()
        self._now = end

    def _refused(self, info: bytes) -> None:
        try:
            self._link.send(info, self._now)
        except (StateError, ValueError):
            return
        raise Failed("the request was taken")

    # --- what is expected

    def _expect(self, expected: str) -> None:
        if expected == "nothing":
            self.settle()
            return
        options = [option.strip().removeprefix("?") for option in expected.split(" / ")]
        told = options[0].startswith(("DL-", "MDL-"))
        if told:
            if not self._events:
                raise Failed(f"nothing was told; sent: {self._sent()}")
            event = self._events.pop(0)
            if not any(self._is_event(option, event) for option in options):
                raise Failed(f"told {event}")
        else:
            if not self._frames:
                raise Failed("nothing was sent")
            octets = self._frames.pop(0)
            if not any(self._is_frame(option, octets) for option in options):
                raise Failed(f"sent {self._text(octets)}")

    def _is_event(self, expected: str, event: LinkEvent) -> bool:
        name, *words = expected.split()
        match name, event:
            case "DL-EST", Established(by_peer=by_peer, reset=reset, lost=lost):
                holds = {"peer": by_peer, "own": not by_peer, "reset": reset, "new": not reset,
                         "lost": lost, "whole": not lost}
                return all(holds[word] for word in words)
            case "DL-REL", Released():
                return True
            case "DL-DATA", Received(info):
                return info == _info(words[0])
            case "DL-UDATA", ReceivedUnit(info):
                return info == _info(words[0])
            case "MDL-ERR", Trouble(letter):
                return letter == words[0]
        return False

    def _is_frame(self, expected: str, octets: bytes) -> bool:
        if expected.startswith("raw "):
            return octets == bytes.fromhex(expected[4:])
        sent, frame, words = decode(octets, self._side), self._frame(expected), expected.split()
        if "*" in words:
            frame = replace(frame, ns=sent.ns, nr=sent.nr)
        if frame.kind is I_FRAME and not frame.info:
            frame = replace(frame, info=sent.info)
        return sent == frame

    def _octets(self, text: str) -> bytes:
        if text.startswith("raw "):
            return bytes.fromhex(text[4:])
        frame = self._frame(text)
        if frame.kind is I_FRAME and not frame.info:
            frame = replace(frame, info=_info("msg1"))
        return encode(frame, self._side.peer)

    def _frame(self, text: str) -> Frame:
        name, *words = text.split()
        if name not in KINDS:
            raise BadRow(f"no such frame: {text}")
        kind, pf, ns, nr, info = KINDS[name], False, 0, 0, b""
        command = kind not in RESPONSES_ONLY | SUPERVISORY
        for word in words:
            if word in ("P", "F"):
                pf, command = True, word == "P"
            elif word in ("cmd", "rsp"):
                command = word == "cmd"
            elif word == "=":
                nr = self._next_ns
            elif kind is I_FRAME and "," in word:
                ns, nr = (self._next_ns if number == "=" else int(number) for number in word.split(","))
            elif kind in SUPERVISORY and word.isdigit():
                nr = int(word)
            elif word != "*":
                info = _info(word)
        return Frame(kind, command, pf, ns, nr, info)

    def _sent(self) -> str:
        return ", ".join(map(self._text, self._frames)) or "nothing"

    def _text(self, octets: bytes) -> str:
        frame = decode(octets, self._side)
        numbers = {I_FRAME: f" {frame.ns},{frame.nr}"} | {kind: f" {frame.nr}" for kind in SUPERVISORY}
        poll = (" P" if frame.command else " F") if frame.pf else ""
        return f"{NAMES[frame.kind]}{numbers.get(frame.kind, '')}{poll}"


def _info(text: str) -> bytes:
    if text.startswith("len"):
        return bytes(int(text[3:]))
    if text.startswith("msg"):
        return bytes((0x08, 0x02, 0x00, int(text[3:]), 0x7B))
    return bytes.fromhex(text)
