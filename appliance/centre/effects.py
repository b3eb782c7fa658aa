"""What acdd does itself outside its loop: looking up, speaking texts. An effect asks, an input answers.

An effect is an action like those for spand and trunkd: done after the log is on the disk. It is answered once
or not at all; the engine waits for it no longer than `timeout_s`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.bus.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    order: str                                    # names it; no two have the same
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(Effect):
    """Ask a source of the configuration."""

    source: str
    send: Mapping[str, str] = field(repr=False)   # may hold a PIN: in no log


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Effect):
    """Have a text spoken, unless it is there already."""

    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Effect):
    """Ask another daemon; the answer's fields are the `answer`."""

    request: Request[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRecordings(Effect):
    """Of the talks of `agent`, the newest first, or of the contact that `reference` names.

    `answer`: recordings. Of the contact `agent` "": whoever talked.
    """

    agent: str
    reference: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDone:
    """Input: `answer` of a Lookup, None when nothing was found; `fragment` of a Say. Or why not."""

    order: str
    answer: Mapping[str, Any] | None = field(default=None, repr=False)
    fragment: str = ""
    error: str = ""
