"""Q.931 messages: octets <-> frozen dataclasses. No I/O, no clock, no call state.

Ref: ITU-T Q.931 (05/98), clauses 3, 4.1-4.5.4 and the error handling of 5.8.1-5.8.7; Q.932 (05/98), clause 7;
causes Q.850 (05/98). Bare clause numbers are Q.931's. SERVICE: AT&T TR 41459 and, with other codes, National
ISDN 2. Elements out of sequence are read like others, the second choice of 5.8.5.1.
"""
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeVar

from appliance.errors import DecodeError
from appliance.isdn.elements import (
    ELEMENTS,
    IDENTIFIERS,
    INVALID_CONTENTS,
    MAINTENANCE_ELEMENTS,
    NEGOTIABLE,
    REPEATABLE,
    SHIFT,
    SINGLE_OCTET,
    BearerCapability,
    CallState,
    Cause,
    ChangeStatus,
    ChannelId,
    CongestionLevel,
    Element,
    NotificationIndicator,
    ProgressIndicator,
    RepeatIndicator,
    RestartIndicator,
    SegmentedMessage,
    Unread,
    UserUser,
)

E = TypeVar("E", bound=Element)
Kind = type[E]                                    # a name of its own, since a message has a `type`

CALL_CONTROL = 0x08                               # protocol discriminators, 4.2
MAINTENANCE, NI_MAINTENANCE = 0x03, 0x43
MISSING_ELEMENT = 96                              # Q.850
UNKNOWN_MESSAGE = 97                              # Q.850
NON_LOCKING = 0x08                                # of a shift
CODESET = 0x07
CODESET_1 = 0x100                                 # of codeset << 8 | identifier: not codeset 0 from here on
COMPREHENDED = 0x10                               # 5.8.7.1: identifiers below it must be understood
CACHED_ELEMENTS = 1024
PLACE = itemgetter(0)
NONE: frozenset[type[Element]] = frozenset()


class MessageType(IntEnum):                       # 4.4; FACILITY to REGISTER: Q.932
    """The message type octet; with another discriminator than call control's, that << 8 | octet."""

    ALERTING = 0x01
    CALL_PROCEEDING = 0x02
    PROGRESS = 0x03
    SETUP = 0x05
    CONNECT = 0x07
    SETUP_ACKNOWLEDGE = 0x0D
    CONNECT_ACKNOWLEDGE = 0x0F
    USER_INFORMATION = 0x20
    SUSPEND_REJECT = 0x21
    RESUME_REJECT = 0x22
    HOLD = 0x24
    SUSPEND = 0x25
    RESUME = 0x26
    HOLD_ACKNOWLEDGE = 0x28
    SUSPEND_ACKNOWLEDGE = 0x2D
    RESUME_ACKNOWLEDGE = 0x2E
    HOLD_REJECT = 0x30
    RETRIEVE = 0x31
    RETRIEVE_ACKNOWLEDGE = 0x33
    RETRIEVE_REJECT = 0x37
    DISCONNECT = 0x45
    RESTART = 0x46
    RELEASE = 0x4D
    RESTART_ACKNOWLEDGE = 0x4E
    RELEASE_COMPLETE = 0x5A
    SEGMENT = 0x60
    FACILITY = 0x62
    REGISTER = 0x64
    NOTIFY = 0x6E
    STATUS_ENQUIRY = 0x75
    CONGESTION_CONTROL = 0x79
    INFORMATION = 0x7B
    STATUS = 0x7D
    SERVICE_ACKNOWLEDGE = MAINTENANCE << 8 | 0x07
    SERVICE = MAINTENANCE << 8 | 0x0F
    NI_SERVICE = NI_MAINTENANCE << 8 | 0x07
    NI_SERVICE_ACKNOWLEDGE = NI_MAINTENANCE << 8 | 0x0F

    @property
    def protocol(self) -> int:
        """The protocol discriminator."""
        return self >> 8 or CALL_CONTROL


