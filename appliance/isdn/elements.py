"""Q.931 information elements: content octets <-> frozen dataclasses, and the table of their identifiers.

Each class reads and writes the content only; identifier and length are q931's. read() raises DecodeError with
the cause to answer and passes over optional octets that are of no use to a telephone call; write() raises
ValueError for a field out of range.

Ref: ITU-T Q.931 (05/98), 4.5; bare clause numbers are Q.931's. Connected number: Q.951.5 (06/93).
Coding standards other than ITU-T's are read where the layout is the same and written as ITU-T's.
"""
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from appliance.errors import DecodeError
from appliance.isdn.octets import Octets

BEARER_NOT_IMPLEMENTED = 65                       # these three from Q.850
CHANNEL_DOES_NOT_EXIST = 82
INVALID_CONTENTS = 100


class Element(ABC):
    """One information element; ELEMENTS below knows its identifier."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def read(cls, octets: Octets) -> Self:
        """The element from its content octets, all of them."""

    @abstractmethod
    def write(self) -> bytes:
        """The content octets."""


def _last(value: int) -> int:
    """An octet that ends its group: extension bit 1 (4.5.1)."""
    return 0x80 | _more(value)


def _more(value: int) -> int:
    """An octet that its group goes on after: extension bit 0 (4.5.1)."""
    if not 0 <= value <= 0x7F:
        raise ValueError(f"{value:#x} does not fit in 7 bits")
    return value


def _grouped(value: int) -> bytes:
    """An octet group of 7 bits each, the most significant first."""
    low = bytes((_last(value & 0x7F),))
    while value := value >> 7:
        low = bytes((value & 0x7F,)) + low
    return low


def _pair(high: int, low: int, shift: int) -> int:
    """Two fields of one octet, the lower one `shift` bits wide."""
    if not 0 <= low < 1 << shift:
        raise ValueError(f"{low:#x} does not fit in {shift} bits")
    return high << shift | low


def _text(octets: bytes, clause: str) -> str:
    """Printable IA5 (T.50) or DecodeError."""
    if any(not 0x20 <= octet <= 0x7E for octet in octets):
        raise DecodeError(INVALID_CONTENTS, clause, f"not printable IA5: {octets.hex(' ')}")
    return octets.decode("ascii")


def _ia5(text: str) -> bytes:
    """Printable IA5 octets or ValueError."""
    if not (text.isascii() and (text.isprintable() or not text)):
        raise ValueError(f"not printable IA5: {text!r}")
    return text.encode("ascii")


# --- the call and its channel


@dataclass(frozen=True, slots=True)
class BearerCapability(Element):                  # 4.5.5
    """What the call needs; the default is speech, A-law, 64 kbit/s."""

    SPEECH: ClassVar = 0x00
    UNRESTRICTED: ClassVar = 0x08
    AUDIO_3K1: ClassVar = 0x10

    transfer_capability: int = SPEECH
    layer1: int | None = 3                        # layer 1 protocol: 3 is G.711 A-law; None: no octet 5
    rate: int = 0x10                              # transfer mode and rate: 0x10 is circuit mode, 64 kbit/s

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octet3, octet4 = octets.take_group()[0], octets.take_group()[0]
        if octet3 & 0x60:
            raise DecodeError(BEARER_NOT_IMPLEMENTED, "4.5.5", f"coding standard {octet3 >> 5 & 3}")
        if octet4 & 0x7F == 0x18:
            raise DecodeError(BEARER_NOT_IMPLEMENTED, "4.5.5", "a bearer of several B-channels")
        rest = octets.rest()                      # octet 5's group, then layers 2 and 3
        layer1 = rest[0] & 0x1F if rest and rest[0] & 0x60 == 0x20 else None
        return cls(octet3 & 0x1F, layer1, octet4 & 0x7F)

    def write(self) -> bytes:
        octets = bytes((_last(_pair(0, self.transfer_capability, 5)), _last(self.rate)))
        return octets if self.layer1 is None else octets + bytes((_last(_pair(1, self.layer1, 5)),))


@dataclass(frozen=True, slots=True)
class ChannelId(Element):                         # 4.5.13, primary rate
    """The B-channels meant: one by number, several (RESTART), any, or none."""

    timeslot: int | None                          # 1-15, 17-31; None: no channel, or any channel
    exclusive: bool = True                        # False: this one is preferred, another will do
    any_channel: bool = False
    others: tuple[int, ...] = ()                  # further timeslots
    slot_map: bool = False                        # the peer's way to name them: a map instead of numbers
    interface: int | None = None                  # explicit interface identifier; None: the D-channel's own

    @property
    def timeslots(self) -> tuple[int, ...]:
        return () if self.timeslot is None else (self.timeslot, *self.others)

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octet3 = octets.take()
        if not octet3 & 0x20:
            raise DecodeError(INVALID_CONTENTS, "4.5.13", "a basic-rate channel on a primary-rate interface")
        interface = None
        if octet3 & 0x40:
            interface = 0
            for octet in octets.take_group():
                interface = interface << 7 | octet & 0x7F
        exclusive, selection = bool(octet3 & 0x08), octet3 & 0x03
        if selection != 1 or not octets:          # 5.1.2: a whole interface has no octet 3.2 either
            return cls(None, exclusive, selection == 3, interface=interface)
        octet3_2 = octets.take()
        if octet3_2 & 0x6F != 0x03:
            raise DecodeError(INVALID_CONTENTS, "4.5.13", f"not B-channels: octet 3.2 is {octet3_2:#04x}")
        if octet3_2 & 0x10:
            bits = int.from_bytes(octets.take_bytes(4), "big")
            timeslots = [timeslot for timeslot in range(32) if bits >> timeslot & 1]
        else:
            timeslots = [octet & 0x7F for octet in octets.rest()]
        if not timeslots:
            raise DecodeError(INVALID_CONTENTS, "4.5.13", "no channel number")
        for timeslot in timeslots:
            if timeslot in (0, 16) or timeslot > 31:
                raise DecodeError(CHANNEL_DOES_NOT_EXIST, "4.5.13", f"timeslot {timeslot} is no B-channel")
        return cls(timeslots[0], exclusive, False, tuple(timeslots[1:]), bool(octet3_2 & 0x10), interface)

    def write(self) -> bytes:
        selection = 3 if self.any_channel else 0 if self.timeslot is None else 1
        octets = bytes((0xA0 | (self.interface is not None) << 6 | self.exclusive << 3 | selection,))
        if self.interface is not None:
            octets += _grouped(self.interface)
        if self.timeslot is None:
            return octets
        if self.slot_map:
            return octets + b"\x93" + sum(1 << timeslot for timeslot in self.timeslots).to_bytes(4, "big")
        numbers = [_more(timeslot) for timeslot in self.timeslots]
        return octets + bytes((0x83, *numbers[:-1], _last(numbers[-1])))


@dataclass(frozen=True, slots=True)
class RestartIndicator(Element):                  # 4.5.25
    """What a RESTART is about."""

    CHANNELS: ClassVar = 0                        # those of the channel identification
    INTERFACE: ClassVar = 6
    ALL_INTERFACES: ClassVar = 7

    value: int = CHANNELS

    @classmethod
    def read(cls, octets: Octets) -> Self:
        value = octets.take() & 0x07
        if value not in (cls.CHANNELS, cls.INTERFACE, cls.ALL_INTERFACES):
            raise DecodeError(INVALID_CONTENTS, "4.5.25", f"restart class {value} is reserved")
        return cls(value)

    def write(self) -> bytes:
        return bytes((_last(_pair(0, self.value, 3)),))


# --- how the call goes


@dataclass(frozen=True, slots=True)
class Cause(Element):                             # 4.5.12, Q.850
    """Why."""

    value: int                                    # Q.850 table 1
    location: int = 0                             # 0 user, 1 private network serving the local user, ...
    diagnostic: bytes = b""

    @classmethod
    def read(cls, octets: Octets) -> Self:
        location = octets.take_group()[0] & 0x0F  # octet 3a, the recommendation, is of no use to us
        return cls(octets.take() & 0x7F, location, octets.rest())

    def write(self) -> bytes:
        return bytes((_last(_pair(0, self.location, 4)), _last(self.value))) + self.diagnostic


@dataclass(frozen=True, slots=True)
class CallState(Element):                         # 4.5.7
    """The sender's call state, or restart state for the global call reference."""

    value: int                                    # U0-U25 or N0-N25; REST 0, 61, 62

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(octets.take() & 0x3F)

    def write(self) -> bytes:
        return bytes((_pair(0, self.value, 6),))


