"""What a verb is, and what crosses the socket."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from appliance.errors import BranchlineError

Value = str | int | float | bool | None
Tell = Callable[[str, float], None]               # what is being done, and how much of all that is, 0 to 1

SOCKET = "root.sock"                              # below the run folder
MOST_OCTETS = 64 * 1024                           # of a line, either way
BUSY = "is under way: ask again after it"         # how a refusal ends that another verb is the reason of


class VerbError(BranchlineError):
    """Why a verb did nothing, or how far it came; for people."""


@dataclass(frozen=True, slots=True)
class Verb:
    """`arguments` is a frozen msgspec.Struct that forbids unknown fields."""

    arguments: type[msgspec.Struct]
    act: Callable[[Any, Tell], dict[str, Value]]
    beside: bool = False                          # may run while another verb does


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verb: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    text: str
    share: float


class Outcome(msgspec.Struct, frozen=True, tag="outcome"):
    """`refused`: why it was not done; empty: it was, with `result`."""

    refused: str = ""
    result: dict[str, Value] = {}


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a verb that needs none."""
