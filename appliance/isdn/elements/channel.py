"""The call's bearer and its channel."""
from dataclasses import dataclass
from typing import ClassVar, Self

from appliance.errors import DecodeError
from appliance.isdn.elements.base import (
    BEARER_NOT_IMPLEMENTED,
    CHANNEL_DOES_NOT_EXIST,
    INVALID_CONTENTS,
    AccessElement,
    Element,
    grouped,
    groups,
    last,
    more,
    pair,
    too_short,
)


@dataclass(frozen=True, slots=True)
class BearerCapability(Element):                  # 4.5.5
    """What the call needs; the default is speech, A-law, 64 kbit/s."""

    MOST_OCTETS = 10
    SPEECH: ClassVar = 0x00
    UNRESTRICTED: ClassVar = 0x08
    RESTRICTED: ClassVar = 0x09
    AUDIO_3K1: ClassVar = 0x10
    UNRESTRICTED_WITH_TONES: ClassVar = 0x11      # and announcements; 7 kHz audio
    VIDEO: ClassVar = 0x18
    MULTIRATE: ClassVar = 0x18                    # a rate

    transfer_capability: int = SPEECH
    layer1: int | None = 3                        # layer 1 protocol: 3 is G.711 A-law; None: no octet 5
    rate: int = 0x10                              # transfer mode and rate: 0x10 is circuit mode, 64 kbit/s
    multiplier: int | None = None                 # octet 4.1: B-channels of a multirate bearer
    adaptation: bytes = b""                       # octets 5a-5d as they came: V.110, V.120 and such
    layers: bytes = b""                           # groups of octets 6 and 7 as they came: layers 2 and 3

    @classmethod
    def read(cls, content: bytes) -> Self:
        octet3, octet4, rest = groups(content, 2)
        if octet3[0] & 0x60:
            raise DecodeError(BEARER_NOT_IMPLEMENTED, "4.5.5", f"coding standard {octet3[0] >> 5 & 3}")
        multiplier, layer1, adaptation = None, None, b""
        if octet4[0] & 0x7F == cls.MULTIRATE:
            (octet4_1, *_), rest = groups(rest, 1)
            multiplier = octet4_1 & 0x7F
        if rest and rest[0] & 0x60 == 0x20:
            (octet5, *octets5a), rest = groups(rest, 1)
            layer1, adaptation = octet5 & 0x1F, bytes(octets5a)
        return cls(octet3[0] & 0x1F, layer1, octet4[0] & 0x7F, multiplier, adaptation, rest)

    def write(self) -> bytes:
        octets = bytes((last(pair(0, self.transfer_capability, 5)), last(self.rate)))
        if self.multiplier is not None:
            octets += bytes((last(self.multiplier),))
        if self.layer1 is not None:
            octet5 = pair(1, self.layer1, 5)
            octets += bytes((more(octet5) if self.adaptation else last(octet5),)) + self.adaptation
        return octets + self.layers


@dataclass(frozen=True, slots=True)
class LowLayerCompatibility(AccessElement):       # 4.5.19
    """The content as it came: it is for the terminals."""

    MOST_OCTETS = 16

    content: bytes

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content)

    def write(self) -> bytes:
        return self.content


@dataclass(frozen=True, slots=True)
class HighLayerCompatibility(AccessElement):      # 4.5.17
    """The teleservice: 1 telephony, 4 facsimile group 2/3."""

    MOST_OCTETS = 3

    characteristics: int = 1
    extended: int | None = None                   # octet 4a
    octet3: int = 0x91                            # coding, interpretation (first), presentation: as it came

    @classmethod
    def read(cls, content: bytes) -> Self:
        (octet3, *_), (octet4, *octet4a), _ = groups(content, 2)
        return cls(octet4 & 0x7F, octet4a[0] & 0x7F if octet4a else None, 0x80 | octet3)

    def write(self) -> bytes:
        if self.extended is None:
            return bytes((self.octet3, last(self.characteristics)))
        return bytes((self.octet3, more(self.characteristics), last(self.extended)))


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
    def read(cls, content: bytes) -> Self:
        octet3, rest, interface = content[0], content[1:], None
        if not octet3 & 0x20:
            raise DecodeError(INVALID_CONTENTS, "4.5.13", "a basic-rate channel on a primary-rate interface")
        if octet3 & 0x40:
            octets3_1, rest = groups(rest, 1)
            interface = 0
            for octet in octets3_1:
                interface = interface << 7 | octet & 0x7F
        exclusive, selection = bool(octet3 & 0x08), octet3 & 0x03
        if selection != 1 or not rest:            # 5.1.2: a whole interface has no octet 3.2 either
            return cls(None, exclusive, selection == 3, interface=interface)
        octet3_2, named = rest[0], rest[1:]
        if octet3_2 & 0x6F != 0x03:
            raise DecodeError(INVALID_CONTENTS, "4.5.13", f"not B-channels: octet 3.2 is {octet3_2:#04x}")
        if octet3_2 & 0x10:
            if len(named) < 4:
                raise too_short()
            bits = int.from_bytes(named[:4], "big")
            timeslots = [timeslot for timeslot in range(32) if bits >> timeslot & 1]
        else:
            timeslots = [octet & 0x7F for octet in named]
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
            octets += grouped(self.interface)
        if self.timeslot is None:
            return octets
        if self.slot_map:
            return octets + b"\x93" + sum(1 << timeslot for timeslot in self.timeslots).to_bytes(4, "big")
        numbers = [more(timeslot) for timeslot in self.timeslots]
        return octets + bytes((0x83, *numbers[:-1], last(numbers[-1])))


@dataclass(frozen=True, slots=True)
class RestartIndicator(Element):                  # 4.5.25
    """What a RESTART is about."""

    MOST_OCTETS = 1
    CHANNELS: ClassVar = 0                        # those of the channel identification
    INTERFACE: ClassVar = 6
    ALL_INTERFACES: ClassVar = 7

    value: int = CHANNELS

    @classmethod
    def read(cls, content: bytes) -> Self:
        value = content[0] & 0x07
        if value not in (cls.CHANNELS, cls.INTERFACE, cls.ALL_INTERFACES):
            raise DecodeError(INVALID_CONTENTS, "4.5.25", f"restart class {value} is reserved")
        return cls(value)

    def write(self) -> bytes:
        return bytes((last(pair(0, self.value, 3)),))


@dataclass(frozen=True, slots=True)
class ChangeStatus(Element):                      # of SERVICE; AT&T TR 41459
    """What becomes of the channel of the channel identification, or of the whole interface."""

    MOST_OCTETS = 1
    IN_SERVICE: ClassVar = 0
    MAINTENANCE: ClassVar = 1
    OUT_OF_SERVICE: ClassVar = 2

    status: int
    of_channel: bool = True                       # preference; False: of the interface

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0] & 0x07, bool(content[0] & 0x40))

    def write(self) -> bytes:
        return bytes((0x80 | self.of_channel << 6 | pair(0, self.status, 3),))
