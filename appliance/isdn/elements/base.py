"""What information elements are made of: octet groups, fields of an octet, characters; elements unread."""
from dataclasses import dataclass
from typing import ClassVar, Self

from appliance.errors import DecodeError

ACCESS_INFORMATION_DISCARDED = 43                 # these four from Q.850
BEARER_NOT_IMPLEMENTED = 65
CHANNEL_DOES_NOT_EXIST = 82
INVALID_CONTENTS = 100
SINGLE_OCTET = 0x80                               # 4.5.1: identifiers from here on have no length and content
SHIFT = 0x90                                      # 4.5.3, 4.5.4; bits 3-1 are the codeset


class Element:
    """One information element; ELEMENTS knows its identifier. Not an ABC, of which isinstance() is slow."""

    __slots__ = ()

    MOST_OCTETS: ClassVar = 255                   # of content; table 4-3 counts identifier and length, too
    OVERLONG: ClassVar = INVALID_CONTENTS         # the cause when there are more (5.8.7.2)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The element from its content octets, at least one unless it is a single octet; see write()."""
        raise NotImplementedError

    def write(self) -> bytes:
        """The content octets; of a single octet its bits 4-1 where they are content (type 1), else none."""
        raise NotImplementedError


class AccessElement(Element):
    """Access information: between the users, so that too much of it is discarded with a cause of its own."""

    __slots__ = ()

    OVERLONG: ClassVar = ACCESS_INFORMATION_DISCARDED


@dataclass(frozen=True, slots=True)
class Unread(Element):                            # 5.8.7.1
    """An element that has no class, as it came. It can be sent on."""

    identifier: int                               # codeset << 8 | identifier; a single octet has nothing else
    content: bytes = b""

    def write(self) -> bytes:
        if not 0 <= self.identifier <= 0x7FF or self.identifier & 0xF0 == SHIFT:
            raise ValueError(f"{self.identifier:#x} is no identifier of an element")
        if self.identifier & SINGLE_OCTET and self.content:
            raise ValueError(f"{self.identifier:#x} is a single octet, without content")
        return self.content


def groups(content: bytes, count: int) -> list[bytes]:
    """The first `count` octet groups, then the rest, perhaps none. DecodeError when there are fewer.

    A group goes up to and with the first octet whose extension bit (bit 8) is 1 (4.5.1).
    """
    parts, start = [], 0
    try:
        for _ in range(count):
            end = start
            while content[end] < 0x80:
                end += 1
            end += 1
            parts.append(content[start:end])
            start = end
    except IndexError:
        raise too_short() from None
    parts.append(content[start:])
    return parts


def too_short() -> DecodeError:
    return DecodeError(INVALID_CONTENTS, "5.8.6.2", "octets too few")


def last(value: int) -> int:
    """An octet that ends its group: extension bit 1 (4.5.1)."""
    return 0x80 | more(value)


def more(value: int) -> int:
    """An octet that its group goes on after: extension bit 0 (4.5.1)."""
    if not 0 <= value <= 0x7F:
        raise ValueError(f"{value:#x} does not fit in 7 bits")
    return value


def grouped(value: int) -> bytes:
    """An octet group of 7 bits each, the most significant first."""
    low = bytes((last(value & 0x7F),))
    while value := value >> 7:
        low = bytes((value & 0x7F,)) + low
    return low


def pair(high: int, low: int, shift: int) -> int:
    """Two fields of one octet, the lower one `shift` bits wide."""
    if not 0 <= low < 1 << shift:
        raise ValueError(f"{low:#x} does not fit in {shift} bits")
    return high << shift | low


def text(octets: bytes, clause: str) -> str:
    """Printable IA5 (T.50) or DecodeError."""
    if octets.isascii() and (characters := octets.decode("ascii")).isprintable():
        return characters
    raise DecodeError(INVALID_CONTENTS, clause, f"not printable IA5: {octets.hex(' ')}")


def ia5(characters: str) -> bytes:
    """Printable IA5 octets or ValueError."""
    if not (characters.isascii() and characters.isprintable()):
        raise ValueError(f"not printable IA5: {characters!r}")
    return characters.encode("ascii")
