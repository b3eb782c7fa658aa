"""Layer-3 messages as a tester writes and reads them: words <-> octets, with a codec of the suite's own, so
that a fault of the product's codec is seen.

Ref: ITU-T Q.931 (05/98), 4.2-4.5; bare clause numbers are Q.931's.

A message is NAME and words. NAME: see TYPES (SETUP_ACK, CALL_PROC, REL_COMP, ...). Elements stand in the
order in which they are written:

    bc, bc=speech, bc=3k1, bc=udi    bearer capability (4.5.5); bc alone is speech, A-law
    cause=16, cause=96:04            cause, with diagnostics in hexadecimal (4.5.12)
    state=10                         call state (4.5.7)
    ch=1!, ch=1, ch=1,2!, ch=any, ch=none, ch=map:1!    channel (4.5.13); `!` exclusive, else preferred
    called=5001                      of unknown type, plan E.164 (4.5.8)
    calling=4001, connected=, redirecting=    the same, presentation allowed; calling=4001/a0: octet 3a is a0
    keypad=12, display=ANNA          text
    calledsub=3132, callingsub=, connectedsub=    subaddress, user specified, of these octets
    complete, progress=8, notify=0, restart=0, uu=00ff, facility=91a0, hlc, llc, more
    x:7e0304                         octets as they are: an element, or what looks like one

In an expected message a word is what must be there: `cause=96|100` is either, `cause` alone any, `-cause`
none; `ch=1` is either kind, `ch=1!` exclusive, `ch=1?` preferred. Other elements may be there, too.
"""
from dataclasses import dataclass

from appliance.isdn.lapd import Side
from tests.conformance.purposes import BadRow, Failed

TYPES = {                                         # 4.4; HOLD to REGISTER and FACILITY: Q.932
    "ALERTING": 0x01, "CALL_PROC": 0x02, "PROGRESS": 0x03, "SETUP": 0x05, "CONNECT": 0x07,
    "SETUP_ACK": 0x0D, "CONN_ACK": 0x0F, "USER_INFO": 0x20, "SUSP_REJ": 0x21, "RES_REJ": 0x22,
    "SUSPEND": 0x25, "RESUME": 0x26, "SUSP_ACK": 0x2D, "RES_ACK": 0x2E, "DISC": 0x45, "RESTART": 0x46,
    "RELEASE": 0x4D, "REST_ACK": 0x4E, "REL_COMP": 0x5A, "SEGMENT": 0x60, "FACILITY": 0x62, "NOTIFY": 0x6E,
    "STATUS_ENQ": 0x75, "CONG_CTRL": 0x79, "INFO": 0x7B, "STATUS": 0x7D, "HOLD": 0x24, "HOLD_ACK": 0x28,
    "HOLD_REJ": 0x30, "RETRIEVE": 0x31, "RETR_ACK": 0x33, "RETR_REJ": 0x37, "REGISTER": 0x64,
}
NAMES = {value: name for name, value in TYPES.items()}
IDENTIFIERS = {                                   # table 4-3
    "more": 0xA0, "complete": 0xA1, "bc": 0x04, "cause": 0x08, "state": 0x14, "ch": 0x18, "facility": 0x1C,
    "progress": 0x1E, "notify": 0x27, "display": 0x28, "keypad": 0x2C, "connected": 0x4C,
    "connectedsub": 0x4D, "calling": 0x6C, "callingsub": 0x6D, "called": 0x70, "calledsub": 0x71,
    "redirecting": 0x74, "restart": 0x79, "llc": 0x7C, "hlc": 0x7D, "uu": 0x7E,
}
BEARERS = {"": "8090a3", "speech": "8090a3", "3k1": "9090a3", "udi": "8890"}
FIXED = {"llc": "8090a3", "hlc": "9181", "complete": "", "more": ""}
MANDATORY = {                                     # 3.1, 3.2: in every message of the type
    "SETUP": ("bc",), "PROGRESS": ("progress",), "DISC": ("cause",), "STATUS": ("cause", "state"),
    "NOTIFY": ("notify",), "RESTART": ("restart",), "REST_ACK": ("restart",), "SUSP_REJ": ("cause",),
    "RES_REJ": ("cause",), "USER_INFO": ("uu",),
}
LOCATIONS = {Side.USER: 0, Side.NETWORK: 2}       # Q.850: user; public network serving the local user


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the IUT."""

    name: str
    call_ref: int
    flag: int
    elements: tuple[tuple[int, bytes], ...]       # codeset << 8 | identifier, content

    def contents(self, word: str) -> list[bytes]:
        return [content for identifier, content in self.elements if identifier == IDENTIFIERS[word]]

    def __str__(self) -> str:
        shown = [_show(identifier, content) for identifier, content in self.elements]
        return " ".join((self.name, *shown))


# --- tester to IUT


def write(name: str, call_ref: int, flag: int, words: list[str], sender: Side) -> bytes:
    """The octets of a message that the tester, at `sender`'s end, sends."""
    if name not in TYPES:
        raise BadRow(f"no such message: {name}")
    head = bytes((0x08, 2)) + (flag << 15 | call_ref).to_bytes(2, "big") + bytes((TYPES[name],))
    return head + b"".join(_element(word, sender) for word in words)


