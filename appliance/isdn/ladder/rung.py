"""One D-channel frame as a rung of a ladder: layer 2 and layer 3 in words. Any octets will do.

What the codec refuses or passes over is here all the same, with what is wrong and at which octet: the frame's
first one is octet 0.

Ref: ITU-T Q.921 (09/97) clause 3; Q.931 (05/98) clause 4 and 5.8.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from appliance.errors import DecodeError
from appliance.isdn import lapd
from appliance.isdn.elements import (
    ELEMENTS,
    MAINTENANCE_ELEMENTS,
    REPEATABLE,
    SHIFT,
    SINGLE_OCTET,
    CallState,
    Cause,
    Element,
    RepeatIndicator,
)
from appliance.isdn.ladder import names
from appliance.isdn.ladder.words import Details, element_words
from appliance.isdn.lapd import FrameKind, Side
from appliance.isdn.q931 import (
    CALL_CONTROL,
    CODESET,
    COMPREHENDED,
    MAINTENANCE,
    MANDATORY,
    NI_MAINTENANCE,
    NON_LOCKING,
    MessageType,
)

_TYPES = {int(type_): type_ for type_ in MessageType}
_KINDS: dict[int, Mapping[int, type[Element]]] = {
    CALL_CONTROL: ELEMENTS, MAINTENANCE: MAINTENANCE_ELEMENTS, NI_MAINTENANCE: MAINTENANCE_ELEMENTS}
_TYPE_1 = (0xB0, 0xD0)                            # identifiers whose bits 4-1 are the content (4.5.1)


@dataclass(frozen=True, slots=True)
class Part:
    """An information element. `short` is "" where the line of the message does without it."""

    name: str                                     # of table 4-3
    short: str = ""
    details: Details = ()
    cause: int | None = None                      # Q.850, of a Cause: its text is for who shows it
    at: int = 0                                   # the octet of its identifier
    fault: str = ""                               # what is wrong with it, with the clause


@dataclass(frozen=True, slots=True)
class Rung:
    """`message` "" and `call_ref` None: the frame carries no message."""

    sent: bool                                    # by us
    kind: str                                     # "I", "RR", ..., of Q.921; "invalid" when it is no frame
    link: str                                     # layer 2 in words
    octets: bytes
    again: bool = False                           # layer 2 sent it before (Q.921 5.6)
    message: str = ""                             # "SETUP"
    call_ref: int | None = None
    ours: bool | None = None                      # our side chose the call reference
    parts: tuple[Part, ...] = ()
    faults: tuple[str, ...] = ()                  # of the frame or the message as a whole

    @property
    def title(self) -> str:
        """What stands at the arrow."""
        return self.message or self.kind

    @property
    def causes(self) -> tuple[int, ...]:
        """Q.850."""
        return tuple(part.cause for part in self.parts if part.cause is not None)

    @property
    def said(self) -> list[Part]:
        """The parts with short words, those first that people look for."""
        return sorted((part for part in self.parts if part.short),
                      key=lambda part: names.FIRST.get(part.name, len(names.FIRST)))

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything that is wrong with it."""
        return (*self.faults, *(f"{part.name} at octet {part.at}: {part.fault}"
                                for part in self.parts if part.fault))

    @property
    def text(self) -> str:
        """Layer 3 in one line, without the message's name; "" for a frame without a message."""
        again = ("sent again by layer 2",) if self.again else ()
        return " · ".join((*again, *map(_said, self.said), *self.wrong))


def _said(part: Part) -> str:
    cause = "" if part.cause is None else names.CAUSES.get(part.cause, "reserved")
    return f"{part.short} {cause}".rstrip()


