"""How the call goes: why, where it stands, what happens on the way."""
from dataclasses import dataclass
from typing import ClassVar, Self

from appliance.isdn.elements.base import Element, groups, last, more, pair, too_short


@dataclass(frozen=True, slots=True)
class Cause(Element):                             # 4.5.12, Q.850
    """Why."""

    MOST_OCTETS = 30

    value: int                                    # Q.850 table 1
    location: int = 0                             # 0 user, 1 private network serving the local user, ...
    diagnostic: bytes = b""
    recommendation: int | None = None             # octet 3a: 0 Q.931, 3 X.21, 4 X.25; None: Q.931

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *octet3a), rest = groups(content, 1)
        if not rest:
            raise too_short()
        return cls(rest[0] & 0x7F, octet3 & 0x0F, rest[1:], octet3a[0] & 0x7F if octet3a else None)

    def write(self) -> bytes:
        octet3 = pair(0, self.location, 4)
        if self.recommendation is None:
            return bytes((last(octet3), last(self.value))) + self.diagnostic
        return bytes((more(octet3), last(self.recommendation), last(self.value))) + self.diagnostic


@dataclass(frozen=True, slots=True)
class CallState(Element):                         # 4.5.7
    """The sender's call state, or restart state for the global call reference."""

    MOST_OCTETS = 1

    value: int                                    # U0-U25 or N0-N25; REST 0, 61, 62

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0] & 0x3F)

    def write(self) -> bytes:
        return bytes((pair(0, self.value, 6),))


@dataclass(frozen=True, slots=True)
class ProgressIndicator(Element):                 # 4.5.23
    """What happens on the way, such as 8: in-band information is now available."""

    MOST_OCTETS = 2

    description: int
    location: int = 0

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *_), rest = groups(content, 1)
        if not rest:
            raise too_short()
        return cls(rest[0] & 0x7F, octet3 & 0x0F)

    def write(self) -> bytes:
        return bytes((last(pair(0, self.location, 4)), last(self.description)))


@dataclass(frozen=True, slots=True)
class NotificationIndicator(Element):             # 4.5.22
    """0 user suspended, 1 user resumed, 2 bearer service change; others from the supplementary services."""

    value: int

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0] & 0x7F)

    def write(self) -> bytes:
        return bytes((last(self.value),))


@dataclass(frozen=True, slots=True)
class Signal(Element):                            # 4.5.28
    """A tone or alerting pattern that the telephone is to make."""

    MOST_OCTETS = 1
    DIAL_TONE: ClassVar = 0x00
    RING_BACK_TONE: ClassVar = 0x01
    BUSY_TONE: ClassVar = 0x04
    TONES_OFF: ClassVar = 0x3F
    ALERTING: ClassVar = 0x40                     # pattern 0, of eight
    ALERTING_OFF: ClassVar = 0x4F

    value: int

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0])

    def write(self) -> bytes:
        return bytes((self.value,))


@dataclass(frozen=True, slots=True)
class CongestionLevel(Element):                   # 4.5.14, a single octet
    """Of the flow of USER INFORMATION: 0 receiver ready, 15 receiver not ready."""

    level: int

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0])

    def write(self) -> bytes:
        return bytes((pair(0, self.level, 4),))


@dataclass(frozen=True, slots=True)
class RepeatIndicator(Element):                   # 4.5.24, a single octet
    """How to take the repeated elements that follow it."""

    BY_PRIORITY: ClassVar = 2                     # one possibility of them is to be chosen

    indication: int = BY_PRIORITY

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0])

    def write(self) -> bytes:
        return bytes((pair(0, self.indication, 4),))


@dataclass(frozen=True, slots=True)
class CallIdentity(Element):                      # 4.5.6
    """The name of a suspended call, any octets."""

    MOST_OCTETS = 8

    content: bytes

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content)

    def write(self) -> bytes:
        return self.content


@dataclass(frozen=True, slots=True)
class SegmentedMessage(Element):                  # 4.5.26
    """Which part of a message too long for one frame a SEGMENT carries (annex H)."""

    MOST_OCTETS = 2

    remaining: int                                # segments that are to come
    type: int                                     # message type of the whole
    first: bool = False

    @classmethod
    def read(cls, content: bytes) -> Self:
        if len(content) < 2:
            raise too_short()
        return cls(content[0] & 0x7F, content[1] & 0x7F, bool(content[0] & 0x80))

    def write(self) -> bytes:
        return bytes((more(self.remaining) | self.first << 7, more(self.type)))


@dataclass(frozen=True, slots=True)
class TransitCounter(Element):                    # ECMA-225, codeset 4
    """Over how many transit exchanges of a private network the call came."""

    MOST_OCTETS = 1

    count: int

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0] & 0x1F)

    def write(self) -> bytes:
        return bytes((last(pair(0, self.count, 5)),))
