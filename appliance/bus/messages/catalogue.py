"""The catalogue of recordings: what acdd's log says of them, how they are found, whether all are there."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Event, Reply, Request
from appliance.bus.messages.within import Within

Preset = Literal["", "today", "yesterday", "last-week", "last-month"]
Way = Literal["", "in", "out", "internal", "missed"]
State = Literal["", "kept", "archived", "erased"]

MOST_FACTS = 100                                  # recordings in one GetRecordingFacts
MOST_ROWS = 200                                   # of one SearchRecordings
MOST_TOTAL = 10_000                               # that are counted


class RecordingMark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened while it was recorded. kind: of the contact's segment that began (talk: again,
    hold, consult, conference, transfer, park ...), or paused, resumed, asked, kept, key, tag."""

    kind: str
    at: float
    detail: str = ""
    by: str = ""


class RecordingAct(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a recording, for the chain. kind: on-demand, kept, stopped, paused, resumed."""

    kind: str
    at: float
    by: str                                       # "": the command line; of resumed: or its time was over
    tick: int = 0                                 # of the record ring, from which on it holds; 0: not known


class PauseChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A pause as the chain has it, against the audio."""

    from_s: float                                 # since the recording's beginning
    to_s: float
    by: str
    silent: bool | None                           # None: the audio is not here, or cannot be read


class SurveyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    survey: str
    question: str
    answer: int


class RecordingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the log says of a recording and its contact. `contact` "": none names it."""

    recording: str
    final: bool = False                           # the contact has ended: later changes are told of
    contact: str = ""
    direction: str = ""                           # of the contact: in, out, internal
    missed: bool = False                          # the caller left a message and talked with nobody
    kind: str = ""                                # of the first segment that names it: talk, message ...
    began_at: float = 0.0
    ended_at: float = 0.0                         # 0: goes on
    calling: str = ""
    called: str = ""
    withheld: bool = False
    trunk: str = ""                               # of the customer's call
    queue: str = ""
    agent: str = ""
    node: str = ""                                # of the flow, that was last
    grade: str = ""                               # the customer's
    outcome: str = ""
    disposition: str = ""
    note: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    marks: list[RecordingMark] = msgspec.field(default_factory=list)
    answers: list[SurveyAnswer] = msgspec.field(default_factory=list)
    rule: str = ""                                # of the policy that had it recorded
    why: str = ""                                 # it was
    format: str = ""                              # of the policy: small, original; "": it says none
    unwanted: bool = False                        # recorded on demand, and nobody kept it
    acts: list[RecordingAct] = msgspec.field(default_factory=list)   # in order


class RecordedFacts(Reply, frozen=True):
    """As of entry `seq` of the log. `changed_to`: look on from there; it is `seq` when that is all."""

    facts: list[RecordingFacts]
    seq: int
    changed: list[str]
    changed_to: int


class GetRecordingFacts(Request[RecordedFacts], frozen=True):
    """Of these recordings, MOST_FACTS at most; and which others have changed after an entry of the log."""

    owner: ClassVar[str] = "acdd"
    recordings: list[str] = msgspec.field(default_factory=list)
    changed_after: int | None = None              # None: not asked


class RecordedFactsChanged(Event, frozen=True):
    """Contacts ended, or got tags, a disposition, an answer: ask what changed."""

    owner: ClassVar[str] = "acdd"
    seq: int                                      # of the log


class ToBeRecorded(msgspec.Struct, frozen=True, kw_only=True):
    recording: str
    contact: str
    began_at: float
    ended_at: float
    kind: str
    unwanted: bool = False                        # the policy has it erased at its end; nobody kept it


class ToBeRecordedList(Reply, frozen=True):
    recordings: list[ToBeRecorded]
    after: str = ""                               # ask on from here; "": that is all


class GetToBeRecorded(Request[ToBeRecordedList], frozen=True):
    """What the log says was recorded in contacts that ended in [since, until), in that order."""

    owner: ClassVar[str] = "acdd"
    since: float
    until: float
    after: str = ""                               # of the answer before


class RecordingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recording as it is listed."""

    recording: str
    began_at: float
    ended_at: float
    duration_s: float
    gap_s: float                                  # silence stands for what is missing
    format: str
    file_octets: int
    state: str                                    # kept, archived (not on this box), erased
    erased_why: str = ""
    held: bool = False
    delete_after: float = 0.0                     # 0: not decided
    score: float | None = None
    contact: str = ""                             # "": not known yet, or none names it
    direction: str = ""
    missed: bool = False
    kind: str = ""
    calling: str = ""
    called: str = ""
    withheld: bool = False
    trunk: str = ""
    queue: str = ""
    agent: str = ""
    node: str = ""
    grade: str = ""
    outcome: str = ""
    disposition: str = ""
    note: str = ""
    tags: list[str] = msgspec.field(default_factory=list)


class RecordingsFound(Reply, frozen=True):
    """Newest first. `after` 0: there are no more."""

    rows: list[RecordingRow]
    after: int
    total: int                                    # MOST_TOTAL + 1: more than MOST_TOTAL
    since: float                                  # of the preset, when it was one
    until: float


class SearchRecordings(Request[RecordingsFound], frozen=True):
    """Recordings that began in [since, until), 0: no limit, and are as all else says.

    Refused: what was asked for is no search.
    """

    owner: ClassVar[str] = "recordd"
    preset: Preset = ""                           # in the box's time zone; in place of since and until
    since: float = 0.0
    until: float = 0.0
    way: Way = ""
    number: str = ""                              # part of either number, 3 digits at least; ^: its beginning
    agent: str = ""
    queue: str = ""
    trunk: str = ""
    contact: str = ""
    least_s: float = 0.0                          # of duration
    most_s: float = 0.0                           # 0: no limit
    tag: str = ""
    least_score: float | None = None
    most_score: float | None = None
    disposition: str = ""
    text: str = ""                                # in note, disposition or tags
    held: bool | None = None
    state: State = ""
    after: int = 0                                # of the answer before
    limit: int = 50
    within: Within | None = None                  # None: all


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with a recording, as the chain keeps it."""

    at: float
    kind: str
    by: str
    data: str                                     # JSON


class RecordingDescribed(Reply, frozen=True):
    row: RecordingRow
    sha256: str                                   # of its audio as encoded
    marks: list[RecordingMark]
    answers: list[SurveyAnswer]
    rule: str                                     # of the policy that had it recorded
    why: str
    silences: list[tuple[float, float]]           # seconds from its beginning in which nobody speaks
    entries: list[ChainEntry]                     # the last thousand, in order
    pauses: list[PauseChecked] = msgspec.field(default_factory=list)
    as_described: bool | None = None              # by the chain; False: altered; None: it tells nothing yet


class DescribeRecording(Request[RecordingDescribed], frozen=True):
    """Refused: it is not in the catalogue."""

    owner: ClassVar[str] = "recordd"
    recording: str


class CheckFinding(msgspec.Struct, frozen=True, kw_only=True):
    """kind: missing, orphan, differs, altered (not as the chain says), or lost: its file is gone, counted as
    missing. `why` not "": explained, and not counted as such.
    """

    kind: str
    recording: str
    contact: str
    began_at: float
    expected_s: float
    found_s: float
    why: str = ""


class RecordingCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Of contacts that ended in the hour from `began_at`: expected = found + missing + explained."""

    began_at: float
    checked_at: float
    expected: int
    found: int
    missing: int
    orphans: int                                  # began in this hour, and no contact names them
    differing: int                                # in length by more than a second
    explained: int
    findings: list[CheckFinding]                  # the first of them
    altered: int = 0                              # began in this hour, and are not as the chain says


class RecordingChecks(Reply, frozen=True):
    """Newest first."""

    checks: list[RecordingCheck]


class GetRecordingChecks(Request[RecordingChecks], frozen=True):
    """Of hours that began in [since, until)."""

    owner: ClassVar[str] = "recordd"
    since: float
    until: float


class CheckRecordings(Request[RecordingChecks], frozen=True):
    """Count the hours of [since, until) now, a week at most. Refused: acdd does not answer."""

    owner: ClassVar[str] = "recordd"
    since: float
    until: float
