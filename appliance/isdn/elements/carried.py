"""What the call carries for people, terminals and services."""
from dataclasses import dataclass
from typing import Self

from appliance.errors import DecodeError
from appliance.isdn.elements.base import (
    INVALID_CONTENTS,
    AccessElement,
    Element,
    ia5,
    text,
    too_short,
)


@dataclass(frozen=True, slots=True)
class Display(Element):                           # 4.5.16
    """Text for the telephone's display, most often the caller's name."""

    MOST_OCTETS = 80

    text: str
    charset: int | None = None                    # leading octet that some networks send: 0xB1 is ISO 8859-1

    @classmethod
    def read(cls, content: bytes) -> Self:
        if content[0] < 0x80:
            return cls(text(content, "4.5.16"))
        shown = content[1:].decode("latin-1")
        if not shown.isprintable():
            raise DecodeError(INVALID_CONTENTS, "4.5.16", f"not printable: {shown!r}")
        return cls(shown, content[0])

    def write(self) -> bytes:
        if self.charset is None:
            return ia5(self.text)
        return bytes((self.charset,)) + self.text.encode("latin-1")


@dataclass(frozen=True, slots=True)
class DateTime(Element):                          # 4.5.15
    """The network's local time."""

    MOST_OCTETS = 6

    year: int                                     # of the century, 0-99
    month: int
    day: int
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    @classmethod
    def read(cls, content: bytes) -> Self:
        if len(content) < 3:
            raise too_short()
        return cls(*content)

    def write(self) -> bytes:
        time = (self.hour, self.minute, self.second)
        return bytes((self.year, self.month, self.day, *(part for part in time if part is not None)))


@dataclass(frozen=True, slots=True)
class Facility(Element):                          # Q.932, 8.2.3
    """The content as it came: protocol profile, then components."""

    content: bytes

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content)

    def write(self) -> bytes:
        return self.content


@dataclass(frozen=True, slots=True)
class UserUser(AccessElement):                    # 4.5.30
    """Information from the other user."""

    MOST_OCTETS = 129

    protocol: int                                 # 4 IA5 characters, 0 user specific
    content: bytes

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(content[0], content[1:])

    def write(self) -> bytes:
        return bytes((self.protocol,)) + self.content


@dataclass(frozen=True, slots=True)
class MoreData(Element):                          # 4.5.20, a single octet
    """The block of user information goes on in the next USER INFORMATION."""

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls()

    def write(self) -> bytes:
        return b""
