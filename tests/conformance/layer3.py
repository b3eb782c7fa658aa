"""Runs layer-3 purposes: a tester that writes raw messages against `appliance.isdn.dss1.Signalling`, in
virtual time. It keeps its own end of layer 2, and looks at the implementation under test (IUT) from outside
only: at its messages, at what it tells the application, and at the call state that its STATUS reports.

Ref: ITU-T Q.931 (05/98); in the manner of ETSI EN 300 403-4 and -6. The rows are in layer3_*.txt.

Preambles, by the state column: `U3` for a user-side IUT, `N9` for a network-side one, `U3/N9` the one of the
side; see PREAMBLES. The call under test is `a`.

Steps (the tester's view; messages and their words: messages.py):

    !NAME WORDS      the tester sends a message of call a. A call that is not there yet gets a call reference
                     of the tester's. One word more: flag=1, the call reference flag as sent
    !octets 08...    the tester sends these octets; RR RR stands for call a's reference, as the tester has it
    ?NAME WORDS      the next message of the IUT is this one, with at least these elements
    ?A / B           either is good; `nothing` may be one of them
    ?nothing         the IUT is silent; always so between steps, written where silence is the purpose
    ?Event WORDS     the application was told of this since the last stimulus: field=value of the event,
                     Element.field=value of an element with it
    ?no Event WORDS  it was not
    NAME@b           of call b; @global is the global call reference
    setup called=1 calling=2 name=N ch=3! partial    the application places a call; ch=3 prefers, partial says
                     that digits will follow; setup@b places another one
    digits 12, want, proceed, progress 8, alert [tones], answer, hangup 16, notify 0, tell NAME, enquire,
    cleared          its other requests, with elements to send; `want` is for digits, `cleared` after Released
    restart 3        RESTART of this channel
    T303             this timer's time passes, as the IUT declares it; nothing happens before its end
    wait SECONDS     time passes; what happens in it is expected by the steps that follow
    link reset       the tester sets layer 2 up once more (DL-ESTABLISH indication)
    link down, link up     layer 2 is released by the tester and stays down; it is set up again
    state U10/N10    STATUS ENQUIRY is answered by STATUS, cause 30, with this call state (5.8.10)
    free 3, taken 3  a further call that insists on this channel is accepted, and given up; it is refused
    with WORDS       the IUT is configured otherwise: overlap, cold, slow_clearing, manual (the application
                     says the first response), profile=qsig, selection=any, hunt=descending, timeslots=1-2

`ch=same` stands for the channel that call a has, `state=U3/N9` for the state of the side that sends it. All
that the IUT sends must be expected before the next stimulus.
"""
import itertools
import re
from collections.abc import Callable

from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import Event, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Link, Received
from tests.conformance import application, messages
from tests.conformance.messages import Heard
from tests.conformance.purposes import BadRow, Failed, Purpose

EPSILON_S = 1e-6                                  # just before a timer runs out
SETUP = "!SETUP bc ch=1! called=5001 complete"
PLACED = ("setup called=5001", "?SETUP")
ACTIVE = (*PLACED, "!CALL_PROC ch=same!", "!ALERTING", "!CONNECT", "?CONN_ACK")
# States of the user side, then of the network side (2.1); i: of a call that the IUT did not place.
PREAMBLES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("U0", "N0"): (),
    ("U1", "N6"): PLACED,
    ("U2", "N25"): ("setup called=50 partial", "?SETUP -complete", "!SETUP_ACK ch=same!"),
    ("U3", "N9"): (*PLACED, "!CALL_PROC ch=same!"),
    ("U4", "N7"): (*PLACED, "!CALL_PROC ch=same!", "!ALERTING"),
    ("U6", "N1"): ("with manual", SETUP),
    ("U25", "N2"): ("with overlap", "!SETUP bc ch=1! called=50", "?SETUP_ACK ch=1!"),
    ("U9", "N3"): (SETUP, "?CALL_PROC ch=1!"),
    ("U7", "N4"): (SETUP, "?CALL_PROC ch=1!", "alert", "?ALERTING"),
    ("U8", "N8"): (SETUP, "?CALL_PROC ch=1!", "alert", "?ALERTING", "answer", "?CONNECT"),
    ("U10", "N10"): ACTIVE,
    ("U10i", "N10i"): (SETUP, "?CALL_PROC ch=1!", "answer", "?CONNECT", "!CONN_ACK"),
    ("U11", "N12"): (*ACTIVE, "hangup 16", "?DISC cause=16"),
    ("U12", "N11"): (*PLACED, "!CALL_PROC ch=same!", "!DISC cause=17 progress=8"),
    ("U19", "N19"): (*ACTIVE, "!DISC cause=16", "?RELEASE"),
}
GLOBAL = "global"