@dataclass(frozen=True, slots=True)
class ProgressIndicator(Element):                 # 4.5.23
    """What happens on the way, such as 8: in-band information is now available."""

    description: int
    location: int = 0

    @classmethod
    def read(cls, octets: Octets) -> Self:
        location = octets.take_group()[0] & 0x0F
        return cls(octets.take() & 0x7F, location)

    def write(self) -> bytes:
        return bytes((_last(_pair(0, self.location, 4)), _last(self.description)))


@dataclass(frozen=True, slots=True)
class NotificationIndicator(Element):             # 4.5.22
    """0 user suspended, 1 user resumed, 2 bearer service change."""

    value: int

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(octets.take() & 0x7F)

    def write(self) -> bytes:
        return bytes((_last(self.value),))


@dataclass(frozen=True, slots=True)
class SendingComplete(Element):                   # 4.5.27, a single octet
    """No more digits will come."""

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls()

    def write(self) -> bytes:
        return b""


# --- the parties


@dataclass(frozen=True, slots=True)
class CalledNumber(Element):                      # 4.5.8
    """The number dialled, or some digits more of it."""

    digits: str
    type: int = 0                                 # 0 unknown, 1 international, 2 national, 4 subscriber
    plan: int = 1                                 # 1 E.164

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octet3 = octets.take_group()[0]
        return cls(_text(octets.rest(), "4.5.8"), octet3 >> 4 & 7, octet3 & 0x0F)

    def write(self) -> bytes:
        return bytes((_last(_pair(self.type, self.plan, 4)),)) + _ia5(self.digits)


