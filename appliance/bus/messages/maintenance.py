"""The maintenance log: what the box writes down of itself each day, what people did, what they checked."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

EntryKind = Literal["record", "daily", "weekly", "monthly", "repair", "change", "correction",
                    "weekly-check", "monthly-check", "signature"]
PEOPLES: tuple[EntryKind, ...] = (
    "daily", "weekly", "monthly", "repair", "change", "correction", "signature")
RoutineKind = Literal["weekly", "monthly"]
ROUTINES: tuple[RoutineKind, ...] = ("weekly", "monthly")
CHECKS: dict[RoutineKind, EntryKind] = {"weekly": "weekly-check", "monthly": "monthly-check"}
Result = Literal["good", "bad", "skipped"]
# Of what the box looks at by itself; undone: it could not be done, and the text says why.
Outcome = Literal["good", "attend", "failed", "undone"]
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


class SelfChecked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the box looked at by itself. Texts by language: en, zh."""

    item: str
    title: dict[str, str]
    result: Outcome
    figure: str = ""                              # what was measured, with its unit; "": nothing was
    limit: str = ""                               # what it is held against
    text: dict[str, str] = msgspec.field(default_factory=dict)       # what was found
    next: dict[str, str] = msgspec.field(default_factory=dict)       # what to do; {}: nothing
    at: float = 0.0                               # when it was looked at
    took_s: float = 0.0


class SelfCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A round of the box's own. `due`: the moment it was planned for; 0: somebody asked for it."""

    due: float
    began_at: float
    late: bool = False                            # begun after the hours it was planned for: the box was off
    results: list[SelfChecked] = msgspec.field(default_factory=list)


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
    check: SelfCheck | None = None
    signs: int = 0                                # signature: the number of the entry that was seen


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at: float
    by: str


class MaintenanceReply(Reply, frozen=True):
    entries: list[MaintenanceEntry]               # newest first
    more: bool                                    # older ones that were asked for are left out
    # By an entry's number, oldest first.
    signed: dict[str, list[Signature]] = msgspec.field(default_factory=dict)


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
    """By a person. Refused: nothing is said in it, an item is missing, or what it corrects or signs is not
    there."""

    owner: ClassVar[str] = "boxd"
    kind: EntryKind
    by: str
    text: str
    note: str = ""
    corrects: int = 0
    checked: list[Checked] = msgspec.field(default_factory=list)
    signs: int = 0                                # signature: which entry


class RoutineState(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the box's own rounds stands.

    state: off, planned, waiting (for calls to end, or for the quiet hours), running.
    """

    kind: RoutineKind
    state: Literal["off", "planned", "waiting", "running"]
    next_at: float                                # when it begins, or goes on at the earliest; 0: never
    began_at: float = 0.0                         # of the one that goes on
    late: bool = False
    doing: str = ""                               # item
    results: list[SelfChecked] = msgspec.field(default_factory=list)  # of the one that goes on
    left: list[str] = msgspec.field(default_factory=list)            # items that it waits for
    last: MaintenanceEntry | None = None


class RoutineReply(Reply, frozen=True):
    """The daily record and the box's own weekly and monthly rounds."""

    at: float
    record_at: float                              # the next one
    record: MaintenanceEntry | None               # the last one
    rounds: list[RoutineState]
    signed: dict[str, list[Signature]] = msgspec.field(default_factory=dict)   # by an entry's number


class GetRoutine(Request[RoutineReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class BeginSelfCheck(Request[Done], frozen=True):
    """Begin a round now, or have one that waits go on: it waits for nothing. Refused: one goes on."""

    owner: ClassVar[str] = "boxd"
    kind: RoutineKind
    by: str


class SelfCheckState(Event, frozen=True):
    """`failed`: items of which the last look failed. Said at the start and after each round."""

    owner: ClassVar[str] = "boxd"
    at: float
    failed: list[str]
