"""Whose number may be shown to whom: restriction (CLIR, COLR), screening of what a user gives, passing on.

Ref: ITU-T Q.951.3-Q.951.6 (CLIP, CLIR, COLP, COLR); ETSI EN 300 092-1, EN 300 093-1, EN 300 097-1,
EN 300 098-1; ECMA-148 between private exchanges.
"""
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from appliance.isdn.elements import (
    CallingNumber,
    CallingSubaddress,
    ConnectedNumber,
    ConnectedSubaddress,
    Display,
    Element,
    RedirectingNumber,
    RedirectionNumber,
)
from appliance.isdn.lapd import Side

ALLOWED, RESTRICTED, NOT_AVAILABLE = 0, 1, 2      # presentation indicator, Q.931 table 4-11
PASSED, NETWORK_PROVIDED = 1, 3                   # screening indicators: the network answers for the number

Shown = CallingNumber | ConnectedNumber | RedirectingNumber | RedirectionNumber
Number = TypeVar("Number", bound=Shown)


class Restriction(Enum):
    """How a line has subscribed to CLIR (or COLR)."""

    NEVER = "never"                               # has it not: a restriction that is asked for is not granted
    ASKED = "asked"                               # temporary mode, by default allowed
    UNLESS_ASKED = "unless-asked"                 # temporary mode, by default restricted
    ALWAYS = "always"                             # permanent mode

    def applies(self, asked: bool | None) -> bool:
        """Whether a call is restricted for which that was asked; None: nothing was."""
        match self:
            case Restriction.ASKED:
                return asked is True
            case Restriction.UNLESS_ASKED:
                return asked is not False
            case _:
                return self is Restriction.ALWAYS


@dataclass(frozen=True, slots=True)
class Block:
    """The numbers `first` to `last` of a line, of one length. ValueError for others."""

    first: str
    last: str

    def __post_init__(self) -> None:
        if not (self.first.isdecimal() and self.last.isdecimal() and len(self.first) == len(self.last)
                and self.first <= self.last):
            raise ValueError(f"{self.first}-{self.last}: not a block of numbers of one length, lowest first")

    @classmethod
    def parse(cls, text: str) -> "Block":
        """"88880000-88880099", or one number."""
        first, _, last = text.partition("-")
        return cls(first.strip(), last.strip() or first.strip())

    def complete(self, digits: str) -> str | None:
        """The number of the block that `digits` are, or are the end of; None: of no one."""
        missing = len(self.first) - len(digits)
        if not digits.isdecimal() or missing < 0:
            return None
        number = self.first[:missing] + digits
        return number if self.first <= number <= self.last else None


def trusted(side: Side, *, symmetric: bool = False) -> bool:
    """Whether the far end of a line gets restricted numbers and keeps them to itself: the public network, and
    the other exchange of a private network."""
    return side is Side.USER or symmetric


def passed_on(number: Number, to_trusted: bool) -> Number:
    """The number as it goes to the next line: without its digits when they are withheld from it."""
    if to_trusted or number.presentation == ALLOWED:
        return number
    return replace(number, digits="", type=0, plan=0)


def pass_on(elements: Sequence[Element], to_trusted: bool) -> tuple[Element, ...]:
    """The elements of a message as they go to the next line: numbers as passed_on() says, and what would name
    a party all the same, its subaddress and Display, not at all (EN 300 093-1, 9.4)."""
    hidden: set[type[Element]] = set()
    if not to_trusted:
        for element in elements:
            if isinstance(element, CallingNumber) and element.presentation != ALLOWED:
                hidden |= {CallingSubaddress, Display}
            elif isinstance(element, ConnectedNumber) and element.presentation != ALLOWED:
                hidden |= {ConnectedSubaddress, Display}
    kept = [element for element in elements if type(element) not in hidden]
    return tuple(passed_on(element, to_trusted) if isinstance(element, Shown) else element
                 for element in kept)


def withheld(number: Number) -> bool:
    """The party does not want it shown, as opposed to: it is not known."""
    return number.presentation == RESTRICTED


def shown(number: Number | None) -> str:
    """The digits that a person may see."""
    return number.digits if number is not None and number.presentation == ALLOWED else ""