def run(purpose: Purpose, side: Side, spoil: Callable[[Signalling], None] = lambda iut: None) -> None:
    """Failed: the IUT does not meet the purpose. BadRow: the purpose makes no sense. `spoil` makes the IUT
    faulty after the preamble, to see what the purpose is worth."""
    name = _pick(purpose.state, side)
    preamble = next((steps for names, steps in PREAMBLES.items() if name in names), None)
    if preamble is None:
        raise BadRow(f"{purpose.id}: no preamble for state {purpose.state} of the {side.value} side")
    configured = [step for step in (*preamble, *purpose.steps) if step.startswith("with ")]
    tester = Tester(side, [word for step in configured for word in step.split()[1:]])
    step = ""
    try:
        for step in preamble:
            tester.do(step)
        spoil(tester.iut)
        for step in purpose.steps:
            tester.do(step)
        tester.settle()
    except BadRow:
        raise
    except Exception as error:                    # the IUT must not raise, whatever it hears or is asked for
        reason = str(error) if isinstance(error, Failed) else f"raised {type(error).__name__}: {error}"
        raise Failed(f"{purpose.id} ({side.value}), at {step}: {reason}") from error


def _pick(states: str, side: Side) -> str:
    """`U3/N9`: the one of that side; `3`: it is so on both."""
    if states.isdigit():
        return states
    letter = "U" if side is Side.USER else "N"
    return next((state for state in states.split("/") if state.startswith(letter)), "")


def _number(state: str) -> str:
    """`U10i`: 10."""
    return state.strip("UNi")


