"""What people ask boxd about backups: one now, those that were made, whether they can be restored."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Reloaded, Reply, Request

BackupKind = Literal["now", "weekly", "monthly"]


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


class ReloadBackup(Request[Reloaded], frozen=True):
    """Read `backup` and `maintenance` of the document again; `check`: only say what would change."""

    owner: ClassVar[str] = "boxd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place
