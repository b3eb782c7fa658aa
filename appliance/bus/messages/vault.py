"""What recordd is asked about keys, the chain of what was done, and exports."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Reply, Request


class LinkedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a recording ("": to none); `link` holds all before it."""

    seq: int
    at: float
    kind: str
    recording: str
    by: str
    data: str                                     # JSON
    link: str                                     # hexadecimal


class ChainPage(Reply, frozen=True):
    """Newest first. The next page is asked for before the last one's seq; none follows an empty one."""

    entries: list[LinkedEntry]


class GetChain(Request[ChainPage], frozen=True):
    """What was done with recordings; a field that is given narrows it."""

    owner: ClassVar[str] = "recordd"
    recording: str = ""
    kinds: list[str] = msgspec.field(default_factory=list)
    by: str = ""
    from_at: float | None = None
    until_at: float | None = None
    before_seq: int | None = None
    most: int = 100                               # up to 1000


class ChainChecked(Reply, frozen=True):
    """`broken_seq` None: from the first entry to the last, and every signed head, all holds."""

    entries: int
    link: str                                     # of the last entry that holds, hexadecimal
    broken_seq: int | None
    why: str
    head_seq: int                                 # the last that is signed; 0: none
    head_at: float


class VerifyChain(Request[ChainChecked], frozen=True):
    """Check all of it now: about 4 s for a million entries."""

    owner: ClassVar[str] = "recordd"


class BoxKey(Reply, frozen=True):
    """The key that signs exports and the chain; and the ring that seals recordings, by ids, newest last."""

    public_key: str                               # PEM
    fingerprint: str                              # 64 hexadecimal digits
    ring: list[str]


class GetBoxKey(Request[BoxKey], frozen=True):
    owner: ClassVar[str] = "recordd"


class RotateKeys(Request[BoxKey], frozen=True):
    """A new key seals from now on; all recordings are wrapped anew, then the older keys are destroyed.

    Refused: eight are there yet.
    """

    owner: ClassVar[str] = "recordd"
    by: str
    why: str


class Exported(Reply, frozen=True):
    path: str
    octets: int
    sha256: str                                   # of the file
    recordings: int


class ExportRecordings(Request[Exported], frozen=True):
    """A signed bundle of recordings, their facts and their chain, in the box's folder of exports.

    With a passphrase the whole is sealed. Refused: unknown, erased or damaged recordings, no space.
    """

    owner: ClassVar[str] = "recordd"
    recordings: list[str]                         # up to 1000
    by: str
    why: str
    passphrase: str = ""

    def __repr__(self) -> str:
        """Without the passphrase: messages come into logs."""
        return f"ExportRecordings({len(self.recordings)} by {self.by!r}, why {self.why!r})"


class ExportTo(Request[Exported], frozen=True):
    """The same as one new file anywhere on the box, for who may name one: not for the pages.

    `to_path` is absolute or within the folder of exports; "": as ExportRecordings. Refused also: it exists.
    """

    owner: ClassVar[str] = "recordd"
    recordings: list[str]
    by: str
    why: str
    to_path: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return f"ExportTo({len(self.recordings)} by {self.by!r}, why {self.why!r}, {self.to_path!r})"
