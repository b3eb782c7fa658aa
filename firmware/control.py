"""What the line card's control port and its host say to each other. Runs on MicroPython and on CPython.

The packets are those of wire.py. A card has one control port beside the ports of its spans:

| kind | from | body |
|---|---|---|
| HELLO | host | u8 lowest, u8 highest version that the host speaks |
| HELLO_ANSWER | card | as in wire.py; CARD and STATE follow |
| CARD | card | which card it is and how it started, again after UPDATE_CONFIRM: see pack_card |
| LEASE | host | what the host wishes until the lease runs out or the next one comes: see pack_lease |
| STATE | card | once a second and on change: see pack_state; it names the LEASE that is in force |
| SENSORS | card | every 5 seconds: see pack_sensors |
| IDENTIFY | host | u16 seconds that all LEDs blink; 0: no more |
| CRASH_READ, CRASH_CLEAR | host | nothing; CRASH comes, empty when there is none |
| CRASH | card | the last crash: see pack_crash |
| RESET | host | nothing: start the controller anew |
| UPDATE_BEGIN | host | u8 1: an older version, too; the head of a signed image (image.py) |
| UPDATE_CHUNK | host | u32 offset in the payload, octets |
| UPDATE_END | host | nothing: all of it was sent |
| UPDATE_ACTIVATE | host | nothing: start what was sent, on trial |
| UPDATE_CONFIRM | host | nothing: what is on trial stays |
| UPDATE | card | how far an update is, after each packet about one: see pack_update |
| ANSWER | card | of every packet of the host's but HELLO, LEASE, UPDATE_CHUNK: see pack_answer |
| LOG | card | u8 level, a line of text |

A packet of the host's that no ANSWER (of LEASE: no STATE, of UPDATE_CHUNK: no UPDATE) names in time is sent
again as it was: all of them may come twice. The card says nothing to a host without HELLO; a lease outlives
the port, so that a host which starts anew in time changes nothing.
"""

import struct

from firmware.wire import HELLO, HELLO_ANSWER

VERSION = 1

LEASE, IDENTIFY, CRASH_READ, CRASH_CLEAR, RESET = 0x20, 0x21, 0x22, 0x23, 0x24
UPDATE_BEGIN, UPDATE_CHUNK, UPDATE_END, UPDATE_ACTIVATE, UPDATE_CONFIRM = 0x28, 0x29, 0x2A, 0x2B, 0x2C
ANSWER, CARD, STATE, SENSORS, CRASH, UPDATE, LOG = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6

HOST_SAYS = (HELLO, LEASE, IDENTIFY, CRASH_READ, CRASH_CLEAR, RESET,
             UPDATE_BEGIN, UPDATE_CHUNK, UPDATE_END, UPDATE_ACTIVATE, UPDATE_CONFIRM)
CARD_SAYS = (HELLO_ANSWER, ANSWER, CARD, STATE, SENSORS, CRASH, UPDATE, LOG)

# A code is a place in its row.
RESETS = ("power-up", "watchdog", "crash", "asked", "update", "fallback")      # from a trial to the other
WHYS = ("no lease", "leased", "bypass", "dwell")  # of the relay's position; dwell: it moved a moment ago
SENSES = ("joined", "box", "moving")              # contacts: telco line at the PBX, at the card, on the way
BUTTONS = ("none", "identify", "factory-reset")
TROUBLES = ("relay", "temperature", "supply")     # trouble n is bit n; relay: its contacts disagree with it
PHASES = ("idle", "receiving", "staged", "trial")
LEVELS = ("info", "warning", "error")
SUPPLIES = ("usb", "line")                        # as in SENSORS: 5 V of the host, 3.3 V of the line

BUILT_IN = 2                                      # in place of a slot: what the card was made with
LONGEST_LEASE_MS = 300_000                        # what is asked beyond is cut
CHUNK_OCTETS = 1024
TEXT_OCTETS = 2048                                # of a crash
LOG_OCTETS = 200

_LEASE, _STATE, _UPDATE, _CRASH, _CARD = "<BI", "<HIIBBBBBBBI", "<BII", "<BIH", "<BBHB"
_FIT, _ALARM, _BYPASS = 1, 2, 4


def pack_lease(fit: bool, alarm: bool, bypass: bool, for_ms: int) -> bytes:
    """Body of LEASE. `fit`: energise the relay for so long; not: what is left of the last one runs out.

    `bypass`: join the telco line to the PBX now, whatever else is said. `alarm`: of the dry contact.
    """
    return struct.pack(_LEASE, fit * _FIT | alarm * _ALARM | bypass * _BYPASS, for_ms)


def read_lease(body: bytes | memoryview) -> tuple[bool, bool, bool, int]:
    """The arguments of pack_lease(), at most LONGEST_LEASE_MS. ValueError: too short."""
    flags, for_ms = _unpack(_LEASE, body, "lease")
    return bool(flags & _FIT), bool(flags & _ALARM), bool(flags & _BYPASS), min(for_ms, LONGEST_LEASE_MS)