# 3.1 and 3.2, the column "M". What is mandatory only in a first response, only in a first clearing message or
# in one direction is for call control to ask: RELEASE, RELEASE COMPLETE and ChannelId stand here for none.
MANDATORY: dict[MessageType, frozenset[type[Element]]] = {
    MessageType.SETUP: frozenset({BearerCapability}),
    MessageType.PROGRESS: frozenset({ProgressIndicator}),
    MessageType.DISCONNECT: frozenset({Cause}),
    MessageType.STATUS: frozenset({Cause, CallState}),
    MessageType.NOTIFY: frozenset({NotificationIndicator}),
    MessageType.RESTART: frozenset({RestartIndicator}),
    MessageType.RESTART_ACKNOWLEDGE: frozenset({RestartIndicator}),
    MessageType.SUSPEND_REJECT: frozenset({Cause}),
    MessageType.RESUME_REJECT: frozenset({Cause}),
    MessageType.RESUME_ACKNOWLEDGE: frozenset({ChannelId}),
    MessageType.HOLD_REJECT: frozenset({Cause}),
    MessageType.RETRIEVE_REJECT: frozenset({Cause}),
    MessageType.USER_INFORMATION: frozenset({UserUser}),
    MessageType.CONGESTION_CONTROL: frozenset({Cause}),
    MessageType.SEGMENT: frozenset({SegmentedMessage}),
    MessageType.SERVICE: frozenset({ChangeStatus}),
    MessageType.SERVICE_ACKNOWLEDGE: frozenset({ChangeStatus}),
    MessageType.NI_SERVICE: frozenset({ChangeStatus}),
    MessageType.NI_SERVICE_ACKNOWLEDGE: frozenset({ChangeStatus}),
}


class MessageError(DecodeError):
    """A message of a known call reference that must not be acted on (5.8.4, 5.8.6, 5.8.7.1).

    `type` is as in MessageType, known or not; `diagnostic` goes into the Cause that answers; `elements` are
    those that could be read.
    """

    def __init__(self, cause: int, clause: str, text: str, *, call_ref: int, to_originator: bool, type: int,
                 diagnostic: bytes, elements: tuple[Element, ...] = ()) -> None:
        super().__init__(cause, clause, text)
        self.cause: int = cause
        self.call_ref = call_ref
        self.to_originator = to_originator
        self.type = type
        self.diagnostic = diagnostic
        self.elements = elements


@dataclass(frozen=True, slots=True)
class ElementFault:
    """A non-mandatory element left out because of its contents: answer STATUS with `cause` (5.8.7.2)."""

    identifier: int
    cause: int


@dataclass(frozen=True, slots=True)
class Message:
    """`unread` and `faults` tell of a received message what `elements` lacks. They are never sent; to send
    unread elements on, put them among the elements."""

    type: MessageType
    call_ref: int                                 # 4.3; 0 is the global call reference
    to_originator: bool                           # call reference flag: to the side that chose call_ref
    elements: tuple[Element, ...] = ()
    unread: tuple[Unread, ...] = ()
    faults: tuple[ElementFault, ...] = ()
    segment: bytes = b""                          # of a SEGMENT: octets of the whole, cut anywhere (annex H)

    def first(self, kind: Kind[E]) -> E | None:
        """The element of this kind; the first one where it may be repeated."""
        return next((element for element in self.elements if type(element) is kind), None)


# --- reading

KINDS: dict[int, dict[int, type[Element]]] = {    # protocol discriminator -> identifier -> class
    CALL_CONTROL: ELEMENTS, MAINTENANCE: MAINTENANCE_ELEMENTS, NI_MAINTENANCE: MAINTENANCE_ELEMENTS}
