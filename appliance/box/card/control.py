"""boxd's end of a line card's control port, without the port: octets and `now` in, octets and facts out.

Ref: firmware/control.py.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from firmware import control, wire

LEASE_S = 1.0                                     # between two leases
SILENT_S = 5.0                                    # STATE comes every second
AGAIN_S, TIMES = 2.0, 3                           # a packet is sent again so often
HEALTHY_S = 10.0                                  # firmware on trial is well for so long before it stays


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card last said."""

    hardware: str = ""
    serial: str = ""
    version: str = ""
    slot: int = control.BUILT_IN
    trial: bool = False
    reset: str = ""
    resets: int = 0
    uptime_s: int = 0
    lease_ms: int = 0
    troubles: tuple[str, ...] = ()
    alarm: bool = False
    energised: bool = False
    sense: str = "moving"
    why: str = ""
    operations: int = 0
    button: str = "none"
    presses: int = 0
    temperature_celsius: float | None = None
    supplies_mv: dict[str, int] = field(default_factory=dict)
    crash: tuple[int, int, int, str] | None = None                   # as of firmware.control.read_crash


@dataclass(frozen=True, slots=True)
class Pressed:
    """The button asked for something."""

    asked: str


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the card's log."""

    level: str
    text: str


@dataclass(slots=True)
class _Asked:
    kind: int
    body: bytes
    done: Callable[[str], None]
    sequence: int = 0
    sent: int = 0                                 # times
    due: float = 0.0


