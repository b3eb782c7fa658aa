"""Who calls whom: numbers and subaddresses, digits dialled, networks chosen."""
from dataclasses import dataclass
from typing import ClassVar, Self

from appliance.isdn.elements.base import (
    AccessElement,
    Element,
    groups,
    ia5,
    last,
    more,
    pair,
    text,
    too_short,
)


@dataclass(frozen=True, slots=True)
class SendingComplete(Element):                   # 4.5.27, a single octet
    """No more digits will come."""

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls()

    def write(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class KeypadFacility(Element):                    # 4.5.18
    """Keys pressed."""

    MOST_OCTETS = 32

    digits: str

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(text(content, "4.5.18"))

    def write(self) -> bytes:
        return ia5(self.digits)


# --- numbers


@dataclass(frozen=True, slots=True)
class CalledNumber(Element):                      # 4.5.8
    """The number dialled, or some digits more of it."""

    digits: str
    type: int = 0                                 # 0 unknown, 1 international, 2 national, 4 subscriber
    plan: int = 1                                 # 1 E.164

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *_), digits = groups(content, 1)
        return cls(text(digits, "4.5.8"), octet3 >> 4 & 7, octet3 & 0x0F)

    def write(self) -> bytes:
        return bytes((last(pair(self.type, self.plan, 4)),)) + ia5(self.digits)


@dataclass(frozen=True, slots=True)
class ShownNumber(Element):
    """What the numbers below share: a number, and whether it may be shown."""

    CLAUSE: ClassVar[str]

    digits: str
    type: int = 0                                 # as in CalledNumber
    plan: int = 1
    presentation: int = 0                         # 0 allowed, 1 restricted, 2 not available
    screening: int | None = 0                     # 0 user's, not screened, 1 passed, 2 failed, 3 network's

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *octet3a), digits = groups(content, 1)
        number = text(digits, cls.CLAUSE)
        if octet3a:
            return cls(number, octet3 >> 4 & 7, octet3 & 0x0F, octet3a[0] >> 5 & 3, octet3a[0] & 3)
        return cls(number, octet3 >> 4 & 7, octet3 & 0x0F, screening=None)

    def write(self) -> bytes:
        octet3 = pair(self.type, self.plan, 4)
        if self.screening is None:                # octet 3a is absent: presentation allowed, not screened
            return bytes((last(octet3),)) + ia5(self.digits)
        octet3a = pair(self.presentation, self.screening, 5)
        return bytes((more(octet3), last(octet3a))) + ia5(self.digits)


@dataclass(frozen=True, slots=True)
class CallingNumber(ShownNumber):
    """The caller's number."""

    CLAUSE = "4.5.10"


@dataclass(frozen=True, slots=True)
class ConnectedNumber(ShownNumber):
    """The number that answered."""

    CLAUSE = "Q.951.5, 5.4.1"


@dataclass(frozen=True, slots=True)
class RedirectionNumber(ShownNumber):
    """The number that the call is diverted to. It has no screening."""

    CLAUSE = "EN 300 207-1, 7.2"


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
    def read(cls, content: bytes) -> Self:
        octets, digits = groups(content, 1)
        octet3, octet3a, octet3b = (octets + b"\0\0")[:3]
        return cls(text(digits, "4.6.7"), octet3 >> 4 & 7, octet3 & 0x0F, octet3a >> 5 & 3, octet3a & 3,
                   octet3b & 0x0F)

    def write(self) -> bytes:
        octet3, octet3a = pair(self.type, self.plan, 4), pair(self.presentation, self.screening, 5)
        return bytes((more(octet3), more(octet3a), last(pair(0, self.reason, 4)))) + ia5(self.digits)


# --- subaddresses


@dataclass(frozen=True, slots=True)
class Subaddress(AccessElement):
    """What the subaddresses below share: one of several terminals behind a number."""

    MOST_OCTETS = 21

    content: bytes
    type: int = 2                                 # 0 NSAP (X.213), 2 user specified
    odd: bool = False                             # BCD digits, the last half octet is none

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *_), rest = groups(content, 1)
        return cls(rest, octet3 >> 4 & 7, bool(octet3 & 0x08))

    def write(self) -> bytes:
        return bytes((last(pair(self.type, self.odd << 3, 4)),)) + self.content


@dataclass(frozen=True, slots=True)
class CalledSubaddress(Subaddress):               # 4.5.9
    """Of the called party."""


@dataclass(frozen=True, slots=True)
class CallingSubaddress(Subaddress):              # 4.5.11
    """Of the caller."""


@dataclass(frozen=True, slots=True)
class ConnectedSubaddress(Subaddress):            # Q.951.5, 5.4.2
    """Of who answered."""


# --- networks


@dataclass(frozen=True, slots=True)
class TransitNetworkSelection(Element):           # 4.5.29
    """A network that the call is to go through."""

    network: str
    type: int = 2                                 # of identification: 2 national, 3 international
    plan: int = 1                                 # 1 carrier identification code, 3 data network (X.121)

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *_), network = groups(content, 1)
        return cls(text(network, "4.5.29"), octet3 >> 4 & 7, octet3 & 0x0F)

    def write(self) -> bytes:
        return bytes((last(pair(self.type, self.plan, 4)),)) + ia5(self.network)


@dataclass(frozen=True, slots=True)
class NetworkSpecificFacilities(Element):         # 4.5.21
    """A facility that one network has, and which network."""

    facility: bytes                               # in the coding of that network
    network: str | None = None                    # its identification; None: the one that we are connected to
    type: int = 2                                 # of identification, as in TransitNetworkSelection
    plan: int = 1

    @classmethod
    def read(cls, content: bytes) -> Self:
        length, rest = content[0], content[1:]
        if length > len(rest):
            raise too_short()
        if not length:
            return cls(rest)
        (octet3_1, *_), network = groups(rest[:length], 1)
        return cls(rest[length:], text(network, "4.5.21"), octet3_1 >> 4 & 7, octet3_1 & 0x0F)

    def write(self) -> bytes:
        if self.network is None:
            return b"\0" + self.facility
        identification = bytes((last(pair(self.type, self.plan, 4)),)) + ia5(self.network)
        return bytes((len(identification),)) + identification + self.facility


@dataclass(frozen=True, slots=True)
class PartyCategory(Element):                     # ECMA-143, codeset 5
    """What the caller is in a private network."""

    MOST_OCTETS = 1
    UNKNOWN: ClassVar = 0
    EXTENSION: ClassVar = 1
    OPERATOR: ClassVar = 2
    EMERGENCY_EXTENSION: ClassVar = 3

    category: int

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0] & 0x07)

    def write(self) -> bytes:
        return bytes((last(pair(0, self.category, 3)),))
