"""What people ask boxd about backups: one now, those that were made, whether they can be restored."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Reloaded, Reply, Request

BackupKind = Literal["now", "weekly", "monthly"]
RestoreAct = Literal["restore", "take-back"]
PASSPHRASE_LEAST = 12                         # characters: it is tried out by whoever finds the stick
RestoreBegin = Literal["drained", "now"]       # calls that go on are waited for, or ended


class BackupInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One backup that was made, or could not be."""

    kind: BackupKind
    at: float                                     # its beginning
    took_s: float = 0.0
    path: str = ""
    octets: int = 0
    verified: bool = False                        # read back after it was written: octet for octet
    error: str = ""                               # "": it was made
    tried_at: float = 0.0                         # a restore was tried out; 0: not of this one
    trial_error: str = ""                         # "": and it held
    hub: str = ""                                 # where a copy went
    hub_error: str = ""
    gone: bool = False                            # newer ones took its place


class BackupReply(Reply, frozen=True):
    path: str                                     # backup.path; "": none are made
    passphrase: bool                              # is there
    running: str                                  # what is being done; "": nothing
    overdue: bool
    next_at: float                                # 0: none is planned
    backups: list[BackupInfo]                     # newest first


class GetBackups(Request[BackupReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class BackUp(Request[Done], frozen=True):
    """Begin one now. Refused: it cannot be, with why; what came of it is in GetBackups."""

    owner: ClassVar[str] = "boxd"


class TryBackup(Request[Done], frozen=True):
    """Try out a restore of one that was made, `path` of GetBackups. Refused: it cannot be, with why; what
    came of it is in GetBackups. Nothing of the box is changed by it."""

    owner: ClassVar[str] = "boxd"
    path: str


class SetBackupPassphrase(Request[Done], frozen=True):
    """Seal later backups with a key made from this one; earlier ones keep theirs. Refused: too short, or the
    disk refuses the key. The passphrase itself is kept nowhere."""

    owner: ClassVar[str] = "boxd"
    passphrase: str

    def __repr__(self) -> str:
        return "SetBackupPassphrase()"


class ReloadBackup(Request[Reloaded], frozen=True):
    """Read `backup`, `maintenance`, `snmp` and `syslog` of the document again; `check`: only say what would
    change."""

    owner: ClassVar[str] = "boxd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place


class RestoreCount(msgspec.Struct, frozen=True):
    """How many of something the box has now and the backup has."""

    what: str                                     # contacts, recordings, people, versions, acts
    now: int
    held: int
    since: int                                    # made after the backup; -1: nobody can say


class PreparedRestore(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was opened, proven and tried out, and what its restore would mean."""

    token: str                                    # BeginRestore's: what is confirmed is what was seen
    prepared_at: float
    source: str
    box: str
    version: str
    at: float
    octets: int
    own: bool                                     # this box made it
    trial: list[str]                              # what does not hold; []: all does
    refused: str                                  # why it cannot be restored; "": it can
    counts: list[RestoreCount]
    keys: list[str]                               # of the configuration, that differ
    keys_unknown: str                             # why nobody can say
    audio: int                                    # recordings in it that can be heard
    elsewhere: int                                # files whose place is not the configuration's folder
    left_out: list[str]


class RestoreOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the last wish."""

    id: str
    act: RestoreAct
    at: float                                     # of the wish
    done_at: float
    by: str
    address: str
    why: str
    box: str
    version: str
    backup_at: float
    config: bool                                  # the configuration, too
    error: str = ""                               # "": it was done; else nothing was changed
    asides: list[str] = msgspec.field(default_factory=list)


class RestoreReply(Reply, frozen=True):
    name: str                                     # the box's, which BeginRestore wants typed
    running: str                                  # what is being done; "": nothing
    error: str                                    # of what was asked last; "": it went well
    prepared: PreparedRestore | None
    wished: bool                                  # the box is about to start anew
    outcome: RestoreOutcome | None
    back: bool                                    # the box as it was before is kept
    back_until: float                             # when it goes by itself; 0: it is not kept


class GetRestore(Request[RestoreReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class PrepareRestore(Request[Done], frozen=True):
    """Open and try out a backup: `source` is a path of GetBackups, or `upload:NAME`. "" of `passphrase`: the
    box's own key opens it. What comes of it is in GetRestore; nothing is changed."""

    owner: ClassVar[str] = "boxd"
    source: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return f"PrepareRestore(source={self.source!r})"


class BeginRestore(Request[Done], frozen=True):
    """The box becomes what the backup says, with a new start. Refused: another name, nothing prepared."""

    owner: ClassVar[str] = "boxd"
    token: str
    name: str
    by: str
    address: str
    why: str
    config: bool = True
    begin: RestoreBegin = "drained"


class TakeRestoreBack(Request[Done], frozen=True):
    """The box becomes what it was before the last restore, with a new start."""

    owner: ClassVar[str] = "boxd"
    name: str
    by: str
    address: str
    why: str
    begin: RestoreBegin = "drained"


class CancelRestore(Request[Done], frozen=True):
    """What was prepared goes, calls are no longer waited for; a wish is withdrawn while the box runs."""

    owner: ClassVar[str] = "boxd"


class ForgetReplaced(Request[Done], frozen=True):
    """What the last restore put aside is removed for good."""

    owner: ClassVar[str] = "boxd"
