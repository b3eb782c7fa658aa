"""Where calls go: trunkd's groups of channels, acdd's numbers and ways, and what would become of a call."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.acdd import Sentence
from appliance.bus.messages.base import Reply, Request

# --- trunkd's


class ReservedInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    direction: str                                # in, out, both
    called: list[str]                             # calls to these numbers; none: to any
    channels: int                                 # kept for them
    most: int | None                              # and so many they may take
    used: int                                     # by such calls now


class TrunkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A group of channels, as trunkd's settings in force have it."""

    trunk: str
    spans: list[str]
    hunting: str                                  # of config.lines.TrunkConfig
    overflow: list[str]
    reserved: list[ReservedInfo]
    emergency: list[str]                          # numbers it knows as such
    calling: str                                  # shown where there is none, or one that is not allowed
    country: str                                  # of its number plan; "": it has none
    area: str
    calls_in: int
    calls_out: int


class TrunkTable(Reply, frozen=True):
    trunks: list[TrunkInfo]


class GetTrunks(Request[TrunkTable], frozen=True):
    owner: ClassVar[str] = "trunkd"


# --- acdd's


class NumberInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A row of centre.inbound."""

    trunk: str
    called: str
    flow: str
    calendar: str                                 # "": none
    closed: Sentence | None                       # where calls go while it is closed


class WayInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A row of centre.outbound."""

    trunk: str
    called: str                                   # a pattern
    to: str
    calling: str                                  # "": the extension's own


class EntryInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A row of centre.entry. `goes` None: it only notes something of the call."""

    name: str
    trunks: list[str]
    called: list[str]
    goes: Sentence | None


class RoutePlan(Reply, frozen=True):
    entry: list[EntryInfo]
    inbound: list[NumberInfo]
    outbound: list[WayInfo]


class GetRoutePlan(Request[RoutePlan], frozen=True):
    owner: ClassVar[str] = "acdd"


class RouteExplained(Reply, frozen=True):
    """`kind`: in (by a rule or a number of the box), out (then `digits` leave by `trunk`), refused."""

    at: float
    steps: list[Sentence]                         # the last says where it goes
    kind: str
    trunk: str = ""
    digits: str = ""


class ExplainRoute(Request[RouteExplained], frozen=True):
    """By the same code as a real call, with calendars as they are forced. `at` 0: now.

    Refused: no such trunk, or what is no number.
    """

    owner: ClassVar[str] = "acdd"
    trunk: str
    called: str
    calling: str = ""
    withheld: bool = False
    at: float = 0.0


class LegContacts(Reply, frozen=True):
    contacts: dict[str, str]                      # leg that lives -> its contact


class GetLegContacts(Request[LegContacts], frozen=True):
    owner: ClassVar[str] = "acdd"
