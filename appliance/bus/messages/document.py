"""The configuration document as versions: candidate, check, compare, commit, confirm, roll back."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

# Where a version comes from: the document that was there at first, an edit of the file, a commit of a
# candidate, a person who wanted an older one again, a commit that was not confirmed or not wanted.
VersionKind = Literal["found", "edited", "commit", "rollback", "expired", "reverted"]
VersionState = Literal["applying", "committed", "waiting", "confirmed", "rolled-back"]


class DocumentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One text that the document has had, or has."""

    number: int                                   # from 1
    at: float
    by: str                                       # "": the box itself
    comment: str
    kind: VersionKind
    of: int = 0                                   # whose text it has again; 0: its own
    keys: list[str] = msgspec.field(default_factory=list)            # that are others than in the one before
    sha256: str = ""
    parent: int = 0
    state: VersionState = "committed"
    in_force: bool = True                         # False: the daemons have not taken it over, or not yet
    why_not: str = ""


class DocumentCandidate(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    base: int                                     # the version that it was made from
    at: float                                     # of its last change
    sha256: str


class DocumentState(Event, frozen=True):
    """Said on change."""

    owner: ClassVar[str] = "boxd"
    at: float
    head: DocumentVersion | None = None           # the newest, which is on the disk; None: none was readable
    waiting: int = 0                              # a version that goes back by itself; 0: none
    back_to: int = 0                              # whose text comes back then
    until: float = 0.0                            # unless it is confirmed before
    candidate: DocumentCandidate | None = None
    wrong: str = ""                               # the file was edited and is wrong: a line for each mistake


class DocumentReply(Reply, frozen=True):
    state: DocumentState
    version: DocumentVersion | None               # None: it is the candidate
    text: str
    hidden: bool = False                          # there are secrets in it that are not shown


class GetDocument(Request[DocumentReply], frozen=True):
    """The text of a version; 0: of the newest. Refused: there is none. Secrets are shown with `secrets`."""

    owner: ClassVar[str] = "boxd"
    number: int = 0
    candidate: bool = False                       # instead of a version
    secrets: bool = False


class DocumentHistory(Reply, frozen=True):
    state: DocumentState
    versions: list[DocumentVersion]               # newest first
    older: bool                                   # there are some


class GetDocumentHistory(Request[DocumentHistory], frozen=True):
    owner: ClassVar[str] = "boxd"
    before: int = 0                               # only versions below; 0: all
    most: int = 50


class KeyChange(msgspec.Struct, frozen=True):
    """Values as YAML on one line; None: it is not there."""

    key: str
    old: str | None
    new: str | None


class DocumentDifference(Reply, frozen=True):
    old: str                                      # whole texts, as far as they are shown
    new: str
    unified: str                                  # as diff -u; "": they are alike
    keys: list[KeyChange]
    hidden: bool = False


class CompareDocuments(Request[DocumentDifference], frozen=True):
    """Two versions; 0 as `new` is the candidate. Refused: one is not there."""

    owner: ClassVar[str] = "boxd"
    old: int
    new: int = 0
    secrets: bool = False


class EditDocument(Request[DocumentReply], frozen=True):
    """The candidate has this text now. Refused: it is another person's, or made from an old version.

    `base` is the version that the text was made from; 0: the newest.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    text: str
    base: int = 0


class SetDocumentKey(Request[DocumentReply], frozen=True):
    """One key of the candidate, which begins with the newest version; comments stay.

    `value` is YAML; None: the key goes. Parts of lists are named: centre.queues.sales.ring_s, spans[0].url.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    key: str
    value: str | None


class DiscardDocument(Request[Done], frozen=True):
    """No candidate any more. Refused: it is another person's, and not `anybodys`."""

    owner: ClassVar[str] = "boxd"
    by: str
    anybodys: bool = False


class DocumentMistake(msgspec.Struct, frozen=True):
    line: int                                     # of the candidate; 0: of another file, or of none
    text: str


class DocumentChecked(Reply, frozen=True):
    """`mistakes`: it cannot be committed. `refusals`: not while the box runs, only for its next start."""

    mistakes: list[DocumentMistake]
    warnings: list[str]
    refusals: list[str]
    keys: list[KeyChange] = msgspec.field(default_factory=list)      # of TryKeys: what would differ


class CheckDocument(Request[DocumentChecked], frozen=True):
    """What the box's own start would say of the candidate, and what its daemons say now."""

    owner: ClassVar[str] = "boxd"


class DocumentCommitted(Reply, frozen=True):
    version: DocumentVersion
    until: float = 0.0                            # it goes back then unless it is confirmed; 0: it stays


class CommitDocument(Request[DocumentCommitted], frozen=True):
    """The candidate becomes the document. Refused: it is wrong, old, not one's own, or needs a new start.

    `confirm_within_s` 0: nobody needs to confirm it. `next_start`: no daemon takes it over before.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    comment: str
    confirm_within_s: float = 0.0
    next_start: bool = False


class RollBackDocument(Request[DocumentCommitted], frozen=True):
    """A new version with the text of version `to`. Refused: as CommitDocument."""

    owner: ClassVar[str] = "boxd"
    by: str
    to: int
    comment: str = ""
    confirm_within_s: float = 0.0
    next_start: bool = False


class ConfirmDocument(Request[Done], frozen=True):
    """Version `number` stays. Refused: it does not wait for that."""

    owner: ClassVar[str] = "boxd"
    by: str
    number: int


class RevertDocument(Request[DocumentCommitted], frozen=True):
    """Version `number`, which waits to be confirmed, goes back now. Refused: it does not wait."""

    owner: ClassVar[str] = "boxd"
    by: str
    number: int


class NoticeDocument(Request[Done], frozen=True):
    """Look at the file now, and take over what is in it: somebody has edited it. Refused: it is wrong."""

    owner: ClassVar[str] = "boxd"
    by: str = ""


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """As SetDocumentKey's."""

    key: str
    value: str | None


class ChangeDocument(Request[DocumentCommitted], frozen=True):
    """Keys of the newest version set and committed in one act; a candidate that people work on stays.

    `head`: the version that was looked at, 0 any. Refused: there is a newer one that changes one of the same
    parts, the new document is wrong, or it needs a new start; it names what.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    sets: list[KeySet]
    comment: str = ""
    head: int = 0
    confirm_within_s: float = 0.0
    next_start: bool = False


class TryKeys(Request[DocumentChecked], frozen=True):
    """What ChangeDocument would be told, and `keys` that would differ; nothing changes."""

    owner: ClassVar[str] = "boxd"
    sets: list[KeySet]