TYPES: dict[int, MessageType] = {int(type_): type_ for type_ in MessageType}
WITH_VALUE: dict[int, tuple[int, bytes]] = {      # single octets whose bits 4-1 are content, type 1 of 4.5.1
    identifier | value: (identifier, bytes((value,)))
    for identifier in (IDENTIFIERS[CongestionLevel], IDENTIFIERS[RepeatIndicator]) for value in range(16)}


def decode(data: bytes) -> Message:
    """One message from the whole content of an I frame.

    DecodeError without a cause: ignore it (5.8.1-5.8.3). MessageError: answer, and do not act on the message.
    """
    if len(data) < 2:
        raise DecodeError(None, "5.8.2", f"a message of {len(data)} octets")
    protocol, length = data[0], data[1]
    if protocol not in KINDS:
        raise DecodeError(None, "5.8.1", f"protocol discriminator {protocol:#04x}")
    if length not in (1, 2):
        raise DecodeError(None, "5.8.3.1", f"call reference length octet {length:#04x}")
    if len(data) < length + 3:
        raise DecodeError(None, "5.8.2", f"a message of {len(data)} octets")
    reference, flag = int.from_bytes(data[2:2 + length], "big"), 0x80 << 8 * (length - 1)
    octet = data[2 + length]
    head = _Head(octet if protocol == CALL_CONTROL else protocol << 8 | octet, reference & ~flag,
                 bool(reference & flag))
    type_ = TYPES.get(head.type)
    if type_ is not None:
        return _read_elements(head, type_, KINDS[protocol], data, 3 + length)
    if protocol != CALL_CONTROL:
        raise DecodeError(None, "5.8.1", f"message type {octet:#04x} of discriminator {protocol:#04x}")
    raise head.error(UNKNOWN_MESSAGE, "5.8.4", f"message type {octet:#04x}", octet)


class _Head(NamedTuple):
    type: int
    call_ref: int
    to_originator: bool

    def error(self, cause: int, clause: str, text: str, *diagnostic: int) -> MessageError:
        return MessageError(cause, clause, text, call_ref=self.call_ref, to_originator=self.to_originator,
                            type=self.type, diagnostic=bytes(diagnostic))


def _read_elements(head: _Head, type_: MessageType, kinds: dict[int, type[Element]], data: bytes,
                   at: int) -> Message:
    mandatory = MANDATORY.get(type_, NONE)
    elements: list[Element] = []
    unread: list[Unread] = []
    faults: list[ElementFault] = []
    error: MessageError | None = None             # the first; what can be read is read even so
    seen: set[type[Element]] = set()
    listed: set[type[Element]] = set()            # after a repeat indicator
    before: type[Element] | None = None
    end = _end_of_elements(type_, data, at)
    for identifier, content in _split(data, at, end):
        kind = kinds.get(identifier)
        if kind is None:
            unread.append(Unread(identifier, content or b""))
            if identifier < COMPREHENDED and error is None:
                error = head.error(MISSING_ELEMENT, "5.8.7.1",
                                   f"element {identifier:#04x} must be understood", identifier)
            continue
        if content == b"" and identifier & 0xFF < SINGLE_OCTET:
            continue                              # 4.5.1: present but empty is absent
        if before is RepeatIndicator and kind in NEGOTIABLE:
            listed.add(kind)
        before = kind
        if kind in seen and kind not in REPEATABLE and kind not in listed:
            continue                              # 5.8.5.2: only the first one counts
        seen.add(kind)
        try:
            elements.append(read_element(identifier, content))
        except DecodeError as fault:
            cause = fault.cause or INVALID_CONTENTS
            if kind not in mandatory:
                faults.append(ElementFault(identifier, cause))
            elif error is None:
                error = head.error(cause, "5.8.6.2", f"{kind.__name__}: {fault}", identifier)
    missing = sorted(IDENTIFIERS[kind] for kind in mandatory - seen)
    if missing and error is None:
        names = ", ".join(kind.__name__ for kind in mandatory - seen)
        error = head.error(MISSING_ELEMENT, "5.8.6.1", f"{type_.name} without {names}", *missing)
    if error is not None:
        error.elements = tuple(elements)
        raise error
    return Message(type_, head.call_ref, head.to_originator, tuple(elements), tuple(unread), tuple(faults),
                   data[end:])