@dataclass(frozen=True, slots=True)
class ShownNumber(Element):
    """What CallingNumber and ConnectedNumber share: a number, and whether it may be shown."""

    CLAUSE: ClassVar[str]

    digits: str
    type: int = 0                                 # as in CalledNumber
    plan: int = 1
    presentation: int = 0                         # 0 allowed, 1 restricted, 2 not available
    screening: int | None = 0                     # 0 user's, not screened, 1 passed, 2 failed, 3 network's

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octet3, *octet3a = octets.take_group()
        digits = _text(octets.rest(), cls.CLAUSE)
        number = cls(digits, octet3 >> 4 & 7, octet3 & 0x0F, screening=None)
        if octet3a:
            number = replace(number, presentation=octet3a[0] >> 5 & 3, screening=octet3a[0] & 3)
        return number

    def write(self) -> bytes:
        octet3 = _pair(self.type, self.plan, 4)
        if self.screening is None:                # octet 3a is absent: presentation allowed, not screened
            return bytes((_last(octet3),)) + _ia5(self.digits)
        octet3a = _pair(self.presentation, self.screening, 5)
        return bytes((_more(octet3), _last(octet3a))) + _ia5(self.digits)


@dataclass(frozen=True, slots=True)
class CallingNumber(ShownNumber):
    """The caller's number."""

    CLAUSE = "4.5.10"


@dataclass(frozen=True, slots=True)
class ConnectedNumber(ShownNumber):
    """The number that answered."""

    CLAUSE = "Q.951.5, 5.4.1"


@dataclass(frozen=True, slots=True)
class RedirectingNumber(Element):                 # 4.6.7
    """The number that the call was diverted from, and why."""

    digits: str
    type: int = 0                                 # as in CalledNumber
    plan: int = 1
    presentation: int = 0                         # as in CallingNumber
    screening: int = 0
    reason: int = 0                               # 0 unknown, 1 busy, 2 no reply, 10 deflection, 15 always

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octet3, octet3a, octet3b = (octets.take_group() + b"\0\0")[:3]
        digits = _text(octets.rest(), "4.6.7")
        return cls(digits, octet3 >> 4 & 7, octet3 & 0x0F, octet3a >> 5 & 3, octet3a & 3, octet3b & 0x0F)

    def write(self) -> bytes:
        octet3, octet3a = _pair(self.type, self.plan, 4), _pair(self.presentation, self.screening, 5)
        return bytes((_more(octet3), _more(octet3a), _last(_pair(0, self.reason, 4)))) + _ia5(self.digits)


