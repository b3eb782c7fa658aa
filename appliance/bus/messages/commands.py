"""A line of the console's commands, run by boxd for a person of the pages."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Reply, Request

MOST_COMMAND_OUTPUT = 300_000                     # characters of what one line may say here


class CommandRan(Reply, frozen=True):
    """status: as of `ssh BOX COMMAND`: 0 good, 1 it says no, 64 a wrong line, 69 nobody there, 77 role."""

    status: int
    text: str
    wrong: str                                    # what was wrong; "": nothing
    cut: bool = False                             # there was more than fits
    secret: bool = False                          # the line names a password or the like: not to be kept


class RunCommand(Request[CommandRan], frozen=True):
    """One line, as docs/console.md has them; one that goes on until Ctrl-C is not run here.

    Refused: `until` is over: nobody waits for the answer any more, and nothing was done.
    """

    owner: ClassVar[str] = "boxd"
    line: str
    who: str
    role: Literal["watch", "operate", "admin"]
    language: Literal["en", "zh"] = "en"
    origin: str = ""                              # where the person is, for the log
    until: float = 0.0                            # Unix seconds; 0: whenever its turn comes


class CommandOffer(msgspec.Struct, frozen=True):
    word: str                                     # <...>: not one to take over
    help: str


class CommandOffers(Reply, frozen=True):
    at: int                                       # column from which an offered word would be written
    offers: list[CommandOffer]


class OfferCommands(Request[CommandOffers], frozen=True):
    """What fits at the end of a line that is begun."""

    owner: ClassVar[str] = "boxd"
    line: str
    role: Literal["watch", "operate", "admin"]
    language: Literal["en", "zh"] = "en"