class Tester:
    """One implementation under test and the far end that is played by hand."""

    def __init__(self, side: Side, words: list[str]) -> None:
        options = application.options(words)
        self._names = (f"key{number}" for number in itertools.count(1))
        self.iut = Signalling(side, lambda: next(self._names), **options)
        self._timers, self._manual = options["profile"].timers[side], not options["auto_proceed"]
        self._side, self._now = side, 0.0
        self._link, self._deaf = Link(side.peer), False
        self._heard: list[Heard] = []             # not expected yet
        self._events: list[Event] = []            # since the last stimulus
        self._calls: dict[str, tuple[int, bool]] = {}     # name: call reference, the tester chose it
        self._keys: dict[str, str] = {}           # name: key of the application
        self._channels: dict[str, str] = {}       # name: timeslot
        self._said = ""                           # name of the call that the tester spoke of last
        self._references = itertools.count(1)
        self.iut.line_up(True, 0.0)
        self._exchange()

    # --- steps

    def do(self, step: str) -> None:
        """One step of a row."""
        step = step.replace("ch=same", f"ch={self._channels.get('a', '?')}")
        sender = self._side if step.startswith("?") else self._side.peer
        step = re.sub(r"state=([UN]\S+)", lambda word: f"state={_number(_pick(word[1], sender))}", step)
        if step.startswith("?"):
            self._expect(step[1:].strip())
            return
        word, *rest = step.split()
        if word == "with":                        # done already
            return
        self.settle()
        if word == "state":
            self._check_state(_number(_pick(rest[0], self._side)))
            return
        if word in ("free", "taken"):
            self._probe(rest[0], free=word == "free")
            return
        self._events.clear()
        if step.startswith("!octets"):
            self._send(bytes.fromhex(step[7:].replace("RR RR", self._reference("a").hex(" "))))
        elif step.startswith("!"):
            self._say(word[1:], rest)
        elif re.fullmatch(r"T3\d\d", word):
            duration_s: float = getattr(self._timers, f"{word.lower()}_s")
            self._pass(duration_s - EPSILON_S)
            self.settle()
            self._pass(EPSILON_S)
        elif word == "wait":
            self._pass(float(rest[0]))
        elif word == "link":
            self._change_link(rest[0])
        else:
            self._request(word, rest)
        self._exchange()

    def settle(self) -> None:
        """All that the IUT sent was expected."""
        if self._heard:
            raise Failed(f"not expected: {', '.join(map(str, self._heard))}")

    def _request(self, word: str, words: list[str]) -> None:
        request, name = _named(word)
        if request == "setup":
            self._keys[name] = next(self._names)
            application.place(self.iut, self._keys[name], words, self._now)
        else:
            application.ask(self.iut, self._keys.get(name, ""), request, words, self._now)

    # --- messages

    def _say(self, word: str, words: list[str]) -> None:
        kind, name = _named(word)
        self._said = name
        flags = [int(word[5:]) for word in words if word.startswith("flag=")]
        elements = [word for word in words if not word.startswith("flag=")]
        if name == GLOBAL:
            reference, flag = 0, int(kind == "REST_ACK")
        else:
            reference, chosen = self._calls.setdefault(name, (next(self._references), True))
            flag = int(not chosen)
        for element in elements:
            if channel := re.fullmatch(r"ch=(\d+)!?", element):
                self._channels.setdefault(name, channel[1])
        self._send(messages.write(kind, reference, flags[0] if flags else flag, elements, self._side.peer))

    def _reference(self, name: str) -> bytes:
        """Call reference value and flag as the tester writes them."""
        reference, chosen = self._calls.setdefault(name, (next(self._references), True))
        return (reference | (not chosen) << 15).to_bytes(2, "big")

    def _send(self, octets: bytes) -> None:
        self._link.send(octets, self._now)
        self._exchange()

    def _hear(self, octets: bytes) -> None:
        heard = messages.read(octets)
        self._heard.append(heard)
        for name, (reference, chosen) in self._calls.items():
            if (heard.call_ref, heard.flag) == (reference, int(chosen)) and (
                    channel := messages.channel_of(heard)):
                self._channels[name] = channel

    # --- time and layer 2

    def _exchange(self) -> None:
        """Let frames cross until both are silent. Frames are lost while the tester is deaf."""
        while True:
            ours, theirs = self._link.take_frames(), self.iut.take_frames()
            if self._deaf:
                ours = theirs = []
            for frame in theirs:
                self._link.receive(frame, self._now)
            for frame in ours:
                self.iut.receive_frame(frame, self._now)
            for event in self._link.take_events():
                if isinstance(event, Received):
                    self._hear(event.info)
            self._note(self.iut.take_events())
            if not ours and not theirs:
                return

    def _note(self, events: list[Event]) -> None:
        self._events += events
        for event in events:
            if isinstance(event, Incoming):
                self._keys[self._said] = event.key

    def _pass(self, for_s: float) -> None:
        end = self._now + for_s
        while True:
            self._exchange()
            deadlines = (self.iut.next_deadline(), None if self._deaf else self._link.next_deadline())
            at = min((at for at in deadlines if at is not None), default=None)
            if at is None or at > end + 1e-9:
                break
            self._now = max(self._now, at)
            self.iut.expire(self._now)
            if not self._deaf:
                self._link.expire(self._now)
        self._now = end
        self._exchange()

    def _change_link(self, how: str) -> None:
        match how:
            case "reset":
                self._link = Link(self._side.peer)
                self._link.establish(self._now)
            case "down":
                self._link.release(self._now)
                self._exchange()
                self._deaf = True
            case "up":
                self._link, self._deaf = Link(self._side.peer), False
                self._link.establish(self._now)
            case _:
                raise BadRow(f"no such step: link {how}")

    # --- what is expected

    def _expect(self, expected: str) -> None:
        if expected == "nothing":
            self.settle()
            return
        options = [option.strip().removeprefix("?") for option in expected.split(" / ")]
        if re.match(r"no [A-Z]|[A-Z][a-z]", expected):
            if not any(application.was_told(self._events, option) for option in options):
                raise Failed(f"told {', '.join(map(str, self._events)) or 'nothing'}")
            return
        reasons = []
        for option in options:
            if option == "nothing":
                if not self._heard:
                    return
                continue
            if not self._heard:
                reasons.append("nothing was sent")
            elif reason := self._differs(self._heard[0], option):
                reasons.append(reason)
            else:
                self._heard.pop(0)
                return
        raise Failed("; ".join(reasons) or f"not expected: {self._heard[0]}")

    def _differs(self, heard: Heard, option: str) -> str:
        """Why this message is not the expected one; empty: it is."""
        word, *words = option.split()
        kind, name = _named(word)
        if heard.name != kind:
            return f"sent {heard}"
        if name == GLOBAL:
            if heard.call_ref or (kind in ("RESTART", "REST_ACK") and heard.flag != (kind == "REST_ACK")):
                return f"sent {heard} with call reference {heard.call_ref}, flag {heard.flag}"
        else:
            if name not in self._calls and kind == "SETUP" and not heard.flag:
                self._calls[name] = heard.call_ref, False
                self._channels[name] = messages.channel_of(heard) or "?"
            reference, chosen = self._calls.get(name, (-1, False))
            flags = [int(part[5:]) for part in words if part.startswith("flag=")] or [int(chosen)]
            words = [part for part in words if not part.startswith("flag=")]
            if (heard.call_ref, heard.flag) != (reference, flags[0]):
                return f"sent {heard} with call reference {heard.call_ref}, flag {heard.flag}"
        lacking = messages.lacks(heard, words)
        return f"sent {heard}, which is not {' '.join(lacking)}" if lacking else ""

    # --- checks made of several messages

    def _check_state(self, state: str) -> None:
        self._say("STATUS_ENQ", [])
        self._expect(f"STATUS cause=30 state={state}")

    def _probe(self, channel: str, *, free: bool) -> None:
        name = f"probe{len(self._calls)}"
        self._say(f"SETUP@{name}", ["bc", f"ch={channel}!", "called=5001", "complete"])
        if free:
            self._expect("nothing" if self._manual else f"CALL_PROC@{name} ch={channel}!")
            self._say(f"RELEASE@{name}", ["cause=16"])
            self._expect(f"REL_COMP@{name}")
        else:
            self._expect(f"REL_COMP@{name} cause=44|34")


def _named(word: str) -> tuple[str, str]:
    """`SETUP@b` -> SETUP and b; the call is a when none is named."""
    kind, _, name = word.partition("@")
    return kind, name or "a"
