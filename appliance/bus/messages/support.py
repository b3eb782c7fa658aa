"""The bundle for who helps: made by boxd in the background, one at a time."""

from typing import ClassVar

from appliance.bus.messages.base import Done, Reply, Request


class SupportReply(Reply, frozen=True):
    running: bool
    saying: str                                   # what is being taken; "": nothing
    path: str                                     # of the last one; "": there is none
    octets: int
    at: float
    missing: list[str]                            # what could not be taken, and why
    error: str                                    # the last one was not made: why; "": it was


class GetSupport(Request[SupportReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class MakeSupport(Request[Done], frozen=True):
    """Begin one. Refused: one is being made. `numbers`: telephone numbers are in it as they are."""

    owner: ClassVar[str] = "boxd"
    numbers: bool = False
