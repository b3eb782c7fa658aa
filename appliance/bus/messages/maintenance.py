"""The maintenance log: what the box writes down of itself each day, what people did, what they checked."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Event, Reply, Request

EntryKind = Literal["record", "daily", "weekly", "monthly", "repair", "change", "correction"]
PEOPLES: tuple[EntryKind, ...] = ("daily", "weekly", "monthly", "repair", "change", "correction")
Result = Literal["good", "bad", "skipped"]
MOST_TEXT = 2000                                  # characters of what was done, and of a note
MOST_REMARK = 500
MOST_ENTRIES = 1000                               # of one answer


class SpanDay(msgspec.Struct, frozen=True, kw_only=True):
    """Of a line since the last record. es, ses, uas: seconds of G.826 at the near end; None: not told."""

    measured_s: int = 0
    es: int | None = None
    ses: int | None = None
    uas: int | None = None
    failures: int = 0                             # that began
    up: bool = False                              # when this was written


class DayRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the box saw from `since` on."""

    since: float
    daemons: dict[str, str] = msgspec.field(default_factory=dict)        # state when this was written
    restarts: dict[str, int] = msgspec.field(default_factory=dict)       # of those that were started anew
    box_starts: int = 0                           # of boxd: after a power cut, an update, a fault
    spans: dict[str, SpanDay] = msgspec.field(default_factory=dict)
    celsius: dict[str, float] = msgspec.field(default_factory=dict)      # the hottest of each sensor
    disk_total: int = 0
    disk_free: int = 0
    clock_source: str = ""
    clock_offset_s: float | None = None           # box minus what the exchange says; None: nobody said
    calls: int | None = None                      # in and out; None: acdd did not say
    answered: int | None = None
    alarms: dict[str, int] = msgspec.field(default_factory=dict)         # reasons that stood: how often
    fitness: str = ""
    late: bool = False                            # the box was down when it was due


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a check list. `box`: what the box itself said of it."""

    item: str
    result: Result
    remark: str = ""
    box: str = ""


class MaintenanceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; none is ever changed. `corrects`: the number of one that this puts right."""

    number: int
    at: float
    kind: EntryKind
    by: str                                       # "": the box
    text: str = ""
    note: str = ""
    corrects: int = 0
    checked: list[Checked] = msgspec.field(default_factory=list)
    record: DayRecord | None = None


class MaintenanceReply(Reply, frozen=True):
    entries: list[MaintenanceEntry]               # newest first
    more: bool                                    # older ones that were asked for are left out


class GetMaintenance(Request[MaintenanceReply], frozen=True):
    """Those from `since` to before `until`, Unix seconds; 0: no limit."""

    owner: ClassVar[str] = "boxd"
    since: float = 0.0
    until: float = 0.0
    most: int = 200


class MaintenanceItem(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at; `found`, `box`: what the box says of it now; "": it cannot tell."""

    item: str
    text: dict[str, str]                          # by language
    found: str                                    # Result, or ""
    box: str


class MaintenanceLists(Reply, frozen=True):
    """`last`: when each list was last gone through; 0: never."""

    items: dict[str, list[MaintenanceItem]]       # by weekly, monthly
    last: dict[str, float]


class GetMaintenanceLists(Request[MaintenanceLists], frozen=True):
    owner: ClassVar[str] = "boxd"


class MaintenanceWritten(Event, frozen=True):
    """There is a new entry."""

    owner: ClassVar[str] = "boxd"
    number: int
    at: float


class AddedMaintenance(Reply, frozen=True):
    number: int


class AddMaintenance(Request[AddedMaintenance], frozen=True):
    """By a person. Refused: nothing is said in it, an item is missing, or what it corrects is not there."""

    owner: ClassVar[str] = "boxd"
    kind: EntryKind
    by: str
    text: str
    note: str = ""
    corrects: int = 0
    checked: list[Checked] = msgspec.field(default_factory=list)
