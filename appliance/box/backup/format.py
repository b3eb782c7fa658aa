"""What a backup file is: names within it and its manifest. No I/O. docs/backup.md has it in words.

A tar archive inside a sealed file. Below `state/` what lies in the state folder, below `config/` the
configuration document with the files beside it, below `elsewhere/` those of its files that lie elsewhere, by
their whole path. The last member is the manifest.
"""

import re
from pathlib import PurePosixPath

import msgspec

from appliance.bus.messages import BackupKind
from appliance.errors import BranchlineError

FORMAT = 1
KIND = "branchline backup"                        # in the sealed file's plain facts
MANIFEST = "manifest.json"
MAX_MANIFEST_OCTETS = 64 * 1024 * 1024
STATE, CONFIG, ELSEWHERE = "state", "config", "elsewhere"

AUDIO = re.compile(r"state/recordings/[0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9a-f]{32}\.blr")
_FILE = re.compile(r"branchline-(?P<box>[a-z0-9-]+)-[0-9]{8}T[0-9]{6}Z-(?P<kind>now|weekly|monthly)\.backup")


class BackupError(BranchlineError):
    """A backup cannot be made, read or restored: why, and what to do. Nothing that was there is changed."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    name: str
    octets: int
    sha256: str
    mode: int
    rows: dict[str, int] = msgspec.field(default_factory=dict)       # of each table, where it is a database


class Audio(msgspec.Struct, frozen=True, kw_only=True):
    """Recordings, which are not in the list of files: the seal proves them, and each is sealed by itself."""

    count: int = 0
    octets: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    version: str                                  # of Branchline
    box: str
    kind: BackupKind
    at: float
    document: str                                 # name of the configuration document
    files: list[Held]
    audio: Audio = Audio()
    left_out: list[str] = msgspec.field(default_factory=list)        # and why

    @property
    def octets(self) -> int:
        return sum(one.octets for one in self.files) + self.audio.octets


def file_name(box: str, at: str, kind: BackupKind) -> str:
    """`at`: UTC as 20261122T183000Z."""
    return f"branchline-{box}-{at}-{kind}.backup"


def kind_of(name: str, box: str) -> str | None:
    """Of a backup of this box, by its file's name; None: it is none."""
    found = _FILE.fullmatch(name)
    return found["kind"] if found and found["box"] == box else None


def safe(name: str) -> bool:
    """A name that a backup may hold: it leads into one of its parts and nowhere else."""
    path = PurePosixPath(name)
    return (str(path) == name and not path.is_absolute() and ".." not in path.parts and "\0" not in name
            and len(path.parts) > 1 and path.parts[0] in (STATE, CONFIG, ELSEWHERE))