@dataclass(slots=True)
class _Message:
    """What the octets of an I frame say, as far as they can be read."""

    name: str = ""
    call_ref: int | None = None
    to_originator: bool = False
    parts: list[Part] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def describe(octets: bytes, sent: bool, network_side: bool, again: bool = False) -> Rung:
    """A frame without flags and FCS. `sent`: by us; `network_side`: we are the network of this line."""
    ours = Side.NETWORK if network_side else Side.USER
    try:
        frame = lapd.decode(octets, ours if sent else ours.peer)
    except DecodeError as error:
        return Rung(sent, "invalid", f"{len(octets)} octets", octets, again, faults=(f"Q.921 {error}",))
    kind = "I" if frame.kind is lapd.I_FRAME else frame.kind.name
    link = _link(frame)
    if frame.kind is not lapd.I_FRAME:
        return Rung(sent, kind, link, octets, again, parts=tuple(_of_layer2(frame)))
    said = _message(frame.info, len(octets) - len(frame.info))
    chosen_here = None if said.call_ref in (None, 0) else sent is not said.to_originator
    return Rung(sent, kind, link, octets, again, said.name or "no message", said.call_ref, chosen_here,
                tuple(said.parts), tuple(said.faults))


def _link(frame: lapd.Frame) -> str:
    """RR response F=1 N(R)=5, and the address where it is not that of the only link."""
    bit = "P" if frame.command else "F"
    words = ["I" if frame.kind is lapd.I_FRAME else frame.kind.name,
             "command" if frame.command else "response"]
    if frame.kind is lapd.I_FRAME:
        words.append(f"N(S)={frame.ns}")
    if frame.kind is lapd.I_FRAME or frame.kind in lapd.SUPERVISORY:
        words.append(f"N(R)={frame.nr}")
    words.append(f"{bit}={frame.pf:d}")
    if frame.sapi or frame.tei:
        words.append(f"SAPI {frame.sapi} TEI {frame.tei}")
    return " ".join(words)


def _of_layer2(frame: lapd.Frame) -> Iterator[Part]:
    if frame.kind is FrameKind.FRMR and len(frame.info) >= 5:        # Q.921 3.6.11, figure 6
        control, vs, vr, flags = frame.info[:2], frame.info[2] >> 1, frame.info[3] >> 1, frame.info[4]
        why = [text for bit, text in (
            (1, "undefined or unimplemented control field"), (2, "information field not permitted"),
            (4, "information field too long"), (8, "N(R) out of sequence")) if flags & bit]
        yield Part("FRMR information", ", ".join(why), (
            ("rejected control field", control.hex(" ")), ("V(S)", str(vs)), ("V(R)", str(vr))), at=3)
    elif frame.info:
        content = (("content", frame.info.hex(" ")),)
        yield Part("Information field", f"{len(frame.info)} octets", content, at=3)


def _message(info: bytes, start: int) -> _Message:
    """`start`: the octet of the frame where the message begins."""
    said = _Message()
    length = info[1] & 0x0F if len(info) > 1 else 0
    if info and info[0] not in _KINDS:
        said.faults.append(f"5.8.1: protocol discriminator {info[0]:#04x} at octet {start}")
    elif len(info) < length + 3:
        said.faults.append(f"5.8.2: a message of {len(info)} octets is too short")
    elif not length:
        said.faults.append(f"5.8.3.1: a call reference without a value at octet {start + 1}")
    else:
        flag = 0x80 << 8 * (length - 1)
        reference = int.from_bytes(info[2:2 + length], "big")
        said.call_ref, said.to_originator = reference & ~flag, bool(reference & flag)
        _read_message(said, info[0], info[2 + length], info[3 + length:], start + 3 + length)
    return said


def _read_message(said: _Message, protocol: int, octet: int, content: bytes, start: int) -> None:
    type_ = _TYPES.get(octet if protocol == CALL_CONTROL else protocol << 8 | octet)
    if type_ is None:
        said.name = f"message {octet:#04x}"
        said.faults.append(f"5.8.4: unknown message type at octet {start - 1}")
    else:
        said.name = type_.name.removeprefix("NI_").replace("_", " ")
    if type_ is MessageType.SEGMENT:              # annex H: what follows its first element is cut anywhere
        end = 2 + content[1] if len(content) > 1 else len(content)
        said.parts.extend(_parts(content[:end], start, _KINDS[protocol], said.call_ref == 0))
        said.parts.append(Part("Message segment", f"{len(content[end:])} octets",
                               (("content", content[end:].hex(" ")),), at=start + end))
        return
    said.parts.extend(_parts(content, start, _KINDS[protocol], said.call_ref == 0))
    there = {part.name for part in said.parts}
    for identifier, kind in _KINDS[protocol].items():
        name = element_name(protocol, 0, identifier)
        if type_ is not None and kind in MANDATORY.get(type_, ()) and name not in there:
            said.faults.append(f"5.8.6.1: {name} is missing")