class CardControl:
    """One connection: from HELLO until `trouble`. take_octets() is what goes out."""

    def __init__(self, hold_s: float, now: float) -> None:
        self.facts = Facts()
        self.ready = False                        # CARD and STATE were heard
        self.trouble = ""                         # why this connection is of no use any more
        self.update = (0, 0, 0)                   # phase, offset, octets: as UPDATE last said
        self.chunk_refusal = ""
        self._hold_ms = round(hold_s * 1000)
        self._wish = (False, False, False)        # fit, alarm, bypass
        self._writer, self._reader = wire.Writer(), wire.Reader(self._hear)
        self._out = b""
        self._events: list[Pressed | Said] = []
        self._asked: deque[_Asked] = deque()
        self._sequences = dict.fromkeys(control.HOST_SAYS, 0)
        self._greeted = False                     # the card has answered HELLO
        self._presses: int | None = None          # those before we came are nobody's wish
        self._now = self._heard_at = self._well_since = now
        self._lease_at = self._hello_at = now

    @property
    def bad_packets(self) -> int:
        return self._reader.bad

    def wish(self, fit: bool, alarm: bool, bypass: bool, now: float) -> None:
        """What LEASE says from now on; a change goes out at once."""
        if self._wish != (fit, alarm, bypass):
            self._wish, self._lease_at = (fit, alarm, bypass), now
        self.expire(now)

    def ask(self, kind: int, body: bytes, done: Callable[[str], None], now: float) -> None:
        """One after the other; `done` gets the refusal, "" when it was done."""
        self._asked.append(_Asked(kind, body, done))
        self.expire(now)

    def send_chunk(self, offset: int, octets: bytes) -> None:
        """What becomes of it is in `update`."""
        self._send(control.UPDATE_CHUNK, offset.to_bytes(4, "little") + octets)

    def receive(self, octets: bytes, now: float) -> None:
        self._now = now
        self._reader.feed(octets)
        self.expire(now)

    def expire(self, now: float) -> None:
        """Do what is due."""
        self._now = now
        if self.trouble:
            return
        if now - self._heard_at >= SILENT_S:
            self._end(f"the card says nothing for {SILENT_S:.0f} s")
        elif not self._greeted:
            if now >= self._hello_at:
                self._hello_at = now + LEASE_S
                self._send(wire.HELLO, bytes((control.VERSION, control.VERSION)))
        else:
            if now >= self._lease_at:
                self._lease_at = now + LEASE_S
                self._send(control.LEASE, control.pack_lease(*self._wish, self._hold_ms))
            self._ask_on(now)

    def next_deadline(self) -> float:
        due = [self._heard_at + SILENT_S, self._lease_at if self._greeted else self._hello_at]
        if self._asked and self._greeted:
            due.append(self._asked[0].due)
        return min(due)

    def healthy(self, now: float) -> bool:
        """For HEALTHY_S the card has done what LEASE says and its relay is where it should be."""
        return self.ready and not self.trouble and now - self._well_since >= HEALTHY_S

    def take_octets(self) -> bytes:
        out, self._out = self._out, b""
        return out

    def take_events(self) -> list[Pressed | Said]:
        events, self._events = self._events, []
        return events

    def close(self, why: str) -> None:
        """The port is gone."""
        self._end(why)

    def _end(self, why: str) -> None:
        if not self.trouble:
            self.trouble = why
            while self._asked:
                self._asked.popleft().done(why)

    def _send(self, kind: int, body: bytes) -> int:
        sequence = self._sequences[kind]
        self._sequences[kind] = (sequence + 1) & 0xFFFF
        self._out += self._writer.pack(kind, 0, sequence, body)
        return sequence

    def _ask_on(self, now: float) -> None:
        if not self._asked or now < self._asked[0].due:
            return
        asked = self._asked[0]
        if asked.sent == TIMES:
            self._end("the card does not answer what it is asked")
            return
        if not asked.sent:
            asked.sequence = self._send(asked.kind, asked.body)
        else:                                     # the same once more
            self._out += self._writer.pack(asked.kind, 0, asked.sequence, asked.body)
        asked.sent, asked.due = asked.sent + 1, now + AGAIN_S

    def _hear(self, kind: int, span: int, sequence: int, body: memoryview) -> None:
        """A packet of the card's. What we do not know is a later version's."""
        try:
            self._take(kind, bytes(body))
        except ValueError:                        # of a wrong shape, and yet its CRC is right: so it was sent
            self._reader.bad += 1

    def _take(self, kind: int, body: bytes) -> None:
        match kind:
            case wire.HELLO_ANSWER:
                version, _, name = wire.read_hello_answer(body)
                self._greeted = True
                self._heard_at = self._lease_at = self._now
                if version != control.VERSION:
                    self._end(f"the card ({name}) does not speak version {control.VERSION} of the protocol: "
                              "update its firmware or this program")
            case control.STATE:
                self._take_state(body)
            case control.CARD:
                slot, reset, resets, trial, hardware, serial, card_version = control.read_card(body)
                self.facts = replace(self.facts, slot=slot, reset=control.RESETS[reset], resets=resets,
                                     trial=trial, hardware=hardware, serial=serial, version=card_version)
            case control.SENSORS:
                centicelsius, supplies = control.read_sensors(body)
                self.facts = replace(self.facts, temperature_celsius=centicelsius / 100, supplies_mv=dict(
                    zip(control.SUPPLIES, supplies, strict=False)))
            case control.CRASH:
                self.facts = replace(self.facts, crash=control.read_crash(body))
            case control.UPDATE:
                self.update = control.read_update(body)
            case control.ANSWER:
                self._answered(*control.read_answer(body))
            case control.LOG if body and body[0] < len(control.LEVELS):
                self._events.append(Said(control.LEVELS[body[0]], control.text(body[1:])))

    def _take_state(self, body: bytes) -> None:
        (answers, uptime_s, lease_ms, troubles, alarm, button, presses, energised, sense, why,
         operations) = control.read_state(body)
        self._heard_at, self.ready = self._now, bool(self.facts.hardware)
        self._greeted = self.ready                # CARD was lost: HELLO once more
        standing = tuple(name for bit, name in enumerate(control.TROUBLES) if troubles >> bit & 1)
        self.facts = replace(
            self.facts, uptime_s=uptime_s, lease_ms=lease_ms, troubles=standing, alarm=alarm,
            button=control.BUTTONS[button], presses=presses, energised=energised,
            sense=control.SENSES[sense], why=control.WHYS[why], operations=operations)
        if self._presses is not None and presses != self._presses:
            self._events.append(Pressed(control.BUTTONS[button]))
        self._presses = presses
        behind = (self._sequences[control.LEASE] - 1 - answers) & 0xFFFF
        if behind > SILENT_S / LEASE_S or "relay" in standing:
            self._well_since = self._now

    def _answered(self, kind: int, sequence: int, refusal: str) -> None:
        if kind == control.UPDATE_CHUNK and refusal:
            self.chunk_refusal = refusal
        elif self._asked and (self._asked[0].kind, self._asked[0].sequence) == (kind, sequence):
            self._asked.popleft().done(refusal)
            self._ask_on(self._now)
