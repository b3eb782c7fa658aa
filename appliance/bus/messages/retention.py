"""What people ask recordd about how long recordings live: holds of the law, purges, room, erasing.

`by`: the person who asks. Refused: with a sentence that says what, why not, what to do.
"""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Reply, Request


class CaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the law that holds recordings, or did."""

    case: str
    why: str
    by: str
    at: float
    recordings: int                               # that it holds now
    octets: int
    number: str = ""                              # whose later recordings it takes, too
    contact: str = ""
    until: float = 0.0                            # so long; 0: no later ones
    released_at: float = 0.0                      # 0: it holds
    released_by: str = ""
    released_why: str = ""


class CaseReply(Reply, frozen=True):
    case: CaseInfo
    changed: int                                  # recordings held, or let go


class HoldRecordings(Request[CaseReply], frozen=True):
    """No recording of these is deleted by anything until the case lets it go. One more call adds to a case.

    Chosen are `recordings` and, where one of the other conditions is given, those that meet all of them.
    until: recordings of `number` or `contact` that come before then are held, too; 0: none.
    """

    owner: ClassVar[str] = "recordd"
    case: str
    by: str
    why: str
    recordings: list[str] = msgspec.field(default_factory=list)
    contact: str = ""
    number: str = ""                              # of the other party
    queue: str = ""
    agent: str = ""
    tag: str = ""
    since: float = 0.0                            # began then or later
    before: float = 0.0                           # began before; 0: up to now
    until: float = 0.0


class ReleaseHold(Request[CaseReply], frozen=True):
    """The case lets go of `recordings`, or of all and is over. Other cases may go on holding them."""

    owner: ClassVar[str] = "recordd"
    case: str
    by: str
    why: str
    recordings: list[str] = msgspec.field(default_factory=list)


class CaseList(Reply, frozen=True):
    cases: list[CaseInfo]


class GetHolds(Request[CaseList], frozen=True):
    """Oldest case first. every: also those that are over. recording: which of them hold it."""

    owner: ClassVar[str] = "recordd"
    every: bool = False
    recording: str = ""


class PurgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Of the recordings that a rule takes and whose time is over."""

    rule: str
    recordings: int = 0                           # that go
    seconds: float = 0.0
    octets: int = 0
    oldest: float = 0.0                           # began; 0: none goes
    newest: float = 0.0
    held: int = 0                                 # would go, and stay: a case holds them
    young: int = 0                                # below least_days, which was raised
    unarchived: int = 0                           # wait for the archive
    unknown: int = 0                              # wait for what acdd knows of them


class PurgeReport(Reply, frozen=True):
    """What goes, or went; `remains` says why nothing did."""

    at: float
    cause: str                                    # daily, asked, room
    by: str
    dry: bool                                     # nothing was deleted
    rows: list[PurgeRow]
    remains: str = ""


class Purge(Request[PurgeReport], frozen=True):
    """dry: only what would go. Else as the daily run, now; what the daily run would do first is reported."""

    owner: ClassVar[str] = "recordd"
    by: str
    dry: bool = True


class GetPurgeForecast(Request[PurgeReport], frozen=True):
    """What would go if the daily run were now."""

    owner: ClassVar[str] = "recordd"
    by: str


class PurgeReports(Reply, frozen=True):
    reports: list[PurgeReport]


class GetPurgeReports(Request[PurgeReports], frozen=True):
    """Newest first."""

    owner: ClassVar[str] = "recordd"
    most: int = 30                                # up to 400


class Erased(Reply, frozen=True):
    archive_object: str                           # a copy that is to be erased there; "": there is none


class EraseRecording(Request[Erased], frozen=True):
    """A person's right: the audio of one recording goes for good. Refused: held, or too young by law."""

    owner: ClassVar[str] = "recordd"
    recording: str
    by: str
    why: str


class RuleInfo(msgspec.Struct, frozen=True, kw_only=True):
    rule: str                                     # "": what no rule takes
    takes: str                                    # its conditions in words
    keep_days: float | None                       # None: for ever
    recordings: int                               # that it takes now
    octets: int


class RetentionInfo(Reply, frozen=True):
    """recording: what is said of that one is in `says`."""

    rules: list[RuleInfo]
    least_days: float
    next_run_at: float
    grace_until: float                            # until then a rule that became shorter deletes nothing; 0
    says: str = ""


class GetRetention(Request[RetentionInfo], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str = ""


class SpaceInfo(Reply, frozen=True):
    """Octets. quota 0: none."""

    level: str                                    # ok, low, urgent, full
    total: int
    free: int
    recordings: int
    journal: int
    outbox: int
    quota: int
    held: int
    unarchived: int                               # finished and not yet in the archive; 0 without one
    unarchived_recordings: int
    archived_recordings: int                      # that only the archive has
    archive_error: str = ""                       # of the last try; "": it went well


class GetSpace(Request[SpaceInfo], frozen=True):
    owner: ClassVar[str] = "recordd"