def element_name(protocol: int, codeset: int, identifier: int) -> str:
    """Of table 4-3 and its like; one that is in none is called by its identifier."""
    if protocol != CALL_CONTROL and identifier in names.MAINTENANCE_ELEMENTS:
        return names.MAINTENANCE_ELEMENTS[identifier]
    name = names.ELEMENTS.get(codeset << 8 | identifier, f"Element {identifier:#04x}")
    return f"{name} (codeset {codeset}, {names.CODESETS.get(codeset, 'reserved')})" if codeset else name


def _parts(content: bytes, start: int, kinds: Mapping[int, type[Element]], globally: bool) -> Iterator[Part]:
    """Every element, also of other codesets, twice there, cut short or unknown (4.5.1-4.5.4)."""
    seen: set[int] = set()
    listed = False                                # after a repeat indicator
    protocol = CALL_CONTROL if kinds is ELEMENTS else MAINTENANCE
    for codeset, identifier, at, octets in elements_in(content):
        name, where, code = element_name(protocol, codeset, identifier), start + at, codeset << 8 | identifier
        kind = kinds.get(code)
        shown = (("content", octets.hex(" ")),) if octets else ()
        if octets is None:
            yield Part(name, at=where, fault="5.8.6.2: runs past the end of the message")
        elif kind is None:
            unknown = code not in names.ELEMENTS and identifier < SINGLE_OCTET and not codeset
            must = "must be understood" if identifier < COMPREHENDED else "unknown, passed over"
            yield Part(name, "" if unknown else name, shown, at=where,
                       fault=f"5.8.7.1: {must}" if unknown else "")
        elif not octets and identifier < SINGLE_OCTET:
            yield Part(name, at=where, details=(("content", "empty: counts as absent"),))
        else:
            twice = code in seen and kind not in REPEATABLE and not listed
            fault = "5.8.5.2: is there once more, only the first one counts" if twice else ""
            yield _read(name, kind, octets, where, globally, fault)
        seen.add(code)
        listed = listed or kind is RepeatIndicator


def _read(name: str, kind: type[Element], octets: bytes, at: int, globally: bool, fault: str) -> Part:
    try:
        if len(octets) > kind.MOST_OCTETS:
            raise DecodeError(None, "5.8.7.2", f"{len(octets)} octets, at most {kind.MOST_OCTETS}")
        element = kind.read(octets)
    except DecodeError as error:
        return Part(name, "", (("content", octets.hex(" ")),), at=at, fault=str(error))
    if isinstance(element, CallState):
        return Part(name, f"state {names.call_state(element.value, globally)}", at=at, fault=fault)
    short, details = element_words(element)
    return Part(name, short, details, element.value if isinstance(element, Cause) else None, at, fault)


def elements_in(content: bytes) -> Iterator[tuple[int, int, int, bytes | None]]:
    """Codeset, identifier, its place and the octets of each element; None: they run past the end."""
    locked = codeset = at = 0
    while at < len(content):
        place, identifier = at, content[at]
        at += 1
        if identifier & 0xF0 == SHIFT:            # for one element, or from now on and never back (4.5.3)
            codeset = identifier & CODESET
            if not identifier & NON_LOCKING:
                codeset = locked = max(codeset, locked)
            continue
        octets: bytes | None = b""
        if identifier & 0xF0 in _TYPE_1:
            identifier, octets = identifier & 0xF0, bytes((identifier & 0x0F,))
        elif identifier < SINGLE_OCTET:
            end = at + 1 + content[at] if at < len(content) else len(content) + 1
            octets = content[at + 1:end] if end <= len(content) else None
            at = min(end, len(content))
        yield codeset, identifier, place, octets
        codeset = locked
