"""Whose number may be shown to whom: restriction (CLIR, COLR), screening of what a user gives, passing on.

Ref: ITU-T Q.951.3-Q.951.6 (CLIP, CLIR, COLP, COLR); ETSI EN 300 092-1, EN 300 093-1, EN 300 097-1,
EN 300 098-1; ECMA-148 between private exchanges.
"""
from collections.abc import Iterable, Sequence
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
NOT_SCREENED, PASSED, FAILED, NETWORK_PROVIDED = 0, 1, 2, 3     # screening indicator

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


def screened(given: CallingNumber | None, blocks: Iterable[Block], default: CallingNumber | None, *,
             special_arrangement: bool = False) -> CallingNumber:
    """The number that the network lets a user's call carry (EN 300 092-1, 9.3): `given` when it is the
    line's, completed when only its last digits are given; otherwise the line's `default`, restricted as
    `given` is.

    `special_arrangement`: the line may give any number, which goes on unscreened.
    """
    if given is not None and given.digits:
        if special_arrangement:
            return replace(given, screening=NOT_SCREENED)
        for block in blocks:
            if (number := block.complete(given.digits)) is not None:
                kind = given if default is None or number == given.digits else default
                return replace(given, digits=number, type=kind.type, plan=kind.plan, screening=PASSED)
    if default is None:
        return CallingNumber("", presentation=NOT_AVAILABLE, screening=NETWORK_PROVIDED)
    presentation = RESTRICTED if given is not None and withheld(given) else default.presentation
    return replace(default, presentation=presentation, screening=NETWORK_PROVIDED)


def restrict(number: Number, mode: Restriction, asked: bool | None = None) -> Number:
    """CLIR and COLR at the origin. What is restricted stays so unless the line's mode lets it be shown."""
    if not number.digits or number.presentation == NOT_AVAILABLE:
        return number
    if asked is None and withheld(number):
        asked = True
    return replace(number, presentation=RESTRICTED if mode.applies(asked) else ALLOWED)


def trusted(side: Side, *, symmetric: bool = False, override: bool = False) -> bool:
    """Whether the far end of a line gets restricted numbers and keeps them to itself: the public network, the
    other exchange of a private network, and a PBX with the override category (police, emergency desk)."""
    return side is Side.USER or symmetric or override


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


def restriction_asked(called: str, hide: str, show: str) -> tuple[str, bool | None]:
    """The number without the prefix that asks for this one call, such as *31* and #31#; and what it asks."""
    for prefix, asked in ((hide, True), (show, False)):
        if prefix and called.startswith(prefix):
            return called.removeprefix(prefix), asked
    return called, None