def _element(word: str, sender: Side) -> bytes:
    if word.startswith("x:"):
        return bytes.fromhex(word[2:])
    name, _, value = word.partition("=")
    if name not in IDENTIFIERS:
        raise BadRow(f"no such element: {word}")
    identifier = IDENTIFIERS[name]
    if identifier & 0x80:
        return bytes((identifier,))
    content = write_content(name, value, sender)
    return bytes((identifier, len(content))) + content


def write_content(name: str, value: str, sender: Side) -> bytes:
    match name:
        case "bc":
            return bytes.fromhex(BEARERS[value])
        case "cause":
            number, _, diagnostic = value.partition(":")
            return bytes((0x80 | LOCATIONS[sender], 0x80 | int(number))) + bytes.fromhex(diagnostic)
        case "state":
            return bytes((int(value),))
        case "ch":
            return _channel(value)
        case "progress":
            return bytes((0x80 | LOCATIONS[sender], 0x80 | int(value)))
        case "notify" | "restart":
            return bytes((0x80 | int(value),))
        case "called":
            return b"\x81" + value.encode("ascii")
        case "calling" | "connected":
            digits, _, octet3a = value.partition("/")
            return (b"\x01" + bytes.fromhex(octet3a or "80")) + digits.encode("ascii")
        case "redirecting":
            return b"\x01\x00\x8f" + value.encode("ascii")
        case "calledsub" | "callingsub" | "connectedsub":
            return b"\xa0" + bytes.fromhex(value)
        case "keypad" | "display":
            return value.encode("ascii")
        case "uu" | "facility":
            return bytes.fromhex(value)
    return bytes.fromhex(FIXED[name])


def _channel(value: str) -> bytes:
    """4.5.13, other interface; timeslots by number or map."""
    exclusive = 0x08 if value.endswith("!") else 0
    which = value.rstrip("!")
    if which in ("any", "none"):
        return bytes((0xA0 | exclusive | 3 * (which == "any"),))
    if which.startswith("map:"):
        slots = sum(1 << int(slot) for slot in which[4:].split(","))
        return bytes((0xA1 | exclusive, 0x93)) + slots.to_bytes(4, "big")
    numbers = [int(number) for number in which.split(",")]
    return bytes((0xA1 | exclusive, 0x83, *numbers[:-1], 0x80 | numbers[-1]))


# --- IUT to tester