def pack_state(
    answers: int, uptime_s: int, lease_ms: int, troubles: int, alarm: bool, button: int, presses: int,
    energised: bool, sense: int, why: int, operations: int,
) -> bytes:
    """Body of STATE. `answers`: sequence of the LEASE in force; `lease_ms`: how long it holds still.

    `button` is what the last of `presses` (goes round at 256) asked for. Of the relay: is it energised, what
    do its contacts say, why, and how often it has moved in its life.
    """
    return struct.pack(_STATE, answers & 0xFFFF, uptime_s, lease_ms, troubles, alarm, button, presses & 0xFF,
                       energised, sense, why, operations)


def read_state(
    body: bytes | memoryview,
) -> tuple[int, int, int, int, bool, int, int, bool, int, int, int]:
    """The arguments of pack_state(). ValueError: too short, or a code that nobody knows."""
    (answers, uptime_s, lease_ms, troubles, alarm, button, presses, energised, sense, why,
     operations) = _unpack(_STATE, body, "state")
    if button >= len(BUTTONS) or sense >= len(SENSES) or why >= len(WHYS):
        raise ValueError(f"line card: state with button {button}, contacts {sense}, for {why}")
    return (answers, uptime_s, lease_ms, troubles, bool(alarm), button, presses, bool(energised), sense, why,
            operations)


def pack_sensors(temperature_centicelsius: int, supplies_mv: list[int]) -> bytes:
    """Body of SENSORS: hundredths of a degree Celsius; each of SUPPLIES."""
    return struct.pack("<h", temperature_centicelsius) + b"".join(
        [struct.pack("<H", supply) for supply in supplies_mv])


def read_sensors(body: bytes | memoryview) -> tuple[int, list[int]]:
    """The arguments of pack_sensors(). ValueError: too short."""
    (temperature,) = _unpack("<h", body, "temperature")
    return temperature, [struct.unpack_from("<H", body, at)[0] for at in range(2, len(body) - 1, 2)]


def pack_card(
    slot: int, reset: int, starts: int, trial: bool, hardware: str, serial: str, version: str,
) -> bytes:
    """Body of CARD. `slot` 0, 1, or BUILT_IN; `reset` of RESETS, `starts` since the last power-up.

    `trial`: this firmware is not confirmed yet. `hardware` is what images are made for.
    """
    names = "\0".join((hardware, serial, version))
    return struct.pack(_CARD, slot, reset, min(starts, 0xFFFF), trial) + names.encode()


def read_card(body: bytes | memoryview) -> tuple[int, int, int, bool, str, str, str]:
    """The arguments of pack_card(). ValueError: too short, or a code that nobody knows."""
    slot, reset, starts, trial = _unpack(_CARD, body, "card")
    names = bytes(body[struct.calcsize(_CARD):]).split(b"\0")
    if reset >= len(RESETS) or slot > BUILT_IN or len(names) < 3:
        raise ValueError(f"line card: slot {slot}, reset {reset}, {len(names)} names")
    return slot, reset, starts, bool(trial), text(names[0]), text(names[1]), text(names[2])


def pack_crash(reset: int, uptime_s: int, count: int, words: str) -> bytes:
    """Body of CRASH: how it ended after how long, crashes since CRASH_CLEAR, the last one in words."""
    return struct.pack(_CRASH, reset, uptime_s, min(count, 0xFFFF)) + words.encode()[-TEXT_OCTETS:]


def read_crash(body: bytes | memoryview) -> tuple[int, int, int, str] | None:
    """The arguments of pack_crash(); None: there was none. ValueError: too short, or an unknown code."""
    if not len(body):
        return None
    reset, uptime_s, count = _unpack(_CRASH, body, "crash")
    if reset >= len(RESETS):
        raise ValueError(f"line card: crash with reset {reset}")
    return reset, uptime_s, count, text(body[struct.calcsize(_CRASH):])


def pack_update(phase: int, offset: int, octets: int) -> bytes:
    """Body of UPDATE: of PHASES; the offset that the card wants next, of how many."""
    return struct.pack(_UPDATE, phase, offset, octets)


def read_update(body: bytes | memoryview) -> tuple[int, int, int]:
    """The arguments of pack_update(). ValueError: too short, or a code that nobody knows."""
    phase, offset, octets = _unpack(_UPDATE, body, "update")
    if phase >= len(PHASES):
        raise ValueError(f"line card: update in phase {phase}")
    return phase, offset, octets


def pack_answer(kind: int, sequence: int, refusal: str) -> bytes:
    """Body of ANSWER: to which packet, and why not; "": done."""
    return struct.pack("<BH", kind, sequence & 0xFFFF) + refusal.encode()[:LOG_OCTETS]


def read_answer(body: bytes | memoryview) -> tuple[int, int, str]:
    """The arguments of pack_answer(). ValueError: too short."""
    kind, sequence = _unpack("<BH", body, "answer")
    return kind, sequence, text(body[3:])


def text(octets: bytes | memoryview) -> str:
    """What a card says, in printable characters and new lines."""
    return "".join([chr(octet) if 32 <= octet < 127 or octet == 10 else "?" for octet in bytes(octets)])


def _unpack(form: str, body: bytes | memoryview, what: str) -> tuple[int, ...]:
    octets = struct.calcsize(form)
    if len(body) < octets:
        raise ValueError(f"line card: {what} of {len(body)} octets, it has {octets}")
    return struct.unpack_from(form, body)
