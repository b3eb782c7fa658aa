"""Q.931 messages: octets <-> frozen dataclasses. No I/O, no clock, no call state.

Ref: ITU-T Q.931 (05/98), clauses 3, 4.1-4.5.2 and the error handling of 5.8.1-5.8.7; causes Q.850 (05/98).
Bare clause numbers are Q.931's.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from appliance.errors import DecodeError
from appliance.isdn.elements import (
    ELEMENTS,
    IDENTIFIERS,
    INVALID_CONTENTS,
    REPEATABLE,
    BearerCapability,
    CallState,
    Cause,
    ChannelId,
    Element,
    NotificationIndicator,
    ProgressIndicator,
    RestartIndicator,
    UserUser,
)
from appliance.isdn.octets import Octets

E = TypeVar("E", bound=Element)
Kind = type[E]                                    # a name of its own, since a message has a `type`

PROTOCOL_DISCRIMINATOR = 0x08                     # 4.2
MISSING_ELEMENT = 96                              # Q.850
UNKNOWN_MESSAGE = 97                              # Q.850
SINGLE_OCTET = 0x80                               # 4.5.1: identifiers from here on have no length and content
SHIFT = 0x90                                      # 4.5.3, 4.5.4; bits 3-1 are the codeset
NON_LOCKING = 0x08


class MessageType(IntEnum):                       # 4.4; FACILITY: Q.932
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
    SUSPEND = 0x25
    RESUME = 0x26
    SUSPEND_ACKNOWLEDGE = 0x2D
    RESUME_ACKNOWLEDGE = 0x2E
    DISCONNECT = 0x45
    RESTART = 0x46
    RELEASE = 0x4D
    RESTART_ACKNOWLEDGE = 0x4E
    RELEASE_COMPLETE = 0x5A
    SEGMENT = 0x60
    FACILITY = 0x62
    NOTIFY = 0x6E
    STATUS_ENQUIRY = 0x75
    CONGESTION_CONTROL = 0x79
    INFORMATION = 0x7B
    STATUS = 0x7D


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
    MessageType.USER_INFORMATION: frozenset({UserUser}),
    MessageType.CONGESTION_CONTROL: frozenset({Cause}),
}


class MessageError(DecodeError):
    """A message of a known call reference that must not be acted on (5.8.4, 5.8.6, 5.8.7.1).

    `type` is the message type octet, known or not; `diagnostic` goes into the Cause that answers.
    """

    def __init__(self, cause: int, clause: str, text: str, *, call_ref: int, to_originator: bool, type: int,
                 diagnostic: bytes) -> None:
        super().__init__(cause, clause, text)
        self.cause: int = cause
        self.call_ref = call_ref
        self.to_originator = to_originator
        self.type = type
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class ElementFault:
    """A non-mandatory element left out because of its contents: answer STATUS with `cause` (5.8.7.2)."""

    identifier: int
    cause: int


@dataclass(frozen=True, slots=True)
class Message:
    """`unread` and `faults` tell of a received message what `elements` lacks; they are never sent."""

    type: MessageType
    call_ref: int                                 # 4.3; 0 is the global call reference
    to_originator: bool                           # call reference flag: to the side that chose call_ref
    elements: tuple[Element, ...] = ()
    unread: tuple[tuple[int, bytes], ...] = ()    # of no class: (codeset << 8 | identifier, content)
    faults: tuple[ElementFault, ...] = ()

    def first(self, kind: Kind[E]) -> E | None:
        """The element of this kind; the first one where it may be repeated."""
        return next((element for element in self.elements if isinstance(element, kind)), None)


def decode(data: bytes) -> Message:
    """One message from the whole content of an I frame.

    DecodeError without a cause: ignore it (5.8.1-5.8.3). MessageError: answer, and do not act on the message.
    """
    octets = Octets(data, cause=None, clause="5.8.2")
    if octets.take() != PROTOCOL_DISCRIMINATOR:
        raise DecodeError(None, "5.8.1", f"protocol discriminator {data[0]:#04x}")
    length = octets.take()
    if length not in (1, 2):
        raise DecodeError(None, "5.8.3.1", f"call reference length octet {length:#04x}")
    reference, flag = int.from_bytes(octets.take_bytes(length), "big"), 0x80 << 8 * (length - 1)
    head = _Head(octets.take(), reference & ~flag, bool(reference & flag))
    if head.type not in MessageType.__members__.values():
        raise head.error(UNKNOWN_MESSAGE, "5.8.4", f"message type {head.type:#04x}", head.type)
    return _read_elements(head, octets)


def encode(message: Message) -> bytes:
    """The octets of a message: single octets, then the elements in ascending order of identifier (4.5.1)."""
    if not 0 <= message.call_ref <= 0x7FFF:
        raise ValueError(f"call reference {message.call_ref}")
    octets = bytearray((PROTOCOL_DISCRIMINATOR, 2))
    octets += (message.call_ref | message.to_originator << 15).to_bytes(2, "big")
    octets.append(message.type)
    for identifier, element in sorted(((IDENTIFIERS[type(element)], element) for element in message.elements),
                                      key=lambda pair: (pair[0] < SINGLE_OCTET, pair[0])):
        octets.append(identifier)
        if identifier < SINGLE_OCTET:
            content = element.write()
            octets += bytes((len(content),)) + content
    return bytes(octets)


@dataclass(frozen=True, slots=True)
class _Head:
    type: int
    call_ref: int
    to_originator: bool

    def error(self, cause: int, clause: str, text: str, *diagnostic: int) -> MessageError:
        return MessageError(cause, clause, text, call_ref=self.call_ref, to_originator=self.to_originator,
                            type=self.type, diagnostic=bytes(diagnostic))


def _read_elements(head: _Head, octets: Octets) -> Message:
    type_ = MessageType(head.type)
    mandatory = MANDATORY.get(type_, frozenset())
    elements: list[Element] = []
    unread: list[tuple[int, bytes]] = []
    faults: list[ElementFault] = []
    seen: set[int] = set()
    for codeset, identifier, content in _split(octets):
        kind = ELEMENTS.get(identifier) if codeset == 0 else None
        if kind is None:
            unread.append((codeset << 8 | identifier, content or b""))
            if codeset == 0 and identifier < 0x10:
                raise head.error(MISSING_ELEMENT, "5.8.7.1", f"element {identifier:#04x} must be understood",
                                 identifier)
            continue
        if content == b"" and identifier < SINGLE_OCTET:
            continue                              # 4.5.1: present but empty is absent
        if identifier in seen and kind not in REPEATABLE:
            continue                              # 5.8.5.2: only the first one counts
        seen.add(identifier)
        try:
            if content is None:
                raise DecodeError(INVALID_CONTENTS, "5.8.6.2", "runs past the end of the message")
            elements.append(kind.read(Octets(content, INVALID_CONTENTS, "5.8.6.2")))
        except DecodeError as error:
            cause = error.cause or INVALID_CONTENTS
            if kind in mandatory:
                raise head.error(cause, "5.8.6.2", f"{kind.__name__}: {error}", identifier) from None
            faults.append(ElementFault(identifier, cause))
    missing = sorted(IDENTIFIERS[kind] for kind in mandatory - {type(element) for element in elements})
    if missing:
        names = ", ".join(ELEMENTS[identifier].__name__ for identifier in missing)
        raise head.error(MISSING_ELEMENT, "5.8.6.1", f"{type_.name} without {names}", *missing)
    return Message(type_, head.call_ref, head.to_originator, tuple(elements), tuple(unread), tuple(faults))


def _split(octets: Octets) -> Iterator[tuple[int, int, bytes | None]]:
    """Codeset, identifier and content of each element (4.5.1-4.5.3); content None: it runs past the end."""
    locked = codeset = 0
    while octets:
        identifier = octets.take()
        if identifier & 0xF0 == SHIFT:
            codeset = identifier & 0x07
            if not identifier & NON_LOCKING:
                codeset = locked = max(codeset, locked)     # 4.5.3: never back to a lower one
            continue
        content: bytes | None = b""
        if identifier < SINGLE_OCTET:
            try:
                content = octets.take_bytes(octets.take())
            except DecodeError:
                octets.rest()
                content = None
        yield codeset, identifier, content
        codeset = locked