@dataclass(frozen=True, slots=True)
class KeypadFacility(Element):                    # 4.5.18
    """Keys pressed."""

    digits: str

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(_text(octets.rest(), "4.5.18"))

    def write(self) -> bytes:
        return _ia5(self.digits)


@dataclass(frozen=True, slots=True)
class Display(Element):                           # 4.5.16
    """Text for the telephone's display, most often the caller's name."""

    text: str
    charset: int | None = None                    # leading octet that some networks send: 0xB1 is ISO 8859-1

    @classmethod
    def read(cls, octets: Octets) -> Self:
        content = octets.rest()
        if not content[:1] >= b"\x80":
            return cls(_text(content, "4.5.16"))
        text = content[1:].decode("latin-1")
        if not text.isprintable():
            raise DecodeError(INVALID_CONTENTS, "4.5.16", f"not printable: {text!r}")
        return cls(text, content[0])

    def write(self) -> bytes:
        if self.charset is None:
            return _ia5(self.text)
        return bytes((self.charset,)) + self.text.encode("latin-1")


# --- carried through


@dataclass(frozen=True, slots=True)
class HighLayerCompatibility(Element):            # 4.5.17
    """The teleservice: 1 telephony, 4 facsimile group 2/3."""

    characteristics: int = 1
    extended: int | None = None                   # octet 4a

    @classmethod
    def read(cls, octets: Octets) -> Self:
        octets.take_group()                       # octet 3: there is one interpretation, first
        octet4, *octet4a = octets.take_group()
        return cls(octet4 & 0x7F, octet4a[0] & 0x7F if octet4a else None)

    def write(self) -> bytes:
        if self.extended is None:
            return bytes((0x91, _last(self.characteristics)))
        return bytes((0x91, _more(self.characteristics), _last(self.extended)))


@dataclass(frozen=True, slots=True)
class LowLayerCompatibility(Element):             # 4.5.19
    """The content as it came: it is for the terminals."""

    data: bytes

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(octets.take_bytes(1) + octets.rest())

    def write(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class Facility(Element):                          # Q.932, 8.2.3
    """The content as it came: protocol profile, then components."""

    data: bytes

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(octets.take_bytes(1) + octets.rest())

    def write(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class UserUser(Element):                          # 4.5.30
    """Information from the other user."""

    protocol: int                                 # 4 IA5 characters, 0 user specific
    data: bytes

    @classmethod
    def read(cls, octets: Octets) -> Self:
        return cls(octets.take(), octets.rest())

    def write(self) -> bytes:
        return bytes((self.protocol,)) + self.data


@dataclass(frozen=True, slots=True)
class DateTime(Element):                          # 4.5.15
    """The network's local time."""

    year: int                                     # of the century, 0-99
    month: int
    day: int
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    @classmethod
    def read(cls, octets: Octets) -> Self:
        year, month, day, *time = octets.take_bytes(3) + octets.rest()
        hour, minute, second, *_ = [*time, None, None, None]
        return cls(year, month, day, hour, minute, second)

    def write(self) -> bytes:
        time = (self.hour, self.minute, self.second)
        return bytes((self.year, self.month, self.day, *(part for part in time if part is not None)))


ELEMENTS: dict[int, type[Element]] = {            # table 4-3
    0xA1: SendingComplete,
    0x04: BearerCapability,
    0x08: Cause,
    0x14: CallState,
    0x18: ChannelId,
    0x1C: Facility,
    0x1E: ProgressIndicator,
    0x27: NotificationIndicator,
    0x28: Display,
    0x29: DateTime,
    0x2C: KeypadFacility,
    0x4C: ConnectedNumber,
    0x6C: CallingNumber,
    0x70: CalledNumber,
    0x74: RedirectingNumber,
    0x79: RestartIndicator,
    0x7C: LowLayerCompatibility,
    0x7D: HighLayerCompatibility,
    0x7E: UserUser,
}
IDENTIFIERS: dict[type[Element], int] = {kind: identifier for identifier, kind in ELEMENTS.items()}
REPEATABLE = {Facility, ProgressIndicator, NotificationIndicator, Display, RedirectingNumber}
