"""Figures, acdd's: of queues, agents, trunks and nodes of flows, with what each is made of.

What a figure is: docs/metrics.md, and the definitions of a reply. Refused: with a sentence.
"""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Reply, Request


class FigureDefinition(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    zh: str
    en: str
    unit: str                                     # share (0 to 1), s, or what is counted
    formula: str
    note: str = ""                                # what counts and what not


class FigureValue(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """In the order of the definitions. `value` None: there is nothing to divide by."""

    value: float | None
    top: float                                    # numerator and denominator: a number, or s
    bottom: float
    target: float | None = None
    kept: bool | None = None                      # the target


class FigureSum(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    what: str                                     # e.g. state/not-ready/lunch, by/digit 1
    count: int
    seconds: float


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One name in one time; name "": all together. `sums`: of all that was counted."""

    name: str
    since: float
    until: float
    values: list[FigureValue]
    sums: list[FigureSum]


class Figures(Reply, frozen=True):
    at: float                                     # what went on then is in it
    definitions: list[FigureDefinition]
    rows: list[FigureRow]                         # by name, then by time
    whole: list[FigureRow] = msgspec.field(default_factory=list)     # by name


class GetFigures(Request[Figures], frozen=True):
    """Of the time from `since` to `until` (Unix seconds), whole or by intervals of whole quarters of an hour.

    of: queue, agent, trunk, node. names []: all. figures []: all. whole: the same of the whole time, too.
    """

    owner: ClassVar[str] = "acdd"
    of: str
    since: float
    until: float
    names: list[str] = msgspec.field(default_factory=list)
    figures: list[str] = msgspec.field(default_factory=list)
    interval_s: float = 0.0
    whole: bool = False


class FigureCount(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that counts: a contact, or a time of an agent or trunk (contact "" when it had none)."""

    contact: str
    name: str                                     # whose it is
    what: str
    at: float
    for_s: float
    other: str = ""                               # a queue's: the agent; an agent's: the queue


class FigureCounts(Reply, frozen=True):
    """What is above the line and below it: `top` and `bottom` have a part of so many."""

    definition: FigureDefinition
    top: list[FigureCount]
    bottom: list[FigureCount]
    tops: int
    bottoms: int


class GetFigureCounts(Request[FigureCounts], frozen=True):
    """What is behind a figure. `name`: of one queue, agent, trunk or node; "": all."""

    owner: ClassVar[str] = "acdd"
    of: str
    name: str
    figure: str
    since: float
    until: float
    offset: int = 0
    limit: int = 500