def read(octets: bytes) -> Heard:
    """A message of the IUT. Failed: it is not one that the Recommendation allows."""
    if octets[:2] != b"\x08\x02" or len(octets) < 5 or octets[4] not in NAMES:
        raise Failed(f"sent no message: {octets.hex(' ')}")
    reference, at, codeset, last = int.from_bytes(octets[2:4], "big"), 5, 0, 0
    elements = []
    while at < len(octets):
        identifier = octets[at]
        if identifier & 0xF0 == 0x90:
            codeset, last, at = identifier & 7, 0, at + 1
        elif identifier & 0x80:
            elements.append((codeset << 8 | identifier, b""))
            at += 1
        else:
            length = octets[at + 1] if at + 1 < len(octets) else 256
            content = octets[at + 2:at + 2 + length]
            if len(content) != length or identifier < last:
                raise Failed(f"sent an element past the end or out of order (4.5.1): {octets.hex(' ')}")
            elements.append((codeset << 8 | identifier, content))
            at, last = at + 2 + length, identifier
    heard = Heard(NAMES[octets[4]], reference & 0x7FFF, reference >> 15, tuple(elements))
    for word in MANDATORY.get(heard.name, ()):
        if not heard.contents(word):
            raise Failed(f"sent {heard} without mandatory {word}")
    return heard


def lacks(heard: Heard, words: list[str]) -> list[str]:
    """The words that the message does not fulfil."""
    return [word for word in words if not _fulfils(heard, word)]


def _fulfils(heard: Heard, word: str) -> bool:
    if word.startswith("x:"):
        octets = bytes.fromhex(word[2:])
        return any(octets == bytes((identifier & 0xFF, len(content))) + content
                   for identifier, content in heard.elements)
    name, equals, value = word.lstrip("-").partition("=")
    if name not in IDENTIFIERS:
        raise BadRow(f"no such element: {word}")
    contents = heard.contents(name)
    if word.startswith("-"):
        return not contents
    if not equals:
        return bool(contents)
    return any(_is(name, content, option) for content in contents for option in value.split("|"))


def _is(name: str, content: bytes, value: str) -> bool:
    match name:
        case "cause":
            number, _, diagnostic = value.partition(":")
            heard, rest = _cause(content)
            return heard == int(number) and (not diagnostic or rest == bytes.fromhex(diagnostic))
        case "ch":
            kinds = {"!": (True,), "?": (False,)}.get(value[-1], (True, False))
            wanted = _channel(value.rstrip("!?"))
            exclusive = bool(content[0] & 0x08)
            return exclusive in kinds and bytes((content[0] & ~0x08,)) + content[1:] == wanted
        case "progress":
            return content[-1] & 0x7F == int(value)
        case "state":
            return content[0] & 0x3F == int(value)
        case "notify" | "restart":
            return content[0] & 0x7F == int(value)
        case "called" | "calling" | "connected" | "redirecting":
            digits, _, octet3a = value.partition("/")
            group = next(at for at, octet in enumerate(content) if octet & 0x80) + 1
            shown = not octet3a or content[1:2] == bytes.fromhex(octet3a)
            return content[group:] == digits.encode("ascii") and shown
        case "display":
            return content.lstrip(b"\xb1") == value.encode("ascii")
        case "keypad":
            return content == value.encode("ascii")
    return content == write_content(name, value, Side.USER)


def _cause(content: bytes) -> tuple[int, bytes]:
    at = next(at for at, octet in enumerate(content) if octet & 0x80) + 1
    return content[at] & 0x7F, content[at + 1:]


def channel_of(heard: Heard) -> str | None:
    """The one channel that the message names."""
    for content in heard.contents("ch"):
        if len(content) == 3 and content[1] == 0x83:
            return str(content[2] & 0x7F)
    return None


def _show(identifier: int, content: bytes) -> str:
    name = {value: key for key, value in IDENTIFIERS.items()}.get(identifier, f"{identifier:x}")
    if name == "cause":
        number, rest = _cause(content)
        return f"cause={number}" + (f":{rest.hex()}" if rest else "")
    if name == "state":
        return f"state={content[0] & 0x3F}"
    return f"{name}={content.hex()}" if content else name