@lru_cache(maxsize=CACHED_ELEMENTS)
def read_element(identifier: int, content: bytes | None) -> Element:
    """One element, of any protocol. Remembered: much of what a line says it says all day long."""
    kind = MAINTENANCE_ELEMENTS[identifier]
    if content is None:
        raise DecodeError(INVALID_CONTENTS, "5.8.6.2", "runs past the end of the message")
    if len(content) > kind.MOST_OCTETS:
        raise DecodeError(kind.OVERLONG, "5.8.7.2", f"{len(content)} octets, at most {kind.MOST_OCTETS}")
    return kind.read(content)


def _end_of_elements(type_: MessageType, data: bytes, at: int) -> int:
    """Of a SEGMENT only the first element is its own."""
    if type_ is MessageType.SEGMENT and len(data) > at + 1:
        return min(at + 2 + data[at + 1], len(data))
    return len(data)


def _split(data: bytes, at: int, end: int) -> list[tuple[int, bytes | None]]:
    """Identifier and content of each element (4.5.1-4.5.4); content None: it runs past the end."""
    split: list[tuple[int, bytes | None]] = []
    locked = codeset = 0                          # << 8
    while at < end:
        octet = data[at]
        at += 1
        if octet < SINGLE_OCTET:
            start = at + 1
            at = start + data[at] if at < end else end + 1
            split.append((codeset | octet, data[start:at] if at <= end else None))
        elif octet & 0xF0 == SHIFT:
            codeset = (octet & CODESET) << 8
            if not octet & NON_LOCKING:
                codeset = locked = max(codeset, locked)     # 4.5.3: never back to a lower one
            continue
        else:
            split.append(WITH_VALUE.get(codeset | octet) or (codeset | octet, b""))
        codeset = locked
    return split


# --- writing


def encode(message: Message) -> bytes:
    """The octets of a message: single octets, then the elements in ascending order of codeset and identifier
    (4.5.1), a repeat indicator before what it is about. ValueError: a field is out of range."""
    if not 0 <= message.call_ref <= 0x7FFF:
        raise ValueError(f"call reference {message.call_ref}")
    type_, reference = int(message.type), message.call_ref | message.to_originator << 15
    parts = [bytes((type_ >> 8 or CALL_CONTROL, 2, reference >> 8, reference & 0xFF, type_ & 0xFF))]
    codeset = 0
    for place, octets in sorted(_placed(message.elements), key=PLACE):
        if place >> 8 > codeset:
            codeset = place >> 8
            parts.append(bytes((SHIFT | codeset,)))
        parts.append(octets)
    parts.append(message.segment)
    return b"".join(parts)


def _placed(elements: tuple[Element, ...]) -> list[tuple[int, bytes]]:
    """The place in the message and the octets of each element."""
    placed: list[tuple[int, bytes]] = []
    for number, element in enumerate(elements, start=1):
        kind, content = type(element), element.write()
        if len(content) > kind.MOST_OCTETS:
            raise ValueError(f"{kind.__name__}: {len(content)} octets, at most {kind.MOST_OCTETS}")
        place = element.identifier if isinstance(element, Unread) else IDENTIFIERS[kind]
        octet = place & 0xFF
        if octet < SINGLE_OCTET:
            placed.append((place, bytes((octet, len(content))) + content))
            continue
        if kind is RepeatIndicator and number < len(elements) and type(elements[number]) in NEGOTIABLE:
            place = IDENTIFIERS[type(elements[number])]
        elif place < CODESET_1:
            place -= CODESET_1                    # before all variable-length elements
        placed.append((place, bytes((octet | content[0] if content else octet,))))
    return placed
